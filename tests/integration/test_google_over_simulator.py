"""Gemini and Vertex AI against the simulated ones, which refuse what Google refuses."""

import json
from typing import Any

import httpx
import pytest

from adapters.providers.registry import Registry
from domain.keys import ProviderKey
from domain.ports.providers import Capabilities, ProviderCall
from domain.providers import ProviderSettings
from domain.timeouts import Timeouts
from entrypoints.simulator.app import create_simulator
from tests.builders import a_chat_payload, a_provider
from tests.contracts.providers.parameters import payload
from tests.contracts.providers.test_chat_providers import Progress
from tests.unit.adapters.dialects.gemini.schema_corpus import corpus
from tests.unit.adapters.providers.vertex.google import a_key, service_account

GEMINI_KEY = a_key("AIza-key-0123456789")
ACCOUNT = a_key(service_account())
PLACES = [
    pytest.param("gemini", "gemini-3-flash", GEMINI_KEY, id="gemini-3"),
    pytest.param("gemini", "gemini-2.0-flash", GEMINI_KEY, id="gemini-2"),
    pytest.param("vertex", "gemini-3-flash", ACCOUNT, id="vertex-gemini"),
    pytest.param("vertex", "claude-sonnet-4-5@20250929", ACCOUNT, id="vertex-claude"),
    pytest.param("vertex", "gemini-2.5-flash", GEMINI_KEY, id="vertex-express"),
]
TOOL = {
    "type": "function",
    "function": {
        "name": "look_up",
        "parameters": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "kind": {"const": "a"}},
            "required": ["name"],
            "additionalProperties": False,
        },
    },
}


def capabilities(kind: str) -> Capabilities:
    """One simulator for every host that is asked, the one for tokens too."""
    app = create_simulator()
    registry = Registry(lambda provider, timeouts: httpx.ASGITransport(app=app), {})
    provider = a_provider(kind, kind=kind, base_url=None, settings=ProviderSettings(location="europe-west4"))
    return registry.build(provider, Timeouts()).capabilities


def asking(model: str, key: ProviderKey, **fields: Any) -> ProviderCall[Any]:
    return ProviderCall(a_chat_payload(**fields), model, key, True, Progress())


def message(body: bytes) -> Any:
    return json.loads(body)["choices"][0]["message"]


@pytest.mark.parametrize(("kind", "model", "key"), PLACES)
async def test_a_call_of_a_tool_and_its_result_are_taken(kind: str, model: str, key: ProviderKey) -> None:
    chat = capabilities(kind).chat
    assert chat is not None
    question = {"role": "user", "content": "look it up"}

    called = message(
        (await chat.complete(asking(model, key, tools=[TOOL], tool_choice="required", messages=[question]))).body
    )
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "found"} for call in called["tool_calls"]]
    answer = await chat.complete(asking(model, key, tools=[TOOL], messages=[question, called, *results]))

    assert called["tool_calls"][0]["function"]["name"] == "look_up"
    assert message(answer.body)["content"]
    assert answer.usage is not None


@pytest.mark.parametrize(("kind", "model", "key"), PLACES)
async def test_calls_of_another_model_are_taken_too(kind: str, model: str, key: ProviderKey) -> None:
    chat = capabilities(kind).chat
    assert chat is not None
    call = {"id": "toolu_1", "type": "function", "function": {"name": "look_up", "arguments": '{"name":"x"}'}}
    history = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "toolu_1", "content": "found"},
    ]

    answer = await chat.complete(asking(model, key, tools=[TOOL], messages=history))

    assert message(answer.body)["content"]


@pytest.mark.parametrize(("kind", "model", "key"), PLACES)
async def test_a_stream_is_whole(kind: str, model: str, key: ProviderKey) -> None:
    chat = capabilities(kind).chat
    assert chat is not None

    stream = await chat.stream(asking(model, key, messages=[{"role": "user", "content": "say it again"}]))
    received = b"".join([block async for block in stream])
    await stream.aclose()

    chunks = [json.loads(event[6:]) for event in received.split(b"\n\n")[:-1]]
    text = "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])
    assert text == "say it again"
    assert stream.usage is not None
    assert chunks[-1]["usage"]["completion_tokens"] == stream.usage.output_tokens


async def test_no_schema_of_the_corpus_is_refused() -> None:
    """By the simulator's own reading of what Gemini takes, at Vertex AI where schemas are rewritten."""
    chat = capabilities("vertex").chat
    assert chat is not None
    tools = [
        {"type": "function", "function": {"name": f"tool_{number}", "parameters": schema}}
        for number, (_, schema) in enumerate(corpus())
    ]

    await chat.complete(asking("gemini-3-flash", ACCOUNT, tools=tools, tool_choice="none"))


@pytest.mark.parametrize(("kind", "model", "key"), PLACES)
async def test_messages_are_served_for_every_model(kind: str, model: str, key: ProviderKey) -> None:
    messages = capabilities(kind).messages
    assert messages is not None

    answer = await messages.complete(ProviderCall(payload("messages"), model, key, False, Progress()))

    assert json.loads(answer.body)["content"][0]["text"] == "hi"


@pytest.mark.parametrize(("kind", "key"), [("gemini", GEMINI_KEY), ("vertex", ACCOUNT)])
async def test_embeddings_have_the_size_that_was_asked_for(kind: str, key: ProviderKey) -> None:
    embeddings = capabilities(kind).embeddings
    assert embeddings is not None
    asked = ProviderCall(payload("embeddings", "dimensions"), "gemini-embedding-001", key, False, Progress())

    body = json.loads((await embeddings.complete(asked)).body)

    vector = body["data"][0]["embedding"]
    assert len(vector) == 256
    assert sum(value * value for value in vector) == pytest.approx(1.0)


async def test_vertex_draws() -> None:
    images = capabilities("vertex").images
    assert images is not None
    asked = ProviderCall(payload("images.generations", "n"), "imagen-4.0-generate-001", ACCOUNT, False, Progress())

    assert len(json.loads((await images.complete(asked)).body)["data"]) == 2
