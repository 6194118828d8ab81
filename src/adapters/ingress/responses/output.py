"""The output items of a response in the making. Each tells its own events, in OpenAI's order.

Source: openai-python 3.52 stream events; `responses.stream()` raises on a wrong order (2026-11).
"""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from adapters.ingress.responses.tools import CUSTOM_FIELD, Offered
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.signatures import REASONING_ID_PREFIX, Sealed, joined_details, seal

Json = dict[str, object]

_decode_arguments = msgspec.json.Decoder(dict[str, object]).decode


class Tell(Protocol):
    """Takes an event, without its sequence number."""

    def __call__(self, type_: str, **fields: object) -> None: ...


class OutputItem(Protocol):
    """An item from `response.output_item.added` to `response.output_item.done`."""

    closed: bool

    def close(self, status: str) -> None:
        """Tell whatever ends the item. `status` is `completed` or `incomplete`."""
        ...

    def json(self) -> Json: ...


class _Item:
    """What all items have: an id, a place, and the events at both ends."""

    def __init__(self, tell: Tell, item_id: str, output_index: int) -> None:
        self.closed = False
        self._tell = tell
        self._id = item_id
        self._place: Json = {"item_id": item_id, "output_index": output_index}
        self._output_index = output_index
        self._status = "in_progress"

    def _added(self, item: Json) -> None:
        self._tell("response.output_item.added", output_index=self._output_index, item=item)

    def _done(self, item: Json) -> None:
        self.closed = True
        self._tell("response.output_item.done", output_index=self._output_index, item=item)


class MessageItem(_Item):
    """What the model says: parts of text, and of refusal."""

    def __init__(self, tell: Tell, item_id: str, output_index: int) -> None:
        super().__init__(tell, item_id, output_index)
        self._parts: list[Json] = []
        self._kind = ""
        self._texts: list[str] = []
        self._logprobs: list[Any] = []
        self._annotations: list[Json] = []
        self._added(self.json())

    def text(self, text: str, logprobs: Sequence[Any]) -> None:
        self._begin("output_text")
        self._texts.append(text)
        self._logprobs += logprobs
        self._tell("response.output_text.delta", **self._part_place, delta=text, logprobs=logprobs)

    def refusal(self, text: str) -> None:
        self._begin("refusal")
        self._texts.append(text)
        self._tell("response.refusal.delta", **self._part_place, delta=text)

    def annotation(self, annotation: Json) -> None:
        """A citation, in the shape Responses has."""
        self._begin("output_text")
        self._annotations.append(annotation)
        self._tell(
            "response.output_text.annotation.added",
            **self._part_place,
            annotation_index=len(self._annotations) - 1,
            annotation=annotation,
        )

    def close(self, status: str) -> None:
        self._end_part()
        self._status = status
        self._done(self.json())

    def json(self) -> Json:
        return {
            "id": self._id,
            "type": "message",
            "status": self._status,
            "role": "assistant",
            "content": list(self._parts),
        }

    @property
    def _part_place(self) -> Json:
        return {**self._place, "content_index": len(self._parts)}

    def _begin(self, kind: str) -> None:
        if self._kind == kind:
            return
        self._end_part()
        self._kind = kind
        self._tell("response.content_part.added", **self._part_place, part=self._part())

    def _end_part(self) -> None:
        if not self._kind:
            return
        part, place = self._part(), self._part_place
        if self._kind == "output_text":
            self._tell("response.output_text.done", **place, text=part["text"], logprobs=part["logprobs"])
        else:
            self._tell("response.refusal.done", **place, refusal=part["refusal"])
        self._tell("response.content_part.done", **place, part=part)
        self._parts.append(part)
        self._kind, self._texts, self._logprobs, self._annotations = "", [], [], []

    def _part(self) -> Json:
        text = "".join(self._texts)
        if self._kind == "refusal":
            return {"type": "refusal", "refusal": text}
        return {
            "type": "output_text",
            "text": text,
            "annotations": list(self._annotations),
            "logprobs": list(self._logprobs),
        }


