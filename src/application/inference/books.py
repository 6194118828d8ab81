"""The books: each request is opened once, its upstream calls are counted, and it is ended exactly once (R-10, P-01).

Plain answers and streams are booked alike; what a call used and cost is said by the `Meter`. Nothing here awaits, and
whatever ends a request, be it an answer, an error, a cancellation or a bug of ours, ends its entry: a start without an
end would keep its spool file for ever.

    opened ──attempt──► started (START) ──attempt──► … (PROGRESS)
       │                   │
       └───────────────────┴──► ended (END, log line, admission settled or released)
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

import msgspec

from application.admission.access import Admission
from application.admission.limits import RequestLimits
from application.inference.calls import Attempt, InferenceCall, KeptPrompt, Prompt
from application.inference.decision_notes import note_of
from application.inference.metering import Meter
from application.inference.verdict import broken
from domain.errors import GatewayError, LimitExceeded, UpstreamFailure
from domain.failover import UNKNOWN_OUTCOME
from domain.inference import InferenceRequest
from domain.kept_responses import KeptResponseRequest
from domain.keys import ProviderKey
from domain.ports.ledger import Ledger
from domain.ports.providers import ProviderAnswer, ProviderStream
from domain.ports.runtime import Clock, UsageSink
from domain.records import AttemptRecord, Charge, Outcome, ProgressRecord, RequestRecord, StartRecord, UsageSource
from domain.routing import Candidate
from domain.usage import TokenUsage

log = logging.getLogger(__name__)

CLIENT_CLOSED_REQUEST = 499
INTERNAL_ERROR = "internal_error"

R = TypeVar("R", bound=InferenceRequest)


class Books:
    """Keeps the ledger and the request log. `status_of` is the edge's one error table."""

    def __init__(
        self, ledger: Ledger, sink: UsageSink, clock: Clock, meter: Meter, status_of: Callable[[BaseException], int]
    ) -> None:
        self.ledger = ledger
        self.sink = sink
        self.clock = clock
        self.meter = meter
        self.status_of = status_of

    def open(self, call: InferenceCall[R], endpoint: str) -> "Entry":
        """The entry of one request. `endpoint` is its name in the records."""
        return Entry(self, call, endpoint)


