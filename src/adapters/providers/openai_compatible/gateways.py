"""Gateways: one account for the models of many."""

from typing import Final

from adapters.dialects.openai.quirks import REASONING_FIELDS, TEXT_ONLY, Quirks
from adapters.providers import free_tiers
from adapters.providers.kind import Entry, Hosted, OptIn, also
from adapters.providers.targets import GATEWAY, OPENAI_TARGET
from adapters.wire.limit_headers import limit_headers, openai_limit_headers

GATEWAYS: Final[tuple[Entry, ...]] = (
    # OpenRouter: one account, many hosts, some models free.
    # Source: openrouter.ai/docs limits, errors, streaming, free models router (read 2026-11). A limit holds for the
    # account, not for a key; rate-limit headers come only with its own 429s and are repeated in the error's body.
    Hosted(
        id="openrouter",
        name="OpenRouter",
        base_url="https://openrouter.ai/api/v1",
        env=("OPENROUTER_API_KEY",),
        priority=20,
        target=GATEWAY,
        default_model="openrouter/free",
        models=("openrouter/free",),
        free_tier=free_tiers.OPENROUTER,
        key_url="https://openrouter.ai/keys",
        quirks=Quirks(
            own_params=frozenset({"top_k"}),
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
    ),
    # GitHub Models, retired on 2026-07-30: kept for installations that still answer, never switched on by itself.
    # Source: github orgs/community discussion 203602 (read 2026-11). `GITHUB_TOKEN` lies in many environments for
    # other reasons, and must not be sent to a host that serves nothing.
    OptIn(
        id="github_models",
        name="GitHub Models (retired)",
        base_url="https://models.github.ai/inference",
        priority=170,
        target=OPENAI_TARGET,
        free_tier=free_tiers.GITHUB_MODELS,
        quirks=Quirks(
            max_tokens_field="max_tokens", quota_resets="day", limits_by_model=True, limits=openai_limit_headers()
        ),
        models_path="/../catalog/models",
        version_path="",
        headers=(("x-github-api-version", "2022-11-28"),),
        paths=also("embeddings"),
        endpoint_quirks={"embeddings": TEXT_ONLY},
    ),
    # Vercel AI Gateway: no quirk known beyond what an unknown server has.
    # Source: litellm 1.106, the provider's pages (read 2026-11).
    Hosted(
        id="vercel_ai_gateway",
        name="Vercel AI Gateway",
        base_url="https://ai-gateway.vercel.sh/v1",
        env=("AI_GATEWAY_API_KEY", "VERCEL_AI_GATEWAY_API_KEY", "VERCEL_OIDC_TOKEN"),
        priority=180,
        target=GATEWAY,
        free_tier=free_tiers.VERCEL,
        key_url="https://vercel.com/docs/ai-gateway",
        quirks=Quirks(message_fields=frozenset(REASONING_FIELDS)),
        paths=also("embeddings", "responses"),
        endpoint_quirks={"embeddings": TEXT_ONLY},
    ),
)
