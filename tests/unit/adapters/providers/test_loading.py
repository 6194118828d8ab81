"""A process holds the code of the providers it has, and of the APIs it was asked for; no other adapter or dialect."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[4]
BEGINNING = """
import asyncio, json, sys
import httpx
from adapters.providers.registry import Registry
from domain.timeouts import Timeouts
from tests.builders import a_provider

registry = Registry(lambda provider, timeouts: httpx.MockTransport(lambda _: httpx.Response(500)), {})

def build(kind):
    return registry.build(a_provider(kind=kind), Timeouts()).capabilities

def loaded():
    # one module of OpenAI's dialect is data: what rows say of themselves
    names = (name.split(".") for name in sys.modules if "." in name and name != "adapters.dialects.openai.quirks")
    return {path[2] for path in names if path[0] == "adapters" and path[1] in {"dialects", "ingress"} and len(path) > 3}

def adapters():
    return {name.split(".")[2] for name in sys.modules if name.startswith("adapters.providers.") and ".adapter" in name}
"""
COUNT = """
import msgspec
from adapters.providers.upstream import Unwatched
from domain.messages import MessagesRequest
from domain.ports.providers import ProviderCall
from domain.payload import Payload

def count(counts):
    fields = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]}
    raw = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in fields.items()}
    payload = Payload(msgspec.convert(fields, MessagesRequest), raw, 9)
    return asyncio.run(counts.complete(ProviderCall(payload, "m", None, False, Unwatched())))
"""


def in_a_new_process(program: str) -> list[list[str]]:
    """What the program prints: lines of names."""
    command = [sys.executable, "-c", BEGINNING + program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_registry_knows_every_provider_and_has_loaded_no_adapter_and_no_dialect() -> None:
    presets, dialects, adapters = in_a_new_process("""
print(json.dumps([preset.id for preset in registry.presets()]))
print(json.dumps(sorted(loaded())))
print(json.dumps(sorted(adapters())))
""")

    assert {"openai", "anthropic", "vertex", "ollama"} <= {*presets}
    assert dialects == []
    assert adapters == []


@pytest.mark.parametrize(
    ("kind", "dialects"),
    [
        ("openai", ["openai"]),
        ("anthropic", ["anthropic"]),
        ("cohere", ["cohere"]),
        ("vertex", ["anthropic", "gemini"]),
    ],
)
def test_the_first_provider_of_a_kind_loads_what_that_kind_speaks(kind: str, dialects: list[str]) -> None:
    found, adapters = in_a_new_process(f"""
build({kind!r})
print(json.dumps(sorted(loaded())))
print(json.dumps(sorted(adapters())))
""")

    assert found == dialects
    assert kind.replace("openai", "openai_compatible") in adapters


def test_what_is_carried_over_chat_is_loaded_by_the_first_request_for_it() -> None:
    before, after = in_a_new_process(f"""
{COUNT}
able = build("openai")
print(json.dumps(sorted(loaded())))
count(able.token_counts)
print(json.dumps(sorted(loaded())))
""")

    assert before == ["openai"]
    assert after == ["messages", "openai"]


def test_the_parameter_tables_of_every_kind_are_there_when_they_are_asked_for() -> None:
    before, after = in_a_new_process("""
print(json.dumps(sorted(loaded())))
print(json.dumps([kind.kind for kind in registry.kinds() if kind.fidelity["chat.completions"]]))
""")

    assert before == []
    assert {"openai", "anthropic", "bedrock", "vertex"} <= {*after}
