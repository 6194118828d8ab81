"""Bedrock, Cohere and Ollama against the simulator, which refuses what they would refuse."""

import json
from typing import Any

import httpx
import msgspec
import pytest

from adapters.providers.registry import Registry
from domain.embeddings import EmbeddingRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.inference import InferenceRequest
from domain.keys import ProviderKey
from domain.messages import MessagesRequest
from domain.payload import Payload
from domain.ports.providers import Capabilities, ProviderCall
from domain.providers import ProviderSettings
from domain.secrets import Secret
from domain.timeouts import Timeouts
from entrypoints.simulator.app import create_simulator
from tests.builders import a_chat_payload, a_provider, a_provider_key
from tests.contracts.providers.test_chat_providers import Progress

KEY = a_provider_key(secret=Secret("key-canary-0123456789"))
SIGNING = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1"}
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
CHATS = [("bedrock", CLAUDE), ("bedrock", "us.amazon.nova-pro-v1:0"), ("cohere", "command-a-03-2025"), ("ollama", "m")]
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "function": {"name": "look_up", "description": "Looks up", "parameters": SCHEMA}}
PNG = "data:image/png;base64,iVBORw0KGgo="


def capabilities(kind: str, variables: dict[str, str] | None = None) -> Capabilities:
    app = create_simulator()
    registry = Registry(lambda provider, timeouts: httpx.ASGITransport(app=app), variables or {})
    settings = ProviderSettings(location="eu-west-1") if kind == "bedrock" else ProviderSettings()
    provider = a_provider(kind, kind=kind, base_url="http://simulator", settings=settings)
    return registry.build(provider, Timeouts()).capabilities


def call(model: str, payload: Payload[Any], key: ProviderKey | None = KEY) -> ProviderCall[Any]:
    return ProviderCall(payload, model, key, True, Progress())


async def answer(kind: str, model: str, **fields: Any) -> dict[str, Any]:
    chat = capabilities(kind).chat
    assert chat is not None
    received = await chat.complete(call(model, a_chat_payload(**fields)))
    body: dict[str, Any] = json.loads(received.body)
    assert received.usage is not None
    return body


async def chunks(kind: str, model: str, **fields: Any) -> list[dict[str, Any]]:
    chat = capabilities(kind).chat
    assert chat is not None
    stream = await chat.stream(call(model, a_chat_payload(stream=True, **fields)))
    received = b"".join([block async for block in stream])
    await stream.aclose()
    assert stream.usage is not None
    return [json.loads(event[6:]) for event in received.split(b"\n\n")[:-1]]


@pytest.mark.parametrize(("kind", "model"), CHATS)
async def test_a_chat_is_answered_plain_and_streamed_alike(kind: str, model: str) -> None:
    fields: dict[str, Any] = {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Say these words again"},
        ],
        "temperature": 0.5,
        "max_tokens": 50,
        "stop": ["END"],
    }

    body = await answer(kind, model, **fields)
    received = await chunks(kind, model, **fields)

    text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in received if chunk["choices"])
    assert text == body["choices"][0]["message"]["content"]
    assert "Say these words again" in text
    assert received[-1]["usage"]["total_tokens"] == body["usage"]["total_tokens"]


@pytest.mark.parametrize(("kind", "model"), CHATS)
async def test_a_tool_is_called_answered_and_the_talk_goes_on(kind: str, model: str) -> None:
    name = "required" if kind != "ollama" else "auto"
    asked: dict[str, Any] = {
        "messages": [{"role": "user", "content": "Look it up"}],
        "tools": [TOOL],
        "tool_choice": name,
    }
    made: list[dict[str, Any]] = [
        {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"city":"Oslo"}'}},
        {"id": "call_2", "type": "function", "function": {"name": "look_up", "arguments": '{"city":"Rome"}'}},
    ]
    if kind != "ollama":
        called = (await answer(kind, model, **asked))["choices"][0]
        streamed = await chunks(kind, model, **asked)
        assert called["finish_reason"] == "tool_calls"
        made[0] = called["message"]["tool_calls"][0]
        assert json.loads(made[0]["function"]["arguments"]).keys() == {"city"}
        pieces = [
            piece
            for chunk in streamed
            if chunk["choices"]
            for piece in chunk["choices"][0]["delta"].get("tool_calls", ())
        ]
        assert "".join(piece["function"]["arguments"] for piece in pieces) == made[0]["function"]["arguments"]
    results = [{"role": "tool", "tool_call_id": one["id"], "content": "42"} for one in made]

    last = await answer(
        kind,
        model,
        messages=[*asked["messages"], {"role": "assistant", "content": None, "tool_calls": made}, *results],
        tools=[TOOL],
    )

    assert last["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(("kind", "model"), CHATS)
async def test_a_schema_is_kept_to(kind: str, model: str) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA}}

    body = await answer(kind, model, response_format=wanted)
    received = await chunks(kind, model, response_format=wanted)

    text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in received if chunk["choices"])
    assert json.loads(body["choices"][0]["message"]["content"]).keys() == {"city"}
    assert json.loads(text).keys() == {"city"}
    assert body["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(("kind", "model"), CHATS)
async def test_an_image_is_seen(kind: str, model: str) -> None:
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": PNG}}]

    assert await answer(kind, model, messages=[{"role": "user", "content": parts}])


@pytest.mark.parametrize(
    ("kind", "model"),
    [("bedrock", CLAUDE), ("cohere", "command-a-reasoning-08-2025"), ("ollama", "gpt-oss:20b")],
)
async def test_a_model_that_thinks_is_asked_to(kind: str, model: str) -> None:
    assert await answer(kind, model, reasoning_effort="low", max_tokens=4096)


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("bedrock", "amazon.titan-embed-text-v2:0"),
        ("bedrock", "cohere.embed-v4:0"),
        ("cohere", "embed-v4.0"),
        ("ollama", "nomic-embed-text"),
    ],
)
async def test_texts_are_embedded_in_order(kind: str, model: str) -> None:
    def a_payload(given: type[InferenceRequest], **fields: Any) -> Payload[Any]:
        body = msgspec.json.encode({"model": "m"} | fields)
        return Payload(msgspec.json.decode(body, type=given), msgspec.json.decode(body, type=dict[str, msgspec.Raw]))

    embeddings = capabilities(kind).embeddings
    assert embeddings is not None
    together = await embeddings.complete(call(model, a_payload(EmbeddingRequest, input=["a", "b c", "d"])))
    alone = await embeddings.complete(call(model, a_payload(EmbeddingRequest, input="b c")))

    assert json.loads(together.body)["data"][1]["embedding"] == json.loads(alone.body)["data"][0]["embedding"]


