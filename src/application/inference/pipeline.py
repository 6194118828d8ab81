"""The hot path, in the order it happens: plan, admit, dispatch, settle.

Invariants: every request that reaches the pipeline is settled exactly once, before its last byte is handed
over; no store is asked here; nothing awaits to settle; a cancelled call leaves no upstream call behind.
"""

import asyncio
from collections.abc import Sequence
from typing import Generic, TypeVar

from application.admission.access import Gate
from application.catalog import AUTO_MODEL
from application.inference.calls import CallContext, InferenceCall, PlainReply, booked
from application.inference.deadlines import CallTimer
from application.inference.dispatch import Dispatcher, Make, Served, stored_key_id
from application.inference.draining import Draining
from application.inference.operations import Operation
from application.inference.streams import HeldStream, StreamReply, broken, open_held
from application.metering import Meter
from application.routing.router import PriorityRouter
from application.settlement import Settlement
from domain.availability import RateLimitWindow
from domain.errors import GatewayError, RequestInvalid, UpstreamFailure
from domain.failover import FailureKind
from domain.inference import InferenceRequest
from domain.keys import Principal
from domain.ports.policies import AvailabilityPolicy
from domain.ports.providers import Answering, ProviderAnswer, ProviderCall, Streaming
from domain.ports.runtime import Clock, IdFactory
from domain.records import AttemptRecord, ProgressRecord, UsageSource
from domain.usage import TokenUsage
from domain.wire import Payload

P = TypeVar("P")
R = TypeVar("R", bound=InferenceRequest)
T = TypeVar("T")


class InferencePipeline:
    """Serves every inference endpoint: an `Operation` says which."""

    def __init__(
        self,
        router: PriorityRouter,
        gate: Gate,
        dispatcher: Dispatcher,
        settlement: Settlement,
        meter: Meter,
        availability: AvailabilityPolicy,
        clock: Clock,
        ids: IdFactory,
    ) -> None:
        self._router = router
        self._gate = gate
        self._dispatcher = dispatcher
        self._settlement = settlement
        self._meter = meter
        self._availability = availability
        self._clock = clock
        self._ids = ids
        self._draining = Draining()

    async def complete(
        self, operation: Operation[Answering[R]], principal: Principal, payload: Payload[R], context: CallContext
    ) -> PlainReply:
        """A whole answer. Raises `GatewayError`s; cancelling the task cancels the upstream call at once."""
        call = InferenceCall(principal, payload, context, [])
        served = await self._dispatched(operation, call, _complete)
        answer = served.value
        self._served(call, served, answer.limits, answer.model, answer.dropped_params, asked=answer.asked)
        served.lease.release()
        usage, source = self._meter.answered(call.request, answer.usage, answer.output_text)
        attempt = self.attempt(served, "ok", usage, source)
        call.attempts.append(attempt)
        self._settlement.succeeded(call, usage)
        return PlainReply(answer.body, usage, attempt.cost_nano_usd, answer.content_type)

    async def stream(
        self, operation: Operation[Streaming[R]], principal: Principal, payload: Payload[R], context: CallContext
    ) -> StreamReply:
        """A stream past its commit point: what fails before is raised here. The caller must `aclose` it."""
        call = InferenceCall(principal, payload, context, [])
        served = await self._dispatched(operation, call, open_held)
        upstream = served.value.stream
        self._served(call, served, upstream.limits, upstream.model, upstream.dropped_params)
        ttft_ms = (self._clock.monotonic() - context.started) * 1000
        books = _StreamBooks(self, self._settlement, self._meter, booked(call), served, ttft_ms)
        drains = served.candidate.provider.settings.on_disconnect == "drain"
        draining = self._draining.of(context.trace) if drains else None
        return StreamReply(served.value, served.timer, books.progressed, books.ended, draining)

    async def aclose(self) -> None:
        """Cut off the streams that are read on for clients that left; their usage so far is settled."""
        await self._draining.aclose()

    async def _dispatched(self, operation: Operation[P], call: InferenceCall[R], make: Make[P, R, T]) -> Served[T]:
        """Plan, admit, dispatch; settled here where it ends without an answer."""
        try:
            call.context.trace.decision_id = self._ids.new("dec")
            if call.request.model == AUTO_MODEL and not operation.auto:
                raise RequestInvalid(
                    f"'{AUTO_MODEL}' chooses among chat models: name a model for {operation.endpoint}.", param="model"
                )
            plan = self._router.plan(call.request, call.context.pinned_provider)
            plan = self._gate.admit(call.principal, call.request.model, plan)
            self._settlement.started(call)
            return await self._dispatcher.dispatch(operation, plan, call, make)
        except GatewayError as error:
            self._settlement.failed(call, error)
            raise
        except asyncio.CancelledError:
            self._settlement.abandoned(call)
            raise

    def _served(
        self,
        call: InferenceCall[R],
        served: Served[T],
        limits: Sequence[RateLimitWindow],
        model: str,
        dropped_params: tuple[str, ...],
        *,
        asked: bool = True,
    ) -> None:
        """A provider has answered, or begun to: tell the availability policy, where it was asked, and the trace."""
        provider_id = served.candidate.provider.id
        if asked:
            self._availability.record_success(provider_id, served.key_id, limits)
        trace = call.context.trace
        trace.provider_id = provider_id
        trace.model = model or served.candidate.model
        trace.dropped_params = dropped_params

    def attempt(
        self,
        served: Served[T],
        outcome: str,
        usage: TokenUsage,
        source: UsageSource,
        status: int | None = 200,
        message: str = "",
    ) -> AttemptRecord:
        """The record of a call that was answered, at least in part."""
        candidate = served.candidate
        took_ms = (self._clock.monotonic() - served.started) * 1000
        key_id = stored_key_id(served.key_id)
        provider_id, model = candidate.provider.id, candidate.model
        return self._meter.record(
            served.number, provider_id, key_id, model, outcome, status, took_ms, usage, source, message
        )

    def stream_failed(self, served: Served[HeldStream], failure: UpstreamFailure) -> None:
        """A stream broke after content: that counts for the provider's health."""
        broken = UpstreamFailure(FailureKind.AFTER_CONTENT, failure.message, status=failure.status)
        candidate = served.candidate
        self._availability.record_failure(candidate.provider.id, served.key_id, candidate.model, broken)


