"""What the dialect's tests share: recorded samples, schemas, and a call to read answers for."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from adapters.dialects.openai.quirks import Quirks
from adapters.dialects.openai.stream import ChatStreamDecoder
from adapters.wire.call import AnswerFacts
from domain.secrets import Secret

WIRE = Path(__file__).parents[4] / "wire"
STREAMS = sorted((WIRE / "openai").glob("*.sse"))
NOW = 1795222800.0  # 2026-11-21T01:00:00Z
SECRET = Secret("sk-upstream-canary-0123456789")


def facts() -> AnswerFacts:
    return AnswerFacts("asked-model", SECRET, lambda: NOW)


def decoder(quirks: Quirks | None = None, *, include_usage: bool = False) -> ChatStreamDecoder:
    return ChatStreamDecoder(facts(), quirks or Quirks(), include_usage=include_usage)


def sample(name: str) -> bytes:
    return (WIRE / "openai" / name).read_bytes()


def play(stream: bytes, quirks: Quirks | None = None, *, include_usage: bool = False) -> list[dict[str, Any]]:
    """The chunks a client gets of a stream that must be complete."""
    reading = decoder(quirks, include_usage=include_usage)
    output = reading.feed(stream) + reading.finish()
    assert reading.failure is None, reading.failure
    return chunks(output)


def chunks(output: bytes) -> list[dict[str, Any]]:
    """The chunks of an output, each checked against OpenAI's schema and for one event a line."""
    found = []
    for event in output.split(b"\n\n")[:-1]:
        assert event.startswith(b"data: {")
        assert b"\n" not in event
        chunk = json.loads(event[6:])
        validator("chunk").validate(chunk)
        assert "error" not in chunk
        found.append(chunk)
    return found


def event(**fields: object) -> bytes:
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return b"data: " + json.dumps(head | fields).encode() + b"\n\n"


def delta(finish: str | None = None, index: int = 0, /, **fields: object) -> bytes:
    return event(choices=[{"index": index, "delta": fields, "finish_reason": finish}])


DONE = b"data: [DONE]\n\n"


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    """OpenAI's schema of a `chunk` or a `response`."""
    return jsonschema.Draft202012Validator(json.loads((WIRE / "schemas" / f"openai.chat.{name}.json").read_text()))


TEXT = delta(role="assistant", content="A")
STOP = delta("stop")


def choice(chunk: dict[str, Any]) -> dict[str, Any]:
    """The first choice."""
    found: dict[str, Any] = chunk["choices"][0]
    return found


def deltas(stream: bytes, quirks: Quirks | None = None) -> list[dict[str, Any]]:
    """What each chunk adds to the first choice of a stream that must be complete."""
    return [choice(chunk)["delta"] for chunk in play(stream, quirks)]


def tool(**fields: object) -> bytes:
    return delta(tool_calls=[fields])
