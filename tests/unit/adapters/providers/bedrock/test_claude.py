"""Claude on Bedrock in Anthropic's own words: what goes where, recorded frames, cuts and refusals."""

import base64
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from adapters.ingress.carriers import with_over_chat
from adapters.providers.bedrock.claude import BedrockClaudeMessages, InvokeStreamDecoder
from adapters.providers.registry import Registry
from adapters.wire.call import DialectCall
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.messages import MessagesRequest
from domain.payload import Payload
from domain.ports.providers import Capabilities, ProviderCall
from domain.providers import ModelPlace, ProviderSettings
from domain.secrets import Secret
from domain.timeouts import Timeouts
from domain.usage import TokenUsage
from tests.builders import a_provider, a_provider_key
from tests.contracts.providers.test_chat_providers import Pieces, Progress
from tests.unit.adapters.dialects.bedrock.samples import CLAUDE, NOVA, frame

RECORDED = (Path(__file__).parents[4] / "wire" / "bedrock" / "invoke_stream_claude.bin").read_bytes()
KEY = a_provider_key(secret=Secret("bedrock-api-key-0123456789"))
FRAMES = {"content-type": "application/vnd.amazon.eventstream"}
MESSAGE = {
    "id": "msg_bdrk_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 1},
}
BEGIN = {"type": "message_start", "message": MESSAGE | {"content": [], "stop_reason": None}}

Wire = Callable[[httpx.Request], httpx.Response]


def bedrock(wire: Wire, **settings: Any) -> Capabilities:
    registry = Registry(lambda provider, timeouts: httpx.MockTransport(wire), {})
    received = ProviderSettings(location="eu-west-1", **settings)
    provider = a_provider("bedrock", kind="bedrock", base_url=None, settings=received)
    return with_over_chat(registry.build(provider, Timeouts()).capabilities, len)


def payload(**fields: Any) -> Payload[MessagesRequest]:
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]} | fields
    sent = msgspec.json.encode(body)
    return Payload(
        msgspec.json.decode(sent, type=MessagesRequest), msgspec.json.decode(sent, type=dict[str, msgspec.Raw])
    )


def call(model: str = CLAUDE, betas: str = "", **fields: Any) -> ProviderCall[MessagesRequest]:
    headers = (("anthropic-version", "2023-06-01"), ("anthropic-beta", betas))
    return ProviderCall(payload(**fields), model, KEY, False, Progress(), client_headers=headers)


def chunk(event: dict[str, Any]) -> bytes:
    return frame("chunk", {"bytes": base64.b64encode(json.dumps(event).encode()).decode(), "p": "abc"})


def decoder() -> InvokeStreamDecoder:
    asked = DialectCall(payload(), CLAUDE, KEY.secret, lambda: 0.0)
    return BedrockClaudeMessages().decoder(asked, "application/vnd.amazon.eventstream")


async def test_claude_is_asked_in_its_own_words_without_model_and_stream() -> None:
    """S-24."""
    seen: list[httpx.Request] = []

    def wire(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=MESSAGE)

    messages = bedrock(wire).messages
    assert messages is not None
    asked = call(
        betas="claude-code-20250219,interleaved-thinking-2025-05-14",
        top_k=5,
        service_tier="auto",
        speed="fast",
        context_management={"edits": []},
    )
    answer = await messages.complete(asked)

    assert seen[0].url.host == "bedrock-runtime.eu-west-1.amazonaws.com"
    assert seen[0].url.raw_path.endswith(b"-v1%3A0/invoke")
    assert json.loads(seen[0].content) == {
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 9,
        "top_k": 5,
        "anthropic_version": "bedrock-2023-05-31",
        "anthropic_beta": ["interleaved-thinking-2025-05-14"],
    }
    assert {*seen[0].headers} <= {"host", "content-type", "user-agent", "authorization", "content-length"}
    assert json.loads(answer.body) == MESSAGE
    assert answer.usage == TokenUsage(input_tokens=3, output_tokens=1)
    assert answer.dropped_params == ("context_management", "speed")


async def test_a_stream_comes_as_anthropics_events_with_the_last_held_back() -> None:
    seen: list[httpx.Request] = []

    def wire(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, stream=Pieces(RECORDED[:100], RECORDED[100:]), headers=FRAMES)

    messages = bedrock(wire).messages
    assert messages is not None
    stream = await messages.stream(call(stream=True))
    received = b"".join([block async for block in stream])
    await stream.aclose()

    assert seen[0].url.raw_path.endswith(b"/invoke-with-response-stream")
    assert b'"stream"' not in seen[0].content
    assert received.startswith(b"event: message_start\ndata: {")
    assert stream.ending.startswith(b"event: message_stop\n")
    assert b"message_stop" not in received
    assert stream.content_type.startswith("text/event-stream")
    assert stream.usage is not None
    assert stream.usage.input_tokens == 5


def test_any_split_gives_the_same() -> None:
    """R-08."""
    whole = decoder()
    expected = whole.feed(RECORDED) + whole.finish()
    chance = random.Random(5)

    for _ in range(50):
        reading, received, rest = decoder(), b"", RECORDED
        while rest:
            size = chance.randint(1, 120)
            received += reading.feed(rest[:size])
            rest = rest[size:]
        assert received + reading.finish() == expected
        assert (reading.done, reading.failure, reading.ending) == (True, None, whole.ending)


