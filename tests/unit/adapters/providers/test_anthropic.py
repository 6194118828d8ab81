"""Anthropic at the wire: addresses, headers, pages of models, and the bytes of native requests."""

import json

import httpx
import pytest
import respx

from adapters.providers.kinds import KINDS
from adapters.providers.registry import Registry
from domain.availability import RateLimitWindow
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.messages import MessagesRequest
from domain.ports.providers import Capabilities, ProviderCall, ProviderStream
from domain.providers import Offering, Provider, ProviderSettings
from domain.secrets import Secret
from domain.timeouts import Timeouts
from domain.usage import TokenUsage
from tests.builders import a_chat_payload, a_provider, a_provider_key
from tests.contracts.providers.test_chat_providers import Pieces, Progress
from tests.unit.adapters.dialects.anthropic.samples import a_messages_payload, block, end, event, sample, start, text
from tests.unit.adapters.dialects.anthropic.test_answer import TEXT, a_message

KEY = a_provider_key(secret=Secret("sk-ant-canary-0123456789abcdef"))
SSE = {"content-type": "text/event-stream; charset=utf-8"}
API = "https://api.anthropic.com/v1"
BODY = b'{"model":"alias","max_tokens":9,"messages":[{"role":"user","content":"h\\u00e9"}]}'
ALLOWED_HEADERS = {"content-type", "accept", "user-agent", "x-api-key", "anthropic-version", "anthropic-beta"}


class Upstream:
    """Anthropic with its wire in the test's hands."""

    def __init__(self, provider: Provider | None = None) -> None:
        self.router = respx.Router(assert_all_called=False)
        transport = httpx.MockTransport(self.router.async_handler)
        provider = provider or a_provider("anthropic", kind="anthropic", base_url=None)
        self.able: Capabilities = (
            Registry(lambda provider, timeouts: transport, {}).build(provider, Timeouts()).capabilities
        )

    async def chat(self, **fields: object) -> dict[str, object]:
        assert self.able.chat is not None
        answer = await self.able.chat.complete(a_chat_call(**fields))
        received: dict[str, object] = json.loads(answer.body)
        return received

    async def stream(self, *headers: tuple[str, str]) -> ProviderStream:
        assert self.able.messages is not None
        return await self.able.messages.stream(a_messages_call(*headers))


def a_chat_call(**fields: object) -> ProviderCall[ChatRequest]:
    return ProviderCall(a_chat_payload(**fields), "claude-opus-5", KEY, True, Progress())


def a_messages_call(*headers: tuple[str, str]) -> ProviderCall[MessagesRequest]:
    payload = a_messages_payload(BODY)
    return ProviderCall(payload, "claude-opus-5", KEY, True, Progress(), client_headers=headers)


async def read(stream: ProviderStream) -> bytes:
    try:
        return b"".join([block async for block in stream])
    finally:
        await stream.aclose()


async def test_a_chat_goes_to_messages_with_the_key_in_its_own_header() -> None:
    """S-21, S-24."""
    upstream = Upstream()
    sent = upstream.router.post(f"{API}/messages").respond(200, json=a_message(TEXT))

    received = await upstream.chat()

    request = sent.calls.last.request
    assert received["object"] == "chat.completion"
    assert {name.lower() for name in request.headers} <= ALLOWED_HEADERS
    assert request.headers["x-api-key"] == KEY.secret.reveal()
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert KEY.secret.reveal() not in str(request.url)


