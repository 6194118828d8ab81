"""Anthropic's answers, whole and as the events of a stream: their types, their counts, why they end.

Whole ones are read here as chat completions; `stream` does it event by event. Texts are one content, thoughts
`reasoning_content` and, with their signatures, `thinking_blocks`; blocks of Anthropic's own tools are left out, their
citations are kept.

Source: anthropic-python 2.11 types, platform.claude.com stop reasons, wire facts of November 2026. The `type` in an
event's data says what it is: imitators leave out the event's name. Unknown types, and unknown fields of known ones, are
no fault. `input_tokens` leaves out what was read from or written to the cache, `output_tokens` includes thinking; a
stream's counts are cumulative and may be repeated or come late.
"""

import logging
from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.dialects.anthropic.conversation import ABSENT, Raw
from adapters.dialects.anthropic.errors import reported_failure
from adapters.dialects.anthropic.tools import ANSWER_TOOL
from adapters.wire.call import DialectCall, PlainAnswer, R
from adapters.wire.charges import BillingFields, with_billing, with_calls
from adapters.wire.chat_answer import MadeMessage, MadeToolCall, chat_answer
from adapters.wire.errors import unreadable
from adapters.wire.raw_json import UNDECODABLE, TolerantDecoder
from adapters.wire.signatures import placed
from domain.chat import ChatRequest, FinishReason
from domain.usage import TokenUsage

_Count = int | float | None


_STANDARD: Final = (None, "standard", "global", "not_available")
_OF_INPUT: Final = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation")


class OutputDetails(msgspec.Struct):
    thinking_tokens: _Count = None


class CacheCreation(msgspec.Struct):
    """What was written to the cache, by how long it is kept."""

    ephemeral_5m_input_tokens: _Count = None
    ephemeral_1h_input_tokens: _Count = None

    def __bool__(self) -> bool:
        """Whether it says anything: zeros do not beside an input that was written to the cache."""
        return bool(self.ephemeral_5m_input_tokens or self.ephemeral_1h_input_tokens)


class Usage(BillingFields):
    """As on the wire. `output_tokens` of None: it was never given."""

    input_tokens: _Count = None
    cache_creation_input_tokens: _Count = None
    cache_read_input_tokens: _Count = None
    cache_creation: CacheCreation | None = None
    output_tokens: _Count = None
    output_tokens_details: OutputDetails | None = None

    def with_later(self, later: "Usage") -> "Usage":
        """The counts of a later event take the place of the earlier ones, zeros too: they are cumulative.

        But no answer was given to an input of nothing: where imitators end a stream with such, the earlier one stays.
        """
        counts = {name: getattr(later, name) for name in self.__struct_fields__}
        new = {name: value for name, value in counts.items() if value or value == 0}
        replaced = msgspec.structs.replace(self, **new)
        if self.all_input() and not replaced.all_input():
            kept = {name: getattr(self, name) for name in _OF_INPUT}
            return msgspec.structs.replace(replaced, **kept)
        return replaced

    def all_input(self) -> int:
        """With what was read from the cache and written to it."""
        cached = _whole(self.cache_read_input_tokens) + _whole(self.cache_creation_input_tokens)
        return _whole(self.input_tokens) + cached

    def tokens(self) -> TokenUsage | None:
        """None where nothing was counted: no answer takes nothing and gives nothing, imitators say so all the same."""
        read, written = _whole(self.cache_read_input_tokens), _whole(self.cache_creation_input_tokens)
        details = self.output_tokens_details or OutputDetails()
        if not self.all_input() and not _whole(self.output_tokens):
            return None
        counted = TokenUsage(
            input_tokens=self.all_input(),
            output_tokens=_whole(self.output_tokens),
            cache_read_tokens=read,
            cache_write_tokens=written,
            reasoning_tokens=_whole(details.thinking_tokens),
            cache_write_1h_tokens=self._for_an_hour(written),
        )
        standard = self.service_tier in _STANDARD and self.speed in _STANDARD and self.inference_geo in _STANDARD
        more = not (standard and self.server_tool_use is self.cost is self.cost_in_usd_ticks is None)
        return with_billing(counted, self) if more else counted

    def _for_an_hour(self, written: int) -> int:
        """Of what was written, what is kept for an hour: never more than all of it."""
        return min(written, _whole(self.cache_creation.ephemeral_1h_input_tokens)) if self.cache_creation else 0

    def prompt_details(self) -> dict[str, object] | None:
        """What OpenAI's counts cannot say: an hour in the cache costs more than five minutes. Named as by LiteLLM."""
        made = self.cache_creation
        if made is None or not self.cache_creation_input_tokens:
            return None
        kept = {
            "ephemeral_5m_input_tokens": _whole(made.ephemeral_5m_input_tokens),
            "ephemeral_1h_input_tokens": _whole(made.ephemeral_1h_input_tokens),
        }
        return {"cache_creation_token_details": kept}


