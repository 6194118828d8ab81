"""The adapters against a mock of the providers' APIs that others wrote, where it is right (E1).

Source: `@copilotkit/aimock` 1.43.0 from npm, tried in November 2026. Left out is where it is not like the APIs it
imitates: it counts no tokens but in OpenAI's format, has no `batchEmbedContents` and no Titan, answers Ollama's
embeddings in the old form, says thoughts as text or in fields of its own for Cohere and Ollama, gives responses that
lack fields OpenAI requires, and frames Bedrock's `invoke` streams otherwise than AWS.
"""

import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx
import pytest
import pytest_asyncio

from adapters.providers.registry import Registry
from adapters.providers.upstream import Unwatched
from adapters.transport.client import build_transport
from adapters.transport.egress import EgressGuard
from adapters.transport.limits import TransportLimits
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.ports.providers import Capabilities, ProviderCall, ProviderClient
from domain.providers import ProviderSettings
from domain.timeouts import Timeouts
from tests.builders import a_provider
from tests.contracts.ingress.driving import KEY, a_call
from tests.contracts.ingress.grammars import GRAMMARS, Told
from tests.e2e.npm_packages import installed
from tests.e2e.processes import START_SECONDS, STOP_SECONDS, clean_environment, free_port
from tests.unit.adapters.providers.calls import a_payload
from tests.waiting import wait_until

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]

SOURCES = Path(__file__).parent / "aimock"
SAID = 'Grüße, wörld 🌍 and "all" of you\nhere'
WEATHER = ("weather", {"city": "Zürich", "days": 2})
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "d", "parameters": SCHEMA}}]
REFUSALS = {
    "be overloaded": (503, FailureKind.OVERLOADED, "too many of you"),
    "be slow": (429, FailureKind.RATE_LIMITED, "slow down"),
    "be strict": (400, FailureKind.CLIENT_FAULT, "this is no request"),
}


class Row(NamedTuple):
    """A provider behind the mock; the last three are what the mock tells as the API does."""

    kind: str
    path: str
    model: str
    settings: Mapping[str, Any] = MappingProxyType({})
    thinks: bool = True
    counts: bool = False
    embeds: bool = False


