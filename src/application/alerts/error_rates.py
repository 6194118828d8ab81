"""How many of a provider's calls fail, of those of the last five minutes that this process made."""

from collections import deque
from collections.abc import Sequence
from typing import Final

from typing_extensions import override

from application.alerts.book import AlertBook
from application.alerts.watch import Source
from application.inference.books import Books
from application.snapshot import GatewayState
from domain.alerts import AlertSubject, Reading
from domain.failover import FailureKind
from domain.ports.repositories import UnitOfWork
from domain.ports.runtime import Clock, UsageSink
from domain.records import RequestRecord

WINDOW_SECONDS: Final = 300
SLICE_SECONDS: Final = 10
MIN_CALLS: Final = 20
"""Fewer say nothing."""

_NO_FAILURES: Final = frozenset(
    {"ok", "cancelled"}
    | {
        kind.value
        for kind in (
            FailureKind.CLIENT_FAULT,
            FailureKind.CONTENT_POLICY,
            FailureKind.CONTEXT_LENGTH,
            FailureKind.FEATURE_REFUSED,
            FailureKind.ADDED_FIELD_REFUSED,
            FailureKind.UNSUPPORTED,
            FailureKind.OVER_ALLOWANCE,
        )
    }
)
"""Outcomes that are nobody's fault, or the client's."""


class ErrorRates(UsageSink):
    """Hands each record on, and counts its calls. It stands before the books' sink only while a rule asks for it."""

    def __init__(self, books: Books, state: GatewayState, book: AlertBook, clock: Clock) -> None:
        self._books = books
        self._next = books.sink
        self._state = state
        self._book = book
        self._clock = clock
        self._slices: deque[tuple[int, dict[str, list[int]]]] = deque()

    def source(self) -> Source:
        return Source(["error_rate"], float(SLICE_SECONDS), self.read)

    def follow_rules(self) -> None:
        """Begin to count, or stop, as the rules ask."""
        self._books.sink = self if self._book.of("error_rate") else self._next

    @override
    def record(self, record: RequestRecord) -> None:
        self._next.record(record)
        now = int(self._clock.monotonic()) // SLICE_SECONDS
        if not self._slices or self._slices[-1][0] != now:
            self._slices.append((now, {}))
            self._forget(now)
        counts = self._slices[-1][1]
        for attempt in record.attempts:
            count = counts.setdefault(attempt.provider_id, [0, 0])
            count[0] += 1
            count[1] += attempt.outcome not in _NO_FAILURES

    async def read(self, _: UnitOfWork) -> Sequence[Reading]:
        self._forget(int(self._clock.monotonic()) // SLICE_SECONDS)
        sums: dict[str, list[int]] = {}
        for _at, counts in self._slices:
            for provider_id, (calls, failed) in counts.items():
                total = sums.setdefault(provider_id, [0, 0])
                total[0] += calls
                total[1] += failed
        return [self._reading(name, calls, failed) for name, (calls, failed) in sums.items() if calls >= MIN_CALLS]

    def _reading(self, provider_id: str, calls: int, failed: int) -> Reading:
        live = self._state.current.by_id.get(provider_id)
        name = live.provider.name if live is not None else provider_id
        return Reading(
            event="error_rate",
            subject=AlertSubject("provider", provider_id, name),
            level=failed / calls,
            text=f"Of {calls:,} calls of {name} in the last five minutes {failed:,} failed ({failed / calls:.0%}).",
            value=round(failed / calls, 4),
        )

    def _forget(self, now: int) -> None:
        while self._slices and self._slices[0][0] <= now - WINDOW_SECONDS // SLICE_SECONDS:
            self._slices.popleft()
