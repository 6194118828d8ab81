"""How often calls upstream fail just now: what bounds repeats, and what puts a target that fails behind the others."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.routing import Candidate

WINDOW_SECONDS: Final = 10.0
REPEAT_SHARE: Final = 0.1
"""Of the calls to a provider, how many may be repeats (R-09)."""

FREE_REPEATS: Final = 5
"""In each window, whatever the calls: a lone request is repeated at once."""

FEWEST_CALLS: Final = 5
TROUBLED_SHARE: Final = 0.2
MAX_DEPLOYMENTS: Final = 4_096

BACKOFF_SECONDS: Final = 0.25  # full jitter up to this before the one repeat on the same key
SHORT_RETRY_AFTER_SECONDS: Final = 2.0  # a 503's retry-after worth waiting for

Deployment = tuple[str, str]


class _Calls(dict[Deployment, int]):
    """Of so many deployments at most: clients name models, and may name any."""

    def __missing__(self, deployment: Deployment) -> int:
        if len(self) >= MAX_DEPLOYMENTS:
            self.clear()
        return 0


class LiveRates:
    """Counted by deployment, in windows of ten seconds; a window is kept until the next one has ended.

    `calls` is counted up by who calls, for that is on the way of every request; the rest is asked after failures.
    """

    def __init__(self) -> None:
        self.calls = _Calls()
        self._failures: Counter[Deployment] = Counter()
        self._repeats: Counter[str] = Counter()
        self._before: tuple[Mapping[Deployment, int], Mapping[Deployment, int]] = ({}, {})
        self._ends = 0.0

    @property
    def quiet(self) -> bool:
        """Whether nothing has failed of late."""
        return not self._failures and not self._before[1]

    def failed(self, deployment: Deployment, now: float) -> None:
        """A call failed in a way that says something of the deployment. `now` is monotonic."""
        self._turn(now)
        self._failures[deployment] += 1

    def may_repeat(self, provider_id: str, now: float) -> bool:
        """Whether one more call to a provider may be a repeat; a yes is counted as one."""
        self._turn(now)
        calls = sum(count for (provider, _), count in self.calls.items() if provider == provider_id)
        if self._repeats[provider_id] >= FREE_REPEATS + REPEAT_SHARE * calls:
            return False
        self._repeats[provider_id] += 1
        return True

    def troubled(self, deployment: Deployment, now: float) -> bool:
        """Whether a fifth of its calls of late have failed."""
        self._turn(now)
        calls = self.calls.get(deployment, 0) + self._before[0].get(deployment, 0)
        failures = self._failures[deployment] + self._before[1].get(deployment, 0)
        return calls >= FEWEST_CALLS and failures >= TROUBLED_SHARE * calls

    def behind(self, candidates: Sequence[Candidate], now: float) -> Sequence[Candidate]:
        """Those that fail often behind the others; else as they stand."""
        trouble = [self.troubled((each.provider.id, each.model), now) for each in candidates]
        if not any(trouble):
            return candidates
        well = [each for each, bad in zip(candidates, trouble, strict=True) if not bad]
        return [*well, *(each for each, bad in zip(candidates, trouble, strict=True) if bad)]

    def _turn(self, now: float) -> None:
        if now < self._ends and len(self.calls) <= MAX_DEPLOYMENTS:
            return
        lately = now < self._ends + WINDOW_SECONDS
        self._before = (self.calls, self._failures) if lately else ({}, {})
        self.calls, self._failures, self._repeats = _Calls(), Counter(), Counter()
        self._ends = now + WINDOW_SECONDS


def delay_before_repeat(failure: UpstreamFailure, jitter: float) -> float | None:
    """Seconds to wait before the same key is asked again; None where the provider wants a longer pause."""
    if failure.kind is FailureKind.OVERLOADED and failure.retry_after_seconds is not None:
        return failure.retry_after_seconds if failure.retry_after_seconds <= SHORT_RETRY_AFTER_SECONDS else None
    return jitter * BACKOFF_SECONDS
