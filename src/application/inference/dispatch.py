"""The attempt loop: the only place that retries or fails over (R-09), exactly as contract section 7 says."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from application.inference.calls import InferenceCall
from application.inference.deadlines import CallTimer, Deadlines
from application.inference.operations import Operation
from application.inference.rotation import KeyRotation
from application.inference.verdict import RATE_KINDS, Unavailability, rejected, verdict
from application.metering import Meter
from application.snapshot import ClientLease, GatewayState, LiveProvider
from domain.availability import KeyCondition
from domain.errors import UpstreamFailure
from domain.failover import MAX_UPSTREAM_CALLS, REACTIONS, UNKNOWN_OUTCOME, FailureKind, NextCandidate
from domain.inference import InferenceRequest
from domain.keys import ProviderKey
from domain.ports.policies import AvailabilityPolicy
from domain.ports.providers import ProviderCall
from domain.ports.runtime import Clock
from domain.routing import Candidate

P = TypeVar("P")
R = TypeVar("R", bound=InferenceRequest)
T = TypeVar("T")
Make = Callable[[P, ProviderCall[R], CallTimer], Awaitable[T]]
"""Asks one provider: the capability, the call, and the timer to wait under."""

KEYLESS = "keyless:"

BACKOFF_SECONDS = 0.25  # full jitter up to this before the one repeat on the same key
SHORT_RETRY_AFTER_SECONDS = 2.0  # a 503's retry-after worth waiting for


class Served(msgspec.Struct, Generic[T]):
    """A call that was answered. The receiver releases `lease` when done with `value`."""

    value: T
    candidate: Candidate
    key_id: str
    number: int
    started: float
    lease: ClientLease
    timer: CallTimer


class Dispatcher:
    """Makes the calls of a request until one is answered."""

    def __init__(
        self,
        state: GatewayState,
        availability: AvailabilityPolicy,
        clock: Clock,
        meter: Meter,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.state = state
        self.availability = availability
        self.clock = clock
        self.meter = meter
        self.rotation = KeyRotation()
        self.jitter = jitter
        self.deadlines = Deadlines()

    def dispatch(
        self, operation: Operation[P], plan: Sequence[Candidate], call: InferenceCall[R], make: Make[P, R, T]
    ) -> Awaitable[Served[T]]:
        """The first answer along the plan, of those that have the operation's capability.

        Every upstream call that is not answered is appended to `call.attempts`. Raises `ClientRejected`,
        `NotFound` or `AllCandidatesFailed`. A cancelled task stops the upstream call under way at once.
        """
        return _Dispatch(self, operation, plan, call, make).run()


def key_id_of(provider_id: str, key: ProviderKey | None) -> str:
    """The id under which availability is kept for a call, with a key or without."""
    return key.id if key is not None else f"{KEYLESS}{provider_id}"


def stored_key_id(key_id: str) -> str | None:
    """The id of the key a call was made with, as the ledger keeps it."""
    return None if key_id.startswith(KEYLESS) else key_id


class _Dispatch(Generic[P, R, T]):
    """The attempts of one request."""

    def __init__(
        self,
        owner: Dispatcher,
        operation: Operation[P],
        plan: Sequence[Candidate],
        call: InferenceCall[R],
        make: Make[P, R, T],
    ) -> None:
        self._owner = owner
        self._operation = operation
        self._availability = owner.availability
        self._clock = owner.clock
        self._providers = owner.state.current.by_id
        self._plan = plan
        self._call = call
        self._make = make
        self._stream = call.request.streams
        self._ends = call.context.started + plan[0].timeouts.request
        self._failures: list[UpstreamFailure] = []
        self._passed_over = Unavailability()
        self._uncertain = False
        self._larger_than: int | None = None
        self._stopped = False

    async def run(self) -> Served[T]:
        for place, candidate in enumerate(self._plan):
            if self._stopped or self._calls_left <= 0 or self._seconds_left <= 0:
                break
            live = self._providers.get(candidate.provider.id)
            if live is None or live.lease is None or not self._fits(candidate):
                continue
            provider = self._operation.capability(live.lease.client.capabilities)
            if provider is None:
                self._passed_over.incapable = True
                continue
            keys = self._usable_keys(live, candidate)
            if keys and self._healthy(candidate.provider.id):
                deployment = _Deployment(candidate, live.lease, provider)
                served = await self._ask(deployment, keys, self._plan[place + 1 :])
                if served is not None:
                    return served
        raise verdict(
            self._failures, self._passed_over, self._call.request.model, self._operation.endpoint, self._clock.now()
        )

    async def _ask(
        self, deployment: "_Deployment[P]", keys: Sequence[ProviderKey | None], rest: Sequence[Candidate]
    ) -> Served[T] | None:
        """Ask one deployment, with one key after the other; None where the next candidate is to be tried."""
        failure: UpstreamFailure | None = None
        for key in keys:
            if self._calls_left <= 0:
                break
            try:
                return await self._ask_with(deployment, key, rest)
            except UpstreamFailure as error:
                failure = error
            if not REACTIONS[failure.kind].next_key:
                break
        if failure is not None:
            self._decide(failure, deployment.candidate)
        return None

    async def _ask_with(
        self, deployment: "_Deployment[P]", key: ProviderKey | None, rest: Sequence[Candidate]
    ) -> Served[T]:
        try:
            return await self._ask_once(deployment, key)
        except UpstreamFailure as failure:
            delay = self._repeat_delay(failure, rest)
            if delay is None:
                raise
        await asyncio.sleep(delay)
        return await self._ask_once(deployment, key)

    def _repeat_delay(self, failure: UpstreamFailure, rest: Sequence[Candidate]) -> float | None:
        """Seconds to wait before the one repeat, or None where there is none.

        The last call a request has left goes to another candidate rather than to the one that just failed.
        """
        if not REACTIONS[failure.kind].same_key_once:
            return None
        delay = self._owner.jitter() * BACKOFF_SECONDS
        if failure.kind is FailureKind.OVERLOADED and failure.retry_after_seconds is not None:
            if failure.retry_after_seconds > SHORT_RETRY_AFTER_SECONDS:
                return None
            delay = failure.retry_after_seconds
        kept_for_others = 1 if any(self._could_serve(candidate) for candidate in rest) else 0
        enough = self._calls_left > kept_for_others and self._seconds_left > delay
        return delay if enough else None

    async def _ask_once(self, deployment: "_Deployment[P]", key: ProviderKey | None) -> Served[T]:
        candidate, lease = deployment.candidate, deployment.lease
        trace = self._call.context.trace
        trace.attempts = number = trace.attempts + 1
        started = self._clock.monotonic()
        timer = CallTimer(self._owner.deadlines, candidate.timeouts, self._seconds_left, stream=self._stream)
        call = self._call
        provider_call = ProviderCall(
            call.payload,
            candidate.model,
            key,
            call.request.include_usage,
            timer,
            call.principal.strict,
            call.context.client_headers,
        )
        lease.acquire()
        try:
            value = await self._make(deployment.provider, provider_call, timer)
        except BaseException as error:
            lease.release()
            self._unanswered(candidate, key, started, error)
            raise
        finally:
            trace.upstream_seconds += self._clock.monotonic() - started
        return Served(value, candidate, key_id_of(candidate.provider.id, key), number, started, lease, timer)

    def _unanswered(self, candidate: Candidate, key: ProviderKey | None, started: float, error: BaseException) -> None:
        """Remember a call without an answer: the provider's failure, a cancellation, or a bug of ours."""
        provider_id, model = candidate.provider.id, candidate.model
        outcome, status, message, kind = "cancelled", None, "", None
        if isinstance(error, UpstreamFailure):
            if error.kind is FailureKind.UNSUPPORTED:  # nothing was sent: no attempt, and no one's fault
                self._call.context.trace.attempts -= 1
                self._failures.append(error)
                return
            kind, status, message = error.kind, error.status, error.message
            outcome = "unknown_outcome" if kind in UNKNOWN_OUTCOME else kind.value
            self._failures.append(error)
            self._availability.record_failure(provider_id, key_id_of(provider_id, key), model, error)
            if kind in RATE_KINDS:
                self._usable(key_id_of(provider_id, key))  # its cooldown is one of the waits a client is told of
        took_ms = (self._clock.monotonic() - started) * 1000
        meter = self._owner.meter
        usage, source = meter.unanswered(self._call.request, kind)
        number, key_id = len(self._call.attempts) + 1, key.id if key else None
        self._call.attempts.append(
            meter.record(number, provider_id, key_id, model, outcome, status, took_ms, usage, source, message)
        )

    def _decide(self, failure: UpstreamFailure, candidate: Candidate) -> None:
        """What the failure that ended a candidate means for the others. Raises where it means the end."""
        following = REACTIONS[failure.kind].next_candidate
        if following is NextCandidate.NO:
            raise rejected(failure)
        if following is NextCandidate.LARGER_WINDOW:
            self._larger_than = candidate.context_window or self._larger_than
            self._stopped = self._larger_than is None
        elif following is NextCandidate.ONCE:
            self._stopped = self._uncertain
            self._uncertain = True

    def _fits(self, candidate: Candidate) -> bool:
        return self._larger_than is None or (candidate.context_window or 0) > self._larger_than

    def _usable_keys(self, live: LiveProvider, candidate: Candidate) -> Sequence[ProviderKey | None]:
        """The keys to ask with, in order; [None] for a provider without keys. What is not usable is remembered."""
        if not self._availability.model_present(candidate.provider.id, candidate.model):
            self._passed_over.model_absent = True
            return []
        if not live.keys:
            if live.requires_key:
                self._passed_over.no_key = True
                return []
            return [None] if self._usable(key_id_of(live.provider.id, None)) else []
        return self._owner.rotation.ordered([key for key in live.keys if self._usable(key.id)])

    def _usable(self, key_id: str) -> bool:
        state = self._availability.key_state(key_id)
        if state.condition is KeyCondition.AVAILABLE:
            return True
        self._passed_over.key(state.condition, state.until)
        return False

    def _healthy(self, provider_id: str) -> bool:
        """Asked just before a call: where the breaker is half open, a yes is the one probe."""
        if self._availability.healthy(provider_id):
            return True
        self._passed_over.provider(self._availability.unhealthy_until(provider_id))
        return False

    def _could_serve(self, candidate: Candidate) -> bool:
        """Whether a later candidate looks usable now. Asks nothing that has an effect."""
        live = self._providers.get(candidate.provider.id)
        if live is None or live.lease is None or (live.requires_key and not live.keys):
            return False
        if self._operation.capability(live.lease.client.capabilities) is None:
            return False
        until = self._availability.unhealthy_until(candidate.provider.id)
        if until is not None and until > self._clock.now():
            return False
        keys: Sequence[ProviderKey | None] = live.keys or (None,)
        states = [self._availability.key_state(key_id_of(candidate.provider.id, key)) for key in keys]
        return self._availability.model_present(candidate.provider.id, candidate.model) and any(
            state.condition is KeyCondition.AVAILABLE for state in states
        )

    @property
    def _calls_left(self) -> int:
        return MAX_UPSTREAM_CALLS - self._call.context.trace.attempts

    @property
    def _seconds_left(self) -> float:
        return self._ends - self._clock.monotonic()


class _Deployment(msgspec.Struct, Generic[P], frozen=True):
    """A candidate with the connections and the capability to ask it."""

    candidate: Candidate
    lease: ClientLease
    provider: P
