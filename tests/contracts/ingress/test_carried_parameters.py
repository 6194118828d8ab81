"""What a client asks for beyond OpenAI's chat reaches each upstream that takes it, cut by that upstream's dialect."""

import json
from contextlib import suppress
from typing import Any

import httpx
import pytest
from typing_extensions import override

from adapters.ingress.carriers import with_over_chat
from domain.errors import UpstreamFailure
from domain.ports.providers import Capabilities
from tests.contracts.ingress.driving import a_call, a_client

TOP_K = 7
STOPS = [f"stop{number}" for number in range(8)]
USER = "u" * 300

# by kind: the model, where `top_k` and the stop sequences are in what is sent, and how many of these it takes
PLACES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], int]] = {
    "anthropic": ("claude-sonnet-4-5", ("top_k",), ("stop_sequences",), 8),
    "bedrock": (
        "us.amazon.nova-pro-v1:0",
        ("additionalModelRequestFields", "inferenceConfig", "topK"),
        ("inferenceConfig", "stopSequences"),
        8,
    ),
    "gemini": ("gemini-2.5-flash", ("generationConfig", "topK"), ("generationConfig", "stopSequences"), 5),
    "cohere": ("command-a-03-2025", ("k",), ("stop_sequences",), 5),
    "ollama": ("llama3.2", ("options", "top_k"), ("options", "stop"), 8),
}

CASES = [(kind, api) for kind in PLACES for api in ("chat", "completions", "messages", "responses")]


class Refusing(httpx.AsyncBaseTransport):
    """Keeps what it is sent, and answers nothing with it."""

    def __init__(self) -> None:
        self.sent: dict[str, Any] = {}

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent = json.loads(await request.aread())
        return httpx.Response(400, json={"error": {"message": "no"}})


async def sent_by(kind: str, model: str, api: str, **fields: Any) -> dict[str, Any]:
    """The body that a request of this API becomes at an upstream of this kind, asked over its chat."""
    upstream = Refusing()
    carried = with_over_chat(Capabilities(chat=a_client(kind, upstream).capabilities.chat), len)
    with suppress(UpstreamFailure):
        await getattr(carried, api).stream(a_call(api, kind, model, **fields))
    return upstream.sent


def at(body: dict[str, Any], path: tuple[str, ...]) -> object:
    value: object = body
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


@pytest.mark.parametrize(("kind", "api"), CASES)
async def test_top_k_reaches_every_dialect_that_takes_it(kind: str, api: str) -> None:
    model, path, _, _ = PLACES[kind]

    assert at(await sent_by(kind, model, api, top_k=TOP_K), path) == TOP_K


@pytest.mark.parametrize(("kind", "api"), CASES)
async def test_every_dialect_gets_as_many_stop_sequences_as_it_takes(kind: str, api: str) -> None:
    model, _, path, most = PLACES[kind]
    name = "stop_sequences" if api == "messages" else "stop"

    assert at(await sent_by(kind, model, api, **{name: STOPS}), path) == STOPS[:most]


@pytest.mark.parametrize(
    ("kind", "model", "path"),
    [
        ("anthropic", "claude-sonnet-4-5", ("thinking", "type")),
        ("bedrock", "us.amazon.nova-2-lite-v1:0", ("additionalModelRequestFields", "reasoningConfig", "type")),
        ("gemini", "gemini-2.5-flash", ("generationConfig", "thinkingConfig", "includeThoughts")),
        ("cohere", "command-a-reasoning-08-2025", ("thinking", "type")),
        ("ollama", "qwen3", ("think",)),
    ],
)
async def test_an_effort_of_messages_reaches_every_dialect_that_thinks(
    kind: str, model: str, path: tuple[str, ...]
) -> None:
    body = await sent_by(kind, model, "messages", max_tokens=9000, output_config={"effort": "high"})

    assert at(body, path) in {"enabled", True}


async def test_a_long_user_id_of_messages_reaches_the_dialect_that_hashes_it() -> None:
    body = await sent_by("anthropic", "claude-sonnet-4-5", "messages", metadata={"user_id": USER})

    assert body["metadata"]["user_id"] != USER
    assert len(body["metadata"]["user_id"]) <= 256
