"""What the dialect's tests share: streams as Gemini sends them, and calls to encode and to read answers for."""

import json
from pathlib import Path
from typing import Any

import jsonschema

from adapters.dialects.gemini.chat import GeminiChat
from adapters.dialects.gemini.contents import GeminiSettings
from adapters.wire.call import DialectCall, PlainAnswer
from domain.chat import ChatRequest
from domain.secrets import Secret
from tests.builders import a_chat_payload

WIRE = Path(__file__).parents[4] / "wire"
STREAMS = ("text", "thinking", "tools", "two_candidates", "blocked")
NOW = 1795222800.0
SECRET = Secret("AIza-canary-0123456789")
_CHUNK = jsonschema.Draft202012Validator(json.loads((WIRE / "schemas" / "openai.chat.chunk.json").read_text()))
MODEL = "gemini-3-flash"


def sample(name: str) -> bytes:
    return (WIRE / "gemini" / name).read_bytes()


def a_call(
    model: str = MODEL, *, include_usage: bool = True, strict: bool = False, **fields: Any
) -> DialectCall[ChatRequest]:
    return DialectCall(a_chat_payload(**fields), model, SECRET, lambda: NOW, include_usage=include_usage, strict=strict)


def encoded(
    model: str = MODEL, settings: GeminiSettings | None = None, *, stream: bool = False, **fields: Any
) -> dict[str, Any]:
    """The body that is sent."""
    body: dict[str, Any] = json.loads(GeminiChat(settings).encode(a_call(model, **fields), stream=stream).body)
    return body


def read(body: object, **fields: Any) -> PlainAnswer:
    return GeminiChat().read(json.dumps(body).encode(), a_call(**fields), "application/json")


def answered(*parts: dict[str, Any], finish: str = "STOP", **candidate: Any) -> dict[str, Any]:
    """A whole answer with one candidate."""
    content = {"role": "model", "parts": [*parts]}
    return {
        "candidates": [{"index": 0, "content": content, "finishReason": finish, **candidate}],
        "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7},
        "modelVersion": "gemini-3-flash-001",
        "responseId": "r1",
    }


def chunks(output: bytes) -> list[dict[str, Any]]:
    """The chunks of a stream's output, each as OpenAI's schema has it."""
    found = []
    for event in output.split(b"\n\n")[:-1]:
        assert event.startswith(b"data: {")
        chunk = json.loads(event[6:])
        _CHUNK.validate(chunk)
        found.append(chunk)
    return found
