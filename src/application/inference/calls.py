"""What travels with one client request through the pipeline, and what comes back."""

from datetime import datetime

import msgspec

from domain.chat import ChatRequest
from domain.keys import Principal
from domain.records import AttemptRecord
from domain.usage import TokenUsage
from domain.wire import Payload


class CallTrace:
    """What happened so far, for response headers and the record. Filled by the pipeline, also when it raises.

    `upstream_seconds` is the time spent waiting for providers until the answer could begin; the rest of a
    request's time is the gateway's own. Whoever cancels the call because its client left sets `client_left`
    first, which is how the record tells that from a shutdown.
    """

    __slots__ = (
        "attempts",
        "client_left",
        "created_at",
        "decision_id",
        "dropped_params",
        "model",
        "provider_id",
        "upstream_seconds",
    )

    def __init__(self) -> None:
        self.decision_id = ""
        self.attempts = 0
        self.provider_id: str | None = None
        self.model: str | None = None
        self.dropped_params: tuple[str, ...] = ()
        self.upstream_seconds = 0.0
        self.client_left = False
        self.created_at: datetime | None = None  # when it went upstream, once it did


class CallContext(msgspec.Struct, frozen=True):
    """Where a request came in. `started` is the clock's monotonic seconds when its head had arrived."""

    request_id: str
    endpoint: str
    pinned_provider: str | None
    started: float
    trace: CallTrace


class InferenceCall(msgspec.Struct, frozen=True):
    """One client request on its way through the pipeline. `attempts` grows with each upstream call that ends."""

    principal: Principal
    payload: Payload[ChatRequest]
    context: CallContext
    attempts: list[AttemptRecord]

    @property
    def request(self) -> ChatRequest:
        return self.payload.value

    @property
    def include_usage(self) -> bool:
        """Whether the client asked for the usage chunk of a stream."""
        options = self.payload.value.stream_options
        return options is not None and bool(options.include_usage)


class PlainReply(msgspec.Struct, frozen=True):
    """A whole answer as JSON bytes."""

    body: bytes
    usage: TokenUsage | None
    cost_nano_usd: int | None = None  # None: unpriced
