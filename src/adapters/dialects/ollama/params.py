"""What becomes of each parameter at Ollama, by endpoint: the tables the encoders follow.

Source: ollama 0.6.3 types; the server's API page (read 2026-11).
"""

from typing import Final

from domain.fidelity import HONORED, Fidelity, dropped, mapped, refused

OPTIONS: Final = (
    "temperature",
    "top_p",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "num_ctx",
    "top_k",
    "min_p",
    "repeat_penalty",
)
"""Parameters that go into `options` under their own names; those from `num_ctx` on are Ollama's own."""

OLLAMA_CHAT_PARAMS: Final[Fidelity] = {
    "audio": refused("Ollama answers with text"),
    "function_call": refused("send tool_choice"),
    "functions": refused("send tools"),
    "logit_bias": dropped(),
    "logprobs": HONORED,
    "max_completion_tokens": mapped("options.num_predict"),
    "max_tokens": mapped("options.num_predict"),
    "metadata": dropped(),
    "modalities": refused("Ollama answers with text"),
    "moderation": dropped(),
    "n": refused("one answer a request"),
    "parallel_tool_calls": dropped(),
    "prediction": dropped(),
    "prompt_cache_key": dropped(),
    "prompt_cache_options": dropped(),
    "prompt_cache_retention": dropped(),
    "reasoning_effort": mapped(
        "think", "a level for gpt-oss, on or off for others; refused by models that do not think"
    ),
    "response_format": mapped("format"),
    "safety_identifier": dropped(),
    "service_tier": dropped(),
    "stop": mapped("options.stop", "empty ones are dropped"),
    "store": dropped(),
    "stream": HONORED,
    "stream_options": mapped("", "usage comes without being asked for"),
    "tool_choice": dropped("none leaves the tools out; any other choice is the model's"),
    "tools": mapped("tools", "functions only"),
    "top_logprobs": HONORED,
    "user": dropped(),
    "verbosity": dropped(),
    "web_search_options": refused("Ollama does not search"),
    **{name: mapped(f"options.{name}") for name in OPTIONS},
    # Ollama's own, besides those of `options`:
    "keep_alive": HONORED,
    "options": HONORED,
    "think": HONORED,
    "truncate": HONORED,
}

OLLAMA_EMBEDDING_PARAMS: Final[Fidelity] = {
    "dimensions": HONORED,
    "encoding_format": mapped("", "the gateway encodes"),
    "user": dropped(),
    "keep_alive": HONORED,
    "num_ctx": mapped("options.num_ctx"),
    "options": HONORED,
    "truncate": HONORED,
}
