"""Anthropic's token counts, into OpenAI's way of counting.

Source: anthropic-python 2.11 types (2026-11). `input_tokens` leaves out what was read from or written to the
cache, `output_tokens` includes thinking; a stream's counts are cumulative and may be repeated or come late.
"""

import msgspec

from domain.usage import TokenUsage

_Count = int | float | None


class OutputDetails(msgspec.Struct):
    thinking_tokens: _Count = None


class CacheCreation(msgspec.Struct):
    """What was written to the cache, by how long it is kept."""

    ephemeral_5m_input_tokens: _Count = None
    ephemeral_1h_input_tokens: _Count = None

    def __bool__(self) -> bool:
        """Whether it says anything: zeros at a stream's end must not undo what its beginning counted."""
        return bool(self.ephemeral_5m_input_tokens or self.ephemeral_1h_input_tokens)


class Usage(msgspec.Struct):
    """As on the wire. `output_tokens` of None: it was never told."""

    input_tokens: _Count = None
    cache_creation_input_tokens: _Count = None
    cache_read_input_tokens: _Count = None
    cache_creation: CacheCreation | None = None
    output_tokens: _Count = None
    output_tokens_details: OutputDetails | None = None
    service_tier: str | None = None

    def with_later(self, later: "Usage") -> "Usage":
        """The counts of a later event win where they say anything."""
        told = {name: getattr(later, name) for name in self.__struct_fields__}
        new = {name: value for name, value in told.items() if value or getattr(self, name) is None}
        return msgspec.structs.replace(self, **new)

    def tokens(self) -> TokenUsage | None:
        """None where nothing was counted: no answer takes nothing and gives nothing, imitators say so all the same."""
        read, written = _whole(self.cache_read_input_tokens), _whole(self.cache_creation_input_tokens)
        details = self.output_tokens_details or OutputDetails()
        if not (_whole(self.input_tokens) + read + written + _whole(self.output_tokens)):
            return None
        return TokenUsage(
            input_tokens=_whole(self.input_tokens) + read + written,
            output_tokens=_whole(self.output_tokens),
            cache_read_tokens=read,
            cache_write_tokens=written,
            reasoning_tokens=_whole(details.thinking_tokens),
            cache_write_1h_tokens=self._for_an_hour(written),
        )

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

    def start(self, usage: Usage | None) -> None:
        self.so_far = usage or self.so_far

    def add(self, usage: Usage | None) -> None:
        if usage is not None:
            self.so_far = self.so_far.with_later(usage)
            self._counted = self._counted or usage.output_tokens is not None

    def tokens(self) -> TokenUsage | None:
        return self.so_far.tokens() if self._counted and self.so_far.input_tokens is not None else None


def _whole(count: _Count) -> int:
    return max(0, int(count)) if count else 0