class StreamedUsage:
    """What a stream has counted so far. Its beginning counts no output: it is no usage by itself."""

    def __init__(self) -> None:
        self.so_far = Usage()
        self._counted = False
        self._calls: list[str] = []

    def start(self, usage: Usage | None) -> None:
        self.so_far = usage or self.so_far

    def note(self, block: "ContentBlock") -> None:
        """A block begins: it may be a call of one of Anthropic's own tools."""
        self._calls += hosted_calls((block,))

    def add(self, usage: Usage | None) -> None:
        if usage is not None:
            self.so_far = self.so_far.with_later(usage)
            self._counted = self._counted or usage.output_tokens is not None

    def tokens(self) -> TokenUsage | None:
        tokens = self.so_far.tokens() if self._counted and self.so_far.input_tokens is not None else None
        return with_calls(tokens, self._calls) if self._calls else tokens


def _whole(count: _Count) -> int:
    return max(0, int(count)) if count else 0


class Citation(msgspec.Struct):
    """Where a text comes from. Search results have a `source`, pages of the web a `url`."""

    type: str = ""
    url: str | None = None
    source: str | None = None
    title: str | None = None


def annotations(citations: list[Citation], start: int, end: int) -> list[dict[str, object]]:
    """Those with an address, as OpenAI annotates the text from `start` to `end`. Pages of documents have none."""
    made: list[dict[str, object]] = []
    for citation in citations:
        url = citation.url or citation.source
        if url:
            url_citation = {"start_index": start, "end_index": end, "title": citation.title or "", "url": url}
            made.append({"type": "url_citation", "url_citation": url_citation})
    return made


class StopDetails(msgspec.Struct):
    """Why the model refused, in words."""

    explanation: str | None = None


class ContentBlock(msgspec.Struct):
    """A block, whole in an answer and as it begins in a stream."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Raw = ABSENT
    citations: list[Citation] | None = None


_HOSTED: Final = {
    "web_search": "web_search",
    "code_execution": "code_execution",
    "bash_code_execution": "code_execution",
    "text_editor_code_execution": "code_execution",
}
"""Anthropic's own tools that cost more than their tokens; fetching a page does not."""


def hosted_calls(blocks: Sequence[ContentBlock]) -> list[str]:
    """The fee of each call of one of Anthropic's own tools."""
    used = (block.name or "" for block in blocks if block.type == "server_tool_use")
    return [_HOSTED[name] for name in used if name in _HOSTED]


class AnthropicMessage(msgspec.Struct):
    """An answer. `content` of None: this is no answer."""

    id: str | None = None
    model: str | None = None
    content: list[ContentBlock] | None = None
    stop_reason: str | None = None
    stop_details: StopDetails | None = None
    usage: Usage | None = None

    def tokens(self) -> TokenUsage | None:
        """With the calls of Anthropic's own tools that its blocks show."""
        tokens = self.usage.tokens() if self.usage is not None else None
        calls = hosted_calls(self.content or ())
        return with_calls(tokens, calls) if calls else tokens


class Delta(msgspec.Struct):
    """Of a block, by its type; or of the message, with why it ended."""

    type: str = ""
    text: str | None = None
    partial_json: str | None = None
    thinking: str | None = None
    signature: str | None = None
    citation: Citation | None = None
    stop_reason: str | None = None
    stop_details: StopDetails | None = None


class StreamEvent(msgspec.Struct):
    type: str = ""
    index: int = 0
    message: AnthropicMessage | None = None
    content_block: ContentBlock | None = None
    delta: Delta | None = None
    usage: Usage | None = None
    error: Raw = ABSENT


_decode_event = TolerantDecoder(StreamEvent)
read_message = TolerantDecoder(AnthropicMessage)


