"""A whole response as the events that OpenAI streams it in.

Source: openai-python 3.52 `ResponseStreamEvent` (November 2026): SDKs put a response together from its items' events,
and take the last event's for the whole.
"""

import msgspec

from adapters.wire.call import PlainAnswer
from adapters.wire.raw_json import UNDECODABLE, TolerantDecoder
from adapters.wire.replay import NULL, Fields, Replay, event, fields_on_one_line

_decode = msgspec.json.Decoder().decode
_decode_parts = TolerantDecoder(list[Fields])
_EMPTY_TEXT = msgspec.Raw(b'""')
_STREAMED_INPUT = {
    "function_call": ("arguments", "response.function_call_arguments"),
    "mcp_call": ("arguments", "response.mcp_call_arguments"),
    "custom_tool_call": ("input", "response.custom_tool_call_input"),
}


def response_replay(answer: PlainAnswer) -> Replay:
    """The event that ends the response is the ending."""
    return _Events(fields_on_one_line(answer.body)).replay()


class _Events:
    def __init__(self, response: Fields) -> None:
        self._response = response
        self._made: list[bytes] = []

    def replay(self) -> Replay:
        response = self._response
        begun: dict[str, object] = {
            **response,
            "status": "in_progress",
            "output": [],
            "usage": None,
            "incomplete_details": None,
        }
        begun.pop("completed_at", None)
        for name in ("response.created", "response.in_progress"):
            self._add(name, response=begun)
        for index, item in enumerate(_parts(response, "output")):
            self._item(index, item)
        cut = _decode(response.get("status", NULL)) == "incomplete"
        self._add("response.incomplete" if cut else "response.completed", response=response)
        *events, ending = self._made
        return Replay(b"".join(events), ending)

    def _add(self, name: str, **data: object) -> None:
        self._made.append(event({"type": name, "sequence_number": len(self._made), **data}, name))

    def _item(self, index: int, item: Fields) -> None:
        given: object = _decode(item.get("type", NULL))
        kind = given if isinstance(given, str) else ""
        begun: dict[str, object] = {**item}
        if "status" in begun:
            begun["status"] = "in_progress"
        place: dict[str, object] = {"item_id": item.get("id", _EMPTY_TEXT), "output_index": index}
        streamed = _STREAMED_INPUT.get(kind)
        if kind == "message":
            begun["content"] = []
        elif kind == "reasoning":
            begun["summary"] = []
            begun.pop("content", None)
        elif streamed is not None:
            begun[streamed[0]] = ""
        self._add("response.output_item.added", output_index=index, item=begun)
        if streamed is not None:
            field, name = streamed
            text = item.get(field, _EMPTY_TEXT)
            self._add(f"{name}.delta", **place, delta=text)
            self._add(f"{name}.done", **place, **{field: text})
        for number, part in enumerate(_parts(item, "summary") if kind == "reasoning" else ()):
            at = {**place, "summary_index": number}
            self._part("response.reasoning_summary_part", "response.reasoning_summary_text", at, part)
        for number, part in enumerate(_parts(item, "content") if kind in {"message", "reasoning"} else ()):
            names = {"refusal": "response.refusal", "reasoning_text": "response.reasoning_text"}
            text_name = names.get(str(_decode(part.get("type", NULL))), "response.output_text")
            self._part("response.content_part", text_name, {**place, "content_index": number}, part)
        self._add("response.output_item.done", output_index=index, item=item)

    def _part(self, name: str, text_name: str, place: dict[str, object], part: Fields) -> None:
        field = "refusal" if "refusal" in part else "text"
        text = part.get(field, _EMPTY_TEXT)
        notes = _parts(part, "annotations")
        begun: dict[str, object] = {**part, field: ""}
        if notes:
            begun["annotations"] = []
        self._add(f"{name}.added", **place, part=begun)
        if field in part:
            more: dict[str, object] = (
                {"logprobs": part.get("logprobs", [])} if text_name == "response.output_text" else {}
            )
            self._add(f"{text_name}.delta", **place, delta=text, **more)
            for at, note in enumerate(notes):
                self._add("response.output_text.annotation.added", **place, annotation_index=at, annotation=note)
            self._add(f"{text_name}.done", **place, **{field: text}, **more)
        self._add(f"{name}.done", **place, part=part)


def _parts(fields: Fields, name: str) -> list[Fields]:
    """The objects of a list; none in place of anything else."""
    try:
        return _decode_parts(fields.get(name, NULL))
    except UNDECODABLE:
        return []
