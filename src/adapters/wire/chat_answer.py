"""Writes OpenAI's chat answers and chunks, for dialects that read another format.

One writer a stream keeps what OpenAI's grammar demands: the role once and first, tool calls numbered from 0 with
id and name given once, one finish reason, usage in one chunk at the very end. Where no upstream counts the input, it is
estimated here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from adapters.wire.call import DialectCall, KeptText, PlainAnswer, made_call_id
from adapters.wire.errors import invalid_answer
from domain.chat import ChatRequest, FinishReason
from domain.usage import TokenUsage

_PER_TURN_TOKENS: Final = 4  # what chat templates add around a message, by OpenAI's own counting recipe
_REPLY_TOKENS: Final = 3
_PER_FILE_TOKENS: Final = 1_500  # of a picture at Anthropic's usual size; nobody can say it of a document unread

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


def estimated_input(
    messages: Sequence[dict[str, Any]], tools: Sequence[dict[str, Any]], count: Callable[[str], int]
) -> int:
    """The tokens of a chat's input: texts with the tools, turns, pictures and files. `count` takes a text."""
    texts: list[str] = []
    others = 0
    for message in messages:
        content = message.get("content")
        if isinstance(content, list):
            texts += (str(part["text"]) for part in content if part["type"] == "text")
            others += sum(part["type"] != "text" for part in content)
        elif content:
            texts.append(str(content))
        if "tool_calls" in message:
            texts.append(_encode(message["tool_calls"]).decode())
    texts += (_encode(tool).decode() for tool in tools)
    counted = count("\n".join(texts))
    return counted + _PER_TURN_TOKENS * len(messages) + _PER_FILE_TOKENS * others + _REPLY_TOKENS


def chat_answer(
    call: DialectCall[ChatRequest],
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
        "choices": [
            _choice(index, message, finish, f"{call.answer_id}/{index}")
            for index, (message, finish) in enumerate(choices)
        ],
        **(extra or {}),
    }
    if usage is not None:
        body["usage"] = usage_json(usage, prompt_details)
    text = "" if usage is not None else "\n".join(_texts(message) for message, _ in choices)
    return PlainAnswer(_encode(body), model, usage, text)


def _call_id(call_id: str, name: str, seed: str, known: set[str]) -> str:
    """An id that a client can answer to: no other call has it. Raises `UpstreamFailure` for a call without a name."""
    if not name:
        raise invalid_answer("a tool call came without its name")
    if not call_id or call_id in known:
        call_id = made_call_id(seed)
    known.add(call_id)
    return call_id


def _choice(index: int, message: MadeMessage, finish: FinishReason, seed: str) -> dict[str, object]:
    shown: dict[str, object] = {"role": "assistant", "content": message.content, "refusal": message.refusal}
    if message.reasoning:
        shown["reasoning_content"] = message.reasoning
    if message.thinking_blocks:
        shown["thinking_blocks"] = message.thinking_blocks
    if message.annotations:
        shown["annotations"] = message.annotations
    if message.tool_calls:
        known: set[str] = set()
        shown["tool_calls"] = [
            {
                "id": _call_id(call.id, call.name, f"{seed}/{place}", known),
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
                **(call.extra or {}),
            }
            for place, call in enumerate(message.tool_calls)
        ]
    shown |= message.extra or {}
    return {"index": index, "message": shown, "logprobs": message.logprobs, "finish_reason": finish}


def _texts(message: MadeMessage) -> str:
    calls = "\n".join(f"{call.name}{call.arguments}" for call in message.tool_calls)
    return "\n".join(text for text in (message.reasoning, message.content, message.refusal, calls) if text)


class ChunkWriter:
    """The chunks of one streamed answer, each as one server-sent event. Its attributes are what was written so far."""

    def __init__(self, call: DialectCall[ChatRequest]) -> None:
        self.model = call.model
        self.answer_id = ""
        self.has_content = False
        self._call = call
        self._begun: set[int] = set()
        self._kept = KeptText()
        self._tools: dict[int, int] = {}  # calls begun, by choice
        self._ids: set[str] = set()

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
        call_id = _call_id(call_id, name, f"{self._call.answer_id}/{index}/{place}", self._ids)
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
