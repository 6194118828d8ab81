"""Together AI: open models, some of them free.

Source: litellm 1.106, public client code (read 2026-11). Its model list is a bare array, its finish reason
may be `eos`, an index of a tool call may be a string or missing.
"""

from adapters.dialects.openai.quirks import TEXT_ONLY, Quirks
from adapters.providers.entry import Entry, also
from adapters.wire.limit_headers import limit_headers
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="together",
        kind="openai",
        name="Together AI",
        base_url="https://api.together.ai/v1",
        env=("TOGETHER_API_KEY", "TOGETHERAI_API_KEY"),
        priority=230,
        free_tier="models ending in -Free, about 6 to 10 requests a minute",
        key_url="https://api.together.ai/settings/api-keys",
    ),
    Quirks(
        max_tokens_field="max_tokens",
        limits={
            **limit_headers(
                "requests",
                "second",
                limit="x-ratelimit-limit",
                remaining="x-ratelimit-remaining",
                reset="x-ratelimit-reset",
            ),
            **limit_headers("tokens", "second", limit="x-tokenlimit-limit", remaining="x-tokenlimit-remaining"),
        },
    ),
    paths=also("completions", "embeddings", "images.generations", "audio.speech", "audio.transcriptions"),
    endpoint_quirks={"embeddings": TEXT_ONLY},
)
