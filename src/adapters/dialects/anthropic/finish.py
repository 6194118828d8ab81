"""Why Claude stopped, in OpenAI's words. Source: platform.claude.com stop reasons (read 2026-11)."""

import logging
from typing import Final

from domain.chat import FinishReason

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
