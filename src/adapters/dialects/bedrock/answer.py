"""Reads a whole answer of Converse; what ends an answer and its usage are the same in a stream.

Source: botocore 1.44.5 service model (read 2026-11). `inputTokens` does not count what was read from the cache or
written to it; `cacheDetails` says for how long the latter is kept, where anything was.
"""

from typing import Final

import msgspec

from adapters.dialects.bedrock.tools import JSON_TOOL
from adapters.wire.call import DialectCall, PlainAnswer
from adapters.wire.charges import BillingFields, with_billing
from adapters.wire.chat_answer import MadeMessage, MadeToolCall, chat_answer
from adapters.wire.errors import unreadable
from adapters.wire.raw_json import UNDECODABLE, TolerantDecoder
from adapters.wire.signatures import placed
from domain.chat import ChatRequest, FinishReason
from domain.errors import UpstreamFailure
from domain.secrets import Secret
from domain.usage import STANDARD_WORDS, TokenUsage

_FINISH: Final[dict[str, FinishReason]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}
_MALFORMED: Final = frozenset({"malformed_model_output", "malformed_tool_use"})


class _CacheDetail(msgspec.Struct, rename="camel"):
    ttl: str | None = None  # `5m` or `1h`
    input_tokens: int | None = None


class ConverseUsage(msgspec.Struct, rename="camel"):
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_write_input_tokens: int = 0
    cache_details: tuple[_CacheDetail, ...] | None = None

    def counted(self) -> TokenUsage | None:
        """In OpenAI's way: the input is all of it. None for counts of nothing, as stand-ins for Bedrock tell them."""
        read, written = self.cache_read_input_tokens, self.cache_write_input_tokens
        if not (self.input_tokens or self.output_tokens or read or written):
            return None
        return TokenUsage(
            input_tokens=self.input_tokens + read + written,
            output_tokens=self.output_tokens,
            cache_read_tokens=read,
            cache_write_tokens=written,
            cache_write_1h_tokens=min(written, self._for_an_hour()),
        )

    def _for_an_hour(self) -> int:
        return sum(each.input_tokens or 0 for each in self.cache_details or () if each.ttl == "1h")


def finish_reason(stop: str, *, tool_calls: int, secret: Secret | None) -> FinishReason:
    """Raises `UpstreamFailure` for an answer that the model spoiled."""
    if stop in _MALFORMED:
        raise unreadable(stop.encode(), secret)
    reason = _FINISH.get(stop, "stop")
    if reason == "tool_calls" and not tool_calls:
        return "stop"  # the one tool that was called stands for a JSON schema
    return reason


def not_converse(body: bytes, secret: Secret | None) -> UpstreamFailure:
    """A 200 that holds no answer."""
    return unreadable(body, secret, "an answer of Converse")


_encode = msgspec.json.Encoder().encode


class _ReasoningText(msgspec.Struct):
    text: str = ""
    signature: str = ""


class _Reasoning(msgspec.Struct, rename="camel"):
    reasoning_text: _ReasoningText | None = None
    redacted_content: str = ""


class _ToolUse(msgspec.Struct, rename="camel"):
    tool_use_id: str
    name: str
    input: msgspec.Raw = msgspec.Raw(b"{}")


class _Cited(msgspec.Struct):
    content: list[dict[str, str]] = []
    citations: list[dict[str, object]] = []


class _Block(msgspec.Struct, rename="camel"):
    text: str | None = None
    tool_use: _ToolUse | None = None
    reasoning_content: _Reasoning | None = None
    citations_content: _Cited | None = None


class _Message(msgspec.Struct):
    content: list[_Block] = []


class _Output(msgspec.Struct):
    message: _Message


class ServiceTier(msgspec.Struct):
    type: str = ""


class PerformanceConfig(msgspec.Struct):
    latency: str = ""


class ConverseTerms(msgspec.Struct, rename="camel"):
    """What an answer, or the metadata of a stream, says of its tokens and of what they cost."""

    usage: ConverseUsage | None = None
    service_tier: ServiceTier | None = None
    performance_config: PerformanceConfig | None = None

    def counted(self) -> TokenUsage | None:
        tokens = self.usage.counted() if self.usage is not None else None
        tier = self.service_tier.type if self.service_tier is not None else ""
        speed = self.performance_config.latency if self.performance_config is not None else ""
        if tokens is None or (tier in STANDARD_WORDS and speed in STANDARD_WORDS):
            return tokens
        return with_billing(tokens, BillingFields(service_tier=tier, speed=speed))


class _ConverseResponse(ConverseTerms, kw_only=True, rename="camel"):
    output: _Output
    stop_reason: str


_decode = TolerantDecoder(_ConverseResponse)


def read_converse(body: bytes, call: DialectCall[ChatRequest], *, answers_by_tool: bool) -> PlainAnswer:
    """Raises `UpstreamFailure` for what is no answer, and for one the model spoiled."""
    try:
        answer = _decode(body)
    except UNDECODABLE:
        raise not_converse(body, call.secret) from None
    message = _read(answer.output.message.content, answers_by_tool=answers_by_tool)
    finish = finish_reason(answer.stop_reason, tool_calls=len(message.tool_calls), secret=call.secret)
    return chat_answer(call, [(message, finish)], answer.counted())


def _read(blocks: list[_Block], *, answers_by_tool: bool) -> MadeMessage:
    texts: list[str] = []
    thoughts: list[str] = []
    signed: list[object] = []
    calls: list[MadeToolCall] = []
    cited: list[object] = []
    for block in blocks:
        if block.text:
            texts.append(block.text)
        elif block.tool_use is not None:
            use = block.tool_use
            if answers_by_tool and use.name == JSON_TOOL:
                texts.append(bytes(use.input).decode())
            else:
                calls.append(MadeToolCall(use.tool_use_id, use.name, bytes(use.input).decode()))
        elif block.reasoning_content is not None:
            text = block.reasoning_content.reasoning_text
            thoughts.append(text.text if text is not None else "")
            if text.signature if text is not None else block.reasoning_content.redacted_content:
                thought = thinking_block(text, block.reasoning_content.redacted_content)
                signed.append(placed(thought, len("".join(texts)), len(calls)))
        elif block.citations_content is not None:
            start = len("".join(texts))
            texts.extend(part.get("text", "") for part in block.citations_content.content)
            end = len("".join(texts))
            cited.extend(citation(one, start, end) for one in block.citations_content.citations)
    content = "".join(texts) or None
    return MadeMessage(content, "".join(thoughts), calls, thinking_blocks=signed, annotations=cited)


def thinking_block(text: _ReasoningText | None, redacted: str) -> dict[str, object]:
    """A thought in Anthropic's shape, as the next turn is to send it back."""
    if text is None:
        return {"type": "redacted_thinking", "data": redacted}
    return {"type": "thinking", "thinking": text.text, "signature": text.signature}


def citation(given: dict[str, object], start: int, end: int) -> dict[str, object]:
    """Where a statement is from, as OpenAI tells it of pages; a document has a title and no URL."""
    location = given.get("location")
    web = location.get("web") if isinstance(location, dict) else None
    url = web.get("url") if isinstance(web, dict) else None
    url_citation = {
        "start_index": start,
        "end_index": end,
        "title": str(given.get("title") or ""),
        "url": str(url or given.get("source") or ""),
    }
    return {"type": "url_citation", "url_citation": url_citation}
