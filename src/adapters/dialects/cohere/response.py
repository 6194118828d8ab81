"""Reads a whole answer of v2/chat. Source: cohere 7.3.1 types (read 2026-11)."""

import msgspec

from adapters.dialects.cohere.answer_facts import CohereCitation, CohereUsage, finish_reason
from adapters.wire.answer import PlainAnswer
from adapters.wire.call import WireCall
from adapters.wire.chat_answer import MadeMessage, MadeToolCall, chat_answer
from adapters.wire.errors import unreadable
from adapters.wire.undecodable import UNDECODABLE
from domain.chat import ChatRequest


class _Part(msgspec.Struct):
    type: str = "text"
    text: str = ""
    thinking: str = ""


class _Function(msgspec.Struct):
    name: str = ""
    arguments: str | None = None


class CohereCall(msgspec.Struct):
    """A tool call; in a stream it comes without its arguments first."""

    id: str = ""
    function: _Function | None = None

    @property
    def name(self) -> str:
        return self.function.name if self.function is not None else ""

    @property
    def arguments(self) -> str:
        return (self.function.arguments if self.function is not None else None) or ""


class _Message(msgspec.Struct):
    content: list[_Part] | None = None
    tool_plan: str | None = None
    tool_calls: list[CohereCall] | None = None
    citations: list[CohereCitation] | None = None


class _Answer(msgspec.Struct):
    message: _Message
    finish_reason: str
    id: str = ""
    usage: CohereUsage = CohereUsage()


_decode = msgspec.json.Decoder(_Answer).decode


def read_chat(body: bytes, call: WireCall[ChatRequest]) -> PlainAnswer:
    """Raises `UpstreamFailure` for what is no answer, and for one that broke off."""
    try:
        answer = _decode(body)
    except UNDECODABLE:
        raise unreadable(body, call.secret, "a chat of Cohere") from None
    said = answer.message
    finish = finish_reason(answer.finish_reason, None)
    parts = said.content or []
    message = MadeMessage(
        content="".join(part.text for part in parts) or None,
        reasoning=(said.tool_plan or "") + "".join(part.thinking for part in parts),
        tool_calls=[MadeToolCall(made.id, made.name, made.arguments or "{}") for made in said.tool_calls or ()],
        annotations=[note for citation in said.citations or () for note in citation.annotations()],
    )
    return chat_answer(call, [(message, finish)], answer.usage.counted(), answer_id=answer.id)
