"""The hot path, in the order it happens: plan, admit, dispatch, settle.

Invariants: every request that reaches the pipeline is settled exactly once, before its last byte is handed
over; no store is asked here; nothing awaits to settle; a cancelled call leaves no upstream call behind.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from functools import partial
from typing import TypeVar, cast

import msgspec
from typing_extensions import override

from application.admission.access import Gate
from application.inference.background import BackgroundResponses
from application.inference.books import Books, Entry
from application.inference.calls import CHAT, Attempt, CallTrace, InferenceCall, Operation, PlainReply, Served
from application.inference.deadlines import CallTimer
from application.inference.dispatch import Dispatcher, Make
from application.inference.draining import Draining
from application.inference.gathering import gathered
from application.inference.streams import HeldStream, StreamObserver, StreamReply, open_held
from application.inference.task_asking import TaskAsking
from domain.availability import RateLimitWindow
from domain.background_responses import KeptState
from domain.chat import ChatRequest
from domain.errors import LimitExceeded, NotFound, UpstreamFailure
from domain.failover import FailureKind
from domain.inference import InferenceRequest
from domain.ports.gathering import Gatherers
from domain.ports.policies import AvailabilityPolicy
from domain.ports.providers import (
    Answering,
    ChatProvider,
    PictureCarrier,
    ProviderAnswer,
    ProviderCall,
    Streaming,
)
from domain.ports.routing import Router, RoutingQuestion
from domain.ports.runtime import IdFactory
from domain.records import AttemptRecord
from domain.responses import ResponsesRequest
from domain.routing import AUTO_MODEL, Plan

P = TypeVar("P")
R = TypeVar("R", bound=InferenceRequest)
T = TypeVar("T")

_NO_PLAN = Plan(())


class InferencePipeline:
    """Serves every inference endpoint: an `Operation` says which."""

    def __init__(
        self,
        router: Router,
        gate: Gate,
        dispatcher: Dispatcher,
        books: Books,
        availability: AvailabilityPolicy,
        ids: IdFactory,
        gatherers: Gatherers,
        pictures: PictureCarrier,
        asking: TaskAsking,
        background: BackgroundResponses,
    ) -> None:
        self._router = router
        self._gate = gate
        self._dispatcher = dispatcher
        self._books = books
        self._availability = availability
        self._ids = ids
        self._gatherers = gatherers
        self._pictures = pictures
        self._asking = asking
        self._background = background
        self._draining = Draining()

    async def complete(self, operation: Operation[Answering[R]], call: InferenceCall[R]) -> PlainReply:
        """A whole answer. Raises `GatewayError`s; cancelling the task cancels the upstream call at once."""
        entry = self._books.open(call, operation.endpoint)
        ask = partial(self._ask, operation.endpoint, call.trace)
        try:
            if not call.payload.value.spends:
                await self._background.before(call.request, call.pinned_provider)
            served = await self._dispatched(operation, call, entry, ask)
            answer = served.value
            served.lease.release()
            self._served(call, entry, served, answer.limits, answer.model, answer.dropped_params, asked=answer.asked)
            if answer.kept is not None and self._background.concerns(call.trace, answer.kept):
                record = await asyncio.shield(self._outlived(call.trace, answer.kept, entry, served.attempt, answer))
            else:
                record = entry.answered(served.attempt, answer)
        except BaseException as error:
            entry.end(error)
            raise
        if (policy := call.trace.policy) is not None and policy.loops:
            await self._router.told()  # before the client has a call whose result may come to another process
        return PlainReply(answer.body, record.usage, record.cost_nano_usd, answer.content_type, record.cost_missing)

    async def _ask(
        self,
        endpoint: str,
        trace: CallTrace,
        provider: Answering[R],
        provider_call: ProviderCall[R],
        timer: CallTimer,
    ) -> ProviderAnswer:
        limits = trace.limits
        if limits is not None and limits.spending is not None and limits.spending.gathers:
            gatherer = self._gatherers.of(endpoint)
            return await gathered(provider, provider_call, timer, limits, limits.spending, gatherer)
        with timer:
            return await provider.complete(provider_call)

    async def stream(self, operation: Operation[Streaming[R]], call: InferenceCall[R]) -> StreamReply:
        """A stream past its commit point: what fails before is raised here. The caller must `aclose` it."""
        entry = self._books.open(call, operation.endpoint)
        served: Served[HeldStream] | None = None
        try:
            served = await self._dispatched(operation, call, entry, open_held)
            self._begun(call, entry, served)
            if (policy := call.trace.policy) is not None and policy.loops:
                await self._router.told()
            entry.streaming()
        except BaseException as error:
            entry.end(error)
            if served is not None:
                served.lease.release()
                await asyncio.shield(served.value.aclose())
            raise
        drains = served.attempt.candidate.provider.settings.on_disconnect == "drain"
        draining = self._draining.of(call.trace) if drains else None
        limits = entry.admission.limits if entry.admission is not None else None
        reach = limits.spending.reach if limits is not None and limits.spending is not None else None
        booking = _StreamBooking(self._availability, entry, served)
        again = None
        runs_on = isinstance(call.payload.value, ResponsesRequest) and call.payload.value.outlives
        if served.value.pending is None or runs_on:  # an id of the background is to be known at once
            served.go_on = None
        elif served.go_on is not None:
            again = partial(self._again, call, entry, booking)
        outlive = partial(self._left, call.trace, entry, booking) if runs_on else None
        return StreamReply(served.value, served.timer, booking, draining, reach, outlive, again)

    async def aclose(self) -> None:
        """Cut off the streams that are read on for clients that left; their usage so far is settled."""
        await self._draining.aclose()

    async def _dispatched(
        self, operation: Operation[P], call: InferenceCall[R], entry: Entry, make: Make[P, R, T]
    ) -> Served[T]:
        """Plan, admit, dispatch."""
        call.trace.decision_id = self._ids.new("dec")
        if (grants := call.principal.grants) is not None:
            grants.require_endpoint(operation.endpoint)
        if operation.auto and call.payload.value.model.startswith(AUTO_MODEL):
            call.trace.reading = await self._asking.read(call, self._asked)
        try:
            plan = self._plan(operation, call, entry, may_wait=True)
        except NotFound:
            if self._router.is_settled(_NO_PLAN):
                raise
            plan = _NO_PLAN
        if not self._router.is_settled(plan):
            await self._router.settle(plan)
            plan = self._plan(operation, call, entry)
        entry.admission = admission = self._gate.admit(call.principal, call.payload.value, plan, call.attribution.tags)
        call.trace.limits = limits = admission.limits
        call.trace.policy = admission.plan.policy
        if limits is not None and limits.spending is not None:
            limits.spending.hold_id = call.trace.decision_id
            limits.spending.may_gather = call.request.streamable and self._gatherers.knows(operation.endpoint)
        if plan.policy is not None and plan.policy.pictured:
            operation = cast("Operation[P]", self._pictured(operation.endpoint))
            if limits is not None and limits.spending is not None:
                limits.spending.may_gather = False
        try:
            return await self._dispatcher.dispatch(operation, admission.plan, call, entry, make)
        except LimitExceeded as refusal:
            if refusal.downgrade_to is None or call.trace.attempts:
                raise
            admission.plan = self._downgraded(operation, call, entry, refusal.downgrade_to)
        return await self._dispatcher.dispatch(operation, admission.plan, call, entry, make)

    async def _outlived(
        self, trace: CallTrace, kept: KeptState, entry: Entry, attempt: Attempt, answer: ProviderAnswer
    ) -> AttemptRecord:
        """It is settled, and what its provider makes on, or has made, is followed: also where the client has left."""
        held = await self._background.keep(trace, kept)
        record = entry.answered(attempt, answer)
        await self._background.answered(trace, kept, entry.prompt_tokens, held)
        return record

    def _begun(self, call: InferenceCall[R], entry: Entry, served: Served[HeldStream]) -> None:
        """A stream's hold has ended: by its content or its end, or by time, which says nothing of its provider yet."""
        stream = served.value.stream
        answered = served.value.pending is None
        self._served(call, entry, served, stream.limits, stream.model, stream.dropped_params, asked=answered)

    async def _again(
        self, call: InferenceCall[R], entry: Entry, booking: "_StreamBooking", failure: UpstreamFailure
    ) -> tuple[HeldStream, CallTimer]:
        """The client has its head and nothing of an answer: the next provider takes the place of one that broke."""
        served = booking.served
        go_on, served.go_on = served.go_on, None
        if go_on is None:
            raise failure
        served.lease.release()
        await asyncio.shield(served.value.aclose())
        try:
            booking.served = served = await go_on(failure)
        except BaseException as error:
            booking.over = True
            entry.end(error)
            raise
        booking.waits = served.value.pending is not None
        self._begun(call, entry, served)
        return served.value, served.timer

    async def _left(
        self, trace: CallTrace, entry: Entry, booking: "_StreamBooking", error: BaseException | None
    ) -> None:
        """A stream of the background is not read any more: where the response runs on, it is followed."""
        kept = booking.kept()
        if kept is None or not kept.runs or not self._background.concerns(trace, kept):
            booking.ended(error, whole=False)
            return
        held = await self._background.keep(trace, kept)
        booking.goes_on = True
        booking.ended(error, whole=False)
        await self._background.answered(trace, kept, entry.prompt_tokens, held)

    def _pictured(self, endpoint: str) -> Operation[ChatProvider]:
        """A chat whose answer is a picture."""
        carrier = self._pictures
        return Operation(endpoint, lambda able: carrier.over(able.images) if able.images is not None else None)

    def _asked(self, call: InferenceCall[ChatRequest]) -> Awaitable[PlainReply]:
        return self.complete(CHAT, call)

    def _downgraded(self, operation: Operation[P], call: InferenceCall[R], entry: Entry, model: str) -> Plan:
        """The plan of the model that a budget has room for, in place of the one that was asked for."""
        request = msgspec.structs.replace(call.request, model=model, models=None, provider=None)
        question = RoutingQuestion(
            request, operation.endpoint, operation.auto, None, call.principal, call.attribution, entry.prompt_tokens
        )
        plan = self._router.plan(question)
        call.trace.downgraded_from = call.request.model
        return self._gate.admit(call.principal, request, plan, call.attribution.tags).plan

    def _plan(self, operation: Operation[P], call: InferenceCall[R], entry: Entry, *, may_wait: bool = False) -> Plan:
        return self._router.plan(
            RoutingQuestion(
                call.payload.value, operation.endpoint, operation.auto, call.pinned_provider, call.principal,
                call.attribution, entry.prompt_tokens, call.payload.fields, call.trace.reading, may_wait,
            )
        )  # fmt: skip

    def _served(
        self,
        call: InferenceCall[R],
        entry: Entry,
        served: Served[T],
        limits: Sequence[RateLimitWindow],
        model: str,
        dropped_params: tuple[str, ...],
        *,
        asked: bool = True,
    ) -> None:
        """A provider has answered, or begun to: tell the availability policy, where it was asked, and the trace."""
        candidate = served.attempt.candidate
        if asked:
            self._availability.record_success(
                candidate.provider.id, served.attempt.availability_id, limits, candidate.model
            )
        trace = call.trace
        if trace.policy is not None and trace.policy.conversation:
            policy, tokens = trace.policy, entry.prompt_tokens()
            self._router.served(policy.conversation, candidate, tokens, policy.turns, tells=policy.tells)
        trace.provider_id = candidate.provider.id
        trace.model = model or candidate.model
        trace.dropped_params = dropped_params


