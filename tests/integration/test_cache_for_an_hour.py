"""What Anthropic, Bedrock and Vertex AI write to the cache for an hour, counted apart from the rest (R-17, P-08)."""

from typing import Any

import httpx
import msgspec
import pytest

from adapters.prices.catalog import GenaiPricesCatalog
from adapters.providers.registry import Registry
from domain.keys import ProviderKey
from domain.messages import MessagesRequest
from domain.payload import Payload
from domain.ports.providers import Capabilities, ProviderCall
from domain.prices import cost_nano_usd
from domain.providers import ProviderSettings
from domain.secrets import Secret
from domain.timeouts import Timeouts
from domain.usage import TokenUsage
from entrypoints.simulator.app import create_simulator
from entrypoints.simulator.script import parse_script
from tests.builders import NOW, a_chat_payload, a_provider, a_provider_key
from tests.contracts.providers.test_chat_providers import Progress
from tests.unit.adapters.providers.vertex.google import a_key, service_account

SCRIPT = """
personas:
  default:
    behaviours:
      "*":
        - reply: Hello
          usage:
            {prompt_tokens: 5000, completion_tokens: 10, cached_tokens: 3000,
             cache_write_tokens: 1500, cache_write_1h_tokens: 1044}
"""
WRITTEN = TokenUsage(5000, 10, cache_read_tokens=3000, cache_write_tokens=1500, cache_write_1h_tokens=1044)
KEY = a_provider_key(secret=Secret("key-canary-0123456789"))
LOCATIONS = {"bedrock": "us-east-1", "vertex": "europe-west4"}
PLACES = [
    pytest.param("anthropic", "claude-sonnet-4-5", KEY, id="anthropic"),
    pytest.param("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", KEY, id="bedrock"),
    pytest.param("vertex", "claude-sonnet-4-5@20250929", a_key(service_account()), id="vertex"),
]


def capabilities(kind: str) -> Capabilities:
    """Of a provider whose every answer has `WRITTEN`."""
    app = create_simulator(parse_script(SCRIPT))
    registry = Registry(lambda provider, timeouts: httpx.ASGITransport(app=app), {})
    base_url = None if kind == "vertex" else "http://simulator"
    provider = a_provider(kind, kind=kind, base_url=base_url, settings=ProviderSettings(location=LOCATIONS.get(kind)))
    return registry.build(provider, Timeouts()).capabilities


def asking(model: str, key: ProviderKey, payload: Payload[Any]) -> ProviderCall[Any]:
    return ProviderCall(payload, model, key, True, Progress())


def a_message(model: str, *, stream: bool) -> Payload[MessagesRequest]:
    messages = [{"role": "user", "content": "hi"}]
    body = msgspec.json.encode({"model": model, "max_tokens": 50, "messages": messages, "stream": stream})
    value = msgspec.json.decode(body, type=MessagesRequest)
    return Payload(value, msgspec.json.decode(body, type=dict[str, msgspec.Raw]), len(body))


@pytest.mark.parametrize(("kind", "model", "key"), PLACES)
async def test_a_chat_counts_it_plain_and_streamed(kind: str, model: str, key: ProviderKey) -> None:
    chat = capabilities(kind).chat
    assert chat is not None

    answer = await chat.complete(asking(model, key, a_chat_payload()))
    stream = await chat.stream(asking(model, key, a_chat_payload(stream=True)))
    async for _ in stream:
        pass
    await stream.aclose()

    assert answer.usage == WRITTEN
    assert stream.usage == WRITTEN


@pytest.mark.parametrize(("kind", "model", "key"), PLACES)
async def test_messages_count_it_plain_and_streamed_and_are_told_as_they_came(
    kind: str, model: str, key: ProviderKey
) -> None:
    messages = capabilities(kind).messages
    assert messages is not None

    answer = await messages.complete(asking(model, key, a_message(model, stream=False)))
    stream = await messages.stream(asking(model, key, a_message(model, stream=True)))
    received = b"".join([block async for block in stream])
    await stream.aclose()

    assert answer.usage == WRITTEN
    assert stream.usage == WRITTEN
    kept = msgspec.json.decode(answer.body)["usage"]["cache_creation"]
    assert kept == {"ephemeral_5m_input_tokens": 456, "ephemeral_1h_input_tokens": 1044}
    assert b'"ephemeral_1h_input_tokens":1044' in received.replace(b": ", b":")


@pytest.mark.parametrize(("kind", "model", "key"), PLACES)
def test_it_is_booked_at_twice_the_input(kind: str, model: str, key: ProviderKey) -> None:
    """Sonnet 4.5 by hand, USD per million: 500 at 3, 3000 at 0.30, 456 at 3.75, 1044 at 6, 10 at 15; a tenth more where
    Bedrock keeps to a region."""
    price = GenaiPricesCatalog().find(kind, model, NOW).price

    assert price is not None
    by_hand = 1_500_000 + 900_000 + 1_710_000 + 6_264_000 + 150_000
    assert cost_nano_usd(WRITTEN, price.prices) == (by_hand * 11 // 10 if model.startswith("us.") else by_hand)
