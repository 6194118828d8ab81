"""The Gemini API at the wire: addresses, the key, embeddings, images, the list of models."""

import json
import math
from typing import Any

import httpx
import pytest

from adapters.providers.registry import Registry
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.ports.providers import Capabilities, ProviderCall
from domain.secrets import Secret
from domain.timeouts import Timeouts
from tests.builders import a_chat_payload, a_provider, a_provider_key
from tests.contracts.providers.parameters import payload
from tests.contracts.providers.test_chat_providers import Progress
from tests.unit.adapters.dialects.gemini.samples import answered, sample

BASE = "https://generativelanguage.googleapis.com/v1beta"
KEY = a_provider_key(secret=Secret("AIza-canary-0123456789"))


class Upstream:
    """One Gemini with its wire in the test's hands; answers are used up one by one, the last stays."""

    def __init__(self, *answers: httpx.Response, base_url: str | None = None) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = [*answers]
        provider = a_provider("gemini", kind="gemini", base_url=base_url)
        registry = Registry(lambda p, t: httpx.MockTransport(self._answer), {})
        self.can: Capabilities = registry.build(provider, Timeouts()).capabilities

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def sent(self, place: int = -1) -> Any:
        return json.loads(self.requests[place].content)


def chat(model: str = "gemini-3-flash", **fields: Any) -> ProviderCall[Any]:
    return ProviderCall(a_chat_payload(**fields), model, KEY, True, Progress())


def other(endpoint: str, model: str, *names: str) -> ProviderCall[Any]:
    return ProviderCall(payload(endpoint, *names), model, KEY, False, Progress())


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("gemini-3-flash", "/models/gemini-3-flash:generateContent"),
        ("models/gemini-3-flash", "/models/gemini-3-flash:generateContent"),
        ("tunedModels/mine-1", "/tunedModels/mine-1:generateContent"),
        ("../files?key=x#y", "/models/..%2Ffiles%3Fkey%3Dx%23y:generateContent"),
    ],
)
async def test_the_key_is_in_its_header_and_never_in_the_address(model: str, path: str) -> None:
    """S-21."""
    upstream = Upstream(httpx.Response(200, json=answered({"text": "hi"})))
    assert upstream.can.chat is not None

    answer = await upstream.can.chat.complete(chat(model))

    request = upstream.requests[0]
    assert str(request.url) == BASE + path
    assert request.headers["x-goog-api-key"] == KEY.secret.reveal()
    assert "authorization" not in request.headers
    assert KEY.secret.reveal() not in str(request.url) + request.content.decode()
    assert json.loads(answer.body)["choices"][0]["message"]["content"] == "hi"


async def test_a_stream_is_asked_for_as_events() -> None:
    headers = {"content-type": "text/event-stream"}
    upstream = Upstream(httpx.Response(200, content=sample("text.sse"), headers=headers))
    assert upstream.can.chat is not None

    stream = await upstream.can.chat.stream(chat())
    received = b"".join([block async for block in stream])
    await stream.aclose()

    assert str(upstream.requests[0].url) == f"{BASE}/models/gemini-3-flash:streamGenerateContent?alt=sse"
    assert received.count(b"data: ") == 6
    assert stream.usage is not None
    assert stream.usage.output_tokens == 4


async def test_an_array_instead_of_events_is_read_as_the_stream_it_is() -> None:
    upstream = Upstream(httpx.Response(200, json=[answered({"text": "hi"})]))
    assert upstream.can.chat is not None

    stream = await upstream.can.chat.stream(chat())
    shown = b"".join([block async for block in stream])
    await stream.aclose()

    assert b'"content":"hi"' in shown
    assert stream.usage is not None


async def test_a_base_url_without_a_version_gets_one() -> None:
    upstream = Upstream(httpx.Response(200, json=answered({"text": "hi"})), base_url="https://proxy.example/gemini")
    assert upstream.can.chat is not None

    await upstream.can.chat.complete(chat())

    assert str(upstream.requests[0].url).startswith("https://proxy.example/gemini/v1beta/models/")


async def test_an_echoed_key_is_masked() -> None:
    error = {
        "error": {"code": 400, "message": f"key {KEY.secret.reveal()}", "details": [{"reason": "API_KEY_INVALID"}]}
    }
    upstream = Upstream(httpx.Response(400, json=error))
    assert upstream.can.chat is not None

    with pytest.raises(UpstreamFailure) as caught:
        await upstream.can.chat.complete(chat())

    assert caught.value.kind is FailureKind.INVALID_CREDENTIAL
    assert caught.value.message == "key ***"


