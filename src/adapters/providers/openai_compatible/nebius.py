"""Nebius Token Factory: no quirk known beyond what an unknown server has.

Source: litellm 1.106, the provider's pages (read 2026-11).
"""

from adapters.dialects.openai.quirks import TEXT_ONLY, Quirks
from adapters.providers.entry import Entry, also
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="nebius",
        kind="openai",
        name="Nebius Token Factory",
        base_url="https://api.studio.nebius.ai/v1",
        env=("NEBIUS_API_KEY",),
        priority=290,
        free_tier="1 USD of credit",
        key_url="https://tokenfactory.nebius.com",
    ),
    Quirks(max_tokens_field="max_tokens"),
    paths=also("completions", "embeddings", "images.generations"),
    endpoint_quirks={"embeddings": TEXT_ONLY},
)
