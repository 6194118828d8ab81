"""Reads a whole answer of the Messages API as a chat completion.

Source: anthropic-python 2.11 types (2026-11). Texts are one content, thoughts `reasoning_content` and, with
their signatures, `thinking_blocks`; blocks of Anthropic's own tools are left out, their citations are kept.
"""

import msgspec

from adapters.dialects.anthropic.errors import failure_told
from adapters.dialects.anthropic.events import AnthropicMessage, ContentBlock, read_message
from adapters.dialects.anthropic.finish import finish_reason
from adapters.dialects.anthropic.structured import ANSWER_TOOL
from adapters.dialects.anthropic.web_search import annotations
from adapters.wire.answer import PlainAnswer
from adapters.wire.call import R, WireCall
from adapters.wire.chat_answer import MadeMessage, MadeToolCall, chat_answer
from adapters.wire.errors import unreadable
from adapters.wire.undecodable import UNDECODABLE
from domain.chat import ChatRequest

_TIERS = {"standard": "default", "priority": "priority"}


class _Told(msgspec.Struct):
    """What the blocks of an answer say."""

    content: str | None = None
    reasoning: str = ""
    calls: list[MadeToolCall] = []
    thoughts: list[object] = []
    annotations: list[dict[str, object]] = []


def read_answer(body: bytes, call: WireCall[ChatRequest], *, by_tool: bool) -> PlainAnswer:
    """With `by_tool` a call of `ANSWER_TOOL` is the content.

    Raises `UpstreamFailure` for an error in a 200 and for what is no message.
    """
    message = message_in(body, call)
    told = _told(message.content or [], by_tool=by_tool)
    usage = message.usage.tokens() if message.usage is not None else None
    details = message.stop_details
    refusal = details.explanation if details is not None and message.stop_reason == "refusal" else None
    made = MadeMessage(told.content, told.reasoning, told.calls, refusal, told.thoughts, told.annotations)
    tier = _TIERS.get(message.usage.service_tier or "") if message.usage is not None else None
    return chat_answer(
        call,
        [(made, finish_reason(message.stop_reason, len(told.calls)))],
        usage,
        model=message.model or "",
        answer_id=message.id or "",
        extra={"service_tier": tier} if tier else None,
        prompt_details=message.usage.prompt_details() if message.usage is not None else None,
    )


def message_in(body: bytes, call: WireCall[R]) -> AnthropicMessage:
    """The message of a 200. Raises `UpstreamFailure` where there is none."""
    try:
        message = read_message(body)
    except UNDECODABLE:
        raise unreadable(body, call.secret, "a message") from None
    if message.content is None:
        if b'"error"' in body:
            raise failure_told(body, secret=call.secret, now=call.now())
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


def _told(blocks: list[ContentBlock], *, by_tool: bool) -> _Told:
    told = _Told(None, "", [], [], [])
    for block in blocks:
        if block.type == "text":
            start = len(told.content or "")
            told.content = (told.content or "") + (block.text or "")
            told.annotations += annotations(block.citations or [], start, len(told.content))
        elif block.type == "tool_use" and by_tool and block.name == ANSWER_TOOL:
            told.content = (told.content or "") + arguments_of(block)
        elif block.type == "tool_use":
            told.calls.append(MadeToolCall(block.id or "", block.name or "", arguments_of(block)))
        else:
            told.reasoning += block.thinking or "" if block.type == "thinking" else ""
            thought = thought_of(block)
            if thought is not None:
                told.thoughts.append(thought)
    return told
