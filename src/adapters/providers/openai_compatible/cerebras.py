"""Cerebras Inference: fast open models, with a free tier.

Source: cerebras-cloud-sdk 1.91.0, inference-docs.cerebras.ai rate limits (read 2026-11). Its rate limiter
reserves the prompt plus `max_completion_tokens` up front, so a huge limit alone can cause a 429.
"""

from adapters.dialects.openai.quirks import Quirks
from adapters.providers.entry import Entry, also
from adapters.wire.limit_headers import limit_headers
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="cerebras",
        kind="openai",
        name="Cerebras Inference",
        base_url="https://api.cerebras.ai/v1",
        env=("CEREBRAS_API_KEY",),
        priority=10,
        default_model="gpt-oss-120b",
        models=("gpt-oss-120b", "zai-glm-4.7", "gemma-4-31b"),
        free_tier="5 requests and 30,000 tokens a minute, 1,000,000 tokens a day, per model",
        key_url="https://cloud.cerebras.ai",
    ),
    Quirks(
        max_tokens_field="max_completion_tokens",
        drop=frozenset({"frequency_penalty", "presence_penalty", "logit_bias", "store", "metadata"}),
        refused=frozenset({"n", "functions", "function_call"}),
        message_fields=frozenset({"reasoning"}),
        quota_resets="day",
        limits={
            **limit_headers(
                "requests",
                "day",
                limit="x-ratelimit-limit-requests-day",
                remaining="x-ratelimit-remaining-requests-day",
                reset="x-ratelimit-reset-requests-day",
            ),
            **limit_headers(
                "requests",
                "minute",
                limit="x-ratelimit-limit-requests-minute",
                remaining="x-ratelimit-remaining-requests-minute",
                reset="x-ratelimit-reset-requests-minute",
            ),
            **limit_headers(
                "tokens",
                "minute",
                limit="x-ratelimit-limit-tokens-minute",
                remaining="x-ratelimit-remaining-tokens-minute",
                reset="x-ratelimit-reset-tokens-minute",
            ),
        },
    ),
    paths=also("completions", "responses"),
)
