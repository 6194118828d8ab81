"""Active checks: every provider that lists its models for free is asked for the list, and set aside where it fails.

Of all processes on one database one checks; what it found the others learn as they do of everything that rests. The
live breaker is apart from this: whichever says no holds.
"""

import asyncio
import logging
from collections import deque
from typing import Final

import msgspec

from application.snapshot import GatewayState, LiveProvider
from domain.errors import UpstreamFailure
from domain.failover import REACTIONS
from domain.ports.policies import AvailabilityPolicy

log = logging.getLogger(__name__)

CHECK_SECONDS: Final = 10.0
"""What a list may take; a longer one is a check that failed."""

CHECKS_AT_ONCE: Final = 8


class HealthCheckSettings(msgspec.Struct, frozen=True):
    """Seconds between checks, how many of the last count, and seconds that a provider is set aside."""

    interval_seconds: float = 60.0
    window: int = 5
    cooldown_seconds: float = 300.0


class HealthChecks:
    """Call `turn` every `interval_seconds`, in one process of all."""

    def __init__(
        self,
        state: GatewayState,
        availability: AvailabilityPolicy,
        settings: HealthCheckSettings,
    ) -> None:
        self._state = state
        self._availability = availability
        self._settings = settings
        self._results: dict[str, deque[bool]] = {}

    @property
    def interval_seconds(self) -> float:
        return self._settings.interval_seconds

    async def turn(self) -> None:
        """Ask every provider once."""
        live = [entry for entry in self._state.current.live if _is_free(entry)]
        at_once = asyncio.Semaphore(CHECKS_AT_ONCE)

        async def check(entry: LiveProvider) -> None:
            async with at_once:
                self._note(entry.provider.id, await _answers(entry))

        await asyncio.gather(*(check(entry) for entry in live))
        present = {entry.provider.id for entry in live}
        for provider_id in [each for each in self._results if each not in present]:
            del self._results[provider_id]

    def _note(self, provider_id: str, well: bool | None) -> None:
        if well is None:
            return
        window = self._settings.window
        results = self._results.setdefault(provider_id, deque(maxlen=window))
        results.append(well)
        if well:
            if self._availability.is_aside(provider_id):
                results.clear()  # it starts anew
            self._availability.take_back(provider_id)
        elif results.count(False) > window // 2:
            seconds = self._settings.cooldown_seconds
            self._availability.set_aside(provider_id, seconds)
            log.warning("provider set aside by its checks", extra={"provider": provider_id})


def _is_free(live: LiveProvider) -> bool:
    """Whether asking for the list of models is possible: that call is the one that costs nothing."""
    return (
        live.lease is not None
        and live.lease.client.capabilities.models is not None
        and (bool(live.keys) or not live.requires_key)
    )


async def _answers(live: LiveProvider) -> bool | None:
    """None where the answer says nothing of the provider's health, such as a key that is refused."""
    lease = live.lease
    if lease is None or (lister := lease.client.capabilities.models) is None:
        return None
    lease.acquire()
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await lister.list_models(live.keys[0] if live.keys else None)
    except UpstreamFailure as failure:
        return False if REACTIONS[failure.kind].counts_for_breaker else None
    except TimeoutError:
        return False
    finally:
        lease.release()
    return True
