"""Makes token ids text again, for upstreams that read only text.

Source: LangChain's OpenAIEmbeddings sends ids of `cl100k_base` for every model that it does not know (read 2026-11).
"""

from collections.abc import Callable, Sequence
from typing import Final

DecodeTokens = Callable[[Sequence[int]], str]

VOCABULARY: Final = "cl100k_base"


def load_cl100k() -> DecodeTokens:
    """Loads 30 MB at its first call, in a seventh of a second: not on the event loop."""
    from toktok import _encoding  # its way to the whole tokenizer; the public calls only count

    vocabulary = _encoding(VOCABULARY)
    size: int = vocabulary.n_vocab

    def decode(ids: Sequence[int]) -> str:
        if any(not 0 <= token < size for token in ids):
            raise ValueError(f"a token id is not of {VOCABULARY}")
        text: str = vocabulary.decode(list(ids))
        return text

    return decode