class Entry:
    """One request in the books. Of the calls that end it the first one counts, the others do nothing."""

    __slots__ = (
        "_attribution", "_books", "_ended", "_endpoint", "_input_bytes", "_looks_up", "_principal", "_prompt",
        "_request_id", "_requested_model", "_started", "_streams", "admission", "trace", "ttft_ms",
    )  # fmt: skip

    def __init__(self, books: Books, call: InferenceCall[R], endpoint: str) -> None:
        request = call.payload.value
        self._books = books
        self._principal = call.principal
        self._attribution = call.attribution
        self._request_id = call.request_id
        self._started = call.started
        self._endpoint = endpoint
        self._requested_model = request.model
        self._looks_up = isinstance(
            request, KeptResponseRequest
        )  # what was made before: its model is known from the answer
        self._streams = request.streams
        self._input_bytes = call.payload.size_bytes
        self._prompt: Prompt = request
        self._ended = False
        self.trace = call.trace
        self.admission: Admission | None = None
        self.ttft_ms: float | None = None  # of a stream that has begun: what the client saw first was a 200

    def begin_attempt(self, candidate: Candidate, key: ProviderKey | None) -> Attempt:
        """A call goes upstream. From the first one on the request leaves a record, whatever becomes of the process."""
        books, trace = self._books, self.trace
        number = len(trace.attempts) + 1
        attempt = Attempt(number, candidate, key, books.clock.monotonic())
        provider_id, model = candidate.provider.id, candidate.model
        key_id = key.id if key is not None else None
        if trace.created_at is None:
            trace.created_at = now = books.clock.now()
            tenant_id, client_key = self._principal.tenant_id, self._principal.key_id
            tokens = books.meter.guessed_input(self._prompt)
            books.ledger.start(
                StartRecord(
                    self._request_id, trace.decision_id, now, tenant_id, client_key, self._endpoint,
                    self._requested_model, self._streams, self._input_bytes, provider_id, key_id, model, tokens,
                    self._held() or (), self._attribution,
                )
            )  # fmt: skip
        else:
            books.ledger.progress(
                ProgressRecord(self._request_id, number, provider_id, key_id, model, 0, None, self._held())
            )
        trace.attempts.append(attempt)
        return attempt

    @property
    def _limits(self) -> RequestLimits | None:
        return self.admission.limits if self.admission is not None else None

    def _held(self) -> tuple[Charge, ...] | None:
        """Of a request with budgets, what is held in them now."""
        limits = self._limits
        return limits.held() if limits is not None and limits.spending is not None else None

    def withdraw(self, attempt: Attempt) -> None:
        """Nothing was sent: it was no call at all."""
        self.trace.attempts.remove(attempt)
        attempt.withdrawn()

    def prompt_tokens(self) -> int:
        """An estimate, of the request as it came."""
        return self._books.meter.input_tokens(self._prompt)

    def unanswered(self, attempt: Attempt, error: BaseException) -> None:
        """A call without an answer: the provider's failure, a cancellation, or a bug of ours."""
        outcome, status, message, kind = "cancelled", None, "", None
        if isinstance(error, UpstreamFailure):
            kind, status, message = error.kind, error.status, error.message
            outcome = "unknown_outcome" if kind in UNKNOWN_OUTCOME else kind.value
        elif isinstance(error, Exception):
            outcome = "error"
        usage, source = self._books.meter.unanswered(self._prompt, kind)
        self._record(attempt, outcome, status, usage, source, message)

    def refused(self, attempt: Attempt, reported: TokenUsage | None, text: str) -> None:
        """An answer that says no and is not passed on: it was made, and is billed."""
        self._record(attempt, "refusal", 200, *self._books.meter.answered(self._prompt, reported, text, complete=False))

    def answered(self, attempt: Attempt, answer: ProviderAnswer) -> AttemptRecord:
        """A plain answer: the request ends well. The client has, or is about to have, the whole of it."""
        text, size = answer.output_text, answer.output_bytes
        if answer.kept is not None and answer.kept.runs and not answer.kept.fetched:  # booked when it has ended
            record = self._record(attempt, "ok", 200, TokenUsage(), "provider")
            self._end("ok", 200, None, None)
            return record
        usage, source = self._books.meter.answered(self._prompt, answer.usage, text, size, complete=answer.complete)
        record = self._record(attempt, "ok", 200, usage, source)
        self._end("ok", 200, None, usage)
        return record

    def streaming(self) -> None:
        """A stream has begun: the request's body is let go, all but what an estimate needs."""
        prompt = self._prompt
        turns = prompt.turns
        token_ids = 0 if turns else prompt.token_ids  # a chat has none
        if self._limits is not None:
            self._limits.let_go()
        self._prompt = KeptPrompt("\n".join(prompt.prompt_texts()), turns, token_ids)
        self.ttft_ms = (self._books.clock.monotonic() - self._started) * 1000

    def progressed(self, attempt: Attempt, stream: ProviderStream) -> None:
        """A stream has come further; at most once a second."""
        candidate, key = attempt.candidate, attempt.key
        self._books.ledger.progress(
            ProgressRecord(
                self._request_id, attempt.number, candidate.provider.id, key.id if key else None, candidate.model,
                stream.output_bytes, stream.usage, self._held(),
            )
        )  # fmt: skip

    def stream_ended(
        self,
        attempt: Attempt,
        stream: ProviderStream,
        error: BaseException | None,
        *,
        whole: bool,
        goes_on: bool = False,
    ) -> None:
        """A stream that had begun is over: whole, broken by `error`, or given up by its reader.

        What `goes_on` at its provider is booked when it has ended.
        """
        if self._ended:
            return
        usage: TokenUsage | None = None
        try:
            used, source = self._streamed(stream, whole=whole) if not goes_on else (TokenUsage(), "provider")
            usage = None if goes_on else used
            outcome, status, message = "ok" if whole else "cancelled", 200, ""
            if isinstance(error, UpstreamFailure):
                outcome, message = "after_content", error.message
            elif error is not None:
                outcome = "error"
            self._record(attempt, outcome, error.status if isinstance(error, UpstreamFailure) else status,
                         used, source, message)  # fmt: skip
        except Exception:  # the end is written all the same
            log.exception("a stream's usage could not be booked", extra={"request_id": self._request_id})
        if whole:
            self._end("ok", 200, None, usage)
        else:
            shown = broken(error) if isinstance(error, UpstreamFailure) else error
            self.end(shown or asyncio.CancelledError(), usage)

    def _streamed(self, stream: ProviderStream, *, whole: bool) -> tuple[TokenUsage | None, UsageSource]:
        text = stream.output_text() if stream.usage is None else ""
        return self._books.meter.answered(self._prompt, stream.usage, text, stream.output_bytes, complete=whole)

    def end(self, error: BaseException, usage: TokenUsage | None = None) -> None:
        """The request ends without a whole answer, by whatever was raised.

        A cancellation means that nobody is there for the rest: the client left, or the gateway stops.
        """
        if isinstance(error, Exception):
            status = 200 if self.ttft_ms is not None else self._books.status_of(error)
            code = error.code if isinstance(error, GatewayError) else INTERNAL_ERROR
            refused_by = f"{error.subject_kind}:{error.subject_id}" if isinstance(error, LimitExceeded) else ""
            self._end("error", status, code or None, usage, refused_by)
        else:
            outcome: Outcome = "client_cancelled" if self.trace.client_left else "interrupted"
            self._end(outcome, CLIENT_CLOSED_REQUEST, outcome, usage)

    def _record(
        self,
        attempt: Attempt,
        outcome: str,
        status: int | None,
        usage: TokenUsage | None,
        source: UsageSource,
        message: str = "",
    ) -> AttemptRecord:
        candidate, key = attempt.candidate, attempt.key
        took_ms = (self._books.clock.monotonic() - attempt.started) * 1000
        record = self._books.meter.record(
            attempt.number, candidate.provider.id, key.id if key is not None else None,
            (self.trace.model if self._looks_up else None) or candidate.model, outcome, status, took_ms, usage, source,
            message,
        )  # fmt: skip
        attempt.book(record)
        return record

    def _end(
        self, outcome: Outcome, status: int, error_code: str | None, usage: TokenUsage | None, refused_by: str = ""
    ) -> None:
        if self._ended:
            return
        self._ended = True
        books, trace = self._books, self.trace
        attempts = tuple([attempt.record or self._cut_short(attempt) for attempt in trace.attempts])
        plan = self.admission.plan if self.admission is not None else None
        note = None
        if plan is not None and plan.policy is not None and plan.policy.route:
            note = note_of(plan, plan.policy, attempts, self._noted_tokens(usage))
        record = RequestRecord(
            request_id=self._request_id,
            decision_id=trace.decision_id,
            created_at=trace.created_at or books.clock.now(),
            tenant_id=self._principal.tenant_id,
            key_id=self._principal.key_id,
            endpoint=self._endpoint,
            requested_model=(trace.model if self._looks_up else None) or self._requested_model,
            provider_id=trace.provider_id,
            model=trace.model,
            status=status,
            outcome=outcome,
            error_code=error_code,
            stream=self._streams,
            attempts=attempts,
            usage=usage,
            latency_ms=(books.clock.monotonic() - self._started) * 1000,
            ttft_ms=self.ttft_ms,
            charges=self._limits.charges(attempts) if self._limits is not None else (),
            refused_by=refused_by,
            attribution=self._attribution,
            would_refuse=self._limits.would_refuse if self._limits is not None else (),
            task=note.task if note is not None else "",
            route=note.route if note is not None else "",
            holdout=note is not None and note.holdout,
            decision=note,
        )
        trace.record = record
        self._write(record)
        if self.admission is not None:
            if any(attempt.usage is not None for attempt in attempts):
                self.admission.settle(record)
            else:
                self.admission.release()

    def _noted_tokens(self, usage: TokenUsage | None) -> int:
        """The prompt's tokens for a decision's note: counted by the provider, or guessed by lengths alone."""
        return usage.input_tokens if usage is not None else self._books.meter.guessed_input(self._prompt)

    def _cut_short(self, attempt: Attempt) -> AttemptRecord:
        """The record of a call that nobody ended: something raised where nothing should."""
        candidate, key_id = attempt.candidate, attempt.key.id if attempt.key else None
        took_ms = (self._books.clock.monotonic() - attempt.started) * 1000
        return AttemptRecord(attempt.number, candidate.provider.id, key_id, candidate.model, "error", None, took_ms)

    def _write(self, record: RequestRecord) -> None:
        """Where a record cannot be written as it is, its end is, without what providers said."""
        try:
            self._books.ledger.end(record)
        except Exception:
            log.exception("a record could not be written whole", extra={"request_id": record.request_id})
            self._books.ledger.end(msgspec.structs.replace(record, attempts=(), usage=None))
        try:
            self._books.sink.record(record)
        except Exception:  # the log line is the least of it
            log.exception("a request could not be logged", extra={"request_id": record.request_id})
