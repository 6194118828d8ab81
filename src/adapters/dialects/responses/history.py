"""The items of `input` as chat's messages: what one assistant's turn said, thought and called becomes one message.

Chat wants the results of a turn's calls right behind it, each call once; Responses lets them stand anywhere later.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from adapters.dialects.responses.complaints import invalid
from adapters.dialects.responses.items import Item, Part
from adapters.dialects.responses.parts import chat_content, others, texts
from adapters.dialects.responses.sealed import Sealed, unseal
from adapters.dialects.responses.tools import CUSTOM_FIELD, chat_name

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
            raise invalid(f"No tool call found for function call output with call_id {item.call_id}.", "input")

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
            self._turn.sealed.thinking_blocks += sealed.thinking_blocks
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
