"""Ports to upstream model providers, one small Protocol per capability.

An adapter implements the capabilities its upstream has and lists them in `Capabilities`. Two shapes cover all of
them: `Answering` (one call, one whole answer) and `Streaming` (one call, an answer as it is made).
"""

from collections.abc import AsyncIterator, Sequence
from typing import Generic, Protocol, TypeVar, runtime_checkable

import msgspec

from domain.audio import SpeechRequest, TranscriptionRequest, TranslationRequest
from domain.availability import RateLimitWindow
from domain.background_responses import KeptState
from domain.chat import ChatRequest
from domain.completions import CompletionRequest
from domain.embeddings import EmbeddingRequest
from domain.generate_content import EmbedContentRequest, GenerateContentRequest
from domain.images import ImageEditRequest, ImageRequest
from domain.inference import InferenceRequest
from domain.kept_responses import KeptResponseRequest
from domain.keys import ProviderKey
from domain.messages import MessagesRequest
from domain.moderations import ModerationRequest
from domain.payload import Payload
from domain.providers import KindDescription, Offering, Provider, ProviderPreset
from domain.rerank import RerankRequest
from domain.responses import ResponsesRequest
from domain.routes import Mock
from domain.timeouts import Timeouts
from domain.usage import TokenUsage

R = TypeVar("R", bound=InferenceRequest)


class CallProgress(Protocol):
    """How a provider tells the attempt loop where a call stands, so that it can keep the deadlines."""

    def headers_received(self) -> None:
        """The upstream's response headers have arrived."""
        ...

    def bytes_received(self) -> None:
        """Bytes of the upstream's body have arrived (never called for our own pings)."""
        ...

    def content_received(self) -> None:
        """Content of the answer, or of a refusal, has arrived: comments, pings and blank lines are none. Idempotent."""
        ...


class ProviderCall(msgspec.Struct, Generic[R], frozen=True):
    """One request to make at one deployment with one credential.

    `key` is None for providers that need none. `include_usage` is whether the client asked for the usage
    chunk: the provider always asks its upstream for it and strips it where this is False. With `strict` a
    parameter that cannot be carried over is refused (`UNSUPPORTED`) instead of dropped. `client_headers` are
    those of the client's that a native upstream of the same API may see (`anthropic-beta`, …), in lower case.
    `carried_from` is the client's API (`messages`, `responses`, …) where a carrier made this chat out of its request:
    what that API asks for is in it whole, be it more than a chat of OpenAI's own may hold. `owner_key` seals the ids
    of what the provider keeps, for those who may follow it.
    """

    payload: Payload[R]
    model: str
    key: ProviderKey | None
    include_usage: bool
    progress: CallProgress
    strict: bool = False
    client_headers: tuple[tuple[str, str], ...] = ()
    carried_from: str = ""
    owner_key: bytes = b""


class ProviderAnswer(msgspec.Struct, frozen=True):
    """A plain answer: `body` is what the client gets, complete and valid in the ingress's own format."""

    body: bytes
    model: str  # what the upstream says answered
    usage: TokenUsage | None
    limits: tuple[RateLimitWindow, ...] = ()
    dropped_params: tuple[str, ...] = ()
    output_text: str = ""  # what was generated, given only where `usage` is None
    content_type: str = "application/json"
    asked: bool = True  # False where it was made here: that says nothing of the provider's health
    output_bytes: int = 0  # of the text generated, where `output_text` is only its beginning
    complete: bool = True  # False where the gateway ended it
    kept: KeptState | None = None  # of a response that the provider keeps, how it stands


