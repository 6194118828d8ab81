"""What becomes of each parameter at an Anthropic upstream, by endpoint: the tables the encoders follow.

Source: platform.claude.com, Messages API and OpenAI compatibility (read 2026-11).
"""

from typing import Final

from adapters.dialects.anthropic.settings import AnthropicSettings
from domain.fidelity import HONORED, Cell, Fidelity, dropped, mapped, refused

_CHAT: Final[Fidelity] = {
    "stream": HONORED,
    "stream_options": mapped("", "usage comes without being asked for"),
    "max_completion_tokens": mapped("max_tokens"),
    "max_tokens": Cell("honored", note="without one, a limit the model has room for is sent: Anthropic demands one"),
    "temperature": Cell(
        "mapped",
        "temperature",
        "at most 1, and more is reported as dropped; dropped from Claude 4.7 on, and where the model thinks",
    ),
    "top_p": Cell("honored", note="dropped from Claude 4.7 on, and from 4.1 on beside a temperature"),
    "stop": mapped("stop_sequences", "blank ones are dropped"),
    "tools": Cell("honored", note="functions, and Anthropic's own tools as they are; custom tools are refused"),
    "tool_choice": HONORED,
    "parallel_tool_calls": mapped("tool_choice.disable_parallel_tool_use"),
    "response_format": mapped("output_config.format", "before Claude 4.5 a forced tool call; json_object by a prompt"),
    "reasoning_effort": mapped(
        "thinking", "adaptive with output_config.effort from Claude 4.6 on, a token budget before; none before 3.7"
    ),
    "service_tier": Cell("mapped", "service_tier", "standard_only, but for auto and priority, which are auto"),
    "user": mapped("metadata.user_id", "hashed where it is longer than 256 characters"),
    "safety_identifier": mapped("metadata.user_id", "wins over user"),
    "web_search_options": mapped("tools", "Anthropic's web search; search_context_size is dropped"),
    "n": refused("Anthropic gives one answer a request"),
    "functions": refused("send tools"),
    "function_call": refused("send tool_choice"),
    "audio": refused("Claude answers in text"),
    "modalities": refused("Claude answers in text"),
    "frequency_penalty": dropped(),
    "presence_penalty": dropped(),
    "seed": dropped(),
    "logit_bias": dropped(),
    "logprobs": dropped(),
    "top_logprobs": dropped(),
    "prediction": dropped(),
    "verbosity": dropped(),
    "store": dropped("nothing is kept"),
    "metadata": dropped("Anthropic's metadata holds a user id alone"),
    "moderation": dropped(),
    "prompt_cache_key": dropped("mark what is to be cached with cache_control"),
    "prompt_cache_options": dropped("mark what is to be cached with cache_control"),
    "prompt_cache_retention": dropped("say it in cache_control.ttl"),
}

CHAT_EXTRAS: Final[Fidelity] = dict.fromkeys(("top_k", "thinking", "cache_control"), HONORED)
"""Anthropic's own parameters, for clients that send them through OpenAI's API."""

_NATIVE: Final = (
    "system",
    "stream",
    "stop_sequences",
    "temperature",
    "top_p",
    "top_k",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "metadata",
    "service_tier",
)

MESSAGES_FIDELITY: Final[Fidelity] = dict.fromkeys(_NATIVE, HONORED)
COUNT_FIDELITY: Final[Fidelity] = dict.fromkeys(_NATIVE, HONORED)


def chat_fidelity(settings: AnthropicSettings) -> Fidelity:
    """Every parameter of OpenAI's chat, as this upstream gets it."""
    if not settings.body_version:
        return _CHAT
    elsewhere: Fidelity = {"service_tier": dropped("Anthropic's own API alone has tiers")}
    if settings.body_version.startswith("vertex"):
        elsewhere["response_format"] = mapped("tools", "a tool the model must call; json_object by a prompt")
    if settings.body_version.startswith("bedrock"):
        elsewhere["web_search_options"] = refused("Amazon Bedrock has no web search for Claude")
    return {**_CHAT, **elsewhere}


FIRST_PARTY_FIELDS: Final = (
    "container",
    "diagnostics",
    "inference_geo",
    "mcp_servers",
    "service_tier",
    "speed",
    "user_profile_id",
    "workspace_id",
)
"""What only Anthropic's own servers know: in clouds it is answered that extra inputs are not permitted."""
