"""A request in the books: its start, how far it came, and one record of its end. Nothing here awaits."""

from collections.abc import Callable
from typing import TypeVar

from application.inference.calls import InferenceCall
from domain.errors import GatewayError
from domain.inference import InferenceRequest
from domain.ports.ledger import Ledger
from domain.ports.runtime import Clock, UsageSink
from domain.records import Outcome, ProgressRecord, RequestRecord, StartRecord
from domain.usage import TokenUsage

CLIENT_CLOSED_REQUEST = 499

R = TypeVar("R", bound=InferenceRequest)


class Settlement:
    """Keeps the ledger and the request log. `status_of` is the edge's one error table.

    `ttft_ms` is given for streams that had begun: what the client saw first was a 200.
    """

    def __init__(self, ledger: Ledger, sink: UsageSink, clock: Clock, status_of: Callable[[GatewayError], int]) -> None:
        self._ledger = ledger
        self._sink = sink
        self._clock = clock
        self._status_of = status_of

    def started(self, call: InferenceCall[R]) -> None:
        """The request is about to go upstream: from here on it leaves a record, whatever becomes of the process."""
        context = call.context
        context.trace.created_at = now = self._clock.now()
        self._ledger.start(
            StartRecord(
                context.request_id,
                context.trace.decision_id,
                now,
                call.principal.tenant_id,
                call.principal.key_id,
                context.endpoint,
                call.request.model,
                call.request.streams,
                call.payload.size_bytes,
            )
        )

    def progressed(self, progress: ProgressRecord) -> None:
        """A stream has come further."""
        self._ledger.progress(progress)

    def succeeded(self, call: InferenceCall[R], usage: TokenUsage | None, ttft_ms: float | None = None) -> None:
        """The client has, or is about to have, the whole answer."""
        self._record(call, "ok", 200, None, usage, ttft_ms)

    def failed(
        self,
        call: InferenceCall[R],
        error: GatewayError,
        usage: TokenUsage | None = None,
        ttft_ms: float | None = None,
    ) -> None:
        """Answered with an error, or with an error event in a stream that had begun."""
        status = 200 if ttft_ms is not None else self._status_of(error)
        self._record(call, "error", status, error.code or None, usage, ttft_ms)

    def abandoned(self, call: InferenceCall[R], usage: TokenUsage | None = None, ttft_ms: float | None = None) -> None:
        """Nobody is there for the rest: the client left, or the gateway stops."""
        outcome: Outcome = "client_cancelled" if call.context.trace.client_left else "interrupted"
        self._record(call, outcome, CLIENT_CLOSED_REQUEST, outcome, usage, ttft_ms)

    def _record(
        self,
        call: InferenceCall[R],
        outcome: Outcome,
        status: int,
        error_code: str | None,
        usage: TokenUsage | None,
        ttft_ms: float | None,
    ) -> None:
        context, trace = call.context, call.context.trace
        record = RequestRecord(
            request_id=context.request_id,
            decision_id=trace.decision_id,
            created_at=trace.created_at or self._clock.now(),
            tenant_id=call.principal.tenant_id,
            key_id=call.principal.key_id,
            endpoint=context.endpoint,
            requested_model=call.request.model,
            provider_id=trace.provider_id,
            model=trace.model,
            status=status,
            outcome=outcome,
            error_code=error_code,
            stream=call.request.streams,
            attempts=tuple(call.attempts),
            usage=usage,
            latency_ms=(self._clock.monotonic() - context.started) * 1000,
            ttft_ms=ttft_ms,
        )
        self._ledger.end(record)
        self._sink.record(record)