@runtime_checkable
class ProviderStream(Protocol):
    """An upstream stream that has answered 200. Iterate it once, and always close it.

    Iteration yields blocks safe for every client: whole server-sent events in the ingress's format (for chat
    OpenAI's, without the usage chunk unless it was asked for), or pieces of a file for speech. It ends only
    after the upstream's answer was complete, and raises `UpstreamFailure` otherwise (`TRUNCATED`,
    `SERVER_ERROR` for an error event or bad JSON, …): the consumer knows whether content had been passed on.
    The attributes are current after each block.
    """

    model: str
    usage: TokenUsage | None
    has_content: bool  # a block yielded so far held content, a tool call, reasoning or a finish reason
    output_bytes: int  # bytes of generated text seen
    limits: tuple[RateLimitWindow, ...]
    dropped_params: tuple[str, ...]
    ending: bytes  # what closes a complete answer (`data: [DONE]`), never yielded: sent once the call is settled
    content_type: str

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def output_text(self) -> str:
        """The beginning of the text generated so far, for an estimate where usage never comes."""
        ...

    def kept(self) -> KeptState | None:
        """Of a response that its provider keeps, how it stands; None of all else, and until it is known."""
        return None

    async def aclose(self) -> None:
        """Give the connection up. Idempotent, quick, and safe before, during and after iteration."""
        ...


class Answering(Protocol[R]):
    """Answers whole.

    Raises `UpstreamFailure` and nothing else: never an HTTP client's own exception, and never one that carries
    the credential. On cancellation the connection is given up before the call returns. So for `Streaming`.
    """

    async def complete(self, call: ProviderCall[R]) -> ProviderAnswer: ...


@runtime_checkable
class Streaming(Protocol[R]):
    """Answers as the answer is made."""

    async def stream(self, call: ProviderCall[R]) -> ProviderStream:
        """Return once the upstream has answered 2xx with a stream."""
        ...


@runtime_checkable
class ChatProvider(Answering[ChatRequest], Streaming[ChatRequest], Protocol):
    """Completes chats, in OpenAI's format: `chat.completion` plain, its chunks streamed."""


@runtime_checkable
class CompletionProvider(Answering[CompletionRequest], Streaming[CompletionRequest], Protocol):
    """Completes text, in the format of OpenAI's legacy completions."""


@runtime_checkable
class EmbeddingProvider(Answering[EmbeddingRequest], Protocol):
    """Embeds texts; the answer has the encoding the request asked for."""


@runtime_checkable
class ImageProvider(Answering[ImageRequest], Streaming[ImageRequest], Protocol):
    """Makes images from a prompt. Raises `UNSUPPORTED` from `stream` where it cannot stream them."""


@runtime_checkable
class ImageEditProvider(Answering[ImageEditRequest], Streaming[ImageEditRequest], Protocol):
    """Makes images out of others and a prompt. Raises `UNSUPPORTED` from `stream` where it cannot stream them."""


class PictureCarrier(Protocol):
    """Makes chats of pictures: what was asked for is in the message."""

    def over(self, images: ImageProvider) -> ChatProvider:
        """A chat whose answers are pictures of these."""
        ...


@runtime_checkable
class SpeechProvider(Streaming[SpeechRequest], Protocol):
    """Reads a text aloud; the blocks are pieces of the audio file, or server-sent events where asked for."""


@runtime_checkable
class TranscriptionProvider(Answering[TranscriptionRequest], Streaming[TranscriptionRequest], Protocol):
    """Writes down what is said in a recording."""


@runtime_checkable
class TranslationProvider(Answering[TranslationRequest], Protocol):
    """Writes down in English what is said in a recording."""


@runtime_checkable
class RerankProvider(Answering[RerankRequest], Protocol):
    """Ranks documents by how well they answer a query, in the format of Cohere's v2."""


@runtime_checkable
class ModerationProvider(Answering[ModerationRequest], Protocol):
    """Says what is wrong with a text or an image."""


@runtime_checkable
class ResponsesProvider(Answering[ResponsesRequest], Streaming[ResponsesRequest], Protocol):
    """Answers in the format of OpenAI's Responses API."""


