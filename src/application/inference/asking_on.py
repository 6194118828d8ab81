"""Asking on behind an answer: one that its route does not take for one, or that broke before any content."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Generic, TypeVar

from application.inference.books import Entry
from application.inference.calls import Served
from application.inference.fallbacks import Fallbacks, let_go
from domain.errors import ClientRejected, UpstreamFailure

T = TypeVar("T")

AskOn = Callable[[Served[T], UpstreamFailure], Awaitable[Served[T]]]
"""Asks who is left, after what was served has failed."""


class Refusals(Generic[T]):
    """Of a request whose route says what follows an answer that says no: the first of those, while others are asked.

    It is the client's where nobody answers otherwise, and let go of where somebody does.
    """

    __slots__ = ("_entry", "_fallbacks", "first")

    def __init__(self, entry: Entry, fallbacks: Fallbacks) -> None:
        self._entry = entry
        self._fallbacks = fallbacks
        self.first: Served[T] | None = None

    async def over(self, run: Callable[[], Awaitable[Served[T]]]) -> Served[T]:
        """What the run comes to."""
        try:
            served = await run()
        except ClientRejected:
            if self.first is None:
                raise
            return self.first
        except BaseException:
            await self._let_go()
            raise
        if served is not self.first:
            await self._let_go()
        return served

    async def _let_go(self) -> None:
        first, self.first = self.first, None
        if first is not None:
            await let_go(self._entry, first)

    async def passes(self, served: Served[T], others: Callable[[], int]) -> bool:
        """Whether the answer is the client's; else others are to be asked, of whom there are so many."""
        if not self._fallbacks.refused(served.value):
            return True
        if self.first is not None:
            await let_go(self._entry, served)
            return False
        if others() <= 0:
            return True
        self.first = served
        return False


def may_break(served: Served[T], ask_on: AskOn[T]) -> Served[T]:
    """An answer that is begun, behind which others are asked where it breaks before its first content."""
    served.go_on = partial(ask_on, served)
    return served
