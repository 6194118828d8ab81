"""What Cohere says of an answer besides its content: why it ended, its usage, its citations.

Source: cohere 7.3.1 types (read 2026-11). Counts may be floats; the billed ones leave out what Cohere itself adds to
a prompt.
"""

from typing import Final

import msgspec

from domain.chat import FinishReason
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
        """What is paid for, else what was read and written; None where neither is told, or both as nothing."""
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


def finish_reason(told: str, error: str | None) -> FinishReason:
    """Raises `UpstreamFailure` where the model broke off."""
    if told in _FAILED or error:
        words = error or f"The model broke off: {told.lower()}."
        raise UpstreamFailure(_FAILED.get(told, FailureKind.SERVER_ERROR), words, status=200)
    return _FINISH.get(told, "stop")
