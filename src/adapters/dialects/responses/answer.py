"""Turns what chat says, piece by piece, into a response and the events that tell of it.

Invariants: `response.created` and `response.in_progress` first; every item is added before it is told of and done
before the end; output indexes count from 0 without gaps; a sequence number more with each event; one terminal event.
"""

from typing import Any, Final

import msgspec

from adapters.dialects.responses.delta import CallDelta, Delta
from adapters.dialects.responses.envelope import Envelope
from adapters.dialects.responses.output import CallItem, CustomCallItem, Json, MessageItem, OutputItem, ReasoningItem
from adapters.dialects.responses.tools import ToolNames
from domain.usage import TokenUsage

_INCOMPLETE: Final = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Chat's finish reasons that mean less than all, as Responses calls them."""

_encode = msgspec.json.Encoder().encode


class ResponseMaker:
    """One response. Feed it `begin`, then `say` as often as chat does, then `finish`; `take` what there is to tell."""

    def __init__(self, envelope: Envelope, tools: ToolNames) -> None:
        self._envelope = envelope
        self._tools = tools
        self._events: list[bytes] = []
        self._told = 0
        self._items: list[OutputItem] = []
        self._speaking: MessageItem | ReasoningItem | None = None
        self._calls: dict[int, CallItem | CustomCallItem] = {}
        self._extra_content: dict[str, Any] = {}

    def begin(self) -> None:
        response = self._envelope.opening()
        self._tell("response.created", response=response)
        self._tell("response.in_progress", response=response)

    def say(self, delta: Delta, logprobs: list[Any] | None = None) -> None:
        """What chat says next; a whole message is one delta."""
        thought = delta.thought()
        if thought:
            self._reasoning().text(thought)
        if isinstance(delta.thinking_blocks, list):
            self._reasoning().sealed.thinking_blocks += delta.thinking_blocks
        if isinstance(delta.reasoning_details, list):
            self._reasoning().sealed.reasoning_details += delta.reasoning_details
        if delta.content:
            self._message().text(delta.content, [_logprob(entry) for entry in logprobs or ()])
        if delta.refusal:
            self._message().refusal(delta.refusal)
        if isinstance(delta.annotations, list):
            for annotation in delta.annotations:
                if (told := _citation(annotation)) is not None:
                    self._message().annotation(told)
        for place, call in enumerate(delta.tool_calls or ()):
            self._call(place if call.index is None else call.index, call)

    def finish(self, reason: str | None, usage: TokenUsage | None, now: int) -> Json:
        """Ends every item; the whole response. Its terminal event is the last of what `take` gives."""
        why = _INCOMPLETE.get(reason or "")
        status = "incomplete" if why is not None else "completed"
        if self._extra_content:
            self._open_reasoning().sealed.extra_content |= self._extra_content
        for item in self._items:
            if not item.closed:
                item.close(status)
        response = self._envelope.response(
            status,
            [item.json() for item in self._items],
            usage=usage,
            incomplete_reason=why,
            completed_at=None if why is not None else now,
        )
        self._tell(f"response.{status}", response=response)
        return response

    def take(self) -> list[bytes]:
        """The events since the last time."""
        events, self._events = self._events, []
        return events

    def _tell(self, type_: str, **fields: object) -> None:
        data = _encode({"type": type_, "sequence_number": self._told, **fields})
        self._told += 1
        self._events.append(b"event: %b\ndata: %b\n\n" % (type_.encode(), data))

    def _next(self) -> tuple[str, int]:
        """The random part of the next item's id, and its place."""
        place = len(self._items)
        return f"{self._envelope.token}{place:02x}", place

    def _message(self) -> MessageItem:
        if not isinstance(self._speaking, MessageItem):
            self._silence()
            token, place = self._next()
            self._speaking = MessageItem(self._tell, f"msg_{token}", place)
            self._items.append(self._speaking)
        return self._speaking

    def _reasoning(self) -> ReasoningItem:
        if not isinstance(self._speaking, ReasoningItem):
            self._silence()
            self._speaking = self._open_reasoning()
        return self._speaking

    def _open_reasoning(self) -> ReasoningItem:
        token, place = self._next()
        item = ReasoningItem(self._tell, token, place)
        self._items.append(item)
        return item

    def _silence(self) -> None:
        """Nothing more comes of what was being said. Calls stay open: their fragments may alternate."""
        if self._speaking is not None:
            self._speaking.close("completed")
            self._speaking = None

    def _call(self, index: int, delta: CallDelta) -> None:
        function = delta.function
        item = self._calls.get(index)
        if item is None:
            self._silence()
            tool = self._tools.offered((function.name if function is not None else None) or "")
            token, place = self._next()
            call_id = delta.id or f"call_{token}"
            kind = CustomCallItem if tool.is_custom else CallItem
            item = self._calls[index] = kind(self._tell, token, place, call_id, tool)
            self._items.append(item)
        if delta.extra_content is not None:
            self._extra_content[item.call_id] = delta.extra_content
        if function is not None and function.arguments:
            item.arguments(function.arguments)


def _logprob(entry: Any) -> Json:
    """Chat's entry in the shape of Responses: the same but for its alternatives, which are always there."""
    told = dict(entry) if isinstance(entry, dict) else {}
    return {
        "token": told.get("token", ""),
        "bytes": told.get("bytes") or [],
        "logprob": told.get("logprob", 0.0),
        "top_logprobs": [
            {"token": other.get("token", ""), "bytes": other.get("bytes") or [], "logprob": other.get("logprob", 0.0)}
            for other in told.get("top_logprobs") or ()
        ],
    }


def _citation(annotation: Any) -> Json | None:
    """Chat nests a citation under its type; Responses has it flat."""
    if not isinstance(annotation, dict):
        return None
    cited = annotation.get("url_citation")
    if annotation.get("type") != "url_citation" or not isinstance(cited, dict):
        return None
    start, end = cited.get("start_index"), cited.get("end_index")
    return {
        "type": "url_citation",
        "start_index": start if isinstance(start, int) else 0,
        "end_index": end if isinstance(end, int) else 0,
        "url": str(cited.get("url") or ""),
        "title": str(cited.get("title") or ""),
    }
