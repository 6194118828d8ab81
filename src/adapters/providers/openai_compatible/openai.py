"""OpenAI itself: the dialect without a quirk but one.

Source: openai-python 3.52, developers.openai.com rate limits (read 2026-11). Reasoning models refuse
`max_tokens`; all models take `max_completion_tokens`.
"""

from adapters.dialects.openai.quirks import Quirks
from adapters.providers.entry import Entry, also
from adapters.wire.limit_headers import limit_headers, openai_limit_headers
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="openai",
        kind="openai",
        name="OpenAI",
        base_url="https://api.openai.com/v1",
        env=("OPENAI_API_KEY",),
        priority=200,
        free_tier="none to speak of",
        key_url="https://platform.openai.com/api-keys",
    ),
    Quirks(
        max_tokens_field="max_completion_tokens",
        developer_role=True,
        limits={
            **openai_limit_headers(),
            **limit_headers(
                "tokens",
                "minute",
                limit="x-ratelimit-limit-project-tokens",
                remaining="x-ratelimit-remaining-project-tokens",
                reset="x-ratelimit-reset-project-tokens",
            ),
        },
    ),
    paths=also(
        "completions",
        "embeddings",
        "images.generations",
        "audio.speech",
        "audio.transcriptions",
        "moderations",
        "responses",
    ),
)
