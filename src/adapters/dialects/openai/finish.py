"""Why a choice ended, in OpenAI's five words.

Source: wire facts of Mistral, Together, DeepSeek, Anthropic-like and Gemini-like servers (read 2026-11).
"""

import logging
from collections.abc import Mapping
from typing import Final

log = logging.getLogger(__name__)

KNOWN: Final = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})

FAILURES: Final = frozenset({"error", "insufficient_system_resource", "abort", "network_error"})
"""Not an end of an answer but of the service: what was said so far is no complete answer."""

_WORDS: Final[Mapping[str, str]] = {
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "end_turn": "stop",
    "complete": "stop",
    "model_length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "tool_use": "tool_calls",
    "tool_call": "tool_calls",
    "safety": "content_filter",
    "recitation": "content_filter",
    "sensitive": "content_filter",
}


def finish_reason(reason: str, own_words: Mapping[str, str]) -> str:
    """OpenAI's word for a provider's; an unknown one reads `stop`, with a log line."""
    if reason in KNOWN:
        return reason
    known = own_words.get(reason) or _WORDS.get(reason.lower())
    if known is not None:
        return known
    if reason.lower() in KNOWN:
        return reason.lower()
    log.warning("unknown finish reason", extra={"finish_reason": reason[:64]})
    return "stop"
