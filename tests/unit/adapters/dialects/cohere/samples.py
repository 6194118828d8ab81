"""What the dialect's tests share: streams as Cohere sends them, and calls to read answers for."""

import json
from pathlib import Path
from typing import Any

from adapters.dialects.cohere.chat import CohereChat
from adapters.wire.call import DialectCall
from domain.chat import ChatRequest
from domain.secrets import Secret
from tests.builders import a_chat_payload

WIRE = Path(__file__).parents[4] / "wire" / "cohere"
STREAMS = sorted(WIRE.glob("*.sse"))
NOW = 1795222800.0  # 2026-11-21T01:00:00Z
SECRET = Secret("cohere-canary-0123456789")
COMMAND = "command-a-03-2025"
REASONING = "command-a-reasoning-08-2025"


def a_call(
    model: str = COMMAND, *, include_usage: bool = False, strict: bool = False, **fields: Any
) -> DialectCall[ChatRequest]:
    payload = a_chat_payload(**fields)
    return DialectCall(payload, model, SECRET, lambda: NOW, include_usage=include_usage, strict=strict)


def encoded(model: str = COMMAND, **fields: Any) -> dict[str, Any]:
    """The body sent for a chat with these fields."""
    body: dict[str, Any] = json.loads(CohereChat().encode(a_call(model, **fields), stream=False).body)
    return body


def dropped(model: str = COMMAND, **fields: Any) -> tuple[str, ...]:
    return CohereChat().encode(a_call(model, **fields), stream=False).dropped
