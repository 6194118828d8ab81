"""Hosts of open models: one model at several of them is a choice between their prices and speeds."""

from typing import Final

from adapters.dialects.openai.quirks import REASONING_FIELDS, TEXT_ONLY, EndpointQuirks, Quirks
from adapters.providers import free_tiers
from adapters.providers.kind import Entry, Hosted, also
from adapters.providers.targets import CLOUDFLARE_TARGET, HOST, OLLAMA_CLOUD_TARGET
from adapters.wire.limit_headers import limit_headers, openai_limit_headers

CACHE_PARAMS: Final = ("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention")
"""OpenAI's own, which Groq and Cerebras answer 400 to (new-api#5982, eigent#1827)."""

INFERENCE_HOSTS: Final[tuple[Entry, ...]] = (
    # Cerebras Inference: fast open models.
    # Source: cerebras-cloud-sdk 1.91.0, inference-docs.cerebras.ai rate limits (read 2026-11). Its rate limiter
    # reserves the prompt plus `max_completion_tokens` up front, so a huge limit alone can cause a 429.
    Hosted(
        id="cerebras",
        name="Cerebras Inference",
        base_url="https://api.cerebras.ai/v1",
        env=("CEREBRAS_API_KEY",),
        priority=10,
        target=HOST,
        default_model="gpt-oss-120b",
        models=("gpt-oss-120b", "qwen-3.8-27b"),
        free_tier=free_tiers.CEREBRAS,
        key_url="https://cloud.cerebras.ai",
        quirks=Quirks(
            max_tokens_field="max_completion_tokens",
            drop=frozenset(
                {
                    "frequency_penalty",
                    "presence_penalty",
                    "logit_bias",
                    "store",
                    "metadata",
                    *CACHE_PARAMS,
                }
            ),
            refused=frozenset({"n", "functions", "function_call"}),
            message_fields=frozenset({"reasoning"}),
            quota_resets="day",
            limits_by_model=True,
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
    ),
    # GroqCloud: open models.
    # Source: console.groq.com/docs/rate-limits, groq 1.7.0 (read 2026-11). The request headers count the day, the
    # token headers the minute; usage may come in `x_groq.usage`, a stream's error in `x_groq.error`.
    Hosted(
        id="groq",
        name="GroqCloud",
        base_url="https://api.groq.com/openai/v1",
        env=("GROQ_API_KEY",),
        priority=100,
        target=HOST,
        default_model="openai/gpt-oss-120b",
        models=("openai/gpt-oss-120b", "openai/gpt-oss-20b", "qwen/qwen3.8-27b"),
        free_tier=free_tiers.GROQ,
        key_url="https://console.groq.com/keys",
        quirks=Quirks(
            max_tokens_field="max_completion_tokens",
            drop=frozenset(
                {
                    "logprobs",
                    "top_logprobs",
                    "logit_bias",
                    "store",
                    "metadata",
                    "safety_identifier",
                    *CACHE_PARAMS,
                }
            ),
            refused=frozenset({"n"}),
            message_names=False,
            message_fields=frozenset({"reasoning"}),
            quota_resets="day",
            limits_by_model=True,
            limits=openai_limit_headers(requests_window="day"),
        ),
        paths=also("audio.speech", "audio.transcriptions", "audio.translations", "responses"),
        endpoint_quirks={
            "audio.speech": EndpointQuirks(default_voice="autumn"),
            "audio.transcriptions": EndpointQuirks(at_least_seconds=10),
            "audio.translations": EndpointQuirks(at_least_seconds=10),
        },
    ),
    # SambaNova Cloud: fast open models.
    # Source: docs.sambanova.ai rate limits (read 2026-11). Reset headers are Unix times.
    Hosted(
        id="sambanova",
        name="SambaNova Cloud",
        base_url="https://api.sambanova.ai/v1",
        env=("SAMBANOVA_API_KEY",),
        priority=120,
        target=HOST,
        default_model="gpt-oss-120b",
        free_tier=free_tiers.SAMBANOVA,
        key_url="https://cloud.sambanova.ai/apis",
        quirks=Quirks(
            max_tokens_field="max_tokens",
            drop=frozenset({"logit_bias", "presence_penalty", "frequency_penalty", "store", "metadata"}),
            refused=frozenset({"n"}),
            quota_resets="day",
            limits_by_model=True,
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
    ),
    # NVIDIA NIM (build.nvidia.com): open models at a free rate.
    # Source: litellm, promptfoo docs (read 2026-11). Which fields a model knows varies; a cold model may answer 202
    # or 404, and neither is waited for.
    Hosted(
        id="nvidia",
        name="NVIDIA NIM",
        base_url="https://integrate.api.nvidia.com/v1",
        env=("NVIDIA_API_KEY", "NVIDIA_NIM_API_KEY"),
        priority=130,
        target=HOST,
        default_model="openai/gpt-oss-120b",
        free_tier=free_tiers.NVIDIA,
        key_url="https://build.nvidia.com",
        quirks=Quirks(
            max_tokens_field="max_tokens",
            drop=frozenset({"store", "metadata", "service_tier", "user", "logit_bias", "parallel_tool_calls"}),
        ),
        paths=also("completions", "embeddings"),
        endpoint_quirks={"embeddings": TEXT_ONLY},
    ),
    # Cloudflare Workers AI. The account is part of the URL.
    # Source: cloudflare-docs limits (read 2026-11). Two different 429s: the day's neurons are spent (until midnight
    # UTC), or too many tasks this minute. Models are listed beside the OpenAI endpoints, not under them.
    Hosted(
        id="cloudflare",
        name="Cloudflare Workers AI",
        base_url="https://api.cloudflare.com/client/v4/accounts/{account_id}/ai/v1",
        env=("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY", "CLOUDFLARE_ACCOUNT_ID"),
        priority=140,
        target=CLOUDFLARE_TARGET,
        default_model="@cf/openai/gpt-oss-120b",
        free_tier=free_tiers.CLOUDFLARE,
        key_url="https://dash.cloudflare.com/profile/api-tokens",
        quirks=Quirks(
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
    ),
    # Ollama's own servers; the local server is `ollama`.
    # Source: ollama 0.6.3 (read 2026-11).
    Hosted(
        id="ollama_cloud",
        name="Ollama Cloud",
        base_url="https://ollama.com/v1",
        env=("OLLAMA_API_KEY",),
        priority=190,
        target=OLLAMA_CLOUD_TARGET,
        free_tier=free_tiers.OLLAMA_CLOUD,
        key_url="https://ollama.com/settings/keys",
        quirks=Quirks(max_tokens_field="max_tokens", message_fields=frozenset(REASONING_FIELDS)),
        paths=also("completions", "embeddings"),
        endpoint_quirks={"embeddings": TEXT_ONLY},
    ),
    # Together AI: open models, some of them free.
    # Source: litellm 1.106, public client code (read 2026-11). Its model list is a bare array, its finish reason
    # may be `eos`, an index of a tool call may be a string or missing.
    Hosted(
        id="together",
        name="Together AI",
        base_url="https://api.together.ai/v1",
        env=("TOGETHER_API_KEY", "TOGETHERAI_API_KEY"),
        priority=230,
        target=HOST,
        free_tier=free_tiers.TOGETHER,
        key_url="https://api.together.ai/settings/api-keys",
        quirks=Quirks(
            own_params=frozenset({"top_k"}),
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
        paths=also(
            "completions",
            "embeddings",
            "images.generations",
            "audio.speech",
            "audio.transcriptions",
            "audio.translations",
            "rerank",
        ),
        endpoint_quirks={"embeddings": TEXT_ONLY, "audio.speech": EndpointQuirks(default_voice="tara")},
    ),
    # Fireworks AI. Its model ids are paths: `accounts/fireworks/models/…`.
    # Source: docs.fireworks.ai rate limits, public client code (read 2026-11). Limits adapt to use and have no reset.
    Hosted(
        id="fireworks",
        name="Fireworks AI",
        base_url="https://api.fireworks.ai/inference/v1",
        env=("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"),
        priority=240,
        target=HOST,
        free_tier=free_tiers.FIREWORKS,
        key_url="https://app.fireworks.ai/settings/users/api-keys",
        quirks=Quirks(
            own_params=frozenset({"top_k"}),
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
    ),
    # DeepInfra.
    # Source: litellm 1.106 (read 2026-11). Of tool choices it knows `auto` and `none`.
    Hosted(
        id="deepinfra",
        name="DeepInfra",
        base_url="https://api.deepinfra.com/v1/openai",
        env=("DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN"),
        priority=250,
        target=HOST,
        free_tier=free_tiers.DEEPINFRA,
        key_url="https://deepinfra.com/dash/api_keys",
        quirks=Quirks(
            max_tokens_field="max_tokens",
            rewrite={"tool_choice": {'"required"': '"auto"', "{": '"auto"'}},
        ),
        paths=also(
            "completions",
            "embeddings",
            "images.generations",
            "audio.speech",
            "audio.transcriptions",
            "audio.translations",
        ),
        endpoint_quirks={"embeddings": TEXT_ONLY},
    ),
    # Nebius Token Factory: no quirk known beyond what an unknown server has.
    # Source: litellm 1.106, the provider's pages (read 2026-11).
    Hosted(
        id="nebius",
        name="Nebius Token Factory",
        base_url="https://api.studio.nebius.ai/v1",
        env=("NEBIUS_API_KEY",),
        priority=290,
        target=HOST,
        free_tier=free_tiers.NEBIUS,
        key_url="https://tokenfactory.nebius.com",
        quirks=Quirks(max_tokens_field="max_tokens"),
        paths=also("completions", "embeddings", "images.generations"),
        endpoint_quirks={"embeddings": TEXT_ONLY},
    ),
    # Hyperbolic: no quirk known beyond what an unknown server has.
    # Source: litellm 1.106, the provider's pages (read 2026-11).
    Hosted(
        id="hyperbolic",
        name="Hyperbolic",
        base_url="https://api.hyperbolic.xyz/v1",
        env=("HYPERBOLIC_API_KEY",),
        priority=300,
        target=HOST,
        free_tier=free_tiers.HYPERBOLIC,
        key_url="https://app.hyperbolic.xyz/settings",
        quirks=Quirks(max_tokens_field="max_tokens"),
        paths=also("completions", "images.generations"),
    ),
    # Novita AI: no quirk known beyond what an unknown server has.
    # Source: litellm 1.106, the provider's pages (read 2026-11).
    Hosted(
        id="novita",
        name="Novita AI",
        base_url="https://api.novita.ai/v3/openai",
        env=("NOVITA_API_KEY",),
        priority=310,
        target=HOST,
        free_tier=free_tiers.NOVITA,
        key_url="https://novita.ai/settings/key-management",
        quirks=Quirks(max_tokens_field="max_tokens"),
        paths=also("completions", "embeddings"),
        endpoint_quirks={"embeddings": TEXT_ONLY},
    ),
)
