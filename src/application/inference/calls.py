"""What travels with one client request through the pipeline, and what comes back."""

from collections.abc import Iterable
from datetime import datetime
from typing import Generic, TypeVar

import msgspec
from typing_extensions import override

from domain.inference import InferenceRequest
from domain.keys import Principal
from domain.records import AttemptRecord
from domain.usage import TokenUsage
from domain.wire import Payload

R = TypeVar("R", bound=InferenceRequest)


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
    """Where a request came in.

    `pinned_provider` is the path's, or the request's own; `started` the clock's monotonic seconds when its head
    had arrived.
    """

    request_id: str
    endpoint: str
    pinned_provider: str | None
    started: float
    trace: CallTrace
    client_headers: tuple[tuple[str, str], ...] = ()  # for an upstream of the same API, where the ingress has any


class InferenceCall(msgspec.Struct, Generic[R], frozen=True):
    """One client request on its way through the pipeline. `attempts` grows with each upstream call that ends."""

    principal: Principal
    payload: Payload[R]
    context: CallContext
    attempts: list[AttemptRecord]

    @property
    def request(self) -> R:
        return self.payload.value


class BookedRequest(InferenceRequest, kw_only=True):
    """What the books need of a request whose answer streams: the rest of it is let go while the stream is open."""

    streamed: bool
    told_turns: int
    text: str

    @property
    @override
    def streams(self) -> bool:
        return self.streamed

    @property
    @override
    def turns(self) -> int:
        return self.told_turns

    @override
    def prompt_texts(self) -> Iterable[str]:
        return (self.text,)


def booked(call: InferenceCall[R]) -> InferenceCall[BookedRequest]:
    """The same call without the request's body."""
    request, payload = call.request, call.payload
    text = "\n".join(request.prompt_texts())
    kept = BookedRequest(model=request.model, streamed=request.streams, told_turns=request.turns, text=text)
    return InferenceCall(call.principal, Payload(kept, {}, payload.size_bytes), call.context, call.attempts)


class PlainReply(msgspec.Struct, frozen=True):
    """A whole answer, as JSON bytes unless `content_type` says otherwise."""

    body: bytes
    usage: TokenUsage | None
    cost_nano_usd: int | None = None  # None: unpriced
    content_type: str = "application/json"
