"""Fireworks AI. Its model ids are paths: `accounts/fireworks/models/…`.

Source: docs.fireworks.ai rate limits, public client code (read 2026-11). Limits adapt to use and have no reset.
"""

from adapters.dialects.openai.quirks import TEXT_ONLY, Quirks
from adapters.providers.entry import Entry, also
from adapters.wire.limit_headers import limit_headers, openai_limit_headers
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="fireworks",
        kind="openai",
        name="Fireworks AI",
        base_url="https://api.fireworks.ai/inference/v1",
        env=("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"),
        priority=240,
        free_tier="1 USD of credit; 10 requests a minute without a card",
        key_url="https://app.fireworks.ai/settings/users/api-keys",
    ),
    Quirks(
        max_tokens_field="max_tokens",
        limits={
            **openai_limit_headers(requests_window="minute", resets=False),
            **limit_headers(
                "tokens",
                "minute",
                limit="x-ratelimit-limit-tokens-prompt",
                remaining="x-ratelimit-remaining-tokens-prompt",
            ),
            **limit_headers(
                "tokens",
                "minute",
                limit="x-ratelimit-limit-tokens-generated",
                remaining="x-ratelimit-remaining-tokens-generated",
            ),
        },
    ),
    paths=also("completions", "embeddings", "responses"),
    endpoint_quirks={"embeddings": TEXT_ONLY},
)
