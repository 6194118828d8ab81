"""Reads a whole answer of Cohere's v2/chat; what ends an answer, its usage and citations are the same in a stream.

Source: cohere 7.3.1 types (read 2026-11). Counts may be floats; the billed ones leave out what Cohere itself adds to
a prompt.
"""

from typing import Final

import msgspec

from adapters.wire.call import DialectCall, PlainAnswer
from adapters.wire.chat_answer import MadeMessage, MadeToolCall, chat_answer
from adapters.wire.errors import unreadable
from adapters.wire.raw_json import UNDECODABLE, TolerantDecoder
from domain.chat import ChatRequest, FinishReason
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import TokenUsage

_FINISH: Final[dict[str, FinishReason]] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
}
_FAILED: Final = {"ERROR": FailureKind.SERVER_ERROR, "TIMEOUT": FailureKind.SERVER_ERROR}


class _Counts(msgspec.Struct, frozen=True):
    input_tokens: float | None = None
    output_tokens: float | None = None


class CohereUsage(msgspec.Struct, frozen=True):
    billed_units: _Counts | None = None
    tokens: _Counts | None = None
    cached_tokens: float | None = None

    def counted(self) -> TokenUsage | None:
        """What is paid for, else what was read and written; None where neither is given, or both as nothing."""
        for counts in (self.billed_units, self.tokens):
            if counts is not None and (counts.input_tokens or counts.output_tokens):
                read = int(counts.input_tokens or 0)
                cached = min(int(self.cached_tokens or 0), read)
                return TokenUsage(read, int(counts.output_tokens or 0), cache_read_tokens=cached)
        return None


class _Source(msgspec.Struct):
    id: str | None = None
    document: dict[str, object] | None = None


class CohereCitation(msgspec.Struct):
    start: int = 0
    end: int = 0
    sources: list[_Source] | None = None
    type: str | None = None

    def annotations(self) -> list[dict[str, object]]:
        """As OpenAI tells of pages, one for each source; what has no address is named by its id."""
        if self.type is not None and self.type != "TEXT_CONTENT":
            return []
        return [
            {
                "type": "url_citation",
                "url_citation": {
                    "start_index": self.start,
                    "end_index": self.end,
                    "title": str((source.document or {}).get("title") or source.id or ""),
                    "url": str((source.document or {}).get("url") or ""),
                },
            }
            for source in self.sources or ()
        ]


def finish_reason(reason: str, error: str | None) -> FinishReason:
    """Raises `UpstreamFailure` where the model broke off."""
    if reason in _FAILED or error:
        words = error or f"The model broke off: {reason.lower()}."
        raise UpstreamFailure(_FAILED.get(reason, FailureKind.SERVER_ERROR), words, status=200)
    return _FINISH.get(reason, "stop")


class _Part(msgspec.Struct):
    type: str = "text"
    text: str = ""
    thinking: str = ""


class _Function(msgspec.Struct):
    name: str = ""
    arguments: str | dict[str, object] | None = None


class CohereCall(msgspec.Struct):
    """A tool call; in a stream it comes without its arguments first."""

    id: str = ""
    function: _Function | None = None

    @property
    def name(self) -> str:
        return self.function.name if self.function is not None else ""

    @property
    def arguments(self) -> str:
        given = self.function.arguments if self.function is not None else None
        return _encode(given).decode() if isinstance(given, dict) else given or ""


class _Message(msgspec.Struct):
    content: list[_Part] | None = None
    tool_plan: str | None = None
    tool_calls: list[CohereCall] | None = None
    citations: list[CohereCitation] | None = None


class _ChatResponse(msgspec.Struct):
    message: _Message
    finish_reason: str
    id: str = ""
    usage: CohereUsage = CohereUsage()


_encode = msgspec.json.Encoder().encode
_decode = TolerantDecoder(_ChatResponse)


def read_chat(body: bytes, call: DialectCall[ChatRequest]) -> PlainAnswer:
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
