"""What the dialect's tests share: streams as Ollama sends them, and calls to read answers for."""

import json
from pathlib import Path
from typing import Any

from adapters.dialects.ollama.chat import OllamaChat
from adapters.wire.call import DialectCall
from domain.chat import ChatRequest
from domain.secrets import Secret
from tests.builders import a_chat_payload

WIRE = Path(__file__).parents[4] / "wire" / "ollama"
STREAMS = sorted(WIRE.glob("*.ndjson"))
NOW = 1795222800.0  # 2026-11-21T01:00:00Z


def a_call(
    model: str = "llama3.2:3b", *, include_usage: bool = False, strict: bool = False, **fields: Any
) -> DialectCall[ChatRequest]:
    payload = a_chat_payload(**fields)
    return DialectCall(payload, model, Secret("ollama-canary"), lambda: NOW, include_usage=include_usage, strict=strict)


def encoded(model: str = "llama3.2:3b", **fields: Any) -> dict[str, Any]:
    """The body sent for a chat with these fields."""
    body: dict[str, Any] = json.loads(OllamaChat().encode(a_call(model, **fields), stream=False).body)
    return body


def dropped(**fields: Any) -> tuple[str, ...]:
    return OllamaChat().encode(a_call(**fields), stream=False).dropped