class _StreamBooks(Generic[R]):
    """Books one stream as it goes by, and settles it, whichever way it ends."""

    def __init__(
        self,
        pipeline: InferencePipeline,
        settlement: Settlement,
        meter: Meter,
        call: InferenceCall[R],
        served: Served[HeldStream],
        ttft_ms: float,
    ) -> None:
        self._pipeline = pipeline
        self._settlement = settlement
        self._meter = meter
        self._call = call
        self._served = served
        self._ttft_ms = ttft_ms

    def progressed(self) -> None:
        served, stream = self._served, self._served.value.stream
        provider_id, model = served.candidate.provider.id, served.candidate.model
        key_id = stored_key_id(served.key_id)
        request_id = self._call.context.request_id
        self._settlement.progressed(
            ProgressRecord(request_id, served.number, provider_id, key_id, model, stream.output_bytes, stream.usage)
        )

    def ended(self, failure: UpstreamFailure | None, finished: bool) -> None:
        call, served, settlement = self._call, self._served, self._settlement
        served.lease.release()
        stream = served.value.stream
        text = stream.output_text() if stream.usage is None else ""
        size = stream.output_bytes
        usage, source = self._meter.answered(call.request, stream.usage, text, size, complete=finished)
        attempt = self._pipeline.attempt
        if failure is not None:
            self._pipeline.stream_failed(served, failure)
            outcome = FailureKind.AFTER_CONTENT.value
            call.attempts.append(attempt(served, outcome, usage, source, failure.status, failure.message))
            settlement.failed(call, broken(failure), usage, self._ttft_ms)
        elif finished:
            call.attempts.append(attempt(served, "ok", usage, source))
            settlement.succeeded(call, usage, self._ttft_ms)
        else:
            call.attempts.append(attempt(served, "cancelled", usage, source))
            settlement.abandoned(call, usage, self._ttft_ms)


async def _complete(provider: Answering[R], call: ProviderCall[R], timer: CallTimer) -> ProviderAnswer:
    with timer:
        return await provider.complete(call)
