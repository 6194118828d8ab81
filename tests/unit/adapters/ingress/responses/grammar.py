"""A state machine for streams of response events: accepts what OpenAI's own clients can follow, and nothing else."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

SCHEMAS = Path(__file__).parents[4] / "wire" / "schemas"
TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed"})
Json = dict[str, Any]

_PARTS = {"output_text": ("response.output_text", "text"), "refusal": ("response.refusal", "refusal")}
_CALLS = {
    "function_call": ("response.function_call_arguments", "arguments"),
    "custom_tool_call": ("response.custom_tool_call_input", "input"),
}


def read(stream: bytes) -> list[Json]:
    """The events, each under its own name and on one line; every one is what OpenAI's schema says."""
    events = []
    for text in stream.decode().split("\n\n")[:-1]:
        name, data = text.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        event_validator(event["type"]).validate(event)
        events.append(event)
    return events


def follow(stream: bytes) -> Json:
    """The response a whole, orderly stream ends with. Fails on every mistake in the order."""
    events = read(stream)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
    assert events[-1]["type"] in TERMINAL
    assert not TERMINAL & {event["type"] for event in events[:-1]}
    responses = [event["response"] for event in events if "response" in event]
    assert len({response["id"] for response in responses}) == 1
    items: dict[int, _Item] = {}
    for event in events[2:-1]:
        place = event["output_index"]
        if event["type"] == "response.output_item.added":
            assert place == len(items)
            items[place] = _Item(event["item"])
        else:
            items[place].take(event)
    final: Json = events[-1]["response"]
    assert all(item.done is not None for item in items.values())
    assert final["output"] == [item.done for item in items.values()]
    assert final["status"] == events[-1]["type"].removeprefix("response.")
    response_validator().validate(final)
    return final


class _Item:
    """One output item from its first event to its last."""

    def __init__(self, item: Json) -> None:
        assert not item.get("content")
        assert not item.get("summary")
        self._added = item
        self._open = ""
        self._text = ""
        self._ended = False
        self._parts: list[Json] = []
        self.done: Json | None = None

    def take(self, event: Json) -> None:
        assert self.done is None
        kind = event["type"]
        if kind == "response.output_item.done":
            self._finish(event["item"])
            return
        assert event["item_id"] == self._added["id"]
        {"message": self._message, "reasoning": self._reasoning}.get(self._added["type"], self._call)(event, kind)

    def _finish(self, item: Json) -> None:
        assert not self._open
        for name in ("id", "type", "call_id", "name"):
            assert item.get(name) == self._added.get(name)
        received = item.get("content") if item["type"] == "message" else item.get("summary")
        if item["type"] in {"message", "reasoning"}:
            assert received == self._parts
        else:
            assert self._ended
            assert item[_CALLS[item["type"]][1]] == self._text
        self.done = item

    def _message(self, event: Json, kind: str) -> None:
        assert event["content_index"] == len(self._parts)
        if kind == "response.content_part.added":
            assert not self._open
            self._open, self._text, self._ended = event["part"]["type"], "", False
            assert event["part"][_PARTS[self._open][1]] == ""
        elif kind == "response.content_part.done":
            assert self._ended
            assert event["part"][_PARTS[self._open][1]] == self._text
            self._parts.append(event["part"])
            self._open = ""
        elif kind != "response.output_text.annotation.added":
            prefix, field = _PARTS[self._open]
            self._text_event(event, kind, prefix, field)

    def _reasoning(self, event: Json, kind: str) -> None:
        assert event["summary_index"] == len(self._parts)
        if kind == "response.reasoning_summary_part.added":
            assert not self._open
            self._open, self._text, self._ended = "summary", "", False
        elif kind == "response.reasoning_summary_part.done":
            assert self._ended
            assert event["part"]["text"] == self._text
            self._parts.append(event["part"])
            self._open = ""
        else:
            assert self._open
            self._text_event(event, kind, "response.reasoning_summary_text", "text")

    def _call(self, event: Json, kind: str) -> None:
        prefix, field = _CALLS[self._added["type"]]
        self._text_event(event, kind, prefix, field)

    def _text_event(self, event: Json, kind: str, prefix: str, field: str) -> None:
        assert not self._ended
        if kind == f"{prefix}.done":
            assert not self._text or event[field] == self._text
            self._text, self._ended = event[field], True
        else:
            assert kind == f"{prefix}.delta"
            assert event["delta"]
            self._text += event["delta"]


@cache
def event_validator(type_: str) -> jsonschema.Draft202012Validator:
    """OpenAI's schema of one type of event."""
    schema = json.loads((SCHEMAS / "openai.responses.stream_event.json").read_text())
    found = [
        name
        for name, definition in schema["$defs"].items()
        if name.endswith("Event") and definition["properties"].get("type", {}).get("const") == type_
    ]
    assert found, f"there is no event {type_}"
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{found[0]}", "$defs": schema["$defs"]})


@cache
def response_validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads((SCHEMAS / "openai.responses.response.json").read_text()))