async def test_a_chat_is_streamed_as_chunks_with_the_limits_of_the_headers() -> None:
    upstream = Upstream()
    headers = {**SSE, "anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "49"}
    stream = sample("tool.sse")
    upstream.router.post(f"{API}/messages").respond(200, headers=headers, stream=Pieces(stream[:333], stream[333:]))
    assert upstream.able.chat is not None

    streamed = await upstream.able.chat.stream(a_chat_call())
    received = await read(streamed)

    assert received.startswith(b"data: {")
    assert streamed.ending == b"data: [DONE]\n\n"
    assert streamed.usage == TokenUsage(5, 7)
    assert streamed.limits == (RateLimitWindow("requests", "minute", 50, 49, 60, by_model=True),)
    assert streamed.has_content


async def test_native_requests_and_answers_keep_their_bytes() -> None:
    upstream = Upstream()
    body = json.dumps(a_message(TEXT), indent=1).encode()
    sent = upstream.router.post(f"{API}/messages").respond(200, content=body)
    assert upstream.able.messages is not None

    answer = await upstream.able.messages.complete(a_messages_call(("anthropic-beta", "x-1"), ("cookie", "c")))

    request = sent.calls.last.request
    assert request.content == BODY.replace(b"alias", b"claude-opus-5")
    assert request.headers["anthropic-beta"] == "x-1"
    assert {name.lower() for name in request.headers} <= ALLOWED_HEADERS
    assert answer.body == body
    assert answer.model == "claude-served"


async def test_a_native_stream_keeps_its_bytes_and_holds_its_end_back() -> None:
    """R-08."""
    upstream = Upstream()
    stream = sample("thinking.sse")
    upstream.router.post(f"{API}/messages").respond(200, headers=SSE, stream=Pieces(stream[:500], stream[500:]))

    streamed = await upstream.stream()
    received = await read(streamed)

    assert received + streamed.ending == stream
    assert streamed.ending.startswith(b"event: message_stop")
    assert (streamed.usage, streamed.model) == (TokenUsage(5, 7), "m")


async def test_an_error_before_content_is_a_failure_without_content() -> None:
    """R-07."""
    upstream = Upstream()
    stream = start() + event("error", error={"type": "overloaded_error", "message": "Overloaded"})
    upstream.router.post(f"{API}/messages").respond(200, headers=SSE, content=stream)

    streamed = await upstream.stream()
    with pytest.raises(UpstreamFailure, match="Overloaded") as caught:
        await read(streamed)

    assert caught.value.kind is FailureKind.OVERLOADED
    assert not streamed.has_content


@pytest.mark.parametrize("broken", [True, False], ids=["broken off", "ended early"])
async def test_a_stream_without_its_end_is_truncated(broken: bool) -> None:
    """R-08."""
    upstream = Upstream()
    pieces: list[bytes | Exception] = [start() + text("hi"), *([httpx.ReadError("reset")] if broken else [])]
    upstream.router.post(f"{API}/messages").respond(200, headers=SSE, stream=Pieces(*pieces))

    streamed = await upstream.stream()
    with pytest.raises(UpstreamFailure) as caught:
        await read(streamed)

    assert caught.value.kind is FailureKind.TRUNCATED
    assert streamed.has_content


async def test_a_whole_answer_instead_of_a_stream_is_shown_as_one() -> None:
    upstream = Upstream()
    upstream.router.post(f"{API}/messages").respond(200, json=a_message(TEXT))
    assert upstream.able.chat is not None

    native = await upstream.stream()
    chat = await upstream.able.chat.stream(a_chat_call())
    shown = [await read(native) + native.ending, await read(chat) + chat.ending]

    assert [block.count(b'"hi"') for block in shown] == [1, 1]
    assert shown[0].rstrip().endswith(b'{"type":"message_stop"}')
    assert shown[1].endswith(b"data: [DONE]\n\n")


async def test_an_error_instead_of_a_stream_is_a_failure() -> None:
    upstream = Upstream()
    answer = {"type": "error", "error": {"type": "api_error", "message": "x"}}
    upstream.router.post(f"{API}/messages").respond(200, json=answer)
    assert upstream.able.chat is not None

    for asked in (upstream.stream(), upstream.able.chat.stream(a_chat_call())):
        with pytest.raises(UpstreamFailure) as caught:
            await read(await asked)
        assert caught.value.kind is FailureKind.SERVER_ERROR


async def test_tokens_are_counted_there() -> None:
    upstream = Upstream()
    sent = upstream.router.post(f"{API}/messages/count_tokens").respond(200, json={"input_tokens": 14})
    assert upstream.able.token_counts is not None

    answer = await upstream.able.token_counts.complete(a_messages_call())

    assert json.loads(answer.body) == {"input_tokens": 14}
    assert json.loads(sent.calls.last.request.content).keys() == {"model", "messages"}


async def test_models_are_listed_to_the_last_page() -> None:
    upstream = Upstream()
    first = {"id": "claude-a", "type": "model", "created_at": "2026-11-21T01:00:00Z", "max_input_tokens": 1_000_000}
    page = upstream.router.get(f"{API}/models")
    page.side_effect = [
        httpx.Response(200, json={"data": [first], "has_more": True, "first_id": "claude-a", "last_id": "claude-a"}),
        httpx.Response(200, json={"data": [{"id": "claude-b", "created_at": "?"}], "has_more": False}),
    ]
    assert upstream.able.models is not None

    models = await upstream.able.models.list_models(KEY)

    assert list(models) == [
        Offering("claude-a", 1795222800, "anthropic", 1_000_000),
        Offering("claude-b", 0, "anthropic"),
    ]
    assert [dict(call.request.url.params) for call in page.calls] == [
        {"limit": "1000"},
        {"limit": "1000", "after_id": "claude-a"},
    ]
    assert page.calls[0].request.headers["anthropic-version"] == "2023-06-01"


async def test_a_list_that_goes_round_in_a_circle_ends() -> None:
    upstream = Upstream()
    page = upstream.router.get(f"{API}/models")
    page.respond(200, json={"data": [{"id": "claude-a"}], "has_more": True, "last_id": "claude-a"})
    assert upstream.able.models is not None

    await upstream.able.models.list_models(KEY)

    assert page.call_count == 50


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"error": {"type": "authentication_error", "message": "x"}}, FailureKind.INVALID_CREDENTIAL),
        (200, {"models": 1}, FailureKind.SERVER_ERROR),
        (302, {}, FailureKind.SERVER_ERROR),
    ],
)
async def test_models_that_cannot_be_listed_are_a_failure(status: int, body: object, kind: FailureKind) -> None:
    upstream = Upstream()
    upstream.router.get(f"{API}/models").respond(status, json=body)
    assert upstream.able.models is not None

    with pytest.raises(UpstreamFailure) as caught:
        await upstream.able.models.list_models(KEY)

    assert caught.value.kind is kind


