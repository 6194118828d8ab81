"""Vercel AI Gateway: no quirk known beyond what an unknown server has.

Source: litellm 1.106, the provider's pages (read 2026-11).
"""

from adapters.dialects.openai.quirks import REASONING_FIELDS, TEXT_ONLY, Quirks
from adapters.providers.entry import Entry, also
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="vercel_ai_gateway",
        kind="openai",
        name="Vercel AI Gateway",
        base_url="https://ai-gateway.vercel.sh/v1",
        env=("AI_GATEWAY_API_KEY", "VERCEL_AI_GATEWAY_API_KEY", "VERCEL_OIDC_TOKEN"),
        priority=180,
        free_tier="5 USD of credit a month",
        key_url="https://vercel.com/docs/ai-gateway",
    ),
    Quirks(message_fields=frozenset(REASONING_FIELDS)),
    paths=also("embeddings", "responses"),
    endpoint_quirks={"embeddings": TEXT_ONLY},
)
