"""Ollama's own servers; the local server is `ollama`.

Source: ollama 0.6.3 (read 2026-11).
"""

from adapters.dialects.openai.quirks import REASONING_FIELDS, TEXT_ONLY, Quirks
from adapters.providers.entry import Entry, also
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="ollama_cloud",
        kind="openai",
        name="Ollama Cloud",
        base_url="https://ollama.com/v1",
        env=("OLLAMA_API_KEY",),
        priority=190,
        free_tier="a small hourly and weekly allowance",
        key_url="https://ollama.com/settings/keys",
    ),
    Quirks(max_tokens_field="max_tokens", message_fields=frozenset(REASONING_FIELDS)),
    paths=also("completions", "embeddings"),
    endpoint_quirks={"embeddings": TEXT_ONLY},
)
