"""The events of OpenAI's Responses API, put together: the last one has the whole answer.

Source: OpenAI's API reference, "Streaming events" of Responses (read 2026-11).
"""

import msgspec
from typing_extensions import override

from adapters.gathering.merging import Fields, events_of
from domain.ports.gathering import Gatherer


class ResponseGatherer(Gatherer):
    """Of one response. Where it was cut, it has the items that were whole, and of a message what had come."""

    def __init__(self) -> None:
        self._response: Fields = {}
        self._items: dict[int, Fields] = {}
        self._done: set[int] = set()
        self._texts: dict[int, dict[int, list[str]]] = {}

    @override
    def add(self, block: bytes) -> None:
        for event in events_of(block):
            kind = event.get("type")
            place = event.get("output_index", 0)
            if isinstance(event.get("response"), dict):
                self._response = event["response"]
            elif kind in {"response.output_item.added", "response.output_item.done"}:
                self._items[place] = event.get("item") or {}
                if kind == "response.output_item.done":
                    self._done.add(place)
            elif kind == "response.output_text.delta":
                parts = self._texts.setdefault(place, {}).setdefault(event.get("content_index", 0), [])
                parts.append(event.get("delta") or "")

    @override
    def answer(self, *, cut: bool) -> bytes:
        if not cut:
            return msgspec.json.encode(self._response)
        output = [self._item(place) for place in sorted(self._items)]
        ended = {
            "status": "incomplete",
            "incomplete_details": {"reason": "max_output_tokens"},
            "output": [item for item in output if item is not None],
        }
        return msgspec.json.encode(self._response | ended)

    def _item(self, place: int) -> Fields | None:
        item, texts = self._items[place], self._texts.get(place)
        if place in self._done:
            return item
        if texts is None:
            return None
        content = [
            {"type": "output_text", "text": "".join(texts[which]), "annotations": [], "logprobs": []}
            for which in sorted(texts)
        ]
        return item | {"status": "incomplete", "content": content}
