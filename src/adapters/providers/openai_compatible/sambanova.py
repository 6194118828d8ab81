"""SambaNova Cloud: fast open models, with a free tier.

Source: docs.sambanova.ai rate limits (read 2026-11). Reset headers are Unix times.
"""

from adapters.dialects.openai.quirks import TEXT_ONLY, Quirks
from adapters.providers.entry import Entry, also
from adapters.wire.limit_headers import limit_headers
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="sambanova",
        kind="openai",
        name="SambaNova Cloud",
        base_url="https://api.sambanova.ai/v1",
        env=("SAMBANOVA_API_KEY",),
        priority=120,
        default_model="gpt-oss-120b",
        free_tier="per model, and 200,000 tokens a day",
        key_url="https://cloud.sambanova.ai/apis",
    ),
    Quirks(
        max_tokens_field="max_tokens",
        drop=frozenset({"logit_bias", "presence_penalty", "frequency_penalty", "store", "metadata"}),
        refused=frozenset({"n"}),
        quota_resets="day",
        limits={
            **limit_headers(
                "requests",
                "minute",
                limit="x-ratelimit-limit-requests",
                remaining="x-ratelimit-remaining-requests",
                reset="x-ratelimit-reset-requests",
            ),
            **limit_headers(
                "requests",
                "day",
                limit="x-ratelimit-limit-requests-day",
                remaining="x-ratelimit-remaining-requests-day",
                reset="x-ratelimit-reset-requests-day",
            ),
        },
    ),
    paths=also("completions", "embeddings", "audio.transcriptions", "responses"),
    endpoint_quirks={"embeddings": TEXT_ONLY},
)
