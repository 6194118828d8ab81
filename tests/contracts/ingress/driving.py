"""Plays bytes as an upstream's answer to the registry's own clients, and reads what each ingress makes of them."""

from collections.abc import AsyncIterator, Iterable
from typing import Any, Final, NamedTuple, cast

import httpx
import msgspec
from typing_extensions import override

from adapters.ingress.carriers import with_over_chat
from adapters.providers.registry import Registry
from adapters.providers.upstream import Unwatched
from domain.chat import ChatRequest
from domain.completions import CompletionRequest
from domain.errors import UpstreamFailure
from domain.generate_content import GenerateContentRequest
from domain.inference import InferenceRequest
from domain.messages import MessagesRequest
from domain.payload import Payload
from domain.ports.providers import Answering, Capabilities, ProviderCall, ProviderClient, Streaming
from domain.providers import ProviderSettings
from domain.responses import ResponsesRequest
from domain.secrets import Secret
from domain.timeouts import Timeouts
from domain.usage import TokenUsage
from tests.builders import a_provider, a_provider_key

KEY: Final = a_provider_key(secret=Secret("canary-0123456789abcdef"))
AWS_KEY: Final = a_provider_key(
    secret=Secret('{"access_key_id":"AKIASIMULATED","secret_access_key":"a-secret-of-forty-characters"}')
)

_SETTINGS: Final[dict[str, ProviderSettings]] = {
    "bedrock": ProviderSettings(location="us-east-1"),
    "openrouter": ProviderSettings(preset="openrouter"),
    "groq": ProviderSettings(preset="groq"),
}
_KINDS: Final[dict[str, str]] = {"openrouter": "openai", "groq": "openai"}
_PATHS: Final[dict[str, str]] = {"bedrock": "", "gemini": "/v1beta", "cohere": "", "ollama": "", "azure": ""}

_HI: Final = [{"role": "user", "content": "hi"}]
_ASKED: Final[dict[str, tuple[type[InferenceRequest], dict[str, Any]]]] = {
    "chat": (ChatRequest, {"messages": _HI, "stream_options": {"include_usage": True}}),
    "completions": (CompletionRequest, {"prompt": "hi", "stream_options": {"include_usage": True}}),
    "responses": (ResponsesRequest, {"input": "hi"}),
    "messages": (MessagesRequest, {"messages": _HI, "max_tokens": 100}),
    "contents": (
        GenerateContentRequest,
        {
            "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
            "generationConfig": {"thinkingConfig": {"includeThoughts": True}},
        },
    ),
}


class Heard(NamedTuple):
    """A stream as an ingress told it: `ending` closes a complete one, `failure` is what it broke with."""

    body: bytes
    ending: bytes
    failure: UpstreamFailure | None
    usage: TokenUsage | None

    @property
    def whole(self) -> bytes:
        return self.body + self.ending


def a_client(kind: str, handler: httpx.AsyncBaseTransport, base_url: str = "https://up.example") -> ProviderClient:
    """A provider of this kind whose connection is `handler`."""
    provider = a_provider(
        "up",
        kind=_KINDS.get(kind, kind),
        base_url=base_url + _PATHS.get(kind, "/v1"),
        settings=_SETTINGS.get(kind, ProviderSettings()),
    )
    registry = Registry(lambda provider, timeouts: handler, {}, now=lambda: 1795222800.0)
    return registry.build(provider, Timeouts())


class Stage(httpx.AsyncBaseTransport):
    """One upstream whose answer is played to every ingress. Each of `ingresses` is a streaming capability."""

    def __init__(self, kind: str, content_type: str, *, endpoint: str = "chat", model: str | None = None) -> None:
        self._kind = kind
        self._model = model
        self._content_type = content_type
        self._pieces: Iterable[bytes | Exception] = ()
        self.asked: list[Any] = []
        """The bodies that came, read."""
        own = a_client(kind, self).capabilities
        self.ingresses: dict[str, tuple[str, Streaming[Any]]] = {}
        if endpoint != "chat":
            self.ingresses[f"native {endpoint}"] = (endpoint, getattr(own, endpoint))
            return
        carried = with_over_chat(Capabilities(chat=own.chat), len)
        self.ingresses |= {name: (name, getattr(carried, name)) for name in _ASKED}
        if own.messages is not None and kind == "anthropic":
            self.ingresses["native messages"] = ("messages", own.messages)
        if own.contents is not None and kind == "gemini":
            self.ingresses["native contents"] = ("contents", own.contents)

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(msgspec.json.decode(await request.aread()))
        body = _Body(self._pieces)
        return httpx.Response(200, headers={"content-type": self._content_type}, stream=body)

    async def hear(self, ingress: str, pieces: Iterable[bytes | Exception], **fields: Any) -> Heard:
        """Everything the ingress says of an answer that comes in these pieces; an exception cuts it off."""
        self._pieces = pieces
        api, provider = self.ingresses[ingress]
        try:
            stream = await provider.stream(a_call(api, self._kind, self._model, **fields))
        except UpstreamFailure as refused:
            return Heard(b"", b"", refused, None)
        received: list[bytes] = []
        failure: UpstreamFailure | None = None
        try:
            received += [block async for block in stream]
        except UpstreamFailure as broken:
            failure = broken
        finally:
            await stream.aclose()
        ending = stream.ending if failure is None else b""
        return Heard(b"".join(received), ending, failure, stream.usage)

    async def answer(self, ingress: str, body: bytes, **fields: Any) -> bytes:
        """What the ingress makes of a whole answer. Raises `UpstreamFailure`."""
        self._pieces = [body]
        api, provider = self.ingresses[ingress]
        whole = cast(Answering[Any], provider)
        return (await whole.complete(a_call(api, self._kind, self._model, **{"stream": False, **fields}))).body


class _Body(httpx.AsyncByteStream):
    def __init__(self, pieces: Iterable[bytes | Exception]) -> None:
        self._pieces = pieces

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece


_MODELS: Final[dict[str, str]] = {"anthropic": "claude-opus-5", "bedrock": "us.amazon.nova-pro-v1:0"}


def a_call(api: str, kind: str, model: str | None = None, **fields: Any) -> ProviderCall[Any]:
    """A streamed request of this API as the edge parses it."""
    type_, asked = _ASKED[api]
    body = msgspec.json.encode({"model": "m", "stream": True, **asked, **fields})
    payload = Payload(
        msgspec.json.decode(body, type=type_), msgspec.json.decode(body, type=dict[str, msgspec.Raw]), len(body)
    )
    key = AWS_KEY if kind == "bedrock" else KEY
    include_usage = api in {"chat", "completions"}
    return ProviderCall(payload, model or _MODELS.get(kind, "m"), key, include_usage, Unwatched())
