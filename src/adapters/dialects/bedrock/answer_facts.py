"""What Converse says of an answer besides its content: why it stopped, and its usage.

Source: botocore 1.44.5 service model (read 2026-11). `inputTokens` does not count what was read from the cache or
written to it; `cacheDetails` says for how long the latter is kept, where anything was.
"""

from typing import Final

import msgspec

from adapters.wire.errors import unreadable
from domain.chat import FinishReason
from domain.errors import UpstreamFailure
from domain.secrets import Secret
from domain.usage import TokenUsage

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
