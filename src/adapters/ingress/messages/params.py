"""What becomes of each parameter of Anthropic's Messages where chat carries them: the table the code follows."""

from typing import Final

from domain.fidelity import HONORED, Cell, Fidelity, dropped, mapped

MESSAGES_OVER_CHAT: Final[Fidelity] = {
    "max_tokens": HONORED,
    "system": mapped("messages", "one system message, joined by line breaks"),
    "stream": HONORED,
    "stop_sequences": mapped("stop", "all of them; an upstream that takes fewer gets its first ones"),
    "temperature": HONORED,
    "top_p": HONORED,
    "top_k": Cell("honored", note="dropped at upstreams that have none, as OpenAI's chat"),
    "tools": mapped("tools", "functions; tools that Anthropic itself runs are dropped"),
    "tool_choice": mapped("tool_choice", "and parallel_tool_calls"),
    "thinking": mapped("reasoning_effort", "a budget as the nearest effort; dropped for models that know no effort"),
    "output_config": mapped(
        "reasoning_effort", "a format as response_format; effort is dropped for models that know none"
    ),
    "metadata": mapped("user", "the user_id; OpenAI's chat takes 128 characters, and a longer one is dropped there"),
    "service_tier": mapped("service_tier", "standard_only as default"),
    "cache_control": dropped("the provider caches by its own rules"),
    "container": dropped("of tools that Anthropic runs"),
    "context_management": dropped("clients send what they want to be read"),
    "diagnostics": dropped(),
    "inference_geo": dropped(),
    "mcp_servers": dropped("of tools that Anthropic runs"),
    "speed": dropped(),
    "user_profile_id": dropped(),
    "workspace_id": dropped(),
}
"""Blocks without a place in a chat are dropped as `messages.TYPE`."""

_COUNTED: Final = ("system", "tools", "thinking", "output_config", "tool_choice", "cache_control", "mcp_servers")

MESSAGE_COUNTS: Final[Fidelity] = {
    name: mapped("", "counted by estimate: nothing is sent") if name in ("system", "tools") else dropped("not counted")
    for name in _COUNTED
}
"""The same for a count of tokens, which is an estimate made here."""

_MESSAGES_NAMES: Final = {
    "messages.reasoning_content": "messages.thinking",
    "messages.thinking_blocks": "messages.thinking",
    "messages.reasoning": "messages.thinking",
    "max_completion_tokens": "max_tokens",
    "parallel_tool_calls": "tool_choice",
    "response_format": "output_config",
    "stop": "stop_sequences",
    "user": "metadata",
    "safety_identifier": "metadata",
}
_OURS: Final = frozenset({"stream_options"})  # asked for by the gateway, not by the client


def messages_name(chat_param: str, asked: frozenset[str]) -> str | None:
    """A chat's parameter as the client called it; None for one it did not ask for. `asked` are its own."""
    if chat_param in _OURS:
        return None
    if chat_param == "reasoning_effort":
        return "output_config" if "output_config" in asked else "thinking"
    return _MESSAGES_NAMES.get(chat_param, chat_param)
