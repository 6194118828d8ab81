"""What every provider of the registry promises the attempt loop, each at the wire.

A new provider joins by its line in the registry; nothing here names one.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import respx
from typing_extensions import override

from adapters.providers.kind import Entry
from adapters.providers.kinds import ENTRIES
from adapters.providers.registry import Registry
from adapters.transport.response_stream import UnreadableAnswer
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.ports.providers import (
    CallProgress,
    ChatProvider,
    ProviderAnswer,
    ProviderCall,
    ProviderClient,
    ProviderStream,
)
from domain.secrets import Secret
from domain.timeouts import Timeouts
from domain.usage import TokenUsage
from tests.builders import a_chat_payload, a_provider, a_provider_key

KEY = a_provider_key(secret=Secret("sk-canary-0123456789abcdef"))
USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "served",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": USAGE,
}
HEAD = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "served"}
ALLOWED_HEADERS = {"content-type", "accept", "user-agent", "authorization", "x-github-api-version"}


def event(**fields: object) -> bytes:
    return b"data: " + json.dumps(HEAD | fields).encode() + b"\n\n"


def delta(finish: str | None = None, **fields: object) -> bytes:
    return event(choices=[{"index": 0, "delta": fields, "finish_reason": finish}])


TEXT = delta(role="assistant", content="h") + delta(content="i")
STREAM = TEXT + delta("stop") + event(choices=[], usage=USAGE) + b"data: [DONE]\n\n"


class Progress(CallProgress):
    """Counts what the deadlines hang on."""

    def __init__(self) -> None:
        self.heads = 0
        self.pieces = 0
        self.contents = 0

    @override
    def headers_received(self) -> None:
        self.heads += 1

    @override
    def bytes_received(self) -> None:
        self.pieces += 1

    @override
    def content_received(self) -> None:
        self.contents += 1


class Pieces(httpx.AsyncByteStream):
    """A body in pieces; an exception among them is raised in its place, None waits for ever."""

    def __init__(self, *pieces: bytes | Exception | None) -> None:
        self._pieces = pieces
        self.closed = False

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if piece is None:
                await asyncio.Event().wait()
            elif isinstance(piece, Exception):
                raise piece
            else:
                yield piece

    @override
    async def aclose(self) -> None:
        self.closed = True


class Upstream:
    """A provider of the registry with its wire in the test's hands."""

    def __init__(self, entry: Entry) -> None:
        self.router = respx.Router(assert_all_called=False)
        self.entry = entry
        local = None if entry.preset.base_url else "https://own.example"
        provider = a_provider(entry.id, kind=entry.kind, base_url=local)
        registry = Registry(
            lambda provider, timeouts: httpx.MockTransport(self.router.async_handler),
            {"CLOUDFLARE_ACCOUNT_ID": "acc0"},
        )
        self.client: ProviderClient = registry.build(provider, Timeouts())
        assert self.client.capabilities.chat is not None
        self.chat: ChatProvider = self.client.capabilities.chat
        self.progress = Progress()
        self.wire = self.router.post(path__regex=r".*/chat/completions$")

    @property
    def sent(self) -> httpx.Request:
        request: httpx.Request = self.wire.calls.last.request
        return request

    def call(self, *, include_usage: bool = False, **fields: object) -> ProviderCall[ChatRequest]:
        return ProviderCall(a_chat_payload(**fields), "wanted", KEY, include_usage, self.progress)

    async def complete(self) -> ProviderAnswer:
        return await self.chat.complete(self.call())

    async def read(self, *, include_usage: bool = False) -> tuple[bytes, ProviderStream]:
        stream = await self.chat.stream(self.call(include_usage=include_usage))
        try:
            return b"".join([block async for block in stream]), stream
        finally:
            await stream.aclose()

    async def failure(self, *, stream: bool = False) -> UpstreamFailure:
        with pytest.raises(UpstreamFailure) as caught:
            await (self.read() if stream else self.complete())
        assert KEY.secret.reveal() not in repr(caught.value) + str(caught.value.__dict__)
        assert caught.value.__context__ is None or "Request" not in type(caught.value.__context__).__name__
        return caught.value