ROWS = {
    "openai": Row("openai", "/v1", "gpt-5", {"preset": "openai"}, counts=True, embeds=True),
    "azure, classic": Row("azure", "", "gpt-5", {"api_version": "2024-10-21"}, counts=True, embeds=True),
    "azure, v1": Row("azure", "", "gpt-5", counts=True, embeds=True),
    "huggingface": Row("huggingface", "/v1", "meta-llama/Llama-3.3-70B-Instruct", counts=True),
    "anthropic": Row("anthropic", "/v1", "claude-opus-5"),
    "gemini": Row("gemini", "/v1beta", "gemini-3-pro"),
    "vertex": Row("vertex", "/v1", "gemini-3-pro", {"project": "p1", "location": "europe-west4"}),
    "bedrock, Nova": Row("bedrock", "", "us.amazon.nova-pro-v1:0", {"location": "us-east-1"}),
    "bedrock, Claude": Row("bedrock", "", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", {"location": "us-east-1"}),
    "ollama": Row("ollama", "", "llama3.2", thinks=False),
    "cohere": Row("cohere", "", "command-a-03-2025", thinks=False, embeds=True),
}


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where it answers."""
    folder = installed(SOURCES / "package.json")
    port = free_port()
    command = [str(folder / "node_modules/.bin/llmock"), "-p", str(port), "-f", str(SOURCES / "answers.json")]
    home = tmp_path_factory.mktemp("aimock")
    log = home / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [shutil.which("node") or "node", *command],
            cwd=home,
            env=clean_environment(home),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/__aimock/journal", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    def answers() -> bool:
        assert process.poll() is None, f"the mock did not start: {log.read_text(errors='replace')}"
        try:
            httpx.get(url, timeout=START_SECONDS).raise_for_status()
        except httpx.TransportError:
            return False
        return True

    wait_until(answers, every_seconds=0.05)


class Adapter(NamedTuple):
    row: Row
    client: ProviderClient

    @property
    def able(self) -> Capabilities:
        return self.client.capabilities

    def call(self, api: str, **fields: Any) -> ProviderCall[Any]:
        return a_call(api, self.row.kind, self.row.model, **fields)

    async def stream(self, api: str, **fields: Any) -> bytes:
        """What the ingress of this API says, with what closes it."""
        stream = await getattr(self.able, api).stream(self.call(api, **fields))
        try:
            body = b"".join([block async for block in stream])
        finally:
            await stream.aclose()
        return body + bytes(stream.ending)


@pytest_asyncio.fixture(params=ROWS)
async def adapter(request: Any, mock: str) -> AsyncIterator[Adapter]:
    row = ROWS[request.param]
    provider = a_provider("up", kind=row.kind, base_url=mock + row.path, settings=ProviderSettings(**row.settings))
    registry = Registry(
        lambda placed, timeouts: build_transport(
            "httptools", TransportLimits(), EgressGuard.for_provider(placed.base_url or "")
        ),
        {},
    )
    client = registry.build(provider, Timeouts())
    yield Adapter(row, client)
    await client.aclose()


def asking(text: str, **fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], **fields}


async def test_a_plain_answer(adapter: Adapter) -> None:
    assert adapter.able.chat is not None

    answer = await adapter.able.chat.complete(adapter.call("chat", **asking("hello")))

    (choice,) = json.loads(answer.body)["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == (SAID, "stop")
    assert (answer.usage is not None) is adapter.row.counts


async def test_a_stream(adapter: Adapter) -> None:
    assert GRAMMARS["chat"](await adapter.stream("chat", **asking("hello"))) == [Told(SAID)]


async def test_a_tool_call_plain_and_streamed(adapter: Adapter) -> None:
    assert adapter.able.chat is not None
    question = asking("which weather", tools=TOOLS)

    answer = await adapter.able.chat.complete(adapter.call("chat", **question))
    (streamed,) = GRAMMARS["chat"](await adapter.stream("chat", **question))

    (choice,) = json.loads(answer.body)["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == WEATHER
    assert choice["finish_reason"] == "tool_calls"
    assert streamed.calls == (WEATHER,)


@pytest.mark.parametrize("adapter", [name for name, row in ROWS.items() if row.thinks], indirect=True)
async def test_a_thought_before_the_answer(adapter: Adapter) -> None:
    assert GRAMMARS["chat"](await adapter.stream("chat", **asking("think"))) == [Told("Grüße", "because")]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("text", REFUSALS)
async def test_a_refusal_has_its_kind_and_its_words(adapter: Adapter, text: str, streamed: bool) -> None:
    assert adapter.able.chat is not None
    call = adapter.call("chat", **asking(text))

    with pytest.raises(UpstreamFailure) as caught:
        await (adapter.able.chat.stream(call) if streamed else adapter.able.chat.complete(call))

    assert (caught.value.status, caught.value.kind, caught.value.message) == REFUSALS[text]


@pytest.mark.parametrize("adapter", [name for name in ROWS if name != "bedrock, Claude"], indirect=True)
async def test_messages_say_the_same(adapter: Adapter) -> None:
    native = adapter.row.kind == "anthropic"

    received = await adapter.stream("messages", messages=[{"role": "user", "content": "hello"}], max_tokens=100)

    assert GRAMMARS["native messages" if native else "messages"](received) == [Told(SAID)]


async def test_responses_say_the_same(adapter: Adapter) -> None:
    received = await adapter.stream("responses", input="hello")

    events = [json.loads(block.partition(b"data: ")[2]) for block in received.split(b"\n\n")[:-1]]
    assert "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta") == SAID
    assert [event["type"] for event in events].index("response.completed") == len(events) - 1
    assert events[-1]["response"]["output"][-1]["content"][0]["text"] == SAID


@pytest.mark.parametrize("adapter", [name for name, row in ROWS.items() if row.embeds], indirect=True)
async def test_an_embedding(adapter: Adapter) -> None:
    assert adapter.able.embeddings is not None
    payload = a_payload("embeddings", input="embed me")

    answer = await adapter.able.embeddings.complete(ProviderCall(payload, adapter.row.model, KEY, False, Unwatched()))

    assert json.loads(answer.body)["data"][0]["embedding"] == [0.5, -0.25]
