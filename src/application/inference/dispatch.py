"""The attempt loop: the only place that retries or fails over (R-09), exactly as contract section 7 says.

Whose turn it is among a provider's keys is said here too.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import islice
from typing import Generic, TypeVar

from application.inference.affording import Affording
from application.inference.asking_on import Refusals, may_break
from application.inference.books import Entry
from application.inference.calls import Able, Attempt, InferenceCall, Operation, Served, key_id_of, tiered
from application.inference.consequences import Consequences
from application.inference.deadlines import CallTimer, Deadlines
from application.inference.fallbacks import fallbacks_of
from application.inference.live_rates import LiveRates
from application.inference.prospects import Prospects, is_due, staying, trusted
from application.inference.verdict import RATE_KINDS, Unavailability, verdict
from application.routing.rotation import SmoothRotation
from application.snapshot import GatewayState, LiveProvider
from domain.availability import KeyCondition
from domain.errors import UpstreamFailure
from domain.failover import (
    BEFORE_WORK,
    MAX_CALLS_WITH_REFUSALS,
    MAX_UPSTREAM_CALLS,
    OF_EVERY_KEY,
    REACTIONS,
    FailureKind,
)
from domain.inference import InferenceRequest
from domain.keys import ProviderKey
from domain.ports.policies import AvailabilityPolicy, QuotaSpent
from domain.ports.providers import ProviderCall
from domain.ports.runtime import Clock
from domain.routing import Candidate, Plan

P = TypeVar("P")
R = TypeVar("R", bound=InferenceRequest)
T = TypeVar("T")
Make = Callable[[P, ProviderCall[R], CallTimer], Awaitable[T]]
"""Asks one provider: the capability, the call, and the timer to wait under."""

USUAL_OUTPUT_TOKENS = 1_024
MOST_OUTPUT_TOKENS = 4_096
"""Of an answer, what is counted against a quota before it has come: agents ask for far more than they get."""


class Dispatcher:
    """Makes the calls of a request until one is answered."""

    def __init__(
        self,
        state: GatewayState,
        availability: AvailabilityPolicy,
        clock: Clock,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.state = state
        self.availability = availability
        self.clock = clock
        self.rotation = SmoothRotation[ProviderKey](lambda key: key.id, lambda key: key.weight)
        self.jitter = jitter
        self.rates = LiveRates()
        self.deadlines = Deadlines()

    def dispatch(
        self,
        operation: Operation[P],
        plan: Plan,
        call: InferenceCall[R],
        entry: Entry,
        make: Make[P, R, T],
    ) -> Awaitable[Served[T]]:
        """The first answer along the plan, of those that have the operation's capability.

        Every upstream call is begun in `entry`, and ended there unless it is the one that answers. Raises
        `ClientRejected`, `NotFound`, `LimitExceeded` or `AllCandidatesFailed`. A cancelled task stops the call under
        way at once.
        """
        return _Dispatch(self, operation, plan, call, entry, make).begin()


class _Dispatch(Generic[P, R, T]):
    """The attempts of one request."""

    def __init__(
        self,
        owner: Dispatcher,
        operation: Operation[P],
        plan: Plan,
        call: InferenceCall[R],
        entry: Entry,
        make: Make[P, R, T],
    ) -> None:
        self._owner, self._operation = owner, operation
        self._availability, self._clock = owner.availability, owner.clock
        self._providers = owner.state.current.by_id
        self._plan = plan.candidates
        if (routed := plan.policy is not None) and not owner.rates.quiet:
            self._plan = owner.rates.behind(plan.candidates, owner.clock.monotonic())
        held = routed and self._availability.has_aside
        self._stays = staying(self._plan, self._availability) if held else frozenset[str]()
        self._call, self._entry = call, entry
        limits = entry.admission.limits if entry.admission is not None else None
        self._affording = Affording(limits, call.trace) if limits is not None else None
        self._make = make
        self._stream = call.payload.value.streams
        self._ends = call.started + plan.candidates[0].timeouts.request
        self._failures: list[UpstreamFailure] = []
        self._unavailability: Unavailability | None = None
        self._due: set[str] = set()  # keys that were refused and may be asked again, by one request
        self._refused, self._place = 0, 0  # calls that were refused before any work; who is to be asked next
        self._after: Consequences | None = None
        self._fallbacks = fallbacks_of(plan.policy) if plan.policy is not None else None
        self._refusals = Refusals[T](entry, self._fallbacks) if self._fallbacks is not None else None
        self._stopped = self._failing = False  # the whole; whether keys of the provider that is asked may fail

    @property
    def _passed_over(self) -> Unavailability:
        """Why candidates were passed over, where any was."""
        if self._unavailability is None:
            self._unavailability = Unavailability()
        return self._unavailability

    @property
    def _consequences(self) -> Consequences:
        """What the failures so far mean."""
        if self._after is None:
            owner = self._owner
            self._after = Consequences(self._fallbacks, owner.rates, owner.clock, owner.jitter)
        return self._after

    def begin(self) -> Awaitable[Served[T]]:
        """Without a policy no answer says no so that others are asked: one frame less."""
        return self._run() if self._refusals is None else self._refusals.over(self._run)

    async def _ask_on(self, served: Served[T], failure: UpstreamFailure) -> Served[T]:
        """What a provider began broke before any content: it has not answered, and its turn is over."""
        self._unanswered(served.attempt, failure)
        self._stopped = self._consequences.stops(failure, served.attempt.candidate) or self._stopped
        return await self.begin()

    async def _run(self) -> Served[T]:
        ask, refusals = self._ask_at if self._fallbacks is None else self._try, self._refusals
        made = self._call.trace.attempts
        while self._place < len(self._plan):
            candidate, rest = self._plan[self._place], self._plan[self._place + 1 :]
            self._place += 1
            if self._stopped or (made and self._calls_left <= 0) or self._ends <= self._clock.monotonic():
                break
            if self._after is not None and not self._after.allows(candidate):
                continue
            served = await ask(candidate, rest)
            if served is None:
                continue
            if refusals is None or await refusals.passes(served, partial(self._others, rest)):
                return may_break(served, self._ask_on) if rest and self._stream else served
        if refusals is not None and refusals.first is not None:
            return refusals.first
        if not self._failures and self._affording is not None:
            self._affording.refuse(self._unavailability)
        raise verdict(
            self._failures, self._passed_over, self._call.request.model, self._operation.endpoint, self._clock.now()
        )

    def _others(self, rest: Sequence[Candidate]) -> int:
        """How many might still be asked."""
        return min(self._calls_left, self._kept_for(rest)) if self._calls_left > 0 else 0

    async def _try(self, candidate: Candidate, rest: Sequence[Candidate]) -> Served[T] | None:
        """As `_ask_at`; whether a candidate that was not asked lets others be asked is for the policy to say."""
        asked = len(self._failures)
        if self._unavailability:
            self._unavailability.last = None
        served = await self._ask_at(candidate, rest)
        if served is None and self._fallbacks is not None and len(self._failures) == asked:
            cause = self._unavailability.last if self._unavailability is not None else None
            self._stopped = self._stopped or not self._fallbacks.names(cause)
        return served

    async def _ask_at(self, candidate: Candidate, rest: Sequence[Candidate]) -> Served[T] | None:
        """Ask one candidate, if it may be asked; None where the next is to be tried."""
        mock = candidate.mock
        live = self._providers.get(candidate.provider.id) if mock is None else None
        lease = self._owner.state.mock(mock) if mock is not None else live.lease if live is not None else None
        if lease is None:
            return None
        if (provider := self._operation.capability(lease.client.capabilities)) is None:
            self._passed_over.cannot()
            return None
        keys = self._usable_keys(live, candidate) if live is not None else (None,)
        if keys and self._affording is not None and not await self._affording.may_ask(candidate):
            self._passed_over.last = self._affording.cause
            return None
        if keys and (live is None or self._healthy(candidate)):
            return await self._ask(Able(candidate, lease, provider), keys, rest)
        return None

    async def _ask(
        self, deployment: Able[P], keys: Sequence[ProviderKey | None], rest: Sequence[Candidate]
    ) -> Served[T] | None:
        """Ask one deployment, with one key after the other; None where the next candidate is to be tried."""
        failure: UpstreamFailure | None = None
        made = self._call.trace.attempts
        for key in keys:
            if made and self._calls_left <= (0 if failure is None else self._kept_for(rest)):
                break
            if not self._may_ask(deployment.candidate, key):
                continue
            if self._affording is not None and not await self._affording.may_use(deployment.candidate, key):
                self._passed_over.last = self._affording.cause
                continue
            try:
                try:
                    return await self._ask_once(deployment, key)
                except UpstreamFailure as error:
                    return await self._ask_again(deployment, key, rest, error)
            except UpstreamFailure as error:
                failure = error
            except QuotaSpent as spent:
                self._passed_over.key(spent.state.condition, spent.state.until)
                continue
            if not REACTIONS[failure.kind].next_key or failure.scope in OF_EVERY_KEY:
                break
        if failure is not None:
            self._stopped = self._consequences.stops(failure, deployment.candidate) or self._stopped
        return None

    async def _ask_again(
        self, deployment: Able[P], key: ProviderKey | None, rest: Sequence[Candidate], failure: UpstreamFailure
    ) -> Served[T]:
        """Ask once more after a while, or raise `failure`."""
        delay = self._repeat_delay(failure, deployment.candidate, rest)
        if delay is None:
            raise failure
        await asyncio.sleep(delay)
        return await self._ask_once(deployment, key)

    def _repeat_delay(self, failure: UpstreamFailure, candidate: Candidate, rest: Sequence[Candidate]) -> float | None:
        return self._consequences.repeat_delay(
            failure, candidate, self._calls_left, self._seconds_left, lambda most: self._kept_for(rest, most)
        )

    def _kept_for(self, rest: Sequence[Candidate], most: int = 1) -> int:
        """Calls that are left to other candidates."""
        prospects = Prospects(self._availability, self._providers, self._operation, self._clock)
        return len(list(islice(filter(prospects.could_serve, rest), most)))

    async def _ask_once(self, deployment: Able[P], key: ProviderKey | None) -> Served[T]:
        candidate, lease, call = deployment.candidate, deployment.lease, self._call
        timer = CallTimer(self._owner.deadlines, candidate.timeouts, self._seconds_left, stream=self._stream)
        payload = tiered(call.payload, candidate) if candidate.service_tier else call.payload
        provider_call = ProviderCall(
            payload, candidate.model, key, payload.value.include_usage, timer,
            call.principal.strict, call.client_headers, owner_key=call.owner_key,
        )  # fmt: skip
        hold = self._availability.take_quota(key_id_of(candidate.provider.id, key), candidate.model, self._tokens)
        self._owner.rates.calls[candidate.provider.id, candidate.model] += 1
        attempt = self._entry.begin_attempt(candidate, key)
        attempt.hold = hold
        if self._affording is not None:
            self._affording.begun()
        if self._after is not None:
            self._after.asked(candidate)
        lease.acquire()
        try:
            value = await self._make(deployment.provider, provider_call, timer)
        except BaseException as error:
            lease.release()
            self._unanswered(attempt, error)
            raise
        finally:
            call.trace.upstream_seconds += self._clock.monotonic() - attempt.started
        return Served(value, attempt, lease, timer)

    def _tokens(self) -> tuple[int, int]:
        """What the request may use of a quota: its prompt, and as much as it asks for, or as usually comes."""
        asked = self._call.request.output_limit
        output = USUAL_OUTPUT_TOKENS if asked is None else min(asked, MOST_OUTPUT_TOKENS)
        return self._entry.prompt_tokens(), output * self._call.request.answers

    def _unanswered(self, attempt: Attempt, error: BaseException) -> None:
        """Remember a call without an answer, and tell the availability policy where the provider failed."""
        if isinstance(error, UpstreamFailure):
            self._failures.append(error)
            if error.kind is FailureKind.UNSUPPORTED:  # nothing was sent: no attempt, and no one's fault
                self._entry.withdraw(attempt)
                return
            if error.kind in BEFORE_WORK:
                self._refused += 1
            if attempt.candidate.mock is None:
                self._note_failure(attempt, error)
        self._entry.unanswered(attempt, error)

    def _note_failure(self, attempt: Attempt, failure: UpstreamFailure) -> None:
        candidate, key_id = attempt.candidate, attempt.availability_id
        self._availability.record_failure(candidate.provider.id, key_id, candidate.model, failure)
        if REACTIONS[failure.kind].counts_for_breaker:
            self._owner.rates.failed((candidate.provider.id, candidate.model), self._clock.monotonic())
        if failure.kind in RATE_KINDS:
            self._usable(key_id, candidate.model)  # its cooldown is one of the waits a client is told of

    def _usable_keys(self, live: LiveProvider, candidate: Candidate) -> Sequence[ProviderKey | None]:
        """The keys to ask with, in order; [None] for a provider without keys. What is not usable is remembered."""
        if live.keys and not self._due and self._availability.untroubled:
            return self._ordered(live.keys, candidate.model)
        if not self._availability.model_present(candidate.provider.id, candidate.model):
            self._passed_over.without_model()
            return []
        resting = self._availability.deployment_state(candidate.provider.id, candidate.model)
        if resting.condition is not KeyCondition.AVAILABLE:
            self._passed_over.key(resting.condition, resting.until)
            return []
        if not live.keys:
            if live.requires_key:
                self._passed_over.without_key()
                return []
            return [None] if self._usable(key_id_of(live.provider.id, None), candidate.model) else []
        self._failing = len(live.keys) > 1
        usable = [key for key in live.keys if self._usable(key.id, candidate.model)]
        usable = trusted(usable, self._availability, self._clock) if self._failing else usable
        if not self._due:
            return self._ordered(usable, candidate.model)
        ordered = self._ordered([key for key in usable if key.id not in self._due], candidate.model)
        due = [key for key in usable if key.id in self._due]
        return [*due[:1], *ordered, *due[1:]]  # one request asks what has become of one of them

    def _ordered(self, keys: Sequence[ProviderKey], model: str) -> Sequence[ProviderKey]:
        """By turns; but of keys with quotas the one with the most left first, and those without any behind them."""
        if len(keys) < 2:
            return keys
        left = self._availability.quota_left
        return sorted(self._owner.rotation.ordered(keys), key=lambda key: -(left(key.id, model) or 0.0))

    def _usable(self, key_id: str, model: str) -> bool:
        if not self._availability.model_present(key_id, model):
            self._passed_over.without_model()
            return False
        state = self._availability.key_state(key_id, model)
        if state.condition is KeyCondition.AVAILABLE:
            self._due.discard(key_id)
            return True
        if is_due(state, self._clock.now()):
            self._due.add(key_id)
            return True
        self._passed_over.key(state.condition, state.until)
        return False

    def _may_ask(self, candidate: Candidate, key: ProviderKey | None) -> bool:
        """Asked just before a call: a key that was refused, or fails, is asked by one request at a time."""
        if not self._due and not self._failing:
            return True
        key_id = key_id_of(candidate.provider.id, key)
        if self._failing and not self._availability.key_may_try(key_id):
            self._passed_over.provider(self._availability.key_unhealthy_until(key_id))
            return False
        if key_id not in self._due or self._availability.take_probe(key_id):
            return True
        self._passed_over.key(KeyCondition.INVALID, None)
        return False

    def _healthy(self, candidate: Candidate) -> bool:
        """Asked just before a call: where the breaker is half open, a yes is the one probe."""
        provider_id, model = candidate.provider.id, candidate.model
        if self._availability.healthy(provider_id, model, despite_checks=provider_id in self._stays):
            return True
        self._passed_over.provider(self._availability.unhealthy_until(provider_id, model))
        return False

    @property
    def _calls_left(self) -> int:
        made = len(self._call.trace.attempts)
        return min(MAX_UPSTREAM_CALLS - made + self._refused, MAX_CALLS_WITH_REFUSALS - made)

    @property
    def _seconds_left(self) -> float:
        return self._ends - self._clock.monotonic()
