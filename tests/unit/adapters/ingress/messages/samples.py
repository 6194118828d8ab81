"""What the tests of messages over chat share: requests to translate, and the grammar of a message's stream."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import msgspec

from adapters.ingress.messages.request import as_chat
from adapters.ingress.messages.stream import MESSAGE_STOP, MessageEvents
from domain.messages import MessagesRequest
from domain.payload import Payload
from domain.usage import TokenUsage

SCHEMAS = Path(__file__).parents[4] / "wire" / "schemas"
HI = [{"role": "user", "content": "hi"}]
USAGE = TokenUsage(7, 3)


def payload(**body: object) -> Payload[MessagesRequest]:
    """A request as the edge decodes it."""
    encoded = msgspec.json.encode({"model": "m", "max_tokens": 9, "messages": HI} | body)
    fields = msgspec.json.decode(encoded, type=dict[str, msgspec.Raw])
    return Payload(msgspec.json.decode(encoded, type=MessagesRequest), fields, len(encoded))


def chat(model: str = "gpt-5.5", /, **body: object) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The chat a request becomes, and what it lost. What is typed and what is sent must say the same."""
    form = as_chat(payload(**body), model, stream=False)
    sent: dict[str, Any] = json.loads(msgspec.json.encode(form.payload.fields))
    again = msgspec.json.decode(msgspec.json.encode(sent), type=type(form.payload.value))
    assert again == form.payload.value
    return sent, form.dropped


def turns(*messages: Mapping[str, object], system: object = None) -> list[dict[str, Any]]:
    """The messages of the chat that these turns become."""
    sent, _ = chat(messages=messages, system=system)
    found: list[dict[str, Any]] = sent["messages"]
    return found


def blocks(*content: Mapping[str, object], role: str = "user") -> dict[str, object]:
    return {"role": role, "content": list(content)}


def text(words: str) -> dict[str, object]:
    return {"type": "text", "text": words}


def streamed(*chunks: bytes, usage: TokenUsage = USAGE, stops: tuple[str, ...] = ()) -> dict[str, Any]:
    """The message that a chat's chunks become, its grammar checked on the way."""
    events = MessageEvents("asked-model", stops)
    output = b"".join(events.feed(chunk) for chunk in chunks) + events.finish(usage)
    return reassembled(output + MESSAGE_STOP)


def events_of(stream: bytes) -> Iterator[dict[str, Any]]:
    """Each event, named twice alike and as Anthropic's schema has it."""
    *whole, rest = stream.split(b"\n\n")
    assert rest == b""
    for event in whole:
        name, data = event.split(b"\n")
        value: dict[str, Any] = json.loads(data.removeprefix(b"data: "))
        assert name == b"event: " + value["type"].encode()
        if value["type"] != "ping":
            schema("stream_event").validate(value)
        yield value


def reassembled(stream: bytes) -> dict[str, Any]:
    """The message of a whole stream. Asserts the grammar: one start, blocks 0..n one by one, usage, one stop, last."""
    state, message = "before", dict[str, Any]()
    open_block: dict[str, Any] | None = None
    for event in events_of(stream):
        match state, event["type"]:
            case "before", "message_start":
                state, message = "in", event["message"]
            case "in", "content_block_start":
                assert open_block is None
                assert event["index"] == len(message["content"])
                open_block = event["content_block"] | {"arguments": ""}
                message["content"].append(open_block)
            case "in", "content_block_delta":
                assert open_block is not None
                assert event["index"] == len(message["content"]) - 1
                _apply(open_block, event["delta"])
            case "in", "content_block_stop":
                assert open_block is not None
                assert event["index"] == len(message["content"]) - 1
                _close(open_block)
                open_block = None
            case "in", "message_delta":
                assert open_block is None
                message |= event["delta"] | {"usage": event["usage"]}
                state = "told"
            case "told", "message_stop":
                state = "over"
            case _:
                raise AssertionError(f"{event['type']} came {state}")
    assert state == "over"
    schema("response").validate(message)
    return message


def _apply(block: dict[str, Any], delta: dict[str, Any]) -> None:
    kind, field, name = {
        "text_delta": ("text", "text", "text"),
        "thinking_delta": ("thinking", "thinking", "thinking"),
        "signature_delta": ("thinking", "signature", "signature"),
        "input_json_delta": ("tool_use", "partial_json", "arguments"),
    }[delta["type"]]
    assert block["type"] == kind
    block[name] += delta[field]


def _close(block: dict[str, Any]) -> None:
    arguments = block.pop("arguments")
    if block["type"] == "tool_use":
        block["input"] = json.loads(arguments or "{}")


@cache
def schema(name: str) -> jsonschema.Draft202012Validator:
    """Anthropic's schema of a `response` or a `stream_event`."""
    return jsonschema.Draft202012Validator(json.loads((SCHEMAS / f"anthropic.messages.{name}.json").read_text()))
