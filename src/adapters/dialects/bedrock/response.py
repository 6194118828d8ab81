"""Reads a whole answer of Converse. Source: botocore 1.44.5 service model (read 2026-11)."""

import msgspec

from adapters.dialects.bedrock.answer_facts import ConverseUsage, finish_reason, not_converse
from adapters.dialects.bedrock.tools import JSON_TOOL
from adapters.wire.answer import PlainAnswer
from adapters.wire.call import WireCall
from adapters.wire.chat_answer import MadeMessage, MadeToolCall, chat_answer
from adapters.wire.undecodable import UNDECODABLE
from domain.chat import ChatRequest

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


class _Answer(msgspec.Struct, rename="camel"):
    output: _Output
    stop_reason: str
    usage: ConverseUsage | None = None


_decode = msgspec.json.Decoder(_Answer).decode


def read_converse(body: bytes, call: WireCall[ChatRequest], *, answers_by_tool: bool) -> PlainAnswer:
    """Raises `UpstreamFailure` for what is no answer, and for one the model spoiled."""
    try:
        answer = _decode(body)
    except UNDECODABLE:
        raise not_converse(body, call.secret) from None
    message = _read(answer.output.message.content, answers_by_tool=answers_by_tool)
    finish = finish_reason(answer.stop_reason, tool_calls=len(message.tool_calls), secret=call.secret)
    usage = answer.usage.counted() if answer.usage is not None else None
    return chat_answer(call, [(message, finish)], usage)


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
            if text is None or text.signature:
                signed.append(thinking_block(text, block.reasoning_content.redacted_content))
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
    told = {
        "start_index": start,
        "end_index": end,
        "title": str(given.get("title") or ""),
        "url": str(url or given.get("source") or ""),
    }
    return {"type": "url_citation", "url_citation": told}
