"""Cohere at the wire: addresses, the key, batches and pages."""

import json
from typing import Any

import httpx
import msgspec
import pytest

from adapters.providers.registry import Registry
from domain.embeddings import EmbeddingRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.payload import Payload
from domain.ports.providers import Capabilities, ProviderCall
from domain.secrets import Secret
from domain.timeouts import Timeouts
from domain.usage import TokenUsage
from tests.builders import a_chat_payload, a_provider, a_provider_key
from tests.contracts.providers.test_chat_providers import Progress
from tests.unit.adapters.dialects.cohere.samples import WIRE
from tests.unit.adapters.dialects.cohere.test_answer import ANSWER

KEY = a_provider_key(secret=Secret("cohere-key-0123456789"))


class Upstream:
    """Answers what it is given to, and remembers what it was asked."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.seen: list[httpx.Request] = []
        self._answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return self._answers.pop(0)

    def capabilities(self, base_url: str | None = None) -> Capabilities:
        registry = Registry(lambda provider, timeouts: httpx.MockTransport(self), {})
        return registry.build(a_provider("cohere", kind="cohere", base_url=base_url), Timeouts()).capabilities


def call(payload: Payload[Any], model: str = "command-a-03-2025") -> ProviderCall[Any]:
    return ProviderCall(payload, model, KEY, False, Progress())


@pytest.mark.parametrize(
    "base_url", [None, "https://api.cohere.com/v2", "https://api.cohere.ai/compatibility/v1", "https://own.example/"]
)
async def test_a_chat_goes_to_v2_with_the_key(base_url: str | None) -> None:
    """S-24."""
    upstream = Upstream(httpx.Response(200, json=ANSWER))
    chat = upstream.capabilities(base_url).chat
    assert chat is not None
    answer = await chat.complete(call(a_chat_payload()))

    assert upstream.seen[0].url.path == "/v2/chat"
    assert upstream.seen[0].headers["authorization"] == "Bearer cohere-key-0123456789"
    assert answer.usage == TokenUsage(5, 2)


async def test_a_streamed_chat_is_read_from_events() -> None:
    upstream = Upstream(
        httpx.Response(200, content=(WIRE / "text.sse").read_bytes(), headers={"content-type": "text/event-stream"})
    )
    chat = upstream.capabilities().chat
    assert chat is not None
    stream = await chat.stream(call(a_chat_payload()))
    received = b"".join([block async for block in stream])
    await stream.aclose()

    assert b'"content":"Hel"' in received
    assert stream.usage == TokenUsage(4, 2, cache_read_tokens=3)


async def test_many_texts_are_embedded_96_at_a_time() -> None:
    upstream = Upstream(
        *(
            httpx.Response(
                200, json={"embeddings": {"float": [[1.0]] * count}, "meta": {"billed_units": {"input_tokens": count}}}
            )
            for count in (96, 4)
        )
    )
    embeddings = upstream.capabilities().embeddings
    assert embeddings is not None
    body = msgspec.json.encode({"model": "m", "input": ["x"] * 100, "encoding_format": "float"})
    payload = Payload(
        msgspec.json.decode(body, type=EmbeddingRequest), msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    )
    answer = await embeddings.complete(call(payload, "embed-v4.0"))

    assert [len(json.loads(request.content)["texts"]) for request in upstream.seen] == [96, 4]
    assert len(json.loads(answer.body)["data"]) == 100
    assert answer.usage == TokenUsage(input_tokens=100)


async def test_every_page_of_models_is_listed() -> None:
    upstream = Upstream(
        httpx.Response(200, json={"models": [{"name": "a", "endpoints": ["chat"]}], "next_page_token": "p=2"}),
        httpx.Response(200, json={"models": [{"name": "b", "endpoints": ["embed"]}]}),
    )
    models = upstream.capabilities().models
    assert models is not None
    listed = await models.list_models(KEY)

    assert [one.model for one in listed] == ["a", "b"]
    assert upstream.seen[1].url.params["page_token"] == "p=2"


async def test_a_list_that_is_refused_says_why() -> None:
    models = Upstream(httpx.Response(498, json={"message": "invalid token"})).capabilities().models
    assert models is not None

    with pytest.raises(UpstreamFailure) as caught:
        await models.list_models(KEY)

    assert caught.value.kind is FailureKind.INVALID_CREDENTIAL