def test_a_stream_that_is_cut_at_any_byte_is_never_complete() -> None:
    """R-08."""
    for end in range(len(RECORDED)):
        reading = decoder()
        reading.feed(RECORDED[:end])
        reading.finish()
        assert not reading.done
        assert reading.failure is not None
        assert reading.failure.kind is FailureKind.TRUNCATED


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (frame("throttlingException", {"message": "slow down"}, "exception"), FailureKind.RATE_LIMITED),
        (frame("modelStreamErrorException", {"message": "no"}, "exception"), FailureKind.SERVER_ERROR),
        (frame("chunk", {"p": "no bytes"}), FailureKind.SERVER_ERROR),
        (frame("chunk", {"bytes": "e30"}), FailureKind.SERVER_ERROR),
        (frame("chunk", {"bytes": base64.b64encode(b"{nonsense").decode()}), FailureKind.SERVER_ERROR),
        (b"\0" * 40, FailureKind.SERVER_ERROR),
        (
            chunk({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}),
            FailureKind.OVERLOADED,
        ),
    ],
)
def test_a_failure_in_the_midst_follows_what_came_before(broken: bytes, kind: FailureKind) -> None:
    reading = decoder()

    received = reading.feed(chunk(BEGIN) + broken + RECORDED)

    assert received.startswith(b"event: message_start\n")
    assert received.count(b"\n\n") == 1
    assert reading.failure is not None
    assert reading.failure.kind is kind
    assert not reading.done
    assert reading.feed(RECORDED) + reading.finish() == b""


def test_events_to_come_and_line_breaks_in_json_do_no_harm() -> None:
    reading = decoder()
    spread = base64.b64encode(json.dumps(BEGIN, indent=1).encode()).decode()

    received = reading.feed(frame("later", {"a": 1}) + frame("chunk", {"bytes": spread}))

    assert received.count(b"\n\n") == 1
    assert reading.failure is None
    assert reading.output_text() == ""


async def test_refusals_are_amazons() -> None:
    body = {"message": "Invocation with on-demand throughput isn't supported"}
    wire = httpx.Response(400, json=body, headers={"x-amzn-errortype": "ValidationException"})
    messages = bedrock(lambda _: wire).messages
    assert messages is not None

    with pytest.raises(UpstreamFailure) as caught:
        await messages.stream(call(stream=True))

    assert caught.value.kind is FailureKind.MODEL_ABSENT


async def test_other_models_are_asked_over_chat() -> None:
    seen: list[str] = []

    def wire(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        content = {"message": {"role": "assistant", "content": [{"text": "hi"}]}}
        usage = {"inputTokens": 3, "outputTokens": 1, "totalTokens": 4}
        return httpx.Response(200, json={"output": content, "stopReason": "end_turn", "usage": usage})

    capabilities = bedrock(wire)
    assert capabilities.messages is not None
    assert capabilities.token_counts is not None
    answer = await capabilities.messages.complete(call(NOVA))
    count = await capabilities.token_counts.complete(call(NOVA))

    assert json.loads(answer.body)["content"] == [{"type": "text", "text": "hi"}]
    assert not count.asked
    assert len(seen) == 1
    assert seen[0].endswith("/converse")


async def test_tokens_are_counted_by_bedrock_in_the_models_own_region() -> None:
    seen: list[httpx.Request] = []

    def wire(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"inputTokens": 12})

    counts = bedrock(wire, model_places={CLAUDE: ModelPlace(location="us-west-2")}).token_counts
    assert counts is not None
    answer = await counts.complete(call(betas="effort-2025-11-24", top_k=5))

    assert json.loads(answer.body) == {"input_tokens": 12}
    assert answer.usage == TokenUsage()
    assert seen[0].url.host == "bedrock-runtime.us-west-2.amazonaws.com"
    assert seen[0].url.raw_path.endswith(b"/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/count-tokens")
    packed = json.loads(base64.b64decode(json.loads(seen[0].content)["input"]["invokeModel"]["body"]))
    assert packed == {
        "messages": [{"role": "user", "content": "hi"}],
        "anthropic_version": "bedrock-2023-05-31",
        "anthropic_beta": ["effort-2025-11-24"],
        "max_tokens": 1,
    }


@pytest.mark.parametrize(
    ("status", "name", "message"),
    [
        (400, "ValidationException", "The provided model doesn't support counting tokens."),
        (400, "ValidationException", "The provided model identifier is invalid."),
        (403, "AccessDeniedException", "not authorized to perform bedrock:CountTokens"),
    ],
)
async def test_where_bedrock_does_not_count_it_is_estimated(status: int, name: str, message: str) -> None:
    received = httpx.Response(status, json={"message": message}, headers={"x-amzn-errortype": name})
    counts = bedrock(lambda _: received).token_counts
    assert counts is not None

    answer = await counts.complete(call())

    assert json.loads(answer.body)["input_tokens"] > 0
    assert not answer.asked


@pytest.mark.parametrize(
    ("wire", "kind"),
    [
        (httpx.Response(429, headers={"x-amzn-errortype": "ThrottlingException"}), FailureKind.RATE_LIMITED),
        (httpx.Response(200, json={"tokens": 1}), FailureKind.SERVER_ERROR),
    ],
)
async def test_other_failures_to_count_are_failures(wire: httpx.Response, kind: FailureKind) -> None:
    counts = bedrock(lambda _: wire).token_counts
    assert counts is not None

    with pytest.raises(UpstreamFailure) as caught:
        await counts.complete(call())

    assert caught.value.kind is kind
