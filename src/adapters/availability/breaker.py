"""A circuit breaker as a pure state machine: it is told the time and keeps no clock (R-39)."""

FAILURES_TO_OPEN = 5
OPEN_SECONDS = 30.0
MAX_OPEN_SECONDS = 300.0
PROBE_LEASE_SECONDS = 60.0


class Breaker:
    """Closed: everything passes. Open: nothing does, for 30 s × n and at most 300 s. Half open: one probe at a time.

    Five failures in a row open it; each failed probe opens it again for longer; one success closes it and
    forgets everything. A probe whose outcome is never told gives its place up after 60 s. What fails while
    the breaker is open was on its way before, and changes nothing. Times are seconds of one monotonic clock.
    """

    __slots__ = ("_failures", "_openings", "_opens_until", "_probe_until")

    def __init__(self) -> None:
        self._failures = 0
        self._openings = 0
        self._opens_until: float | None = None
        self._probe_until: float | None = None

    @property
    def closed(self) -> bool:
        return self._opens_until is None

    @property
    def opens_until(self) -> float | None:
        """When a probe may pass first, None while closed."""
        return self._opens_until

    @property
    def openings(self) -> int:
        """How often in a row it was opened."""
        return self._openings

    def opened_elsewhere(self, until: float, openings: int) -> None:
        """Another process has opened it."""
        self._opens_until, self._openings, self._probe_until = until, openings, None

    @property
    def untouched(self) -> bool:
        """Closed with no failure counted: as good as no breaker."""
        return self._opens_until is None and self._failures == 0

    def allow(self, now: float) -> bool:
        """Whether a call may be made. Where the breaker is half open, a yes takes the probe's place."""
        if self._opens_until is None:
            return True
        if now < self._opens_until or self._probing(now):
            return False
        self._probe_until = now + PROBE_LEASE_SECONDS
        return True

    def seconds_to_probe(self, now: float) -> float | None:
        """How long until a probe may pass; 0 where one may now, None while closed. Takes no place."""
        if self._opens_until is None:
            return None
        waits_for = max(self._opens_until, self._probe_until or 0.0)
        return max(waits_for - now, 0.0)

    def succeeded(self) -> None:
        self._failures = 0
        self._openings = 0
        self._opens_until = None
        self._probe_until = None

    def failed(self, now: float) -> None:
        if self._opens_until is None:
            self._failures += 1
            if self._failures >= FAILURES_TO_OPEN:
                self._open(now)
        elif now >= self._opens_until:
            self._open(now)

    def turned_away(self, now: float) -> None:
        """The provider says that it will refuse every call: five failures at once."""
        if self._opens_until is None or now >= self._opens_until:
            self._open(now)

    def inconclusive(self) -> None:
        """A call ended in a way that says nothing about health: if it was the probe, another may pass."""
        self._probe_until = None

    def _probing(self, now: float) -> bool:
        return self._probe_until is not None and now < self._probe_until

    def _open(self, now: float) -> None:
        self._openings += 1
        self._opens_until = now + min(OPEN_SECONDS * self._openings, MAX_OPEN_SECONDS)
        self._probe_until = None