SPEAKING_OPENAIS = [
    entry for entry in ENTRIES if entry.kind in {"openai", "simulated", "huggingface"} and entry.chat_path is not None
]
"""The providers whose chat is OpenAI's, byte for byte."""


@pytest.fixture(params=SPEAKING_OPENAIS, ids=lambda entry: entry.id)
def upstream(request: Any) -> Upstream:
    return Upstream(request.param)


async def test_a_plain_answer_is_openais_with_its_usage(upstream: Upstream) -> None:
    upstream.wire.respond(200, json=ANSWER)

    answer = await upstream.complete()

    assert json.loads(answer.body) == ANSWER
    assert (answer.model, answer.usage) == ("served", TokenUsage(input_tokens=9, output_tokens=2))
    assert upstream.progress.heads == 1


async def test_the_model_asked_for_is_the_deployments_and_the_messages_are_the_clients(upstream: Upstream) -> None:
    upstream.wire.respond(200, json=ANSWER)

    await upstream.chat.complete(upstream.call(model="alias", top_k=5))

    body = json.loads(upstream.sent.content)
    assert (body["model"], body["top_k"]) == ("wanted", 5)
    assert body["messages"] == [{"role": "user", "content": "hi"}]
    assert "stream" not in body


async def test_what_is_sent_is_an_allow_list_with_our_key_alone(upstream: Upstream) -> None:
    """S-24, S-21."""
    upstream.wire.respond(200, json=ANSWER)

    await upstream.complete()

    request = upstream.sent
    assert {name.lower() for name in request.headers} <= ALLOWED_HEADERS
    assert request.headers["authorization"] == f"Bearer {KEY.secret.reveal()}"
    assert request.headers["user-agent"].startswith("open-model-gateway/")
    assert KEY.secret.reveal() not in str(request.url)


async def test_without_a_key_no_credential_is_sent(upstream: Upstream) -> None:
    upstream.wire.respond(200, json=ANSWER)
    call = ProviderCall(a_chat_payload(), "m", None, False, upstream.progress)

    await upstream.chat.complete(call)

    assert "authorization" not in upstream.sent.headers


async def test_a_stream_gives_text_and_keeps_usage_to_itself(upstream: Upstream) -> None:
    upstream.wire.respond(200, stream=Pieces(STREAM[:40], STREAM[40:]), headers={"content-type": "text/event-stream"})

    received, stream = await upstream.read()

    assert received == TEXT + delta("stop")
    assert (stream.model, stream.usage) == ("served", TokenUsage(input_tokens=9, output_tokens=2))
    assert stream.has_content
    assert stream.output_bytes == 2
    assert upstream.progress.pieces == 2
    assert json.loads(upstream.sent.content)["stream"] is True


async def test_a_stream_ends_with_usage_where_it_was_asked_for(upstream: Upstream) -> None:
    upstream.wire.respond(200, content=STREAM, headers={"content-type": "text/event-stream; charset=utf-8"})

    received, _ = await upstream.read(include_usage=True)

    assert received.startswith(TEXT + delta("stop"))
    assert json.loads(received.split(b"\n\n")[-2][6:])["usage"] == USAGE
    assert b"[DONE]" not in received


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, FailureKind.CLIENT_FAULT),
        (401, FailureKind.INVALID_CREDENTIAL),
        (402, FailureKind.QUOTA_EXHAUSTED),
        (404, FailureKind.MODEL_ABSENT),
        (429, FailureKind.RATE_LIMITED),
        (500, FailureKind.SERVER_ERROR),
        (503, FailureKind.OVERLOADED),
    ],
)
async def test_a_refusal_has_its_kind_and_its_words(
    upstream: Upstream, status: int, kind: FailureKind, stream: bool
) -> None:
    body = {"error": {"message": f"no, {KEY.secret.reveal()}", "type": "x", "param": None, "code": None}}
    upstream.wire.respond(status, json=body, headers={"retry-after": "7"})

    failure = await upstream.failure(stream=stream)

    assert (failure.kind, failure.status, failure.message) == (kind, status, "no, ***")
    assert failure.retry_after_seconds == (7 if status in {402, 429, 500, 503} else None)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError("refused"), FailureKind.CONNECT),
        (httpx.ConnectTimeout("slow"), FailureKind.CONNECT),
        (httpx.PoolTimeout("full"), FailureKind.CONNECT),
        (httpx.ReadTimeout("silent"), FailureKind.TIMEOUT),
        (httpx.ReadError("reset"), FailureKind.TRUNCATED),
        (httpx.RemoteProtocolError("nonsense"), FailureKind.TRUNCATED),
        (UnreadableAnswer("unpacks to more than 100 times its size"), FailureKind.SERVER_ERROR),
        (httpx.WriteError("gone"), FailureKind.TRUNCATED),
    ],
)
async def test_no_answer_is_a_failure_of_its_kind(
    upstream: Upstream, error: Exception, kind: FailureKind, stream: bool
) -> None:
    upstream.wire.mock(side_effect=error)

    assert (await upstream.failure(stream=stream)).kind is kind


