"""Writes OpenAI's chat answers and chunks, for dialects that read another format.

One writer a stream keeps what OpenAI's grammar demands: the role once and first, tool calls numbered from 0 with
id and name told once, one finish reason, usage in one chunk at the very end.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from adapters.wire.answer import PlainAnswer
from adapters.wire.call import WireCall
from adapters.wire.kept_text import KeptText
from domain.chat import ChatRequest, FinishReason
from domain.usage import TokenUsage

_encode = msgspec.json.Encoder().encode


class MadeToolCall(msgspec.Struct, frozen=True):
    """A call the model made; `arguments` is JSON text, `{}` where there are none. `extra` are further fields."""

    id: str
    name: str
    arguments: str
    extra: dict[str, object] | None = None


class MadeMessage(msgspec.Struct, frozen=True):
    """An assistant's message. `thinking_blocks` are Anthropic's, kept so that the next turn can send them back."""

    content: str | None = None
    reasoning: str = ""
    tool_calls: Sequence[MadeToolCall] = ()
    refusal: str | None = None
    thinking_blocks: Sequence[object] = ()
    annotations: Sequence[object] = ()
    logprobs: object = None
    extra: dict[str, object] | None = None  # further fields: `images`, `audio`


def usage_json(usage: TokenUsage, prompt_details: Mapping[str, object] | None = None) -> dict[str, object]:
    """Usage as OpenAI's chat writes it; `prompt_details` are what the upstream tells beyond it."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "audio_tokens": usage.audio_input_tokens,
            **(prompt_details or {}),
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": usage.audio_output_tokens,
        },
    }


def chat_answer(
    call: WireCall[ChatRequest],
    choices: Sequence[tuple[MadeMessage, FinishReason]],
    usage: TokenUsage | None,
    *,
    model: str = "",
    answer_id: str = "",
    extra: dict[str, Any] | None = None,
    prompt_details: Mapping[str, object] | None = None,
) -> PlainAnswer:
    """A whole `chat.completion`. `model` is what the upstream says answered."""
    model = model or call.model
    body: dict[str, object] = {
        "id": answer_id or call.answer_id,
        "object": "chat.completion",
        "created": call.created,
        "model": model,
        "choices": [_choice(index, message, finish) for index, (message, finish) in enumerate(choices)],
        **(extra or {}),
    }
    if usage is not None:
        body["usage"] = usage_json(usage, prompt_details)
    text = "" if usage is not None else "\n".join(_texts(message) for message, _ in choices)
    return PlainAnswer(_encode(body), model, usage, text)


def _choice(index: int, message: MadeMessage, finish: FinishReason) -> dict[str, object]:
    told: dict[str, object] = {"role": "assistant", "content": message.content, "refusal": message.refusal}
    if message.reasoning:
        told["reasoning_content"] = message.reasoning
    if message.thinking_blocks:
        told["thinking_blocks"] = message.thinking_blocks
    if message.annotations:
        told["annotations"] = message.annotations
    if message.tool_calls:
        told["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
                **(call.extra or {}),
            }
            for call in message.tool_calls
        ]
    told |= message.extra or {}
    return {"index": index, "message": told, "logprobs": message.logprobs, "finish_reason": finish}


def _texts(message: MadeMessage) -> str:
    calls = "\n".join(f"{call.name}{call.arguments}" for call in message.tool_calls)
    return "\n".join(text for text in (message.reasoning, message.content, message.refusal, calls) if text)


class ChunkWriter:
    """The chunks of one streamed answer, each as one server-sent event. Its attributes are what was written so far."""

    def __init__(self, call: WireCall[ChatRequest]) -> None:
        self.model = call.model
        self.answer_id = ""
        self.has_content = False
        self._call = call
        self._begun: set[int] = set()
        self._kept = KeptText()
        self._tools: dict[int, int] = {}  # calls begun, by choice

    @property
    def output_bytes(self) -> int:
        return self._kept.bytes

    def text(self, text: str, index: int = 0, **choice: object) -> bytes:
        return self._said(index, "content", text, **choice)

    def reasoning(self, text: str, index: int = 0) -> bytes:
        return self._said(index, "reasoning_content", text)

    def refusal(self, text: str, index: int = 0) -> bytes:
        return self._said(index, "refusal", text)

    def tool_call(
        self, call_id: str, name: str, arguments: str = "", index: int = 0, extra: dict[str, object] | None = None
    ) -> bytes:
        """Begins the next tool call of a choice. `extra` are further fields."""
        place = self._tools.get(index, 0)
        self._tools[index] = place + 1
        self._kept.add(name + arguments)
        function = {"name": name, "arguments": arguments}
        begun = {"index": place, "id": call_id, "type": "function", "function": function, **(extra or {})}
        return self.delta({"tool_calls": [begun]}, index)

    def tool_arguments(self, arguments: str, index: int = 0) -> bytes:
        """More arguments of the tool call begun last; nothing for none."""
        if not arguments:
            return b""
        self._kept.add(arguments)
        place = self._tools.get(index, 1) - 1
        return self.delta({"tool_calls": [{"index": place, "function": {"arguments": arguments}}]}, index)

    def delta(self, delta: dict[str, object], index: int = 0, **choice: object) -> bytes:
        """A chunk with any delta; counts as content."""
        self.has_content = True
        begin = self.begin(index)
        return begin + self._chunk(
            [{"index": index, "delta": delta, "logprobs": None, "finish_reason": None, **choice}]
        )

    def begin(self, index: int = 0) -> bytes:
        """The choice's first chunk, with its role; nothing where it has begun. Not content."""
        if index in self._begun:
            return b""
        self._begun.add(index)
        first = {"role": "assistant", "content": "", "refusal": None}
        return self._chunk([{"index": index, "delta": first, "logprobs": None, "finish_reason": None}])

    def finish(self, reason: FinishReason, index: int = 0) -> bytes:
        """The one chunk that says why a choice ended."""
        self.has_content = True
        begin = self.begin(index)
        return begin + self._chunk([{"index": index, "delta": {}, "logprobs": None, "finish_reason": reason}])

    def usage(self, usage: TokenUsage | None, prompt_details: Mapping[str, object] | None = None) -> bytes:
        """The usage chunk where the client asked for one and there is any."""
        if usage is None or not self._call.include_usage:
            return b""
        return self._chunk([], usage_json(usage, prompt_details))

    def tool_calls_of(self, index: int = 0) -> int:
        """How many tool calls a choice has begun."""
        return self._tools.get(index, 0)

    def output_text(self) -> str:
        return self._kept.text()

    def _said(self, index: int, field: str, text: str, **choice: object) -> bytes:
        if not text:
            return b""
        self._kept.add(text)
        return self.delta({field: text}, index, **choice)

    def _chunk(self, choices: list[dict[str, object]], usage: dict[str, object] | None = None) -> bytes:
        call = self._call
        body: dict[str, object] = {
            "id": self.answer_id or call.answer_id,
            "object": "chat.completion.chunk",
            "created": call.created,
            "model": self.model,
            "choices": choices,
        }
        if call.include_usage:
            body["usage"] = usage
        return b"data: " + _encode(body) + b"\n\n"
