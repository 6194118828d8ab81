"""Whether calls with one key of a provider keep failing, while others of its keys may serve (R-39)."""

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

from adapters.availability.breaker import MAX_OPEN_SECONDS, Breaker
from domain.errors import UpstreamFailure
from domain.failover import REACTIONS, FailureKind, FailureScope
from domain.ports.runtime import Clock

MAX_KEYS: Final = 4_096

REMEMBERED_SECONDS: Final = MAX_OPEN_SECONDS + 3_600.0
"""So long after the last failure of any key all are taken to be well: nobody has asked those that failed."""

_OF_NO_KEY: Final = frozenset({FailureKind.CONNECT, FailureKind.ADDRESS_REFUSED})
"""Nobody looked at a key."""

_OF_A_MODEL: Final = frozenset({FailureScope.MODEL, FailureScope.DEPLOYMENT})


class KeyHealth:
    """In memory, of this process's calls. `breakers` is for the look whether any failed at all."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.breakers: OrderedDict[str, Breaker] = OrderedDict()
        self._forgotten_at = 0.0

    @property
    def quiet(self) -> bool:
        """Whether no key has failed of late."""
        if self.breakers and self._clock.monotonic() >= self._forgotten_at:
            self.breakers.clear()
        return not self.breakers

    def unhealthy_until(self, key_id: str) -> datetime | None:
        """When it may be tried again, the present or the past where it may now; None while it is healthy."""
        breaker = self.breakers.get(key_id)
        seconds = None if breaker is None else breaker.seconds_to_probe(self._clock.monotonic())
        return None if seconds is None else self._clock.now() + timedelta(seconds=seconds)

    def may_try(self, key_id: str) -> bool:
        """No while somebody else tries. A yes takes the place of the one who does, once its time has come."""
        breaker, now = self.breakers.get(key_id), self._clock.monotonic()
        if breaker is None or breaker.opens_until is None or now < breaker.opens_until:
            return True
        return breaker.allow(now)

    def succeeded(self, key_id: str) -> None:
        self.breakers.pop(key_id, None)

    def failed(self, key_id: str, failure: UpstreamFailure) -> None:
        breaker = self.breakers.get(key_id)
        counts = REACTIONS[failure.kind].counts_for_breaker and failure.kind not in _OF_NO_KEY
        if not counts or failure.scope in _OF_A_MODEL:
            if breaker is not None:
                breaker.inconclusive()
            return
        if breaker is None:
            breaker = self.breakers[key_id] = Breaker()
            if len(self.breakers) > MAX_KEYS:
                self.breakers.popitem(last=False)
        now = self._clock.monotonic()
        breaker.failed(now)
        self._forgotten_at = now + REMEMBERED_SECONDS
