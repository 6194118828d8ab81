"""Novita AI: no quirk known beyond what an unknown server has.

Source: litellm 1.106, the provider's pages (read 2026-11).
"""

from adapters.dialects.openai.quirks import TEXT_ONLY, Quirks
from adapters.providers.entry import Entry, also
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="novita",
        kind="openai",
        name="Novita AI",
        base_url="https://api.novita.ai/v3/openai",
        env=("NOVITA_API_KEY",),
        priority=310,
        free_tier="by top-up",
        key_url="https://novita.ai/settings/key-management",
    ),
    Quirks(max_tokens_field="max_tokens"),
    paths=also("completions", "embeddings"),
    endpoint_quirks={"embeddings": TEXT_ONLY},
)
