"""What a call is: its endpoint, the request on its way, what has happened to it so far, and what comes back."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from application.admission.limits import RequestLimits
from application.inference.deadlines import CallTimer
from application.snapshot import ClientLease
from domain.attribution import UNATTRIBUTED, Attribution
from domain.errors import UpstreamFailure
from domain.failover import NOTHING_SENT
from domain.inference import InferenceRequest
from domain.keys import Principal, ProviderKey
from domain.payload import Payload
from domain.ports.policies import QuotaHold
from domain.ports.providers import (
    Capabilities,
    ChatProvider,
    CompletionProvider,
    ContentCountProvider,
    ContentEmbeddingProvider,
    ContentProvider,
    EmbeddingProvider,
    ImageEditProvider,
    ImageProvider,
    KeptResponsesProvider,
    MessagesProvider,
    ModerationProvider,
    RerankProvider,
    ResponseCountProvider,
    ResponsesProvider,
    SpeechProvider,
    TokenCountProvider,
    TranscriptionProvider,
    TranslationProvider,
)
from domain.records import AttemptRecord, RequestRecord
from domain.routing import Candidate, Policy, TaskReading
from domain.usage import TokenUsage

R = TypeVar("R", bound=InferenceRequest)
T = TypeVar("T")

KEYLESS = "keyless:"


class Attempt:
    """One upstream call of a request, under way until it has its `record`. `started` is in monotonic seconds."""

    __slots__ = ("candidate", "hold", "key", "number", "record", "started")

    def __init__(self, number: int, candidate: Candidate, key: ProviderKey | None, started: float) -> None:
        self.number = number
        self.candidate = candidate
        self.key = key
        self.started = started
        self.record: AttemptRecord | None = None
        self.hold: QuotaHold | None = None  # what it takes of the key's quotas, where it has any

    def book(self, record: AttemptRecord) -> None:
        """It has ended so. What it took of quotas is set right; what the provider has not seen is given back."""
        self.record = record
        if self.hold is not None and record.outcome in NOTHING_SENT:
            self.hold.release()
        elif self.hold is not None:
            self.hold.settle(record.usage, record.cost_nano_usd)

    def withdrawn(self) -> None:
        """It was no call at all."""
        if self.hold is not None:
            self.hold.release()

    @property
    def availability_id(self) -> str:
        """The id under which the availability of its key is kept."""
        return key_id_of(self.candidate.provider.id, self.key)


class Prompt(Protocol):
    """What an estimate needs of a request; see `InferenceRequest`."""

    @property
    def turns(self) -> int: ...

    @property
    def token_ids(self) -> int: ...

    def prompt_texts(self) -> Iterable[str]: ...


class KeptPrompt(msgspec.Struct, frozen=True):
    """What an estimate needs of a request whose answer streams: the rest of it is let go while the stream is open."""

    text: str
    turns: int
    token_ids: int

    def prompt_texts(self) -> tuple[str, ...]:
        return (self.text,)


class CallTrace:
    """What happened so far, for response headers and the record. Filled by the pipeline, also when it raises.

    `attempts` are all upstream calls in their order, the one under way last: nothing else counts them.
    `upstream_seconds` is the time spent waiting for providers until the answer could begin; the rest of a
    request's time is the gateway's own. Whoever cancels the call because its client left sets `client_left`
    first, which is how the record tells that from a shutdown.
    """

    __slots__ = (
        "attempts", "client_left", "created_at", "decision_id", "downgraded_from", "dropped_params", "limits",
        "model", "policy", "provider_id", "reading", "record", "upstream_seconds",
    )  # fmt: skip

    def __init__(self) -> None:
        self.decision_id = ""
        self.attempts: list[Attempt] = []
        self.provider_id: str | None = None
        self.model: str | None = None
        self.dropped_params: tuple[str, ...] = ()
        self.upstream_seconds = 0.0
        self.client_left = False
        self.limits: RequestLimits | None = None  # that the caller meets
        self.downgraded_from = ""  # the model that a budget had no room for
        self.created_at: datetime | None = None  # when it went upstream, once it did
        self.policy: Policy | None = None  # what made its plan, where more than a model's name did
        self.reading: TaskReading | None = None  # what it is for, where somebody was asked
        self.record: RequestRecord | None = None  # what was written down, once it has ended


class InferenceCall(msgspec.Struct, Generic[R], frozen=True):
    """One client request, let go once its answer has begun.

    `pinned_provider` is the path's, or the request's own; `started` the clock's monotonic seconds when its head
    had arrived; `client_headers` are for an upstream of the same API, where the ingress has any.
    """

    principal: Principal
    payload: Payload[R]
    request_id: str
    started: float
    trace: CallTrace
    pinned_provider: str | None = None
    client_headers: tuple[tuple[str, str], ...] = ()
    attribution: Attribution = UNATTRIBUTED
    owner_key: bytes = b""  # what seals the ids of what a provider keeps of it

    @property
    def request(self) -> R:
        return self.payload.value


class Served(msgspec.Struct, Generic[T]):
    """A call that was answered. The receiver releases `lease` when done with `value`.

    `go_on` asks on behind it where it breaks before any content, as if it had never answered, and raises as the
    attempt loop does; None where nobody is left to be asked. It holds the request: let it go with the first content.
    """

    value: T
    attempt: Attempt
    lease: ClientLease
    timer: CallTimer
    go_on: "Callable[[UpstreamFailure], Awaitable[Served[T]]] | None" = None


class Able(msgspec.Struct, Generic[T], frozen=True):
    """A candidate with the connections and the capability to ask it."""

    candidate: Candidate
    lease: ClientLease
    provider: T


class PlainReply(msgspec.Struct, frozen=True):
    """A whole answer, as JSON bytes unless `content_type` says otherwise."""

    body: bytes
    usage: TokenUsage | None
    cost_nano_usd: int | None = None  # None: unpriced
    content_type: str = "application/json"
    cost_missing: tuple[str, ...] = ()  # what was used and has no price


def key_id_of(provider_id: str, key: ProviderKey | None) -> str:
    """The id under which availability is kept for a call, with a key or without."""
    return key.id if key is not None else f"{KEYLESS}{provider_id}"


def tiered(payload: Payload[R], candidate: Candidate) -> Payload[R]:
    """The request with the tier that the plan wants of this candidate, where the client named none."""
    if not candidate.service_tier:
        return payload
    fields = payload.fields | {"service_tier": msgspec.Raw(msgspec.json.encode(candidate.service_tier))}
    value = msgspec.structs.replace(payload.value, service_tier=candidate.service_tier)
    return Payload(value, fields, payload.size_bytes)


P_co = TypeVar("P_co", covariant=True)


class Operation(msgspec.Struct, Generic[P_co], frozen=True):
    """One endpoint. `capability` takes from an upstream's capabilities what serves it, None where it cannot.

    `auto` is whether a provider's default model, which is one for chat, can serve it.
    """

    endpoint: str
    capability: Callable[[Capabilities], P_co | None]
    auto: bool = True


CHAT: Final[Operation[ChatProvider]] = Operation("chat.completions", lambda able: able.chat)
COMPLETIONS: Final[Operation[CompletionProvider]] = Operation("completions", lambda able: able.completions)
EMBEDDINGS: Final[Operation[EmbeddingProvider]] = Operation("embeddings", lambda able: able.embeddings, auto=False)
IMAGES: Final[Operation[ImageProvider]] = Operation("images.generations", lambda able: able.images, auto=False)
IMAGE_EDITS: Final[Operation[ImageEditProvider]] = Operation("images.edits", lambda able: able.image_edits, auto=False)
SPEECH: Final[Operation[SpeechProvider]] = Operation("audio.speech", lambda able: able.speech, auto=False)
TRANSCRIPTIONS: Final[Operation[TranscriptionProvider]] = Operation(
    "audio.transcriptions", lambda able: able.transcriptions, auto=False
)
TRANSLATIONS: Final[Operation[TranslationProvider]] = Operation(
    "audio.translations", lambda able: able.translations, auto=False
)
MODERATIONS: Final[Operation[ModerationProvider]] = Operation("moderations", lambda able: able.moderations, auto=False)
RERANK: Final[Operation[RerankProvider]] = Operation("rerank", lambda able: able.rerank, auto=False)
RESPONSES: Final[Operation[ResponsesProvider]] = Operation("responses", lambda able: able.responses)
KEPT_RESPONSES: Final[Operation[KeptResponsesProvider]] = Operation("responses", lambda able: able.kept_responses)
RESPONSE_COUNTS: Final[Operation[ResponseCountProvider]] = Operation(
    "responses.input_tokens", lambda able: able.response_counts
)
MESSAGES: Final[Operation[MessagesProvider]] = Operation("messages", lambda able: able.messages)
TOKEN_COUNTS: Final[Operation[TokenCountProvider]] = Operation("messages.count_tokens", lambda able: able.token_counts)
CONTENT: Final[Operation[ContentProvider]] = Operation("models.generate_content", lambda able: able.contents)
CONTENT_COUNTS: Final[Operation[ContentCountProvider]] = Operation(
    "models.count_tokens", lambda able: able.content_counts
)
CONTENT_EMBEDDINGS: Final[Operation[ContentEmbeddingProvider]] = Operation(
    "models.embed_content", lambda able: able.content_embeddings, auto=False
)

ENDPOINTS: Final = frozenset(
    operation.endpoint
    for operation in (
        CHAT,
        COMPLETIONS,
        EMBEDDINGS,
        IMAGES,
        IMAGE_EDITS,
        SPEECH,
        TRANSCRIPTIONS,
        TRANSLATIONS,
        MODERATIONS,
        RERANK,
        RESPONSES,
        RESPONSE_COUNTS,
        MESSAGES,
        TOKEN_COUNTS,
        CONTENT,
        CONTENT_COUNTS,
        CONTENT_EMBEDDINGS,
    )
)
"""As they stand in the request log, and in a key's `allowed_endpoints`."""