@pytest.mark.parametrize("names", [(), ("encoding_format",), ("dimensions",)])
async def test_embeddings_are_a_batch_and_come_as_they_were_asked_for(names: tuple[str, ...]) -> None:
    upstream = Upstream(httpx.Response(200, json={"embeddings": [{"values": [3.0, 4.0]}]}))
    assert upstream.can.embeddings is not None

    answer = await upstream.can.embeddings.complete(other("embeddings", "gemini-embedding-001", *names))

    body = json.loads(answer.body)
    vector = body["data"][0]["embedding"]
    assert str(upstream.requests[0].url) == f"{BASE}/models/gemini-embedding-001:batchEmbedContents"
    asked = {"model": "models/gemini-embedding-001", "content": {"parts": [{"text": "hi"}]}}
    further = {"outputDimensionality": 256} if "dimensions" in names else {}
    assert upstream.sent() == {"requests": [asked | further]}
    assert body["usage"]["prompt_tokens"] == 1
    assert answer.usage is None
    if "encoding_format" in names:
        assert vector == "AABAQAAAgEA="
    else:
        assert math.hypot(*vector) == pytest.approx(1.0 if "dimensions" in names else 5.0)


async def test_a_hundred_texts_go_at_a_time() -> None:
    def vectors(count: int) -> httpx.Response:
        return httpx.Response(200, json={"embeddings": [{"values": [1.0]} for _ in range(count)]})

    upstream = Upstream(vectors(100), vectors(50))
    assert upstream.can.embeddings is not None
    call = other("embeddings", "gemini-embedding-001")
    call.payload.value.input = [f"text {n}" for n in range(150)]

    answer = await upstream.can.embeddings.complete(call)

    assert sorted(len(upstream.sent(place)["requests"]) for place in (0, 1)) == [50, 100]
    assert len(json.loads(answer.body)["data"]) == 150


@pytest.mark.parametrize("body", [{"embeddings": []}, {"error": {"code": 500, "message": "x"}}, [], {"embeddings": 1}])
async def test_what_is_no_embedding_is_a_failure(body: object) -> None:
    upstream = Upstream(httpx.Response(200, json=body))
    assert upstream.can.embeddings is not None

    with pytest.raises(UpstreamFailure) as caught:
        await upstream.can.embeddings.complete(other("embeddings", "gemini-embedding-001"))

    assert caught.value.kind is FailureKind.SERVER_ERROR


async def test_imagen_answers_at_its_own_method() -> None:
    upstream = Upstream(
        httpx.Response(200, json={"predictions": [{"bytesBase64Encoded": "aWk=", "mimeType": "image/jpeg"}]})
    )
    assert upstream.can.images is not None

    answer = await upstream.can.images.complete(
        other("images.generations", "imagen-4.0-generate-001", "output_format", "response_format", "size")
    )

    body = json.loads(answer.body)
    assert str(upstream.requests[0].url) == f"{BASE}/models/imagen-4.0-generate-001:predict"
    assert upstream.sent()["parameters"] == {
        "sampleCount": 1,
        "aspectRatio": "1:1",
        "outputOptions": {"mimeType": "image/jpeg"},
    }
    assert (body["data"], body["output_format"]) == ([{"url": "data:image/jpeg;base64,aWk="}], "jpeg")


@pytest.mark.parametrize("size", ["1792x1024", "16:9", "auto", "huge", "0x1"])
async def test_sizes_become_the_nearest_shape(size: str) -> None:
    upstream = Upstream(httpx.Response(200, json={"predictions": [{"bytesBase64Encoded": "aWk="}]}))
    assert upstream.can.images is not None
    call = other("images.generations", "imagen-4.0-generate-001")
    call.payload.value.size = size

    if size in {"huge", "0x1"}:
        with pytest.raises(UpstreamFailure, match="'size'"):
            await upstream.can.images.complete(call)
        return
    await upstream.can.images.complete(call)

    assert upstream.sent()["parameters"].get("aspectRatio") == (None if size == "auto" else "16:9")


async def test_the_list_of_models_is_read_to_its_end() -> None:
    first = {"models": [{"name": "models/gemini-3-flash", "inputTokenLimit": 1048576}], "nextPageToken": "p 2"}
    upstream = Upstream(
        httpx.Response(200, json=first), httpx.Response(200, json={"models": [{"name": "models/gemini-3-pro"}]})
    )
    assert upstream.can.models is not None

    found = await upstream.can.models.list_models(KEY)

    assert [(one.model, one.context_window) for one in found] == [("gemini-3-flash", 1048576), ("gemini-3-pro", None)]
    assert [str(request.url) for request in upstream.requests] == [
        f"{BASE}/models?pageSize=1000",
        f"{BASE}/models?pageSize=1000&pageToken=p+2",
    ]


async def test_a_list_that_is_none_and_a_refusal_are_told_apart() -> None:
    broken, refused = (
        Upstream(httpx.Response(200, json=[1])),
        Upstream(httpx.Response(403, json={"error": {"code": 403}})),
    )
    kinds = []
    for upstream in (broken, refused):
        assert upstream.can.models is not None
        with pytest.raises(UpstreamFailure) as caught:
            await upstream.can.models.list_models(KEY)
        kinds.append(caught.value.kind)

    assert kinds == [FailureKind.SERVER_ERROR, FailureKind.INVALID_CREDENTIAL]