class ReasoningItem(_Item):
    """What the model thought, as a summary of one part; and what the upstream wants back with it."""

    def __init__(self, tell: Tell, token: str, output_index: int) -> None:
        super().__init__(tell, f"{REASONING_ID_PREFIX}{token}", output_index)
        self.sealed = Sealed([], [], {})
        self._texts: list[str] = []
        self._added(self.json())

    def text(self, text: str) -> None:
        if not self._texts:
            part = {"type": "summary_text", "text": ""}
            self._tell("response.reasoning_summary_part.added", **self._place, summary_index=0, part=part)
        self._texts.append(text)
        self._tell("response.reasoning_summary_text.delta", **self._place, summary_index=0, delta=text)

    def close(self, status: str) -> None:
        if self._texts:
            part = self._part()
            place = {**self._place, "summary_index": 0}
            self._tell("response.reasoning_summary_text.done", **place, text=part["text"])
            self._tell("response.reasoning_summary_part.done", **place, part=part)
        self._status = status
        self._done(self.json())

    def json(self) -> Json:
        item: Json = {"id": self._id, "type": "reasoning", "summary": [self._part()] if self._texts else []}
        encrypted = seal(
            Sealed(
                self.sealed.thinking_blocks,
                joined_details(self.sealed.reasoning_details),
                self.sealed.extra_content,
            )
        )
        if encrypted is not None:
            item["encrypted_content"] = encrypted
        return item

    def _part(self) -> Json:
        return {"type": "summary_text", "text": "".join(self._texts)}


class CallItem(_Item):
    """A call of a function."""

    def __init__(self, tell: Tell, token: str, output_index: int, call_id: str, tool: Offered) -> None:
        super().__init__(tell, f"fc_{token}", output_index)
        self.call_id = call_id
        self._tool = tool
        self._arguments: list[str] = []
        self._added(self.json())

    def arguments(self, text: str) -> None:
        self._arguments.append(text)
        self._tell("response.function_call_arguments.delta", **self._place, delta=text)

    def close(self, status: str) -> None:
        arguments = "".join(self._arguments) or "{}"
        self._arguments = [arguments]
        self._tell("response.function_call_arguments.done", **self._place, name=self._tool.name, arguments=arguments)
        self._status = status
        self._done(self.json())

    def json(self) -> Json:
        item: Json = {
            "id": self._id,
            "type": "function_call",
            "status": self._status,
            "call_id": self.call_id,
            "name": self._tool.name,
            "arguments": "".join(self._arguments),
        }
        if self._tool.namespace is not None:
            item["namespace"] = self._tool.namespace
        return item


class CustomCallItem(_Item):
    """A call of a custom tool: its input is known once the function's arguments are whole."""

    def __init__(self, tell: Tell, token: str, output_index: int, call_id: str, tool: Offered) -> None:
        super().__init__(tell, f"ctc_{token}", output_index)
        self.call_id = call_id
        self._tool = tool
        self._arguments: list[str] = []
        self._input = ""
        self._added(self.json())

    def arguments(self, text: str) -> None:
        self._arguments.append(text)

    def close(self, status: str) -> None:
        self._input = _free_text("".join(self._arguments))
        if self._input:
            self._tell("response.custom_tool_call_input.delta", **self._place, delta=self._input)
        self._tell("response.custom_tool_call_input.done", **self._place, input=self._input)
        self._status = status
        self._done(self.json())

    def json(self) -> Json:
        item: Json = {
            "id": self._id,
            "type": "custom_tool_call",
            "status": self._status,
            "call_id": self.call_id,
            "name": self._tool.name,
            "input": self._input,
        }
        if self._tool.namespace is not None:
            item["namespace"] = self._tool.namespace
        return item


def _free_text(arguments: str) -> str:
    """The one argument, or all that came where a model would not write it as JSON."""
    try:
        given = _decode_arguments(arguments)
    except UNDECODABLE:
        return arguments
    value = given.get(CUSTOM_FIELD)
    return value if isinstance(value, str) else arguments
