"""A server without the Responses API is asked for it once, and over chat from then on."""

import json

import httpx
import pytest

from adapters.providers.registry import Registry
from adapters.providers.upstream import Unwatched
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.ports.providers import ProviderCall, ResponsesProvider
from domain.providers import ProviderSettings
from domain.responses import ResponsesRequest
from domain.timeouts import Timeouts
from tests.builders import a_provider
from tests.unit.adapters.ingress.responses.grammar import follow
from tests.unit.adapters.ingress.responses.samples import DONE, delta, payload


class _OldServer:
    """Has chat and no responses; `missing` is what it says of them."""

    def __init__(self, missing: httpx.Response) -> None:
        self.asked: list[str] = []
        self._missing = missing

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if request.url.path.endswith("/responses"):
            return self._missing
        if json.loads(request.read()).get("stream"):
            events = delta(role="assistant", content="") + delta(content="four") + delta("stop") + DONE
            return httpx.Response(200, content=events, headers={"content-type": "text/event-stream"})
        choice = {"index": 0, "message": {"role": "assistant", "content": "four"}, "finish_reason": "stop"}
        return httpx.Response(
            200, json={"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        )


def responses_of(server: _OldServer) -> ResponsesProvider:
    registry = Registry(lambda provider, timeouts: httpx.MockTransport(server), {})
    provider = a_provider("own", base_url="https://own.example/v1", settings=ProviderSettings(preset="vllm"))
    found = registry.build(provider, Timeouts()).capabilities.responses
    assert found is not None
    return found


def asked(**body: object) -> ProviderCall[ResponsesRequest]:
    return ProviderCall(payload({"input": "hi", **body}), "m", None, False, Unwatched())


async def test_chat_is_asked_from_the_first_time_on() -> None:
    server = _OldServer(httpx.Response(404, json={"detail": "Not Found"}))
    provider = responses_of(server)

    first = await provider.complete(asked())
    await provider.complete(asked())

    assert json.loads(first.body)["output"][0]["content"][0]["text"] == "four"
    assert server.asked == ["/v1/responses", "/v1/chat/completions", "/v1/chat/completions"]


async def test_so_are_streams() -> None:
    server = _OldServer(httpx.Response(404, text="404 page not found"))

    stream = await responses_of(server).stream(asked(stream=True))
    received = b"".join([block async for block in stream])
    await stream.aclose()

    assert follow(received + stream.ending)["output"][0]["content"][0]["text"] == "four"


async def test_a_missing_model_is_not_asked_for_twice() -> None:
    server = _OldServer(httpx.Response(404, json={"error": {"message": "no model m", "code": "model_not_found"}}))

    with pytest.raises(UpstreamFailure) as failed:
        await responses_of(server).complete(asked())

    assert failed.value.kind is FailureKind.MODEL_ABSENT
    assert server.asked == ["/v1/responses"]
