"""What the dialect's tests share: recorded frames, a writer of frames, and calls to read answers for."""

import json
import struct
import zlib
from pathlib import Path
from typing import Any

from adapters.dialects.bedrock.converse import BedrockConverse
from adapters.dialects.bedrock.stream import ConverseStreamDecoder
from adapters.wire.call import DialectCall
from domain.chat import ChatRequest
from domain.secrets import Secret
from tests.builders import a_chat_payload
from tests.unit.adapters.dialects.openai.samples import chunks

WIRE = Path(__file__).parents[4] / "wire" / "bedrock"
NOW = 1795222800.0  # 2026-11-21T01:00:00Z
SECRET = Secret("bedrock-api-key-canary-0123456789")
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
OLD_CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"
NEW_CLAUDE = "global.anthropic.claude-opus-4-8"
NOVA = "us.amazon.nova-pro-v1:0"
STREAMS = ("converse_stream_text.bin", "converse_stream_tool.bin")


def a_call(
    model: str = CLAUDE, *, include_usage: bool = False, strict: bool = False, **fields: Any
) -> DialectCall[ChatRequest]:
    payload = a_chat_payload(**fields)
    return DialectCall(payload, model, SECRET, lambda: NOW, include_usage=include_usage, strict=strict)


def encoded(model: str = CLAUDE, **fields: Any) -> dict[str, Any]:
    """The body sent for a chat with these fields."""
    body: dict[str, Any] = json.loads(BedrockConverse().encode(a_call(model, **fields), stream=False).body)
    return body


def dropped(model: str = CLAUDE, **fields: Any) -> tuple[str, ...]:
    return BedrockConverse().encode(a_call(model, **fields), stream=False).dropped


def decoder(call: DialectCall[ChatRequest] | None = None) -> ConverseStreamDecoder:
    return BedrockConverse().decoder(call or a_call(), "application/vnd.amazon.eventstream")


def frame(name: str, payload: object, kind: str = "event") -> bytes:
    """One message of an event stream."""
    type_header = {"event": ":event-type", "exception": ":exception-type", "error": ":error-code"}[kind]
    headers = {type_header: name, ":content-type": "application/json", ":message-type": kind}
    packed = b"".join(
        struct.pack("!B", len(key)) + key.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
        for key, value in headers.items()
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(packed) + len(body), len(packed))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + packed + body
    return message + struct.pack("!I", zlib.crc32(message))


def delta(index: int = 0, **fields: object) -> bytes:
    return frame("contentBlockDelta", {"contentBlockIndex": index, "delta": fields})


def play(stream: bytes, call: DialectCall[ChatRequest] | None = None) -> list[dict[str, Any]]:
    """The chunks a client gets of a stream that must be complete; each is checked against OpenAI's schema."""
    reading = decoder(call)
    output = reading.feed(stream) + reading.finish()
    assert reading.failure is None, reading.failure
    assert reading.done
    return chunks(output)


BEGIN = frame("messageStart", {"role": "assistant"})
END_OF_BLOCK = frame("contentBlockStop", {"contentBlockIndex": 0})
METADATA = frame("metadata", {"usage": {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7}, "metrics": {}})


def stop(reason: str) -> bytes:
    return frame("messageStop", {"stopReason": reason})
