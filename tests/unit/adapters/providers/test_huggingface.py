"""Hugging Face at the wire: the router's chat, and its own inference in the shapes of OpenAI's endpoints."""

import base64
import json
from typing import Any

import httpx
import pytest

from adapters.providers.registry import Registry
from domain.audio import TranscriptionRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.forms import UploadedFile
from domain.payload import Payload
from domain.ports.providers import Capabilities, ProviderAnswer, ProviderCall
from domain.secrets import Secret
from domain.timeouts import Timeouts
from tests.builders import a_chat_payload, a_provider, a_provider_key
from tests.contracts.providers.test_chat_providers import ANSWER, Progress
from tests.unit.adapters.providers.calls import a_payload

KEY = a_provider_key(secret=Secret("hf_0123456789abcdef"))
NATIVE = "https://router.huggingface.co/hf-inference/models/org/model"


class Router:
    def __init__(self, answer: httpx.Response, base_url: str | None = None) -> None:
        self.asked: list[httpx.Request] = []
        self._answer = answer
        provider = a_provider("huggingface", kind="huggingface", base_url=base_url)
        registry = Registry(lambda provider, timeouts: httpx.MockTransport(self._respond), {})
        self.able: Capabilities = registry.build(provider, Timeouts()).capabilities

    async def ask(self, capability: str, model: str = "org/model", **fields: Any) -> ProviderAnswer:
        call: ProviderCall[Any] = ProviderCall(a_payload(capability, **fields), model, KEY, False, Progress())
        answer: ProviderAnswer = await getattr(self.able, capability).complete(call)
        return answer

    @property
    def url(self) -> str:
        return str(self.asked[-1].url)

    @property
    def body(self) -> Any:
        return json.loads(self.asked[-1].content)

    def _respond(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self._answer


def vectors(answer: ProviderAnswer) -> list[list[float]]:
    return [item["embedding"] for item in json.loads(answer.body)["data"]]


async def test_chat_goes_to_the_router() -> None:
    router = Router(httpx.Response(200, json=ANSWER))
    assert router.able.chat is not None

    await router.able.chat.complete(
        ProviderCall(a_chat_payload(max_completion_tokens=5), "org/model:groq", KEY, False, Progress())
    )

    assert router.url == "https://router.huggingface.co/v1/chat/completions"
    assert (router.body["model"], router.body["max_tokens"]) == ("org/model:groq", 5)
    assert router.asked[-1].headers["authorization"] == f"Bearer {KEY.secret.reveal()}"


@pytest.mark.parametrize(
    ("answer", "texts", "expected"),
    [
        ([0.5, 1.5], "a", [[0.5, 1.5]]),
        ([[0.5, 1.5]], "a", [[0.5, 1.5]]),
        ([[1.0, 2.0], [3.0, 4.0]], ["a", "b"], [[1.0, 2.0], [3.0, 4.0]]),
        ([[1.0, 2.0], [3.0, 4.0]], "a", [[2.0, 3.0]]),
        ([[[1.0, 2.0], [3.0, 4.0]]], "a", [[2.0, 3.0]]),
        ([[[1.0, 2.0]], [[3.0, 4.0], [5.0, 8.0]]], ["a", "b"], [[1.0, 2.0], [4.0, 6.0]]),
    ],
)
async def test_an_array_of_any_depth_becomes_an_embedding_for_each_text(
    answer: Any, texts: Any, expected: list[list[float]]
) -> None:
    router = Router(httpx.Response(200, json=answer))

    received = await router.ask("embeddings", input=texts, encoding_format="float")

    assert vectors(received) == expected
    assert router.url == f"{NATIVE}/pipeline/feature-extraction"
    assert router.body == {"inputs": [texts] if isinstance(texts, str) else texts}


async def test_embeddings_come_in_base64_where_it_was_asked_for_and_usage_is_an_estimate() -> None:
    """R-22: nobody told usage, so none is booked as told."""
    router = Router(httpx.Response(200, json=[[0.5, -2.0]]))

    received = await router.ask("embeddings", input="four more words here", encoding_format="base64", user="u")

    body = json.loads(received.body)
    assert base64.b64decode(body["data"][0]["embedding"]) == b"\x00\x00\x00\x3f\x00\x00\x00\xc0"
    assert body["usage"] == {"prompt_tokens": 5, "total_tokens": 5}
    assert received.usage is None
    assert received.dropped_params == ("user",)


@pytest.mark.parametrize("answer", [[], [[]], [["a"]], {"vectors": []}, [[1.0], [2.0], [3.0]], [[[1.0], [1.0, 2.0]]]])
async def test_what_is_no_embedding_of_each_text_is_an_invalid_answer(answer: Any) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        await Router(httpx.Response(200, json=answer)).ask("embeddings", input=["a", "b"])

    assert caught.value.kind is FailureKind.SERVER_ERROR


async def test_dimensions_are_another_providers_business() -> None:
    with pytest.raises(UpstreamFailure) as caught:
        await Router(httpx.Response(200, json=[[1.0]])).ask("embeddings", input="a", dimensions=8)

    assert (caught.value.kind, caught.value.param) == (FailureKind.UNSUPPORTED, "dimensions")


async def test_an_image_comes_as_base64_or_as_a_data_url() -> None:
    answer = httpx.Response(200, content=b"\xff\xd8jpeg", headers={"content-type": "image/jpeg"})
    router = Router(answer)

    received = await router.ask("images", prompt="a cat", size="512x768", quality="hd")
    by_url = await Router(answer).ask("images", prompt="a cat", response_format="url")

    data = base64.b64encode(b"\xff\xd8jpeg").decode()
    assert json.loads(received.body)["data"] == [{"b64_json": data}]
    assert json.loads(by_url.body)["data"] == [{"url": f"data:image/jpeg;base64,{data}"}]
    assert router.url == NATIVE
    assert router.body == {"inputs": "a cat", "parameters": {"width": 512, "height": 768}}
    assert received.dropped_params == ("quality",)


@pytest.mark.parametrize(("fields", "param"), [({"n": 2}, "n"), ({"size": "big"}, "size")])
async def test_what_an_image_cannot_be_is_refused(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        await Router(httpx.Response(500)).ask("images", prompt="a cat", **fields)

    assert (caught.value.kind, caught.value.param) == (FailureKind.UNSUPPORTED, param)


async def test_a_recording_is_sent_as_it_is_and_its_text_comes_back() -> None:
    router = Router(httpx.Response(200, json={"text": "hello"}))
    assert router.able.transcriptions is not None

    def call(response_format: str | None) -> ProviderCall[TranscriptionRequest]:
        request = TranscriptionRequest(
            file=UploadedFile("a.flac", "audio/flac", b"fLaC\x00"), model="m", response_format=response_format
        )
        return ProviderCall(Payload(request, {}), "org/model", KEY, False, Progress())

    as_json = await router.able.transcriptions.complete(call(None))
    as_text = await router.able.transcriptions.complete(call("text"))
    with pytest.raises(UpstreamFailure):
        await router.able.transcriptions.complete(call("srt"))

    assert json.loads(as_json.body) == {"text": "hello"}
    assert (as_text.body, as_text.content_type) == (b"hello", "text/plain; charset=utf-8")
    assert (as_json.usage, as_json.output_text) == (None, "hello")
    assert router.asked[0].content == b"fLaC\x00"
    assert router.asked[0].headers["content-type"] == "audio/flac"


@pytest.mark.parametrize(
    ("status", "body", "kind", "wait"),
    [
        (401, {"error": "Invalid username or password."}, FailureKind.INVALID_CREDENTIAL, None),
        (402, {"error": "You have exceeded your monthly included credits"}, FailureKind.QUOTA_EXHAUSTED, ...),
        (404, {"error": ["no such model"]}, FailureKind.MODEL_ABSENT, None),
        (503, {"error": "Model X is currently loading", "estimated_time": 20.0}, FailureKind.OVERLOADED, 20.0),
        (200, {"error": "it broke"}, FailureKind.SERVER_ERROR, None),
    ],
)
async def test_a_refusal_has_its_kind_and_its_wait(
    status: int, body: dict[str, Any], kind: FailureKind, wait: Any
) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        await Router(httpx.Response(status, json=body)).ask("embeddings", input="a")

    assert caught.value.kind is kind
    if wait is ...:
        assert (caught.value.retry_after_seconds or 0) > 0
    else:
        assert caught.value.retry_after_seconds == wait


@pytest.mark.parametrize("model", ["..", "../../../elsewhere", "org//x", "org/."])
async def test_a_model_name_never_leads_out_of_its_path(model: str) -> None:
    """S-07: a client names models, not places."""
    router = Router(httpx.Response(200, json=[[1.0]]))

    with pytest.raises(UpstreamFailure) as caught:
        await router.ask("embeddings", model, input="a")

    assert caught.value.kind is FailureKind.MODEL_ABSENT
    assert router.asked == []


async def test_an_endpoint_of_ones_own_speaks_openais_api() -> None:
    answer = {"object": "list", "model": "x", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}
    router = Router(httpx.Response(200, json=answer), "https://abc.eu-west-1.aws.endpoints.huggingface.cloud")

    await router.ask("embeddings", input="a")

    assert router.url == "https://abc.eu-west-1.aws.endpoints.huggingface.cloud/v1/embeddings"
    assert router.able.images is None
