"""Hyperbolic: no quirk known beyond what an unknown server has.

Source: litellm 1.106, the provider's pages (read 2026-11).
"""

from adapters.dialects.openai.quirks import Quirks
from adapters.providers.entry import Entry, also
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="hyperbolic",
        kind="openai",
        name="Hyperbolic",
        base_url="https://api.hyperbolic.xyz/v1",
        env=("HYPERBOLIC_API_KEY",),
        priority=300,
        free_tier="60 requests a minute",
        key_url="https://app.hyperbolic.xyz/settings",
    ),
    Quirks(max_tokens_field="max_tokens"),
    paths=also("completions", "images.generations"),
)
