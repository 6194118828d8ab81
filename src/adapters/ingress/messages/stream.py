"""A chat's chunks as a message's events, blocks one after the other as Anthropic's grammar wants them.

A block is opened when its first content comes. The first open block goes out as it arrives; what comes for a later
one meanwhile waits until the first is whole, for tool calls that means until their arguments are.

Source: wire facts on Anthropic, sections 5 and 8 (November 2026).
"""

from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from adapters.ingress.messages.answer import Thought, carried_block, details_block, message_id, stop_facts, usage_json
from adapters.wire.errors import unreadable
from adapters.wire.raw_json import UNDECODABLE, TolerantDecoder
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import TokenUsage


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _ToolDelta(msgspec.Struct):
    index: int = 0
    id: str | None = None
    function: _Function | None = None
    extra_content: msgspec.Raw | UnsetType = UNSET


class _Delta(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[_ToolDelta] | None = None
    reasoning_content: object = None
    reasoning: object = None
    thinking_blocks: list[Thought] | None = None
    reasoning_details: list[Any] | None = None


class _Choice(msgspec.Struct):
    index: int = 0
    delta: _Delta | None = None
    finish_reason: str | None = None
    stop_reason: object = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    id: str = ""
    model: str = ""


class _Block:
    """One content block: how it begins, and what is to be said of it yet."""

    def __init__(self, kind: str, head: dict[str, object]) -> None:
        self.kind = kind
        self.head = head
        self.waiting: list[dict[str, object]] = []
        self.text = ""  # of a tool's arguments so far
        self.begun = self.ended = self.signed = False
        self.came_as_reasoning = False  # its text came as reasoning, which every client of chat can read
        self._whole_at = -1  # how much of the text was found to be no whole JSON

    def add(self, delta: dict[str, object]) -> None:
        self.waiting.append(delta)

    @property
    def is_whole(self) -> bool:
        """Whether nothing more can come for it once another block has begun."""
        if self.kind != "tool_use":
            return True
        if len(self.text) == self._whole_at or not self.text.rstrip().endswith("}"):
            return False
        try:
            _decode_raw(self.text)
        except UNDECODABLE:
            self._whole_at = len(self.text)
            return False
        return True


_decode_chunk = TolerantDecoder(_Chunk)
_decode_raw = msgspec.json.Decoder(msgspec.Raw).decode
_encode = msgspec.json.Encoder().encode

MESSAGE_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
"""What closes a complete message."""


class MessageEvents:
    """Fed with blocks of a chat's chunks; gives back events. `stops` are the client's stop sequences.

    `input_tokens` is an estimate, which the beginning tells: Claude Code shows from it how full the context is. The
    provider's own count follows with the end.
    """

    def __init__(self, model: str, stops: Sequence[str] = (), input_tokens: int = 0) -> None:
        self._model = model
        self._input_tokens = input_tokens
        self._stops = stops
        self._begun = False
        self._index = 0
        self._open: deque[_Block] = deque()
        self._tools: dict[int, _Block] = {}
        self._finish: str | None = None
        self._hit: object = None
        self._refusal = ""
        self._details: list[Any] = []

    def feed(self, chunks: bytes) -> bytes:
        """The events that whole chunks make. Raises `UpstreamFailure` for what is no chunk."""
        out: list[bytes] = []
        for text in chunks.split(b"\n\n"):
            if not text.startswith(b"data: {"):
                continue
            try:
                chunk = _decode_chunk(text[6:])
            except UNDECODABLE:
                raise unreadable(text, None, "a chunk of a chat completion") from None
            if not self._begun:
                out.append(self._start(chunk))
            for choice in chunk.choices or ():
                if choice.index == 0:
                    self._take(choice)
            self._drain(out)
        return b"".join(out)

    def finish(self, usage: TokenUsage) -> bytes:
        """The answer is complete: what is left of it, and how it ended. `MESSAGE_STOP` is not among it."""
        out: list[bytes] = []
        if not self._begun:
            out.append(self._start(_Chunk()))
        self._carry_details()
        while self._open:
            self._say(out, self._open[0])
            self._end(out)
        facts = stop_facts(
            self._finish, self._hit, self._stops, has_calls=bool(self._tools), refused=self._refusal or None
        )
        return b"".join(out) + _event("message_delta", delta=facts, usage=usage_json(usage))

    def _start(self, chunk: _Chunk) -> bytes:
        self._begun = True
        message: dict[str, object] = {
            "id": message_id(chunk.id),
            "type": "message",
            "role": "assistant",
            "model": chunk.model or self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "stop_details": None,
            "usage": usage_json(TokenUsage(self._input_tokens)),
        }
        return _event("message_start", message=message)

    def _take(self, choice: _Choice) -> None:
        self._finish = choice.finish_reason or self._finish
        self._hit = choice.stop_reason if choice.stop_reason is not None else self._hit
        delta = choice.delta
        if delta is None:
            return
        reasoning = delta.reasoning_content or delta.reasoning
        if isinstance(reasoning, str) and reasoning:
            block = self._current("thinking")
            block.came_as_reasoning = True
            block.add({"type": "thinking_delta", "thinking": reasoning})
        self._details += delta.reasoning_details or ()
        for thought in delta.thinking_blocks or ():
            self._think(thought)
        for text in (delta.content, delta.refusal):
            if text:
                self._current("text").add({"type": "text_delta", "text": text})
        self._refusal += delta.refusal or ""
        for call in delta.tool_calls or ():
            self._call(call)

    def _current(self, kind: str) -> _Block:
        """The last block where it is of this kind and may go on, else a new one."""
        last = self._open[-1] if self._open else None
        if last is None or last.kind != kind or last.signed:
            empty: dict[str, object] = {"thinking": "", "signature": ""} if kind == "thinking" else {"text": ""}
            last = _Block(kind, {"type": kind, **empty})
            self._open.append(last)
        return last

    def _think(self, thought: Thought) -> None:
        """Anthropic's own block. Where its text came as reasoning already, only its signature is news."""
        if thought.type == "redacted_thinking":
            self._open.append(_Block(thought.type, {"type": thought.type, "data": thought.data or ""}))
            return
        block = self._current("thinking")
        if thought.thinking and not block.came_as_reasoning:
            block.add({"type": "thinking_delta", "thinking": thought.thinking})
        if thought.signature:
            block.add({"type": "signature_delta", "signature": thought.signature})
            block.signed = True

    def _call(self, call: _ToolDelta) -> None:
        block = self._tools.get(call.index)
        function = call.function or _Function()
        if block is None:
            self._carry_details()
            if not isinstance(call.extra_content, UnsetType):
                carried = carried_block(call.id or "", call.extra_content)
                self._open.append(_Block("redacted_thinking", carried))
            head: dict[str, object] = {
                "type": "tool_use",
                "id": call.id or "",
                "name": function.name or "",
                "input": {},
            }
            block = self._tools[call.index] = _Block("tool_use", head)
            self._open.append(block)
        arguments = function.arguments
        if not arguments:
            return
        if block.ended:
            if arguments.strip():
                raise UpstreamFailure(
                    FailureKind.SERVER_ERROR, "The provider went on with a tool call that was whole.", status=200
                )
            return
        block.text += arguments
        block.add({"type": "input_json_delta", "partial_json": arguments})

    def _carry_details(self) -> None:
        """What came so far, before the next call: a message does not end with it where it can be helped."""
        block = details_block(self._details)
        self._details = []
        if block is not None:
            self._open.append(_Block("redacted_thinking", block))

    def _drain(self, out: list[bytes]) -> None:
        while self._open:
            self._say(out, self._open[0])
            if len(self._open) == 1 or not self._open[0].is_whole:
                return
            self._end(out)

    def _say(self, out: list[bytes], block: _Block) -> None:
        if not block.begun:
            block.begun = True
            out.append(_event("content_block_start", index=self._index, content_block=block.head))
        out += [_event("content_block_delta", index=self._index, delta=delta) for delta in block.waiting]
        block.waiting.clear()

    def _end(self, out: list[bytes]) -> None:
        """Close the first block. Thoughts end with a signature, which is empty where no one signed them."""
        block = self._open.popleft()
        if block.kind == "thinking" and not block.signed:
            block.add({"type": "signature_delta", "signature": ""})
            self._say(out, block)
        block.ended = True
        out.append(_event("content_block_stop", index=self._index))
        self._index += 1


def _event(name: str, **data: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _encode({"type": name, **data}))
