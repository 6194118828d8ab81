"""Translates a Messages stream into the chunks of a chat completion.

Source: wire facts of November 2026, section 7. Blocks come one after the other; what an event is, its data
says. R-08: only `message_stop` ends an answer, and an event counts once its blank line has come.
"""

import msgspec
from typing_extensions import override

from adapters.dialects.anthropic.answer import (
    Citation,
    ContentBlock,
    Delta,
    StreamedUsage,
    StreamEvent,
    annotations,
    arguments_of,
    finish_reason,
    read_stream_event,
    thought_of,
)
from adapters.dialects.anthropic.tools import ANSWER_TOOL
from adapters.wire.call import DialectCall
from adapters.wire.errors import invalid_answer
from adapters.wire.read_stream import WrittenEvents
from adapters.wire.signatures import placed
from domain.chat import ChatRequest


class _Open(msgspec.Struct):
    """The block under way. `start` is where its text begins; `answers` is whether its input is the content."""

    block: ContentBlock
    start: int = 0
    answers: bool = False
    filled: bool = False
    citations: list[Citation] = []


class AnthropicStreamDecoder(WrittenEvents):
    """Fed with bytes as they arrive; gives back blocks of OpenAI's chunks. Never raises.

    With `by_tool` a call of `ANSWER_TOOL` is the content.
    """

    wanted = "an event of a message"

    def __init__(self, call: DialectCall[ChatRequest], *, by_tool: bool) -> None:
        super().__init__(call)
        self._by_tool = by_tool
        self._open: _Open | None = None
        self._counts = StreamedUsage()
        self._begun = False
        self._text_chars = 0
        self._stop_reason: str | None = None
        self._refusal = ""

    @override
    def _event(self, name: bytes, data: bytes) -> bytes:
        event = read_stream_event(name, data, self._call)
        return self._take(event) if event is not None else b""

    def _take(self, event: StreamEvent) -> bytes:
        if event.type == "message_start":
            return self._start(event)
        if event.type == "content_block_start" and event.content_block is not None:
            self._counts.note(event.content_block)
            return self._close() + self._begin(event.content_block)
        if event.type == "content_block_delta" and event.delta is not None:
            return self._more(event.delta)
        if event.type == "content_block_stop":
            return self._close()
        if event.type == "message_delta":
            self._note_end(event)
        elif event.type == "message_stop":
            return self._stop()
        elif event.type == "error":
            raise invalid_answer("an error without a word")
        return b""

    def _start(self, event: StreamEvent) -> bytes:
        message = event.message
        self._begun = True
        if message is not None:
            self._writer.model = message.model or self._writer.model
            self._writer.answer_id = message.id or ""
            self._counts.start(message.usage)
            self.usage = self._counts.tokens()
        return self._writer.begin()

    def _begin(self, block: ContentBlock) -> bytes:
        self._begun = True
        opened = _Open(block, self._text_chars, citations=list(block.citations or ()))
        self._open = opened
        if block.type == "text":
            return self._text(block.text or "")
        if block.type == "thinking":
            return self._writer.reasoning(block.thinking or "")
        if block.type == "tool_use":
            opened.answers = self._by_tool and block.name == ANSWER_TOOL
            return b"" if opened.answers else self._writer.tool_call(block.id or "", block.name or "")
        return b""

    def _more(self, delta: Delta) -> bytes:
        """Goes by the delta's own type: some leave out the block's beginning."""
        self._begun = True
        opened = self._open
        if delta.type == "text_delta":
            return self._text(delta.text or "")
        if delta.type == "thinking_delta":
            if opened is not None and opened.block.type == "thinking":
                opened.block.thinking = (opened.block.thinking or "") + (delta.thinking or "")
            return self._writer.reasoning(delta.thinking or "")
        if opened is None:
            return b""
        if delta.type == "input_json_delta" and opened.block.type == "tool_use":
            return self._input(opened, delta.partial_json or "")
        if delta.type == "signature_delta":
            opened.block.signature = (opened.block.signature or "") + (delta.signature or "")
        elif delta.type == "citations_delta" and delta.citation is not None:
            opened.citations.append(delta.citation)
        return b""

    def _text(self, text: str) -> bytes:
        self._text_chars += len(text)
        return self._writer.text(text)

    def _input(self, opened: _Open, arguments: str) -> bytes:
        if not arguments:
            return b""
        opened.filled = True
        return self._text(arguments) if opened.answers else self._writer.tool_arguments(arguments)

    def _close(self) -> bytes:
        """What a block says at its end: arguments that never came, a signature, where its text is from."""
        opened, self._open = self._open, None
        if opened is None:
            return b""
        if opened.block.type == "tool_use" and not opened.filled:
            return self._input(opened, arguments_of(opened.block))
        thought = thought_of(opened.block)
        if thought is not None:
            place = placed(thought, self._text_chars, self._writer.tool_calls_of())
            return self._writer.delta({"thinking_blocks": [place]})
        sources = annotations(opened.citations, opened.start, self._text_chars)
        return self._writer.delta({"annotations": sources}) if sources else b""

    def _note_end(self, event: StreamEvent) -> None:
        if event.delta is not None:
            self._stop_reason = event.delta.stop_reason or self._stop_reason
            if event.delta.stop_details is not None:
                self._refusal = event.delta.stop_details.explanation or self._refusal
        self._counts.add(event.usage)
        self.usage = self._counts.tokens()

    def _stop(self) -> bytes:
        if not self._begun:
            raise invalid_answer("the stream ended without an answer")
        self.done = True
        output = self._close()
        if self._stop_reason == "refusal":
            output += self._writer.refusal(self._refusal)
        reason = finish_reason(self._stop_reason, self._writer.tool_calls_of())
        return (
            output + self._writer.finish(reason) + self._writer.usage(self.usage, self._counts.so_far.prompt_details())
        )
