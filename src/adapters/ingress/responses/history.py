"""The items of a Responses request's `input`, read as far as chat can carry them.

Source: openai-python 3.52 types; `type` may be absent of messages (Vercel's AI SDK) and of references (2026-11).
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from adapters.ingress.responses.params import not_over_chat
from adapters.ingress.responses.tools import CUSTOM_FIELD, chat_name
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.sift import invalid
from adapters.wire.signatures import Sealed, placed, unseal
from domain.inference import Json


class Part(msgspec.Struct):
    """One part of a message's content, of a tool's output, or of a reasoning item."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    detail: str | None = None
    file_id: str | None = None
    file_data: str | None = None
    file_url: str | None = None
    filename: str | None = None
    input_audio: Json | UnsetType = UNSET
    prompt_cache_breakpoint: Json | UnsetType = UNSET


class Item(msgspec.Struct):
    """Any item that chat can carry; which fields are told depends on its type."""

    type: str | None = None
    id: str | None = None
    role: str = ""
    content: str | list[Part] | None = None
    call_id: str | None = None
    name: str = ""
    namespace: str | None = None
    arguments: str = ""
    input: str = ""
    output: str | list[Part] | None = None
    summary: list[Part] | None = None
    encrypted_content: str | None = None


class _Kind(msgspec.Struct):
    type: str | None = None
    role: str | None = None


CARRIED: Final = frozenset(
    {
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
    }
)
LEFT_OUT: Final = frozenset(
    {
        "web_search_call",
        "file_search_call",
        "code_interpreter_call",
        "image_generation_call",
        "mcp_list_tools",
        "mcp_call",
        "tool_search_call",
        "tool_search_output",
    }
)
"""What an upstream did with tools of its own: what came of it is in its message."""

_decode_kind = msgspec.json.Decoder(_Kind).decode
_decode_item = msgspec.json.Decoder(Item).decode


def read_items(given: str | Sequence[Json] | None) -> tuple[list[Item], list[str]]:
    """The items chat can carry, with their types, and what is left out (`input.web_search_call`).

    Raises `UpstreamFailure` for an item that is none, and for one that chat has nothing for.
    """
    if given is None:
        raise invalid("Missing required parameter: 'input'.", "input", "missing_required_parameter")
    if isinstance(given, str):
        return [Item("message", role="user", content=given)], []
    items: list[Item] = []
    left_out: list[str] = []
    for place, raw in enumerate(given):
        where = f"input.{place}"
        try:
            kind = _decode_kind(raw)
            type_ = kind.type or ("message" if kind.role else "item_reference")
            if type_ in CARRIED:
                item = _decode_item(raw)
                item.type = type_
                items.append(item)
                continue
        except UNDECODABLE as error:
            raise invalid(f"Invalid '{where}': {error}.", where, "invalid_type") from None
        if type_ not in LEFT_OUT:
            raise _not_carried(type_, where)
        left_out.append(f"input.{type_}")
    return items, left_out


def _not_carried(type_: str, where: str) -> Exception:
    if type_ == "item_reference":
        return not_over_chat(
            f"'{where}' refers to an item by its id, and no items are kept: send the items themselves "
            "(in OpenAI's clients `store: false`).",
            where,
            "unsupported_value",
        )
    return not_over_chat(f"'{where}' is an item of type '{type_}'.", where, "unsupported_value")


ChatPart = dict[str, object]

_TEXT = frozenset({"input_text", "output_text", "text", "summary_text", "reasoning_text"})


def chat_content(content: str | Sequence[Part] | None) -> str | list[ChatPart]:
    """Text alone stays text: every upstream takes that."""
    if content is None or isinstance(content, str):
        return content or ""
    if len(content) == 1 and content[0].type in _TEXT and content[0].prompt_cache_breakpoint is UNSET:
        return content[0].text or ""
    return [chat_part(part) for part in content]


def texts(content: str | Sequence[Part] | None, between: str = "") -> str:
    """The text of all parts that have one."""
    if content is None or isinstance(content, str):
        return content or ""
    return between.join(part.text for part in content if part.type in _TEXT and part.text)


def others(content: str | Sequence[Part] | None) -> list[ChatPart]:
    """The parts that are no text."""
    if content is None or isinstance(content, str):
        return []
    return [chat_part(part) for part in content if part.type not in _TEXT and part.type != "refusal"]


def chat_part(part: Part) -> ChatPart:
    """Raises `UpstreamFailure` for a part chat has nothing for."""
    made = _made(part)
    if part.prompt_cache_breakpoint is not UNSET:
        made["prompt_cache_breakpoint"] = part.prompt_cache_breakpoint
    return made


def _made(part: Part) -> ChatPart:
    if part.type in _TEXT:
        return {"type": "text", "text": part.text or ""}
    if part.type == "refusal":
        return {"type": "text", "text": part.refusal or ""}
    if part.type == "input_image" and part.image_url is not None:
        image = {"url": part.image_url} | ({"detail": part.detail} if part.detail else {})
        return {"type": "image_url", "image_url": image}
    if part.type == "input_file" and part.file_url is None:
        given = {"file_id": part.file_id, "file_data": part.file_data, "filename": part.filename}
        return {"type": "file", "file": {name: value for name, value in given.items() if value is not None}}
    if part.type == "input_audio" and part.input_audio is not UNSET:
        return {"type": "input_audio", "input_audio": part.input_audio}
    how = ""
    if part.type == "input_image":
        how = " without `image_url`"
    elif part.type == "input_file":
        how = " with `file_url`: send the file itself as `file_data`"
    raise not_over_chat(f"'input' has a part of type '{part.type}'{how}.", "input", "unsupported_value")


