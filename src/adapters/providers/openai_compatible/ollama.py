"""Ollama on your own machine. Switched on by its usual variable.

Source: ollama 0.6.3 (read 2026-11). The first call to a model loads it: tens of seconds. An error may be a string.
"""

from adapters.dialects.openai.quirks import REASONING_FIELDS, TEXT_ONLY, Quirks
from adapters.providers.entry import Entry, also
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="ollama",
        kind="openai",
        name="Ollama (local)",
        base_url="http://127.0.0.1:11434/v1",
        env=("OLLAMA_HOST",),
        priority=400,
        requires_key=False,
        free_tier="your own machine",
    ),
    Quirks(max_tokens_field="max_tokens", message_fields=frozenset(REASONING_FIELDS)),
    paths=also("completions", "embeddings"),
    endpoint_quirks={"embeddings": TEXT_ONLY},
)
