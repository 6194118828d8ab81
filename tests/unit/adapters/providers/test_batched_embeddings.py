"""Embeddings in several calls: so many at once, in order, and none left behind."""

import asyncio
import json
from typing import Any

import httpx
import msgspec
import pytest
from typing_extensions import override

from adapters.providers.batched_embeddings import AT_ONCE
from adapters.providers.registry import Registry
from domain.embeddings import EmbeddingRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.payload import Payload
from domain.ports.providers import EmbeddingProvider, ProviderCall
from domain.secrets import Secret
from domain.timeouts import Timeouts
from tests.builders import a_provider, a_provider_key
from tests.contracts.providers.test_chat_providers import Progress

pytestmark = pytest.mark.virtual_time

TITAN = "amazon.titan-embed-text-v2:0"


class Upstream(httpx.AsyncBaseTransport):
    """Counts the calls that wait at once; those after `stuck` never end."""

    def __init__(self, stuck: int = 10_000) -> None:
        self.waiting = self.most = self.begun = 0
        self.full = asyncio.Event()
        self._stuck = stuck

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.begun += 1
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        if self.waiting == AT_ONCE:
            self.full.set()
        try:
            await asyncio.sleep(0.01 if self.begun <= self._stuck else 3600)
        finally:
            self.waiting -= 1
        if b"bad" in await request.aread():
            return httpx.Response(400, json={"message": "no"}, headers={"x-amzn-errortype": "ValidationException"})
        return httpx.Response(200, json={"embedding": [0.5], "inputTextTokenCount": 1})

    def embeddings(self) -> EmbeddingProvider:
        registry = Registry(lambda provider, timeouts: self, {})
        built = registry.build(a_provider("bedrock", kind="bedrock", base_url=None), Timeouts())
        assert built.capabilities.embeddings is not None
        return built.capabilities.embeddings


def call(**fields: Any) -> ProviderCall[EmbeddingRequest]:
    body = msgspec.json.encode({"model": "m"} | fields)
    payload = Payload(
        msgspec.json.decode(body, type=EmbeddingRequest), msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    )
    return ProviderCall(payload, TITAN, a_provider_key(secret=Secret("bedrock-key-1")), False, Progress())


async def test_only_so_many_calls_run_at_once() -> None:
    upstream = Upstream()

    answer = await upstream.embeddings().complete(call(input=["x"] * 50))

    assert upstream.most == AT_ONCE
    assert len(json.loads(answer.body)["data"]) == 50


async def test_one_refusal_gives_the_others_up() -> None:
    upstream = Upstream(stuck=3)

    with pytest.raises(UpstreamFailure) as caught:
        await upstream.embeddings().complete(call(input=["a", "bad", *"x" * 50]))

    assert caught.value.kind is FailureKind.CLIENT_FAULT
    assert upstream.waiting == 0
    assert upstream.begun < 52


async def test_a_request_that_is_cancelled_leaves_no_call_behind() -> None:
    """R-01."""
    upstream = Upstream(stuck=0)
    asking = asyncio.ensure_future(upstream.embeddings().complete(call(input=["x"] * 20)))
    await upstream.full.wait()

    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert upstream.waiting == 0


async def test_base64_is_made_here() -> None:
    answer = await Upstream().embeddings().complete(call(input="x", encoding_format="base64"))

    assert json.loads(answer.body)["data"][0]["embedding"] == "AAAAPw=="