def read_stream_event(name: bytes, data: bytes, call: DialectCall[R]) -> StreamEvent | None:
    """The event; None for a ping that says nothing. Raises `UpstreamFailure` for an error, and for what is no event."""
    try:
        event = _decode_event(data)
    except UNDECODABLE:
        if name == b"ping":
            return None
        if name != b"error":
            raise unreadable(data, call.secret, "an event of a message") from None
        raise reported_failure(data, secret=call.secret, now=call.now()) from None
    if event.error != ABSENT:
        raise reported_failure(data, secret=call.secret, now=call.now())
    return event


log = logging.getLogger(__name__)

_WORDS: Final[dict[str, FinishReason]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def finish_reason(stop_reason: str | None, tool_calls: int) -> FinishReason:
    """A `tool_use` that called nothing a client knows of is the end of an answer; an unknown word too."""
    if stop_reason is None:
        return "tool_calls" if tool_calls else "stop"
    reason = _WORDS.get(stop_reason)
    if reason is None:
        log.warning("unknown stop reason", extra={"finish_reason": stop_reason[:64]})
        return "stop"
    return "stop" if reason == "tool_calls" and not tool_calls else reason


_TIERS = {"standard": "default", "priority": "priority"}


class _MessageParts(msgspec.Struct):
    """What the blocks of an answer say."""

    content: str | None = None
    reasoning: str = ""
    calls: list[MadeToolCall] = []
    thoughts: list[object] = []
    annotations: list[dict[str, object]] = []


def read_answer(body: bytes, call: DialectCall[ChatRequest], *, by_tool: bool) -> PlainAnswer:
    """With `by_tool` a call of `ANSWER_TOOL` is the content.

    Raises `UpstreamFailure` for an error in a 200 and for what is no message.
    """
    message = message_in(body, call)
    parts = _message_parts(message.content or [], by_tool=by_tool)
    usage = message.tokens()
    details = message.stop_details
    refusal = details.explanation if details is not None and message.stop_reason == "refusal" else None
    made = MadeMessage(parts.content, parts.reasoning, parts.calls, refusal, parts.thoughts, parts.annotations)
    tier = message.usage.service_tier if message.usage is not None else None
    return chat_answer(
        call,
        [(made, finish_reason(message.stop_reason, len(parts.calls)))],
        usage,
        model=message.model or "",
        answer_id=message.id or "",
        extra={"service_tier": _TIERS[tier]} if isinstance(tier, str) and tier in _TIERS else None,
        prompt_details=message.usage.prompt_details() if message.usage is not None else None,
    )


def message_in(body: bytes, call: DialectCall[R]) -> AnthropicMessage:
    """The message of a 200. Raises `UpstreamFailure` where there is none."""
    try:
        message = read_message(body)
    except UNDECODABLE:
        raise unreadable(body, call.secret, "a message") from None
    if message.content is None:
        if b'"error"' in body:
            raise reported_failure(body, secret=call.secret, now=call.now())
        raise unreadable(body, call.secret, "a message")
    return message


def arguments_of(block: ContentBlock) -> str:
    """A tool call's input as JSON text."""
    text = bytes(block.input).decode()
    return text if text.startswith("{") else "{}"


def thought_of(block: ContentBlock) -> dict[str, object] | None:
    """A block of thoughts as the next turn must send it back; None where it is not signed."""
    if block.type == "redacted_thinking" and block.data:
        return {"type": block.type, "data": block.data}
    if block.type == "thinking" and block.signature:
        return {"type": block.type, "thinking": block.thinking or "", "signature": block.signature}
    return None


def _message_parts(blocks: list[ContentBlock], *, by_tool: bool) -> _MessageParts:
    parts = _MessageParts(None, "", [], [], [])
    for block in blocks:
        if block.type == "text":
            start = len(parts.content or "")
            parts.content = (parts.content or "") + (block.text or "")
            parts.annotations += annotations(block.citations or [], start, len(parts.content))
        elif block.type == "tool_use" and by_tool and block.name == ANSWER_TOOL:
            parts.content = (parts.content or "") + arguments_of(block)
        elif block.type == "tool_use":
            parts.calls.append(MadeToolCall(block.id or "", block.name or "", arguments_of(block)))
        else:
            parts.reasoning += block.thinking or "" if block.type == "thinking" else ""
            thought = thought_of(block)
            if thought is not None:
                parts.thoughts.append(placed(thought, len(parts.content or ""), len(parts.calls)))
    return parts