@pytest.mark.parametrize(
    ("given", "address"),
    [
        (None, "https://api.anthropic.com/v1/messages"),
        ("https://api.anthropic.com", "https://api.anthropic.com/v1/messages"),
        ("https://api.anthropic.com/v1/messages", "https://api.anthropic.com/v1/messages"),
        ("https://proxy.example/anthropic/", "https://proxy.example/anthropic/v1/messages"),
        ("https://proxy.example/v1", "https://proxy.example/v1/messages"),
    ],
)
async def test_an_address_is_understood_with_and_without_its_version(given: str | None, address: str) -> None:
    upstream = Upstream(a_provider("mine", kind="anthropic", base_url=given))
    sent = upstream.router.post(address).respond(200, json=a_message(TEXT))

    await upstream.chat()

    assert sent.call_count == 1


async def test_what_an_operator_drops_is_not_sent() -> None:
    settings = ProviderSettings(drop_params=("stop", "stop_sequences"))
    upstream = Upstream(a_provider("anthropic", kind="anthropic", base_url=None, settings=settings))
    sent = upstream.router.post(f"{API}/messages").respond(200, json=a_message(TEXT))

    await upstream.chat(stop="x")

    assert b"stop" not in sent.calls.last.request.content


def test_every_endpoint_of_the_kind_has_its_table() -> None:
    kind = next(kind for kind in KINDS if kind.id == "anthropic")

    assert set(kind.load().fidelity(kind.unknown)) == {*kind.endpoints} - {"models"}


async def test_an_emoji_cut_between_two_events_ends_no_stream() -> None:
    """Relays cut text by UTF-16 units. What passes through keeps the halves; what is translated loses them alone."""
    upstream = Upstream()
    halves = [{"type": "text_delta", "text": "hi HIGH"}, {"type": "text_delta", "text": "LOW!"}]
    events = start() + block(0, {"type": "text", "text": ""}, *halves) + end()
    events = events.replace(b"HIGH", rb"\ud83d").replace(b"LOW", rb"\ude00")
    upstream.router.post(f"{API}/messages").respond(200, headers=SSE, content=events)
    assert upstream.able.chat is not None

    native = await read(await upstream.stream())
    translated = await read(await upstream.able.chat.stream(a_chat_call()))

    assert rb"hi \ud83d" in native
    assert rb"\ude00!" in native
    chunks = [json.loads(part[6:]) for part in translated.split(b"\n\n") if part.startswith(b"data: {")]
    assert "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c["choices"]) == "hi \ufffd\ufffd!"
