"""Translates a Messages stream into the chunks of a chat completion.

Source: wire facts of November 2026, section 7. Blocks come one after the other; what an event is, its data
says. R-08: only `message_stop` ends an answer, and an event counts once its blank line has come.
"""

import msgspec

from adapters.dialects.anthropic.errors import cut_off, failure_told, not_an_answer
from adapters.dialects.anthropic.events import ContentBlock, Delta, StreamEvent, read_stream_event
from adapters.dialects.anthropic.finish import finish_reason
from adapters.dialects.anthropic.history import ABSENT
from adapters.dialects.anthropic.response import arguments_of, thought_of
from adapters.dialects.anthropic.structured import ANSWER_TOOL
from adapters.dialects.anthropic.usage import Usage
from adapters.dialects.anthropic.web_search import Citation, annotations
from adapters.wire.call import WireCall
from adapters.wire.chat_answer import ChunkWriter
from adapters.wire.errors import unreadable
from adapters.wire.sse import EVENT_STREAM, EventCutter, EventTooLarge, read_event
from adapters.wire.undecodable import UNDECODABLE
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.usage import TokenUsage


class _Open(msgspec.Struct):
    """The block under way. `start` is where its text begins; `answers` is whether its input is the content."""

    block: ContentBlock
    start: int = 0
    answers: bool = False
    filled: bool = False
    citations: list[Citation] = []


class AnthropicStreamDecoder:
    """Fed with bytes as they arrive; gives back blocks of OpenAI's chunks. Never raises.

    With `by_tool` a call of `ANSWER_TOOL` is the content.
    """

    content_type = EVENT_STREAM

    def __init__(self, call: WireCall[ChatRequest], *, by_tool: bool) -> None:
        self.failure: UpstreamFailure | None = None
        self.done = False
        self._call = call
        self._writer = ChunkWriter(call)
        self._cutter = EventCutter()
        self._by_tool = by_tool
        self._open: _Open | None = None
        self._counts = Usage()
        self._counted = False
        self._begun = False
        self._text_chars = 0
        self._stop_reason: str | None = None
        self._refusal = ""

    @property
    def model(self) -> str:
        return self._writer.model

    @property
    def usage(self) -> TokenUsage | None:
        """None until the output was counted: the beginning's count is no count of it."""
        return self._counts.tokens() if self._counted and self._counts.input_tokens is not None else None

    @property
    def has_content(self) -> bool:
        return self._writer.has_content

    @property
    def output_bytes(self) -> int:
        return self._writer.output_bytes

    @property
    def ending(self) -> bytes:
        return b"data: [DONE]\n\n"

    def output_text(self) -> str:
        return self._writer.output_text()

    def feed(self, data: bytes) -> bytes:
        if self._is_over():
            return b""
        output: list[bytes] = []
        try:
            block = self._cutter.feed(data)
            for text in block[:-2].split(b"\n\n") if block else ():
                output.append(self._translate(text))
                if self.done:
                    break
        except EventTooLarge as error:
            self.failure = not_an_answer(str(error))
        except UpstreamFailure as failure:
            self.failure = failure
        return b"".join(output)

    def finish(self) -> bytes:
        if not self._is_over():
            self.failure = cut_off()
        return b""

    def _is_over(self) -> bool:
        return self.done or self.failure is not None

    def _translate(self, text: bytes) -> bytes:
        name, data = read_event(text)
        if data is None or not data.strip():
            return b""
        try:
            event = read_stream_event(data)
        except UNDECODABLE:
            if name == b"ping" or data.strip() == b"[DONE]":
                return b""
            if name == b"error":
                raise self._told(data) from None
            raise unreadable(data, self._call.secret, "an event of a message") from None
        if event.error != ABSENT:
            raise self._told(data)
        return self._read(event)

    def _told(self, data: bytes) -> UpstreamFailure:
        return failure_told(data, secret=self._call.secret, now=self._call.now())

    def _read(self, event: StreamEvent) -> bytes:
        if event.type == "message_start":
            return self._start(event)
        if event.type == "content_block_start" and event.content_block is not None:
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
            raise not_an_answer("an error without a word")
        return b""

    def _start(self, event: StreamEvent) -> bytes:
        message = event.message
        self._begun = True
        if message is not None:
            self._writer.model = message.model or self._writer.model
            self._writer.answer_id = message.id or ""
            self._counts = message.usage or self._counts
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
            return self._writer.delta({"thinking_blocks": [thought]})
        sources = annotations(opened.citations, opened.start, self._text_chars)
        return self._writer.delta({"annotations": sources}) if sources else b""

    def _note_end(self, event: StreamEvent) -> None:
        if event.delta is not None:
            self._stop_reason = event.delta.stop_reason or self._stop_reason
            if event.delta.stop_details is not None:
                self._refusal = event.delta.stop_details.explanation or self._refusal
        if event.usage is not None:
            self._counts = self._counts.with_later(event.usage)
            self._counted = self._counted or event.usage.output_tokens is not None

    def _stop(self) -> bytes:
        if not self._begun:
            raise not_an_answer("the stream ended without an answer")
        self.done = True
        output = self._close()
        if self._stop_reason == "refusal":
            output += self._writer.refusal(self._refusal)
        reason = finish_reason(self._stop_reason, self._writer.tool_calls_of())
        return output + self._writer.finish(reason) + self._writer.usage(self.usage, self._counts.prompt_details())
