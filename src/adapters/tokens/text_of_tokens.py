"""Makes token ids text again, for upstreams that read only text.

Source: LangChain's OpenAIEmbeddings sends ids of `cl100k_base` for every model that it does not know (read 2026-11).
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from adapters.wire.sift import unsupported

DecodeTokens = Callable[[Sequence[int]], str]
LoadVocabulary = Callable[[], DecodeTokens]

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


async def texts_of(parts: Sequence[str | Sequence[int]], param: str, load: LoadVocabulary = load_cl100k) -> list[str]:
    """Every part as text. The vocabulary is loaded in a thread, by the first request that needs it.

    Raises `UNSUPPORTED` naming `param` where the ids are of another vocabulary.
    """
    if all(isinstance(part, str) for part in parts):
        return [part for part in parts if isinstance(part, str)]

    def decoded() -> list[str]:
        decode = load()
        return [part if isinstance(part, str) else decode(part) for part in parts]

    try:
        return await asyncio.to_thread(decoded)
    except (ValueError, OverflowError, ImportError):
        raise unsupported(param, f"it takes texts, and these token ids are not of {VOCABULARY}; send texts") from None
