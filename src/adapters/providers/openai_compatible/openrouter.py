"""OpenRouter: one account, many hosts, some models free.

Source: openrouter.ai/docs limits, errors, streaming, free models router (read 2026-11). A limit holds for the
account, not for a key; rate-limit headers come only with its own 429s and are repeated in the error's body.
"""

from adapters.dialects.openai.quirks import REASONING_FIELDS, TEXT_ONLY, Quirks
from adapters.providers.entry import Entry, also
from adapters.wire.limit_headers import limit_headers
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="openrouter",
        kind="openai",
        name="OpenRouter",
        base_url="https://openrouter.ai/api/v1",
        env=("OPENROUTER_API_KEY",),
        priority=20,
        default_model="openrouter/free",
        models=("openrouter/free",),
        free_tier="models ending in :free: 20 requests a minute, 50 a day (1,000 once 10 USD were bought)",
        key_url="https://openrouter.ai/keys",
    ),
    Quirks(
        message_fields=frozenset(REASONING_FIELDS),
        quota_resets="day",
        limits=limit_headers(
            "requests",
            "",
            limit="x-ratelimit-limit",
            remaining="x-ratelimit-remaining",
            reset="x-ratelimit-reset",
        ),
    ),
    paths=also("completions", "embeddings", "responses"),
    endpoint_quirks={"embeddings": TEXT_ONLY},
)
