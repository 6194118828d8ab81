"""Mistral AI, with a free plan of about one request a second.

Source: mistralai 3.7.0 and public client fixtures (read 2026-11). It refuses what it does not know (422),
takes tool call ids of exactly nine letters and digits, sends usage without being asked, and may send
arguments as an object and content as a list of parts.
"""

from adapters.dialects.openai.quirks import EndpointQuirks, Quirks
from adapters.providers.entry import Entry, also
from adapters.wire.limit_headers import limit_headers
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="mistral",
        kind="openai",
        name="Mistral AI",
        base_url="https://api.mistral.ai/v1",
        env=("MISTRAL_API_KEY", "CODESTRAL_API_KEY"),
        priority=110,
        default_model="mistral-small-latest",
        models=("mistral-small-latest", "mistral-large-latest", "codestral-latest"),
        free_tier="about one request a second, 500,000 tokens a minute, 1,000,000,000 tokens a month",
        key_url="https://console.mistral.ai/api-keys",
    ),
    Quirks(
        max_tokens_field="max_tokens",
        drop=frozenset(
            {
                "user",
                "store",
                "metadata",
                "service_tier",
                "logit_bias",
                "logprobs",
                "top_logprobs",
                "safety_identifier",
                "prompt_cache_key",
                "prompt_cache_retention",
                "prompt_cache_options",
                "verbosity",
                "modalities",
                "audio",
                "web_search_options",
                "moderation",
            }
        ),
        refused=frozenset({"functions", "function_call"}),
        rename={"seed": "random_seed"},
        stream_usage=False,
        message_names=False,
        tool_call_id_length=9,
        error_kinds={"1300": "rate_limited"},
        quota_resets="month",
        limits={
            **limit_headers(
                "requests",
                "minute",
                limit="x-ratelimit-limit-req-minute",
                remaining="x-ratelimit-remaining-req-minute",
            ),
            **limit_headers(
                "requests",
                "10-second",
                limit="x-ratelimit-limit-req-10-second",
                remaining="x-ratelimit-remaining-req-10-second",
            ),
            **limit_headers(
                "tokens",
                "minute",
                limit="x-ratelimit-limit-tokens-minute",
                remaining="x-ratelimit-remaining-tokens-minute",
            ),
            **limit_headers(
                "tokens",
                "month",
                limit="x-ratelimit-limit-tokens-month",
                remaining="x-ratelimit-remaining-tokens-month",
            ),
        },
    ),
    paths=also("embeddings", "audio.transcriptions", "moderations"),
    endpoint_quirks={
        "embeddings": EndpointQuirks(
            drop=frozenset({"user"}), rename={"dimensions": "output_dimension"}, token_ids=False
        )
    },
)
