"""What the dialect's tests share: recorded streams, golden requests, schemas, and calls to encode and read for."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import msgspec

from adapters.dialects.anthropic.chat import AnthropicChat
from adapters.dialects.anthropic.messages import AnthropicMessages
from adapters.dialects.anthropic.native_stream import NativeStreamDecoder
from adapters.dialects.anthropic.settings import AnthropicSettings
from adapters.dialects.anthropic.stream import AnthropicStreamDecoder
from adapters.wire.call import DialectCall
from domain.chat import ChatRequest
from domain.messages import MessagesRequest
from domain.payload import Payload
from domain.secrets import Secret
from tests.builders import a_chat_payload

WIRE = Path(__file__).parents[4] / "wire"
STREAMS = sorted((WIRE / "anthropic").glob("*.sse"))
REQUESTS = sorted((WIRE / "anthropic" / "requests").glob("*.json"))
NOW = 1795222800.0  # 2026-11-21T01:00:00Z
SECRET = Secret("sk-ant-canary-0123456789")
NATIVE = AnthropicSettings()
VERTEX = AnthropicSettings(
    body_version="vertex-2023-10-16", model_in_body=False, inline_media_only=True, betas_in_body=True
)
BEDROCK = AnthropicSettings(
    body_version="bedrock-2023-05-31",
    model_in_body=False,
    stream_in_body=False,
    inline_media_only=True,
    betas_in_body=True,
)

Fields = dict[str, Any]


def chat_call(
    model: str = "claude-sonnet-4-5", *, include_usage: bool = False, strict: bool = False, **fields: Any
) -> DialectCall[ChatRequest]:
    payload = a_chat_payload(**fields)
    return DialectCall(payload, model, SECRET, lambda: NOW, include_usage=include_usage, strict=strict)


def encoded(
    model: str = "claude-sonnet-4-5", settings: AnthropicSettings = NATIVE, *, stream: bool = False, **fields: Any
) -> Fields:
    """The body a chat request becomes."""
    body: Fields = json.loads(AnthropicChat(settings).encode(chat_call(model, **fields), stream=stream).body)
    return body


def a_messages_payload(body: bytes) -> Payload[MessagesRequest]:
    """A body of `/v1/messages`, parsed as the edge parses it."""
    value = msgspec.json.decode(body, type=MessagesRequest)
    return Payload(value, msgspec.json.decode(body, type=dict[str, msgspec.Raw]), len(body))


def messages_call(
    body: bytes = b'{"model":"alias","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}',
    *headers: tuple[str, str],
    strict: bool = False,
) -> DialectCall[MessagesRequest]:
    payload = a_messages_payload(body)
    return DialectCall(payload, "claude-opus-5", SECRET, lambda: NOW, strict=strict, client_headers=headers)


def decoder(call: DialectCall[ChatRequest] | None = None) -> AnthropicStreamDecoder:
    return AnthropicChat(NATIVE).decoder(call or chat_call(include_usage=True), "text/event-stream")


def native_decoder() -> NativeStreamDecoder:
    return AnthropicMessages(NATIVE).decoder(messages_call(), "text/event-stream")


def sample(name: str) -> bytes:
    return (WIRE / "anthropic" / name).read_bytes()


def event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def start(**usage: object) -> bytes:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-served", "content": []}
    return event("message_start", message={**message, "usage": {"input_tokens": 5, "output_tokens": 1, **usage}})


def block(index: int, content_block: Fields, *deltas: Fields) -> bytes:
    """One content block from its start to its stop."""
    begin = event("content_block_start", index=index, content_block=content_block)
    more = b"".join(event("content_block_delta", index=index, delta=delta) for delta in deltas)
    return begin + more + event("content_block_stop", index=index)


def text(said: str, index: int = 0) -> bytes:
    return block(index, {"type": "text", "text": ""}, {"type": "text_delta", "text": said})


def tool(name: str, *inputs: str, index: int = 0) -> bytes:
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in inputs]
    return block(index, {"type": "tool_use", "id": f"toolu_{name}", "name": name, "input": {}}, *deltas)


def end(stop_reason: str | None = "end_turn", **delta: object) -> bytes:
    received = event("message_delta", delta={"stop_reason": stop_reason, **delta}, usage={"output_tokens": 7})
    return received + event("message_stop")


def chunks(output: bytes) -> list[Fields]:
    """The chunks of an output, each checked against OpenAI's schema and for one event a line."""
    found = []
    for received in output.split(b"\n\n")[:-1]:
        assert received.startswith(b"data: {")
        assert b"\n" not in received
        chunk = json.loads(received[6:])
        validator("openai.chat.chunk").validate(chunk)
        found.append(chunk)
    return found


def play(stream: bytes, call: DialectCall[ChatRequest] | None = None) -> list[Fields]:
    """The chunks a client gets of a stream that must be complete."""
    reading = decoder(call)
    output = reading.feed(stream) + reading.finish()
    assert reading.failure is None, reading.failure
    return chunks(output)


def assembled(found: list[Fields]) -> Fields:
    """The message that a client puts together from chunks, and its finish reason."""
    message: Fields = {"content": "", "reasoning_content": "", "thinking_blocks": [], "annotations": [], "tools": []}
    for received in (choice for chunk in found for choice in chunk["choices"]):
        delta = received["delta"]
        for name in ("content", "reasoning_content"):
            message[name] += delta.get(name) or ""
        for name in ("thinking_blocks", "annotations"):
            message[name] += delta.get(name) or []
        if delta.get("refusal"):
            message["refusal"] = delta["refusal"]
        for call in delta.get("tool_calls") or []:
            if call["index"] == len(message["tools"]):
                message["tools"].append([call["id"], call["function"]["name"], ""])
            message["tools"][call["index"]][2] += call["function"]["arguments"]
        message["finish_reason"] = received["finish_reason"]
    return {name: value for name, value in message.items() if value}


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    """A schema of `tests/wire/schemas`, made from the SDKs' types."""
    return jsonschema.Draft202012Validator(json.loads((WIRE / "schemas" / f"{name}.json").read_text()))
