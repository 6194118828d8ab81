"""Counts tokens with a vocabulary that is loaded when there is need for it (decision 0021)."""

import logging
from collections.abc import Callable
from threading import Thread
from typing import Final

from typing_extensions import override

from adapters.tokens.character_classes import CharacterClassCounter, sampled
from domain.ports.prices import TokenCounter

log = logging.getLogger(__name__)

MAX_COUNTED_CHARACTERS: Final = 16 * 1024
"""Of a longer text samples of so much together are counted, and the rest is taken to be alike: the event loop is kept
for a few milliseconds at most."""

_SAMPLES: Final = 16

CountTokens = Callable[[str], int]

_FAILURES: Final = (
    ArithmeticError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""Whatever may be wrong with a vocabulary or a text: no estimate is worth a request, and there is one without it."""


def load_o200k() -> CountTokens:
    """The vocabulary of OpenAI's models since GPT-4o: 50 MB, and a third of a second with the interpreter held."""
    from toktok import batch_count

    def count(text: str) -> int:
        tokens: int = batch_count((text,), "o200k_base", 1)[0]
        return tokens

    count("")  # the first call loads it
    return count


class VocabularyTokenCounter(TokenCounter):
    """By classes of characters until `prepare` was called and its thread is done, then by vocabulary."""

    def __init__(self, load: Callable[[], CountTokens] = load_o200k) -> None:
        self._load = load
        self._by_class = CharacterClassCounter()
        self._count: CountTokens | None = None
        self._loading: Thread | None = None
        self._failed = False

    @property
    def loaded(self) -> bool:
        return self._count is not None

    @override
    def prepare(self) -> None:
        if self._loading is None:
            self._loading = Thread(target=self._prepare, name="load vocabulary", daemon=True)
            self._loading.start()

    @override
    def count(self, text: str) -> int:
        if self._count is None or not text:
            return self._by_class.count(text)
        counted = sampled(text, _SAMPLES, MAX_COUNTED_CHARACTERS // _SAMPLES)
        try:
            tokens = self._count(counted)
        except _FAILURES as error:
            self._fail(error)
            return self._by_class.count(text)
        return tokens if len(counted) == len(text) else -(-tokens * len(text) // len(counted))

    def wait(self, seconds: float) -> None:
        """Until a load that has begun is done, for what may wait: never the event loop."""
        if self._loading is not None:
            self._loading.join(seconds)

    def _prepare(self) -> None:
        try:
            self._count = self._load()
        except _FAILURES as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if not self._failed:
            self._failed = True
            log.warning("tokens are estimated without a vocabulary: it failed", extra={"reason": repr(error)})
