"""Google's contents as a chat's messages.

    {"role": "model", "parts": [{"text": "Let me look."}, {"functionCall": {"name": "look_up", "args": {}}}]}
    {"role": "assistant", "content": "Let me look.", "tool_calls": [{"id": "call_1_0", "function": {...}}]}

Ids of calls are optional there: where one has none it gets one by its place, and the result that follows is the first
unanswered call's of that name. Source: wire facts on Gemini, sections 2 and 8 (November 2026).
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.ingress.gemini.parts import (
    ChatPart,
    FunctionCall,
    FunctionResponse,
    Part,
    chat_part,
    read_parts,
    read_turn,
    sealed_in,
)
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.sift import invalid
from domain.inference import Json

ChatMessage = dict[str, object]

_FOREIGN: Final = frozenset({"skip_thought_signature_validator", "context_engineering_is_the_way_to_go"})
"""Google's own words for a signature that is not there; pydantic's clients send them in base64, which nobody minds."""

_SAID_ALONE: Final = frozenset({"result", "output"})
"""Names under which Google's clients put a result that is a text."""

_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Conversation:
    """Writes the messages of one request. `lost` takes the names of what has no place in a chat.

    With `extras` calls get back what Gemini had hung on them; others than Gemini may refuse it.
    """

    def __init__(self, lost: set[str], *, extras: bool = False) -> None:
        self._lost = lost
        self._extras = extras
        self._messages: list[ChatMessage] = []
        self._open: list[tuple[str, str]] = []  # calls without an answer: id, name

    def write(self, system: Json | None, contents: Sequence[Json]) -> list[ChatMessage]:
        """Raises `UpstreamFailure`: the client's fault, or `UNSUPPORTED`."""
        if system is not None:
            _, parts = read_turn(system, "systemInstruction")
            self._instruct(parts)
        for index, content in enumerate(contents):
            where = f"contents.{index}"
            role, parts = read_turn(content, where)
            if role == "model":
                self._model(parts, index, where)
            elif role == "system":
                self._instruct(parts)
            else:
                self._user(parts, index, where)
        return self._messages

    def _instruct(self, parts: Sequence[Part]) -> None:
        text = "\n".join(part.text for part in parts if part.text)
        if text:
            self._messages.append({"role": "system", "content": text})

    def _user(self, parts: Sequence[Part], index: int, where: str) -> None:
        """Each result is a message of its own, and they come first: they answer the turn before."""
        said: list[ChatPart] = []
        shown: list[ChatPart] = []
        answered = False
        for place, part in enumerate(parts):
            if part.function_response is not None:
                answered = True
                shown += self._result(part.function_response, f"{index}_{place}", where)
            elif part.lost is not None:
                self._lost.add(f"contents.{part.lost}")
            elif (made := chat_part(part, where)) is not None:
                said.append(made)
        said = [*shown, *said]
        if said or not answered:
            self._messages.append({"role": "user", "content": _plain(said)})

    def _result(self, result: FunctionResponse, place: str, where: str) -> list[ChatPart]:
        """Appends the message, and gives back what of the result is no text: a `tool` message holds only that."""
        matching = [call for call in self._open if (call[0] == result.id if result.id else call[1] == result.name)]
        call_id = matching[0][0] if matching else result.id or f"call_{place}"
        if matching:
            self._open.remove(matching[0])
        self._messages.append({"role": "tool", "tool_call_id": call_id, "content": _text_of_result(result.response)})
        try:
            parts = read_parts(result.parts or [])
        except UNDECODABLE as error:
            raise invalid(f"A function's response in `{where}` cannot be read: {error}.", "contents") from None
        return [made for part in parts if (made := chat_part(part, where)) is not None]

    def _model(self, parts: Sequence[Part], index: int, where: str) -> None:
        """Thoughts stand beside the text, for upstreams that take them back; what is sealed goes back unsealed."""
        texts, thoughts = [], []
        calls: list[dict[str, object]] = []
        signed: list[object] = []
        details: list[object] = []
        extras: dict[str, object] = {}
        for place, part in enumerate(parts):
            sealed = sealed_in(part.thought_signature)
            if sealed is not None:
                signed += sealed.thinking_blocks
                details += sealed.reasoning_details
                extras |= sealed.extra_content
            if part.function_call is not None:
                own = part.thought_signature if sealed is None else None
                calls.append(self._call(part.function_call, f"call_{index}_{place}", own, where))
            elif part.thought:
                thoughts.append(part.text or "")
            elif part.text:
                texts.append(part.text)
            elif part.inline_data is not None or part.file_data is not None:
                self._lost.add("contents.inlineData")
            elif part.lost is not None:
                self._lost.add(f"contents.{part.lost}")
        message: ChatMessage = {"role": "assistant", "content": "".join(texts) or (None if calls else "")}
        if any(thoughts):
            message["reasoning_content"] = "".join(thoughts)
        if signed:
            message["thinking_blocks"] = signed
        if details:
            message["reasoning_details"] = details
        if calls:
            message["tool_calls"] = [
                {**call, "extra_content": extras[str(call["id"])]} if call["id"] in extras and self._extras else call
                for call in calls
            ]
        self._messages.append(message)

    def _call(self, call: FunctionCall, made_id: str, signature: str | None, where: str) -> dict[str, object]:
        if not call.name:
            raise invalid(f"A function call in `{where}` needs a `name`.", "contents")
        call_id = call.id or made_id
        self._open.append((call_id, call.name))
        arguments = b"{}" if bytes(call.args) == b"null" else bytes(call.args)
        function = {"name": call.name, "arguments": msgspec.json.format(arguments, indent=-1).decode()}
        made: dict[str, object] = {"id": call_id, "type": "function", "function": function}
        if signature and self._extras and signature not in _FOREIGN:
            made["extra_content"] = {"google": {"thought_signature": signature}}
        return made


def _plain(parts: Sequence[ChatPart]) -> str | list[ChatPart]:
    """Texts alone as one string, which every upstream takes; anything else as it is."""
    if all(part["type"] == "text" for part in parts):
        return "\n\n".join(str(part["text"]) for part in parts)
    return list(parts)


def _text_of_result(response: Json) -> str:
    """The text of a result that is one; any other as its JSON."""
    if bytes(response) == b"null":
        return ""
    try:
        fields = _decode_object(response)
    except UNDECODABLE:
        return msgspec.json.format(bytes(response), indent=-1).decode()
    if len(fields) == 1 and fields.keys() <= _SAID_ALONE:
        raw = next(iter(fields.values()))
        if bytes(raw).startswith(b'"'):
            return msgspec.json.decode(raw, type=str)
    return msgspec.json.format(bytes(response), indent=-1).decode()