@pytest.mark.parametrize("kind", ["bedrock", "cohere", "ollama"])
async def test_models_are_listed(kind: str) -> None:
    models = capabilities(kind).models
    assert models is not None

    assert await models.list_models(KEY)


async def test_a_signed_request_is_let_in() -> None:
    found = capabilities("bedrock", SIGNING)
    assert found.chat is not None
    assert found.models is not None

    assert (await found.chat.complete(call(CLAUDE, a_chat_payload(), None))).usage is not None
    assert await found.models.list_models(None)


@pytest.mark.parametrize("kind", ["bedrock", "cohere", "ollama"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("directive", "expected"),
    [
        ("429", FailureKind.RATE_LIMITED),
        ("503", FailureKind.OVERLOADED),
        ("401", FailureKind.INVALID_CREDENTIAL),
        ("500", FailureKind.SERVER_ERROR),
        ("html-200", FailureKind.SERVER_ERROR),
    ],
)
async def test_what_goes_wrong_at_once_has_its_kind(
    kind: str, stream: bool, directive: str, expected: FailureKind
) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        await (chunks(kind, f"sim-{directive}") if stream else answer(kind, f"sim-{directive}"))

    assert caught.value.kind is expected
    assert KEY.secret.reveal() not in caught.value.message


@pytest.mark.parametrize("kind", ["bedrock", "cohere", "ollama"])
@pytest.mark.parametrize(
    "directive",
    ["end-after-2", "error-event-after-2", "bad-json-after-2", "end-at-byte-100", "bad-json", "error-200"],
)
async def test_a_stream_that_breaks_is_never_complete(kind: str, directive: str) -> None:
    """R-08."""
    with pytest.raises(UpstreamFailure) as caught:
        await chunks(kind, f"sim-{directive}", messages=[{"role": "user", "content": "Say these words again"}])

    assert caught.value.kind in {FailureKind.TRUNCATED, FailureKind.SERVER_ERROR}


@pytest.mark.parametrize("kind", ["bedrock", "cohere", "ollama"])
@pytest.mark.parametrize("oddity", ["one-write", "byte-by-byte", "split-utf8"])
async def test_pieces_of_any_size_make_the_same_answer(kind: str, oddity: str) -> None:
    asked = [{"role": "user", "content": "Grüße, 世界!"}]

    received = await chunks(kind, f"sim-{oddity}", messages=asked)

    text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in received if chunk["choices"])
    assert "Grüße, 世界!" in text


async def test_claude_on_bedrock_answers_messages_in_its_own_words() -> None:
    messages = capabilities("bedrock").messages
    counts = capabilities("bedrock").token_counts
    assert messages is not None
    assert counts is not None
    body = msgspec.json.encode(
        {"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": "Say these words again"}]}
    )
    fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    asked = call(CLAUDE, Payload(msgspec.json.decode(body, type=MessagesRequest), fields))

    plain = json.loads((await messages.complete(asked)).body)
    stream = await messages.stream(asked)
    received = b"".join([block async for block in stream])
    await stream.aclose()
    count = await counts.complete(asked)

    assert plain["type"] == "message"
    assert "Say these words again" in plain["content"][0]["text"]
    assert received.startswith(b"event: message_start")
    assert stream.ending.startswith(b"event: message_stop")
    assert stream.usage is not None
    assert count.asked
    assert json.loads(count.body)["input_tokens"] == 4
