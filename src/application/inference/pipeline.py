"""The hot path, in the order it happens: plan, admit, dispatch, settle.

Invariants: every request that reaches the pipeline is settled exactly once, before its last byte is handed
over; no store is asked here; nothing awaits to settle; a cancelled call leaves no upstream call behind.
"""

import asyncio
from collections.abc import Sequence
from typing import TypeVar

from application.admission.access import Gate
from application.inference.calls import CallContext, InferenceCall, PlainReply
from application.inference.deadlines import CallTimer
from application.inference.dispatch import KEYLESS, Dispatcher, Make, Served
from application.inference.streams import HeldStream, StreamReply, broken, open_held
from application.routing.router import PriorityRouter
from application.settlement import Settlement
from domain.availability import RateLimitWindow
from domain.chat import ChatRequest
from domain.errors import GatewayError, UpstreamFailure
from domain.failover import FailureKind
from domain.keys import Principal
from domain.ports.policies import AvailabilityPolicy
from domain.ports.providers import ChatAnswer, ChatCall, ChatProvider
from domain.ports.runtime import Clock, IdFactory
from domain.records import AttemptRecord
from domain.usage import TokenUsage
from domain.wire import Payload

T = TypeVar("T")


class ChatPipeline:
    """Serves chat completions."""

    def __init__(
        self,
        router: PriorityRouter,
        gate: Gate,
        dispatcher: Dispatcher,
        settlement: Settlement,
        availability: AvailabilityPolicy,
        clock: Clock,
        ids: IdFactory,
    ) -> None:
        self._router = router
        self._gate = gate
        self._dispatcher = dispatcher
        self._settlement = settlement
        self._availability = availability
        self._clock = clock
        self._ids = ids

    async def complete(self, principal: Principal, payload: Payload[ChatRequest], context: CallContext) -> PlainReply:
        """A whole answer. Raises `GatewayError`s; cancelling the task cancels the upstream call at once."""
        call = InferenceCall(principal, payload, context, [])
        served = await self._dispatched(call, _complete)
        answer = served.value
        self._served(call, served, answer.limits, answer.model, answer.dropped_params)
        served.timer.close()
        served.lease.release()
        call.attempts.append(self.attempt(served, "ok", answer.usage))
        self._settlement.succeeded(call, answer.usage)
        return PlainReply(answer.body, answer.usage)

    async def stream(self, principal: Principal, payload: Payload[ChatRequest], context: CallContext) -> StreamReply:
        """A stream past its commit point: what fails before is raised here. The caller must `aclose` it."""
        call = InferenceCall(principal, payload, context, [])
        served = await self._dispatched(call, open_held)
        upstream = served.value.stream
        self._served(call, served, upstream.limits, upstream.model, upstream.dropped_params)
        ttft_ms = (self._clock.monotonic() - context.started) * 1000
        return StreamReply(served.value, served.timer, _StreamEnd(self, self._settlement, call, served, ttft_ms))

    async def _dispatched(self, call: InferenceCall, make: Make[T]) -> Served[T]:
        """Plan, admit, dispatch; settled here where it ends without an answer."""
        try:
            call.context.trace.decision_id = self._ids.new("dec")
            plan = self._router.plan(call.request, call.context.pinned_provider)
            plan = self._gate.admit(call.principal, call.request.model, plan)
            return await self._dispatcher.dispatch(plan, call, make)
        except GatewayError as error:
            self._settlement.failed(call, error)
            raise
        except asyncio.CancelledError:
            self._settlement.abandoned(call)
            raise

    def _served(
        self,
        call: InferenceCall,
        served: Served[T],
        limits: Sequence[RateLimitWindow],
        model: str,
        dropped_params: tuple[str, ...],
    ) -> None:
        """A provider has answered, or begun to: tell the availability policy and the trace."""
        provider_id = served.candidate.provider.id
        self._availability.record_success(provider_id, served.key_id, limits)
        trace = call.context.trace
        trace.provider_id = provider_id
        trace.model = model or served.candidate.model
        trace.dropped_params = dropped_params

    def attempt(
        self, served: Served[T], outcome: str, usage: TokenUsage | None, status: int | None = 200, message: str = ""
    ) -> AttemptRecord:
        """The record of a call that was answered, at least in part."""
        candidate = served.candidate
        return AttemptRecord(
            served.number,
            candidate.provider.id,
            None if served.key_id.startswith(KEYLESS) else served.key_id,
            candidate.model,
            outcome,
            status,
            (self._clock.monotonic() - served.started) * 1000,
            usage,
            message,
        )

    def stream_failed(self, served: Served[HeldStream], failure: UpstreamFailure) -> None:
        """A stream broke after content: that counts for the provider's health."""
        broken = UpstreamFailure(FailureKind.AFTER_CONTENT, failure.message, status=failure.status)
        candidate = served.candidate
        self._availability.record_failure(candidate.provider.id, served.key_id, candidate.model, broken)


class _StreamEnd:
    """Settles one stream, whichever way it ends."""

    def __init__(
        self,
        pipeline: ChatPipeline,
        settlement: Settlement,
        call: InferenceCall,
        served: Served[HeldStream],
        ttft_ms: float,
    ) -> None:
        self._pipeline = pipeline
        self._settlement = settlement
        self._call = call
        self._served = served
        self._ttft_ms = ttft_ms

    def __call__(self, failure: UpstreamFailure | None, finished: bool) -> None:
        call, served, settlement = self._call, self._served, self._settlement
        served.lease.release()
        usage = served.value.stream.usage
        if failure is not None:
            self._pipeline.stream_failed(served, failure)
            outcome = FailureKind.AFTER_CONTENT.value
            call.attempts.append(self._pipeline.attempt(served, outcome, usage, failure.status, failure.message))
            settlement.failed(call, broken(failure), usage, self._ttft_ms)
        elif finished:
            call.attempts.append(self._pipeline.attempt(served, "ok", usage))
            settlement.succeeded(call, usage, self._ttft_ms)
        else:
            call.attempts.append(self._pipeline.attempt(served, "cancelled", usage))
            settlement.abandoned(call, usage, self._ttft_ms)


async def _complete(provider: ChatProvider, call: ChatCall, timer: CallTimer) -> ChatAnswer:
    with timer:
        return await provider.complete(call)
