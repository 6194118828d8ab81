"""Ollama at the wire: addresses however they are given, and each endpoint in its own form."""

import json
from typing import Any

import httpx
import msgspec
import pytest

from adapters.providers.registry import Registry
from domain.completions import CompletionRequest
from domain.embeddings import EmbeddingRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.inference import InferenceRequest
from domain.payload import Payload
from domain.ports.providers import Capabilities, ProviderCall
from domain.providers import ProviderSettings
from domain.timeouts import Timeouts
from domain.usage import TokenUsage
from tests.builders import a_chat_payload, a_provider
from tests.contracts.providers.test_chat_providers import Progress
from tests.unit.adapters.dialects.ollama.samples import WIRE
from tests.unit.adapters.dialects.ollama.test_answer import ANSWER


class Upstream:
    """Gives one answer, and remembers what it was asked."""

    def __init__(self, answer: httpx.Response) -> None:
        self.seen: list[httpx.Request] = []
        self._answer = answer

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return self._answer

    def capabilities(self, base_url: str | None = None, **settings: Any) -> Capabilities:
        registry = Registry(lambda provider, timeouts: httpx.MockTransport(self), {})
        provider = a_provider("ollama", kind="ollama", base_url=base_url, settings=ProviderSettings(**settings))
        return registry.build(provider, Timeouts()).capabilities


def call(payload: Payload[Any]) -> ProviderCall[Any]:
    return ProviderCall(payload, "llama3.2:3b", None, False, Progress())


def a_payload(kind: type[InferenceRequest], **fields: Any) -> Payload[Any]:
    body = msgspec.json.encode({"model": "m"} | fields)
    return Payload(msgspec.json.decode(body, type=kind), msgspec.json.decode(body, type=dict[str, msgspec.Raw]))


@pytest.mark.parametrize(
    ("base_url", "asked"),
    [
        (None, "http://127.0.0.1:11434/api/chat"),
        ("http://gpu.lan:11434", "http://gpu.lan:11434/api/chat"),
        ("http://gpu.lan:11434/v1", "http://gpu.lan:11434/api/chat"),
        ("http://gpu.lan:11434/api/", "http://gpu.lan:11434/api/chat"),
        ("https://proxy.example/ollama", "https://proxy.example/ollama/api/chat"),
    ],
)
async def test_a_chat_goes_to_ollamas_own_api_with_the_operators_context(base_url: str | None, asked: str) -> None:
    upstream = Upstream(httpx.Response(200, json=ANSWER))
    chat = upstream.capabilities(base_url, num_ctx=8192).chat
    assert chat is not None
    answer = await chat.complete(call(a_chat_payload()))

    assert str(upstream.seen[0].url) == asked
    assert json.loads(upstream.seen[0].content)["options"] == {"num_ctx": 8192}
    assert "authorization" not in upstream.seen[0].headers
    assert answer.usage == TokenUsage(11, 3)


async def test_a_streamed_chat_is_read_from_lines() -> None:
    lines = (WIRE / "text.ndjson").read_bytes()
    upstream = Upstream(httpx.Response(200, content=lines, headers={"content-type": "application/x-ndjson"}))
    chat = upstream.capabilities().chat
    assert chat is not None
    stream = await chat.stream(call(a_chat_payload()))
    received = b"".join([block async for block in stream])
    await stream.aclose()

    assert b'"content":"Hel"' in received
    assert stream.content_type.startswith("text/event-stream")
    assert stream.usage == TokenUsage(26, 2)


async def test_texts_are_embedded_in_one_call() -> None:
    upstream = Upstream(httpx.Response(200, json={"embeddings": [[1.0], [2.0]], "prompt_eval_count": 4}))
    embeddings = upstream.capabilities().embeddings
    assert embeddings is not None
    answer = await embeddings.complete(call(a_payload(EmbeddingRequest, input=["a", "b"])))

    assert upstream.seen[0].url.path == "/api/embed"
    assert [row["embedding"] for row in json.loads(answer.body)["data"]] == [[1.0], [2.0]]
    assert answer.usage == TokenUsage(input_tokens=4)


async def test_a_plain_completion_goes_to_the_form_that_takes_a_prompt_as_it_is() -> None:
    body = {
        "id": "c",
        "object": "text_completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "text": "x", "finish_reason": "stop", "logprobs": None}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
    upstream = Upstream(httpx.Response(200, json=body))
    completions = upstream.capabilities().completions
    assert completions is not None
    answer = await completions.complete(call(a_payload(CompletionRequest, prompt="a")))

    assert upstream.seen[0].url.path == "/v1/completions"
    assert answer.usage == TokenUsage(1, 1)


async def test_the_list_of_models_is_its_tags() -> None:
    upstream = Upstream(httpx.Response(200, json={"models": [{"name": "llama3.2:3b"}]}))
    models = upstream.capabilities().models
    assert models is not None

    assert [one.model for one in await models.list_models(None)] == ["llama3.2:3b"]
    assert upstream.seen[0].url.path == "/api/tags"


async def test_a_full_queue_is_overload() -> None:
    chat = Upstream(httpx.Response(503, json={"error": "server busy, please try again."})).capabilities().chat
    assert chat is not None

    with pytest.raises(UpstreamFailure) as caught:
        await chat.stream(call(a_chat_payload()))

    assert caught.value.kind is FailureKind.OVERLOADED