ChatMessage = dict[str, object]

_OUTPUTS = frozenset({"function_call_output", "custom_tool_call_output"})

_encode = msgspec.json.Encoder().encode


def to_messages(items: Sequence[Item], instructions: str | None) -> tuple[list[ChatMessage], list[str]]:
    """The messages, and what was left out of them. Raises `UpstreamFailure` for a result without its call."""
    history = _History(items)
    if instructions:
        history.messages.append({"role": "system", "content": instructions})
    for item in items:
        history.add(item)
    history.end_turn()
    return history.messages, history.left_out


class _Turn:
    """What the assistant did until somebody else spoke."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.refusals: list[str] = []
        self.thoughts: list[str] = []
        self.calls: dict[str, dict[str, Any]] = {}
        self.sealed = Sealed([], [], {})

    def __bool__(self) -> bool:
        return bool(self.texts or self.refusals or self.calls)

    def message(self, extra_content: dict[str, Any]) -> ChatMessage:
        message: ChatMessage = {"role": "assistant", "content": "".join(self.texts) if self.texts else None}
        if self.refusals:
            message["refusal"] = "".join(self.refusals)
        if self.thoughts:
            message["reasoning_content"] = "\n\n".join(self.thoughts)
        if self.sealed.thinking_blocks:
            message["thinking_blocks"] = self.sealed.thinking_blocks
        if self.sealed.reasoning_details:
            message["reasoning_details"] = self.sealed.reasoning_details
        for call_id, call in self.calls.items():
            if call_id in extra_content:
                call["extra_content"] = extra_content[call_id]
        if self.calls:
            message["tool_calls"] = list(self.calls.values())
        return message


class _History:
    def __init__(self, items: Sequence[Item]) -> None:
        self.messages: list[ChatMessage] = []
        self.left_out: list[str] = []
        self._results = {item.call_id: item for item in items if item.type in _OUTPUTS}
        self._extra_content: dict[str, Any] = {}
        for item in items:
            if item.type == "reasoning" and (sealed := unseal(item.encrypted_content)) is not None:
                self._extra_content |= sealed.extra_content
        self._answered: set[str] = set()
        self._turn = _Turn()

    def add(self, item: Item) -> None:
        if item.type in _OUTPUTS:
            self._result(item)
        elif item.type == "reasoning":
            self._reasoning(item)
        elif item.type in {"function_call", "custom_tool_call"}:
            self._call(item)
        elif item.role == "assistant":
            self._said(item)
        else:
            self.end_turn()
            self.messages.append({"role": item.role or "user", "content": chat_content(item.content)})

    def end_turn(self) -> None:
        """The turn's message, the results of its calls, and what of these is no text in a message of its own."""
        turn, self._turn = self._turn, _Turn()
        if not turn:
            return
        self.messages.append(turn.message(self._extra_content))
        shown: list[dict[str, object]] = []
        for call_id in turn.calls:
            result = self._results.get(call_id)
            if result is None:
                continue
            self._answered.add(call_id)
            self.messages.append({"role": "tool", "tool_call_id": call_id, "content": texts(result.output, "\n")})
            shown += _labelled(call_id, others(result.output))
        if shown:
            self.messages.append({"role": "user", "content": shown})

    def _result(self, item: Item) -> None:
        self.end_turn()
        if item.call_id not in self._answered:
            raise invalid(
                f"No tool call found for function call output with call_id {item.call_id}.", "input", "invalid_value"
            )

    def _said(self, item: Item) -> None:
        parts = [Part("output_text", text=item.content)] if isinstance(item.content, str) else item.content or []
        self._turn.refusals += [part.refusal for part in parts if part.type == "refusal" and part.refusal]
        self._turn.texts.append(texts(parts))

    def _reasoning(self, item: Item) -> None:
        thought = texts(item.content) or texts(item.summary, "\n\n")
        if thought:
            self._turn.thoughts.append(thought)
        sealed = unseal(item.encrypted_content)
        if sealed is not None:
            said, called = sum(map(len, self._turn.texts)), len(self._turn.calls)
            self._turn.sealed.thinking_blocks += [
                placed(block, said, called) for block in sealed.thinking_blocks if isinstance(block, dict)
            ]
            self._turn.sealed.reasoning_details += sealed.reasoning_details
        elif item.encrypted_content:
            self.left_out.append("input.reasoning.encrypted_content")

    def _call(self, item: Item) -> None:
        if not item.call_id:
            raise invalid("A tool call in 'input' has no `call_id`.", "input", "missing_required_parameter")
        is_custom = item.type == "custom_tool_call"
        arguments = _encode({CUSTOM_FIELD: item.input}).decode() if is_custom else item.arguments or "{}"
        function = {"name": chat_name(item.name, item.namespace), "arguments": arguments}
        self._turn.calls[item.call_id] = {"id": item.call_id, "type": "function", "function": function}


def _labelled(call_id: str, parts: list[dict[str, object]]) -> list[dict[str, object]]:
    """Chat's tool messages are text: an image a tool gave follows in a message that says whose it is."""
    return [{"type": "text", "text": f"Output of the tool call {call_id}:"}, *parts] if parts else []
