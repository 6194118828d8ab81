"""What the failures of one request mean for its further calls: whether one is repeated, and who may be asked next."""

from collections.abc import Callable

from application.inference.fallbacks import Fallbacks
from application.inference.live_rates import LiveRates, delay_before_repeat
from application.inference.verdict import WindowSearch, rejected
from domain.errors import UpstreamFailure
from domain.failover import REACTIONS, FailureKind, NextCandidate
from domain.ports.runtime import Clock
from domain.routing import Candidate


class Consequences:
    """Made at a request's first failure, and kept until its end. `fallbacks` are its route's, where it has one."""

    __slots__ = ("_clock", "_fallbacks", "_jitter", "_rates", "_uncertain", "_window")

    def __init__(
        self, fallbacks: Fallbacks | None, rates: LiveRates, clock: Clock, jitter: Callable[[], float]
    ) -> None:
        self._fallbacks = fallbacks
        self._rates = rates
        self._clock = clock
        self._jitter = jitter
        self._window: WindowSearch | None = None
        self._uncertain = False

    def repeat_delay(
        self,
        failure: UpstreamFailure,
        candidate: Candidate,
        calls_left: int,
        seconds_left: float,
        kept_for_others: Callable[[int], int],
    ) -> float | None:
        """Seconds to wait before the one repeat, or None where there is none.

        The last call a request has left goes to another candidate rather than to the one that just failed, and of one
        that fails often the last two: `kept_for_others` says how many, up to a number, there is somebody for. Repeats
        are a tenth of a provider's calls at most.
        """
        if not REACTIONS[failure.kind].same_key_once:
            return None
        if failure.kind is FailureKind.ADDED_FIELD_REFUSED:
            return 0.0 if calls_left > 0 else None
        if (delay := delay_before_repeat(failure, self._jitter())) is None:
            return None
        now, deployment = self._clock.monotonic(), (candidate.provider.id, candidate.model)
        kept = kept_for_others(2 if self._rates.troubled(deployment, now) else 1)
        enough = calls_left > kept and seconds_left > delay
        return delay if enough and self._rates.may_repeat(deployment[0], now) else None

    def stops(self, failure: UpstreamFailure, candidate: Candidate) -> bool:
        """Whether nobody else may be asked after the failure that ended a candidate. Raises where it is the client's
        fault."""
        following: NextCandidate | None = REACTIONS[failure.kind].next_candidate
        if self._fallbacks is not None and following is not None:
            following = self._fallbacks.following(failure, following)
        if following is NextCandidate.NO:
            raise rejected(failure)
        if following is NextCandidate.LARGER_WINDOW:
            self._window = self._window or WindowSearch()
            self._window.too_small(candidate)
        elif following is NextCandidate.ONCE:
            stopped, self._uncertain = self._uncertain, True
            return stopped
        return following is None

    def allows(self, candidate: Candidate) -> bool:
        """Whether a further candidate may be asked: after a prompt that was too long those with a larger window."""
        return self._window is None or self._window.allows(candidate)

    def asked(self, candidate: Candidate) -> None:
        """It is asked now."""
        if self._window is not None:
            self._window.asked(candidate)