@runtime_checkable
class KeptResponsesProvider(Answering[KeptResponseRequest], Streaming[KeptResponseRequest], Protocol):
    """Gives back, stops and forgets the responses it keeps. One that is not there is a `CLIENT_FAULT` of 404."""


@runtime_checkable
class ResponseCountProvider(Answering[ResponsesRequest], Protocol):
    """Counts a response's input tokens: `{"object": "response.input_tokens", "input_tokens": n}`.

    Where nobody was asked, `estimated` is true beside it.
    """


@runtime_checkable
class MessagesProvider(Answering[MessagesRequest], Streaming[MessagesRequest], Protocol):
    """Answers in the format of Anthropic's Messages API."""


@runtime_checkable
class TokenCountProvider(Answering[MessagesRequest], Protocol):
    """Counts the input tokens of an Anthropic message: `{"input_tokens": n}`."""


@runtime_checkable
class ContentProvider(Answering[GenerateContentRequest], Streaming[GenerateContentRequest], Protocol):
    """Answers in the format of Google's `generateContent`. Its streams are closed by the event that says why."""


@runtime_checkable
class ContentCountProvider(Answering[GenerateContentRequest], Protocol):
    """Counts the input tokens of what would be generated from: `{"totalTokens": n}`."""


@runtime_checkable
class ContentEmbeddingProvider(Answering[EmbedContentRequest], Protocol):
    """Embeds in the format of Google's `embedContent`, or for a batch of `batchEmbedContents`."""


@runtime_checkable
class ModelLister(Protocol):
    """Lists the models an upstream offers."""

    async def list_models(self, key: ProviderKey | None) -> Sequence[Offering]:
        """Raises `UpstreamFailure`."""
        ...


class Capabilities(msgspec.Struct, frozen=True):
    """What one upstream can do; None for what it cannot."""

    chat: ChatProvider | None = None
    completions: CompletionProvider | None = None
    embeddings: EmbeddingProvider | None = None
    images: ImageProvider | None = None
    image_edits: ImageEditProvider | None = None
    speech: SpeechProvider | None = None
    transcriptions: TranscriptionProvider | None = None
    translations: TranslationProvider | None = None
    moderations: ModerationProvider | None = None
    rerank: RerankProvider | None = None
    responses: ResponsesProvider | None = None
    kept_responses: KeptResponsesProvider | None = None
    response_counts: ResponseCountProvider | None = None
    messages: MessagesProvider | None = None
    token_counts: TokenCountProvider | None = None
    contents: ContentProvider | None = None
    content_counts: ContentCountProvider | None = None
    content_embeddings: ContentEmbeddingProvider | None = None
    models: ModelLister | None = None

    def names(self) -> tuple[str, ...]:
        """Those that are there, by field name."""
        return tuple(name for name in self.__struct_fields__ if getattr(self, name) is not None)


class ProviderClient(Protocol):
    """The adapter and the connections of one provider version. Made at reload, closed after its last use (R-12)."""

    @property
    def capabilities(self) -> Capabilities: ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...


class ProviderRegistry(Protocol):
    """Every adapter and preset the gateway knows."""

    def build(self, provider: Provider, timeouts: Timeouts) -> ProviderClient:
        """A client for this version of the provider. Raises `RequestInvalid` for an unknown kind or a bad URL."""
        ...

    def mock(self, mock: Mock) -> ProviderClient:
        """What answers in a provider's place. It never connects to anything."""
        ...

    def check(self, provider: Provider) -> None:
        """Raises `RequestInvalid` with the field at fault where `build` would."""
        ...

    def requires_key(self, provider: Provider) -> bool:
        """False for providers that are called without a credential (Ollama, vLLM, …)."""
        ...

    def kinds(self) -> Sequence[KindDescription]: ...

    def presets(self) -> Sequence[ProviderPreset]:
        """By priority."""
        ...

    def preset_for(self, provider: Provider) -> ProviderPreset | None:
        """The preset whose quirks apply to this provider."""
        ...