@pytest.mark.parametrize("content", [b"<html>no</html>", b"", b'{"object": "chat.completion"}', b"\xff"])
async def test_an_unreadable_answer_is_a_server_error(upstream: Upstream, content: bytes) -> None:
    upstream.wire.respond(200, content=content)

    assert (await upstream.failure()).kind is FailureKind.SERVER_ERROR


async def test_a_stream_cut_by_the_connection_is_truncated(upstream: Upstream) -> None:
    """R-08."""
    body = Pieces(TEXT + delta("stop"), httpx.ReadError("reset"))
    upstream.wire.respond(200, stream=body, headers={"content-type": "text/event-stream"})

    assert (await upstream.failure(stream=True)).kind is FailureKind.TRUNCATED
    assert body.closed


async def test_a_stream_that_ends_too_early_is_truncated(upstream: Upstream) -> None:
    upstream.wire.respond(200, content=TEXT, headers={"content-type": "text/event-stream"})

    assert (await upstream.failure(stream=True)).kind is FailureKind.TRUNCATED


async def test_an_error_inside_a_stream_is_a_failure_after_what_came_before(upstream: Upstream) -> None:
    body = TEXT + b'data: {"error": {"message": "boom"}}\n\n'
    upstream.wire.respond(200, content=body, headers={"content-type": "text/event-stream"})
    stream = await upstream.chat.stream(upstream.call())
    received = b""

    with pytest.raises(UpstreamFailure, match="boom"):
        async for block in stream:
            received += block

    assert received == TEXT
    await stream.aclose()
    await stream.aclose()


async def test_cancelling_a_silent_call_gives_its_connection_up(upstream: Upstream) -> None:
    """R-01, plain and streaming."""
    plain, streamed = Pieces(b"{", None), Pieces(TEXT, None)
    upstream.wire.side_effect = [
        httpx.Response(200, stream=plain),
        httpx.Response(200, stream=streamed, headers={"content-type": "text/event-stream"}),
    ]
    for task, body in (
        (asyncio.ensure_future(upstream.complete()), plain),
        (asyncio.ensure_future(upstream.read()), streamed),
    ):
        await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert body.closed


async def test_models_are_listed(upstream: Upstream) -> None:
    assert upstream.client.capabilities.models is not None
    if upstream.entry.models_path is None:
        listed = await upstream.client.capabilities.models.list_models(KEY)
        assert [offering.model for offering in listed] == list(upstream.entry.preset.models)
        return
    route = upstream.router.get(path__regex=r".*/models(/search)?$").respond(200, json={"data": [{"id": "a/b:c"}]})

    listed = await upstream.client.capabilities.models.list_models(KEY)

    assert [offering.model for offering in listed] == ["a/b:c"]
    assert route.calls.last.request.headers["authorization"].startswith("Bearer ")
    route.respond(401, json={"error": "no"})
    with pytest.raises(UpstreamFailure) as caught:
        await upstream.client.capabilities.models.list_models(KEY)
    assert caught.value.kind is FailureKind.INVALID_CREDENTIAL


async def test_the_address_is_the_presets_with_every_place_filled(upstream: Upstream) -> None:
    upstream.wire.respond(200, json=ANSWER)

    await upstream.complete()

    url = str(upstream.sent.url)
    assert url.endswith("/chat/completions")
    assert "{" not in url
    assert not re.search(r"[^:]//", url)
    await upstream.client.aclose()
