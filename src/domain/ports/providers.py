"""Ports to upstream model providers, one Protocol per capability."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, runtime_checkable

import msgspec

from domain.availability import RateLimitWindow
from domain.chat import ChatRequest
from domain.keys import ProviderKey
from domain.providers import KindDescription, Offering, Provider, ProviderPreset
from domain.timeouts import Timeouts
from domain.usage import TokenUsage
from domain.wire import Payload


class CallProgress(Protocol):
    """How a provider tells the attempt loop where a call stands, so that it can keep the deadlines."""

    def headers_received(self) -> None:
        """The upstream's response headers have arrived."""
        ...

    def bytes_received(self) -> None:
        """Bytes of the upstream's body have arrived (never called for our own pings)."""
        ...


class ChatCall(msgspec.Struct, frozen=True):
    """One chat completion to make at one deployment with one credential.

    `key` is None for providers that need none. `include_usage` is whether the client asked for the usage
    chunk: the provider always asks its upstream for it and strips it where this is False.
    """

    payload: Payload[ChatRequest]
    model: str
    key: ProviderKey | None
    include_usage: bool
    progress: CallProgress


class ChatAnswer(msgspec.Struct, frozen=True):
    """A plain answer: `body` is a complete, valid OpenAI `chat.completion` as JSON bytes."""

    body: bytes
    model: str  # what the upstream says answered
    usage: TokenUsage | None
    limits: tuple[RateLimitWindow, ...] = ()
    dropped_params: tuple[str, ...] = ()
    output_text: str = ""  # what was generated, given only where `usage` is None


@runtime_checkable
class ChatStream(Protocol):
    """An upstream stream that has answered 200. Iterate it once, and always close it.

    Iteration yields blocks of whole OpenAI SSE events, safe for every client, without `[DONE]` and without
    the usage chunk unless it was asked for. It ends only after the upstream's answer was complete, and
    raises `UpstreamFailure` otherwise (`TRUNCATED`, `SERVER_ERROR` for an error event or bad JSON, …): the
    consumer knows whether content had been passed on. The attributes are current after each block.
    """

    model: str
    usage: TokenUsage | None
    has_content: bool  # a block yielded so far held content, a tool call, reasoning or a finish reason
    output_bytes: int  # bytes of generated text seen
    limits: tuple[RateLimitWindow, ...]
    dropped_params: tuple[str, ...]

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def output_text(self) -> str:
        """The beginning of the text generated so far, for an estimate where usage never comes."""
        ...

    async def aclose(self) -> None:
        """Give the connection up. Idempotent, quick, and safe before, during and after iteration."""
        ...


@runtime_checkable
class ChatProvider(Protocol):
    """Completes chats at one upstream.

    Both methods raise `UpstreamFailure` and nothing else: never an HTTP client's own exception, and never
    one that carries the credential. On cancellation they give the connection up before they return.
    """

    async def complete(self, call: ChatCall) -> ChatAnswer: ...

    async def stream(self, call: ChatCall) -> ChatStream:
        """Return once the upstream has answered 2xx with an event stream."""
        ...


@runtime_checkable
class ModelLister(Protocol):
    """Lists the models an upstream offers."""

    async def list_models(self, key: ProviderKey | None) -> Sequence[Offering]:
        """Raises `UpstreamFailure`."""
        ...


class ProviderClient(Protocol):
    """The adapter and the connections of one provider version. Made at reload, closed after its last use (R-12)."""

    @property
    def chat(self) -> ChatProvider | None: ...

    @property
    def models(self) -> ModelLister | None: ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...


class ProviderRegistry(Protocol):
    """Every adapter and preset the gateway knows."""

    def build(self, provider: Provider, timeouts: Timeouts) -> ProviderClient:
        """A client for this version of the provider. Raises `RequestInvalid` for an unknown kind or a bad URL."""
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
