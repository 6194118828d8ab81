"""What registries, their clients and capabilities promise: the real one over a canned upstream, and the fakes."""

from collections.abc import Callable

import httpx
import pytest

from adapters.providers.registry import Registry
from domain.chat import ChatRequest
from domain.errors import RequestInvalid, UpstreamFailure
from domain.failover import FailureKind
from domain.ports.providers import (
    ChatProvider,
    ModelLister,
    ProviderCall,
    ProviderClient,
    ProviderRegistry,
    ProviderStream,
)
from domain.providers import ProviderPreset
from domain.secrets import Secret
from domain.timeouts import Timeouts
from domain.usage import TokenUsage
from tests.builders import a_chat_payload, a_provider, a_provider_key
from tests.fakes.providers import FakeChatProvider, FakeLister, FakeRegistry, FakeStream, failure

CHUNK = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"answered-by","choices":[%s]}\n\n'
STREAM = (
    CHUNK % b'{"index":0,"delta":{"role":"assistant","content":"hi"},"finish_reason":null}'
    + CHUNK % b'{"index":0,"delta":{},"finish_reason":"stop"}'
    + b"data: [DONE]\n\n"
)
ANSWER = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "answered-by",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}


def _upstream(request: httpx.Request) -> httpx.Response:
    """Answers well, but to the key `refused`."""
    if "refused" in request.headers["authorization"]:
        return httpx.Response(401, json={"error": {"message": "no such key", "code": "invalid_api_key"}})
    if request.url.path.endswith("/models"):
        return httpx.Response(200, json={"data": [{"id": "a"}, {"id": "b"}]})
    if b'"stream":true' in request.read().replace(b" ", b""):
        return httpx.Response(200, content=STREAM, headers={"content-type": "text/event-stream"})
    return httpx.Response(200, json=ANSWER)


PRESET = ProviderPreset("groq", "openai", "Groq", "https://api.groq.com/openai/v1", ("GROQ_API_KEY",), 40)


def _real(*, refused: bool = False) -> ProviderRegistry:
    return Registry(lambda provider, timeouts: httpx.MockTransport(_upstream), {})


def _fake(*, refused: bool = False) -> ProviderRegistry:
    no = failure(FailureKind.INVALID_CREDENTIAL)
    plain, streamed = TokenUsage(1, 2), FakeStream(b'data: {"content":"hi"}\n\n')
    chat = FakeChatProvider(no) if refused else FakeChatProvider(plain, streamed)
    return FakeRegistry({"alpha": chat}, {"alpha": FakeLister(no if refused else ["a", "b"])}, (PRESET,))


REGISTRIES = pytest.mark.parametrize("make", [_real, _fake])
Make = Callable[..., ProviderRegistry]


class Silent:
    """Progress that nobody watches."""

    def headers_received(self) -> None:
        """Not watched."""

    def bytes_received(self) -> None:
        """Not watched."""

    def content_received(self) -> None:
        """Not watched."""


def a_call(*, stream: bool = False, secret: str = "accepted") -> ProviderCall[ChatRequest]:
    key = a_provider_key(secret=Secret(f"{secret}-0123456789"))
    return ProviderCall(a_chat_payload(stream=stream), "m", key, False, Silent())


def built(registry: ProviderRegistry) -> tuple[ProviderClient, ChatProvider, ModelLister]:
    client = registry.build(a_provider(), Timeouts())
    chat, models = client.capabilities.chat, client.capabilities.models
    assert isinstance(chat, ChatProvider)
    assert isinstance(models, ModelLister)
    return client, chat, models


@REGISTRIES
def test_a_registry_knows_its_presets_by_id_and_refuses_an_unknown_kind(make: Make) -> None:
    registry = make()
    presets = {preset.id: preset for preset in registry.presets()}
    known = registry.preset_for(a_provider("groq", base_url=None))

    assert known is not None
    assert known == presets["groq"]
    assert registry.preset_for(a_provider("mine")) is None
    priorities = [preset.priority for preset in registry.presets()]
    assert priorities == sorted(priorities)
    assert "openai" in {kind.kind for kind in registry.kinds()}
    assert registry.requires_key(a_provider())
    registry.check(a_provider())
    for wrong, param in ((a_provider(kind="unknown"), "kind"), (a_provider("mine", base_url=None), "base_url")):
        with pytest.raises(RequestInvalid) as caught:
            registry.check(wrong)
        assert caught.value.param == param
        with pytest.raises(RequestInvalid):
            registry.build(wrong, Timeouts())


@REGISTRIES
async def test_a_client_answers_lists_and_closes(make: Make) -> None:
    client, chat, models = built(make())

    answer = await chat.complete(a_call())
    offered = await models.list_models(a_provider_key())
    await client.aclose()
    await client.aclose()

    assert (answer.model, answer.usage) == ("answered-by", TokenUsage(1, 2))
    assert answer.body.startswith(b"{")
    assert [offering.model for offering in offered] == ["a", "b"]
    assert {"chat", "models"} <= set(client.capabilities.names())


@REGISTRIES
async def test_a_stream_says_what_it_has_and_keeps_its_ending_back(make: Make) -> None:
    client, chat, _ = built(make())
    await chat.complete(a_call())
    stream = await chat.stream(a_call(stream=True))
    assert isinstance(stream, ProviderStream)
    blocks = [block async for block in stream]
    await stream.aclose()
    await stream.aclose()
    await client.aclose()

    assert stream.has_content
    assert stream.model == "answered-by"
    assert stream.ending == b"data: [DONE]\n\n"
    assert b"[DONE]" not in b"".join(blocks)
    assert stream.output_text()


@REGISTRIES
async def test_a_refusal_is_an_upstream_failure_that_names_no_secret(make: Make) -> None:
    client, chat, models = built(make(refused=True))
    call = a_call(secret="refused")

    for attempt in (chat.complete(call), chat.stream(call), models.list_models(call.key)):
        with pytest.raises(UpstreamFailure) as caught:
            await attempt
        assert caught.value.kind is FailureKind.INVALID_CREDENTIAL
        assert "refused-0123456789" not in str(caught.value)
    await client.aclose()
