"""Cloudflare Workers AI. The account is part of the URL.

Source: cloudflare-docs limits (read 2026-11). Two different 429s: the day's neurons are spent (until midnight
UTC), or too many tasks this minute. Models are listed beside the OpenAI endpoints, not under them.
"""

from adapters.dialects.openai.quirks import TEXT_ONLY, Quirks
from adapters.providers.entry import Entry, also
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="cloudflare",
        kind="openai",
        name="Cloudflare Workers AI",
        base_url="https://api.cloudflare.com/client/v4/accounts/{account_id}/ai/v1",
        env=("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY", "CLOUDFLARE_ACCOUNT_ID"),
        priority=140,
        default_model="@cf/openai/gpt-oss-120b",
        free_tier="10,000 neurons a day",
        key_url="https://dash.cloudflare.com/profile/api-tokens",
    ),
    Quirks(
        max_tokens_field="max_tokens",
        error_kinds={
            "3036": "quota_exhausted",
            "4006": "quota_exhausted",
            "3040": "overloaded",
            "5007": "model_absent",
            "10000": "invalid_credential",
        },
        quota_resets="day",
    ),
    models_path="/../models/search",
    paths=also("completions", "embeddings", "responses"),
    endpoint_quirks={"embeddings": TEXT_ONLY},
)
