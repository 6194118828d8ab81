"""Whether a request with limits may ask a candidate: what it takes of them before each call."""

from application.admission.limits import RequestLimits
from application.inference.calls import CallTrace
from application.inference.verdict import Unavailability
from domain.errors import LimitExceeded, PermissionDenied
from domain.keys import ProviderKey
from domain.records import AttemptRecord
from domain.routes import FallbackCause
from domain.routing import Candidate


class Affording:
    """Made for a request that meets limits. `refusal` is why candidates were passed over, of caps the tightest; `cause`
    as what the last one counts."""

    __slots__ = ("_limits", "_trace", "cause", "refusal")

    def __init__(self, limits: RequestLimits, trace: CallTrace) -> None:
        self._limits = limits
        self._trace = trace
        self.refusal: LimitExceeded | PermissionDenied | None = None
        self.cause = FallbackCause.SPEND_CAP

    async def may_ask(self, candidate: Candidate) -> bool:
        """Take what asking the candidate needs. False where a budget forbids it for want of a price.

        Raises `LimitExceeded`: nobody else may be asked either.
        """
        try:
            await self._limits.approach(candidate, self._made)
        except PermissionDenied as error:
            self.cause = FallbackCause.SPEND_CAP
            self.refusal = self.refusal or error
            return False
        return True

    async def may_use(self, candidate: Candidate, key: ProviderKey | None) -> bool:
        """Whether the limits and caps of the provider and of its key allow a call: where not, others are asked."""
        if not self._limits.upstream_limited:
            return True
        try:
            await self._limits.approach_key(candidate, key.id if key is not None else None, self._made)
        except LimitExceeded as error:
            self.cause = FallbackCause.SPEND_CAP if error.dimension == "usd" else FallbackCause.RATE_LIMIT
            if not isinstance(self.refusal, LimitExceeded) or _share_left(error) < _share_left(self.refusal):
                self.refusal = error
            return False
        except PermissionDenied as error:
            self.cause = FallbackCause.SPEND_CAP
            self.refusal = self.refusal or error
            return False
        return True

    def refuse(self, others: Unavailability | None) -> None:
        """Raises `refusal`, where candidates were passed over by that alone: none may be asked again soon."""
        if self.refusal is not None and (others is None or others.available_at is None):
            raise self.refusal

    def begun(self) -> None:
        """An upstream call is made."""
        self._limits.sent = True

    @property
    def _made(self) -> list[AttemptRecord]:
        return [attempt.record for attempt in self._trace.attempts if attempt.record is not None]


def _share_left(error: LimitExceeded) -> float:
    return error.remaining / (error.amount or 1)
