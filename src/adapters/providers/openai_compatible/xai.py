"""xAI Grok.

Source: litellm's xai transformation, public client code (read 2026-11). `completion_tokens` leaves reasoning
tokens out although the total holds them; an error is `{"code", "error": "text"}`; a tool call comes whole.
"""

from adapters.dialects.openai.quirks import TEXT_ONLY, Quirks
from adapters.providers.entry import Entry, also
from adapters.wire.limit_headers import openai_limit_headers
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="xai",
        kind="openai",
        name="xAI",
        base_url="https://api.x.ai/v1",
        env=("XAI_API_KEY",),
        priority=220,
        free_tier="none",
        key_url="https://console.x.ai",
    ),
    Quirks(
        drop=frozenset({"logit_bias", "store", "metadata"}),
        message_names=False,
        completion_excludes_reasoning=True,
        limits=openai_limit_headers(resets=False),
    ),
    paths=also("embeddings", "images.generations", "responses"),
    endpoint_quirks={"embeddings": TEXT_ONLY},
)
