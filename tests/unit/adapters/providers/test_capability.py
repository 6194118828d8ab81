"""What only the wire can show: sizes, content types, redirects, limits."""

import asyncio
import json
import tracemalloc
from typing import Any

import httpx
import pytest
from typing_extensions import override

from adapters.providers.opening import MAX_ANSWER_BYTES
from adapters.providers.registry import Registry
from adapters.transport.direct import DirectTransport
from adapters.transport.response_stream import UpstreamResponse
from domain.availability import RateLimitWindow
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.ports.providers import ChatProvider, ProviderCall, ProviderStream
from domain.secrets import Secret
from domain.timeouts import Timeouts
from tests.builders import a_chat_payload, a_provider, a_provider_key
from tests.contracts.providers.test_chat_providers import ANSWER, STREAM, USAGE, Pieces, Progress

SSE = {"content-type": "text/event-stream"}


def provider(*answers: httpx.Response) -> ChatProvider:
    waiting = list(answers)
    return provider_over(httpx.MockTransport(lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0]))


def provider_over(transport: httpx.AsyncBaseTransport) -> ChatProvider:
    client = Registry(lambda provider, timeouts: transport, {}).build(a_provider("groq", base_url=None), Timeouts())
    assert client.capabilities.chat is not None
    return client.capabilities.chat


def call(secret: str = "key-0123456789", **fields: object) -> ProviderCall[ChatRequest]:
    return ProviderCall(a_chat_payload(**fields), "m", a_provider_key(secret=Secret(secret)), True, Progress())


async def read(stream: ProviderStream) -> list[dict[str, Any]]:
    received = b"".join([block async for block in stream])
    await stream.aclose()
    return [json.loads(event[6:]) for event in received.split(b"\n\n")[:-1]]


async def refused(answer: httpx.Response, *, stream: bool = False) -> UpstreamFailure:
    asked = provider(answer)
    with pytest.raises(UpstreamFailure) as caught:
        if stream:
            await read(await asked.stream(call()))
        else:
            await asked.complete(call())
    return caught.value


async def test_a_json_body_instead_of_a_stream_is_told_as_one() -> None:
    stream = await provider(httpx.Response(200, json=ANSWER)).stream(call())

    chunks = await read(stream)

    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": "hi"}
    assert chunks[-1]["usage"] == USAGE
    assert stream.has_content


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"error": {"message": "no"}}),
        httpx.Response(200, html="<p>Sign in</p>"),
        httpx.Response(202, json={"status": "queued"}),
        httpx.Response(204),
        httpx.Response(302, headers={"location": "http://169.254.169.254/"}),
    ],
)
async def test_what_is_no_stream_is_refused_before_anything_is_passed_on(answer: httpx.Response) -> None:
    failure = await refused(answer, stream=True)

    assert failure.kind is FailureKind.SERVER_ERROR


async def test_a_redirect_is_never_followed_and_says_what_to_do() -> None:
    failure = await refused(httpx.Response(307, headers={"location": "https://elsewhere.example"}))

    assert "check base_url" in failure.message


async def test_a_stream_without_a_content_type_is_read_as_one() -> None:
    response = httpx.Response(200, stream=Pieces(STREAM))

    assert len(await read(await provider(response).stream(call()))) == 4


async def test_an_error_body_is_read_only_so_far() -> None:
    """R-34."""
    piece = b"x" * 65_536
    body = Pieces(*[piece] * 2_000)
    tracemalloc.start()

    failure = await refused(httpx.Response(500, stream=body))

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * 1024 * 1024
    assert len(failure.message) <= 1024
    assert body.closed


async def test_an_error_body_that_breaks_off_still_counts_by_its_status() -> None:
    body = Pieces(b'{"error": {"mess', httpx.ReadError("reset"))

    assert (await refused(httpx.Response(429, stream=body))).kind is FailureKind.RATE_LIMITED