class _StreamBooking(StreamObserver):
    """What follows from a stream's progress and its end."""

    __slots__ = ("_availability", "_entry", "goes_on", "over", "served", "waits")

    def __init__(self, availability: AvailabilityPolicy, entry: Entry, served: Served[HeldStream]) -> None:
        self._availability = availability
        self._entry = entry
        self.served = served
        self.goes_on = False  # at its provider, when it is over here
        self.waits = served.value.pending is not None  # its hold ended by time, and its provider may still fail
        self.over = False  # ended already, with nobody left to be asked

    def kept(self) -> KeptState | None:
        """How the response stands, where its provider keeps it."""
        return self.served.value.stream.kept()

    @override
    def progressed(self) -> None:
        self._entry.progressed(self.served.attempt, self.served.value.stream)

    @override
    def began(self) -> None:
        served, self.served.go_on = self.served, None
        if self.waits:
            self.waits = False
            candidate, limits = served.attempt.candidate, served.value.stream.limits
            key_id = served.attempt.availability_id
            self._availability.record_success(candidate.provider.id, key_id, limits, candidate.model)

    @override
    def ended(self, error: BaseException | None, *, whole: bool) -> None:
        if self.over:
            return
        served, attempt = self.served, self.served.attempt
        served.lease.release()
        self._entry.stream_ended(attempt, served.value.stream, error, whole=whole, goes_on=self.goes_on)
        if isinstance(error, UpstreamFailure):  # after content: that counts for the provider's health
            after = UpstreamFailure(FailureKind.AFTER_CONTENT, error.message, status=error.status)
            candidate = attempt.candidate
            self._availability.record_failure(candidate.provider.id, attempt.availability_id, candidate.model, after)