async def test_an_answer_without_end_is_given_up() -> None:
    piece = b" " * (1024 * 1024)
    body = Pieces(*[piece] * (MAX_ANSWER_BYTES // len(piece) + 5))

    failure = await refused(httpx.Response(200, stream=body))

    assert "larger than 32 MiB" in failure.message
    assert body.closed


async def test_an_answer_cut_in_the_middle_is_truncated() -> None:
    body = Pieces(b'{"id":', httpx.RemoteProtocolError("cut"))

    assert (await refused(httpx.Response(200, stream=body))).kind is FailureKind.TRUNCATED


async def test_a_body_that_arrived_whole_is_taken_without_reading() -> None:
    whole = json.dumps(ANSWER).encode()

    class Whole(DirectTransport):
        @override
        async def ask(self, method: str, url: httpx.URL, headers: httpx.Headers, body: bytes) -> UpstreamResponse:
            return UpstreamResponse(200, [(b"Content-Type", b"application/json")], body=whole)

    answer = await provider_over(Whole()).complete(call())

    assert answer.body == whole


async def test_limits_come_with_answers_and_streams() -> None:
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2m59.56s"}
    window = (RateLimitWindow("requests", "day", None, 0, 179.56, by_model=True),)

    answer = await provider(httpx.Response(200, json=ANSWER, headers=headers)).complete(call(logit_bias={"1": 1}))
    stream = await provider(httpx.Response(200, content=STREAM, headers=headers | SSE)).stream(
        call(logit_bias={"1": 1})
    )

    assert answer.limits == stream.limits == window
    assert answer.dropped_params == stream.dropped_params == ("logit_bias",)
    await stream.aclose()


async def test_a_key_with_a_line_end_is_never_put_in_a_header() -> None:
    with pytest.raises(UpstreamFailure) as caught:
        await provider(httpx.Response(200, json=ANSWER)).complete(call("key\r\nx-evil: 1"))

    assert caught.value.kind is FailureKind.INVALID_CREDENTIAL
    assert "evil" not in caught.value.message


async def test_a_changed_key_of_the_same_id_is_sent_changed() -> None:
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["authorization"])
        return httpx.Response(200, json=ANSWER)

    chat = (
        Registry(lambda p, t: httpx.MockTransport(answer), {})
        .build(a_provider("groq", base_url=None), Timeouts())
        .capabilities.chat
    )
    assert chat is not None
    for secret in ("first-012345", "second-01234"):
        await chat.complete(call(secret))

    assert sent == ["Bearer first-012345", "Bearer second-01234"]


async def test_the_end_of_a_complete_stream_is_awaited_a_moment_only() -> None:
    body = Pieces(STREAM, None)
    stream = await provider(httpx.Response(200, stream=body, headers=SSE)).stream(call())

    assert len([block async for block in stream]) == 1
    await stream.aclose()

    assert body.closed


async def test_cancelling_that_wait_still_closes_the_stream() -> None:
    body = Pieces(STREAM, None)
    stream = await provider(httpx.Response(200, stream=body, headers=SSE)).stream(call())
    assert [block async for block in stream]

    closing = asyncio.ensure_future(stream.aclose())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing

    assert body.closed


async def test_a_stream_can_be_given_up_before_it_is_read() -> None:
    body = Pieces(STREAM)
    stream = await provider(httpx.Response(200, stream=body, headers=SSE)).stream(call())

    await stream.aclose()

    assert body.closed


async def test_a_flood_of_comments_lets_others_have_their_turn() -> None:
    body = Pieces(b": x\n\n" * 200_000 + STREAM)
    stream = await provider(httpx.Response(200, stream=body, headers=SSE)).stream(call())
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.ensure_future(count())
    chunks = await read(stream)
    counting.cancel()

    assert chunks
    assert turns > 50


async def test_half_an_emoji_in_a_plain_answer_costs_the_half_and_not_the_answer() -> None:
    body = json.dumps(ANSWER).encode().replace(b'"hi"', rb'"hi \ud83d"')
    assert rb"\ud83d" in body

    answer = await provider(httpx.Response(200, content=body, headers={"content-type": "application/json"})).complete(
        call()
    )

    assert json.loads(answer.body)["choices"][0]["message"]["content"] == "hi \ufffd"
