"""Companies that serve the models they make."""

from typing import Final

from adapters.dialects.openai.quirks import TEXT_ONLY, EndpointQuirks, Quirks
from adapters.providers import free_tiers
from adapters.providers.kind import PATHS, Entry, Hosted, OptIn, also
from adapters.providers.targets import (
    DASHSCOPE_TARGET,
    DEEPSEEK_TARGET,
    GEMINI_COMPATIBLE,
    MAKER,
    MISTRAL_TARGET,
    OPENAI_TARGET,
    PERPLEXITY_TARGET,
)
from adapters.wire.limit_headers import limit_headers, openai_limit_headers

MODEL_MAKERS: Final[tuple[Entry, ...]] = (
    # Mistral AI, with a free plan of about one request a second.
    # Source: mistralai 3.7.0 and public client fixtures (read 2026-11). It refuses what it does not know (422),
    # takes tool call ids of exactly nine letters and digits, sends usage without being asked, and may send
    # arguments as an object and content as a list of parts.
    Hosted(
        id="mistral",
        name="Mistral AI",
        base_url="https://api.mistral.ai/v1",
        env=("MISTRAL_API_KEY", "CODESTRAL_API_KEY"),
        priority=110,
        target=MISTRAL_TARGET,
        default_model="mistral-small-latest",
        models=("mistral-small-latest", "mistral-large-latest", "codestral-latest"),
        free_tier=free_tiers.MISTRAL,
        key_url="https://console.mistral.ai/api-keys",
        quirks=Quirks(
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
    ),
    # Z.ai (GLM), some flash models free. Its path has v4 and no v1.
    # Source: litellm 1.106 (read 2026-11). Error codes are numbers as strings; of tool choices it knows `auto`.
    Hosted(
        id="zai",
        name="Z.ai",
        base_url="https://api.z.ai/api/paas/v4",
        env=("ZAI_API_KEY", "ZHIPUAI_API_KEY"),
        priority=160,
        target=MAKER,
        default_model="glm-4.7-flash",
        models=("glm-4.7-flash", "glm-4.5-flash"),
        free_tier=free_tiers.ZAI,
        key_url="https://z.ai/manage-apikey/apikey-list",
        quirks=Quirks(
            max_tokens_field="max_tokens",
            rewrite={"tool_choice": {'"required"': '"auto"', "{": '"auto"'}},
            message_fields=frozenset({"reasoning_content"}),
            error_kinds={
                **dict.fromkeys("1000 1001 1002 1003 1004 1110 1111 1112".split(), "invalid_credential"),
                **dict.fromkeys("1113 1304 1308 1309 1310".split(), "quota_exhausted account"),
                **dict.fromkeys("1302 1303 1313".split(), "rate_limited key"),
                **dict.fromkeys("1305 1312".split(), "rate_limited model"),
                "1211": "model_absent",
                **dict.fromkeys("1220 1311".split(), "model_blocked"),
                "1261": "context_length",
                "1301": "content_policy",
            },
            quota_zone="Asia/Shanghai",
        ),
        models_path=None,
        version_path="/v4",
        paths=also("embeddings", "images.generations"),
        endpoint_quirks={"embeddings": TEXT_ONLY},
    ),
    # OpenAI itself: the dialect without a quirk but one.
    # Source: openai-python 3.52, developers.openai.com rate limits (read 2026-11). Reasoning models refuse
    # `max_tokens`; all models take `max_completion_tokens`.
    Hosted(
        id="openai",
        name="OpenAI",
        base_url="https://api.openai.com/v1",
        env=("OPENAI_API_KEY",),
        priority=200,
        target=OPENAI_TARGET,
        free_tier=free_tiers.OPENAI,
        key_url="https://platform.openai.com/api-keys",
        quirks=Quirks(
            max_tokens_field="max_completion_tokens",
            developer_role=True,
            limits_by_model=True,
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
        paths=also(*(name for name in PATHS if name != "rerank")),
        endpoint_quirks={"audio.speech": EndpointQuirks(default_voice="alloy")},
    ),
    # DeepSeek.
    # Source: api-docs.deepseek.com error codes (read 2026-11). While a request is queued it sends empty lines or
    # comments; in tool loops `reasoning_content` must be sent back; it has JSON mode but no JSON schema.
    Hosted(
        id="deepseek",
        name="DeepSeek",
        base_url="https://api.deepseek.com/v1",
        env=("DEEPSEEK_API_KEY",),
        priority=210,
        target=DEEPSEEK_TARGET,
        default_model="deepseek-v4-flash",
        models=("deepseek-v4-flash", "deepseek-v4-pro"),
        free_tier=free_tiers.DEEPSEEK,
        key_url="https://platform.deepseek.com/api_keys",
        quirks=Quirks(
            max_tokens_field="max_tokens",
            drop=frozenset({"logit_bias", "store", "metadata", "service_tier", "user"}),
            message_fields=frozenset({"reasoning_content"}),
        ),
    ),
    # xAI Grok.
    # Source: litellm's xai transformation, public client code (read 2026-11). `completion_tokens` leaves reasoning
    # tokens out although the total holds them; an error is `{"code", "error": "text"}`; a tool call comes whole.
    Hosted(
        id="xai",
        name="xAI",
        base_url="https://api.x.ai/v1",
        env=("XAI_API_KEY",),
        priority=220,
        target=MAKER,
        free_tier=free_tiers.XAI,
        key_url="https://console.x.ai",
        quirks=Quirks(
            drop=frozenset({"logit_bias", "store", "metadata"}),
            message_names=False,
            completion_excludes_reasoning=True,
            limits=openai_limit_headers(resets=False),
        ),
        paths=also("embeddings", "images.generations", "responses"),
        endpoint_quirks={"embeddings": TEXT_ONLY},
    ),
    # Moonshot Kimi.
    # Source: litellm 1.106 (read 2026-11). Temperature goes to 1 only; a tool cannot be required; usage may stand
    # inside the last choice of a stream.
    Hosted(
        id="moonshot",
        name="Moonshot Kimi",
        base_url="https://api.moonshot.ai/v1",
        env=("MOONSHOT_API_KEY",),
        priority=260,
        target=MAKER,
        free_tier=free_tiers.MOONSHOT,
        key_url="https://platform.moonshot.ai/console/api-keys",
        quirks=Quirks(
            max_tokens_field="max_tokens",
            refused=frozenset({"functions", "function_call"}),
            rewrite={"tool_choice": {'"required"': '"auto"'}},
            message_fields=frozenset({"reasoning_content"}),
        ),
    ),
    # Alibaba Model Studio (Qwen), international endpoint.
    # Source: litellm 1.106 (read 2026-11). Some thinking models answer streams only.
    Hosted(
        id="dashscope",
        name="Alibaba Model Studio",
        base_url="https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        env=("DASHSCOPE_API_KEY",),
        priority=270,
        target=DASHSCOPE_TARGET,
        free_tier=free_tiers.DASHSCOPE,
        key_url="https://modelstudio.console.alibabacloud.com",
        quirks=Quirks(max_tokens_field="max_tokens", quota_zone="Asia/Shanghai", limits_by_model=True),
        paths=also("completions", "embeddings"),
        endpoint_quirks={"embeddings": TEXT_ONLY},
    ),
    # Perplexity: answers with sources. No tools; no version in its path; no model list.
    # Source: litellm 1.106 (read 2026-11). Its chunks repeat the whole message beside the delta, with usage in each.
    Hosted(
        id="perplexity",
        name="Perplexity",
        base_url="https://api.perplexity.ai",
        env=("PERPLEXITY_API_KEY", "PERPLEXITYAI_API_KEY"),
        priority=280,
        target=PERPLEXITY_TARGET,
        default_model="sonar",
        models=("sonar", "sonar-pro", "sonar-reasoning-pro", "sonar-deep-research"),
        free_tier=free_tiers.PERPLEXITY,
        key_url="https://www.perplexity.ai/settings/api",
        quirks=Quirks(
            max_tokens_field="max_tokens",
            drop=frozenset({"logit_bias", "logprobs", "top_logprobs", "seed", "user", "store", "metadata"}),
            refused=frozenset({"tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "n"}),
            stream_usage=False,
        ),
        models_path=None,
        version_path="",
        paths={"embeddings": "/v1/embeddings"},
        endpoint_quirks={"embeddings": TEXT_ONLY},
    ),
    # Google Gemini through its OpenAI-compatible endpoint, for who would rather have it than `gemini`, its own API.
    # Source: ai.google.dev OpenAI compatibility and rate limits (read 2026-11). It sends no rate-limit headers: the
    # wait is in the error's RetryInfo. An invalid key is a 400; an error body may be an array; its ids in the model
    # list begin with `models/`; some versions end a tool call with `stop`.
    OptIn(
        id="gemini-openai",
        name="Google Gemini, OpenAI-compatible",
        base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        priority=335,
        target=GEMINI_COMPATIBLE,
        default_model="gemini-flash-latest",
        models=("gemini-flash-latest",),
        free_tier=free_tiers.GEMINI,
        key_url="https://aistudio.google.com/apikey",
        quirks=Quirks(
            drop=frozenset(
                {
                    "logit_bias",
                    "logprobs",
                    "top_logprobs",
                    "seed",
                    "frequency_penalty",
                    "presence_penalty",
                    "user",
                    "store",
                    "metadata",
                    "service_tier",
                    "parallel_tool_calls",
                    "prediction",
                    "verbosity",
                    "safety_identifier",
                    "prompt_cache_key",
                    "prompt_cache_retention",
                    "prompt_cache_options",
                    "moderation",
                }
            ),
            refused=frozenset({"functions", "function_call"}),
            message_names=False,
            stop_with_tool_calls=True,
        ),
        paths=also("embeddings", "images.generations"),
        endpoint_quirks={"embeddings": TEXT_ONLY},
    ),
    # Voyage AI: embeddings and rerankers, no chat.
    # Source: docs.voyageai.com/docs/reranker.md (of 2026-09-29), docs.voyageai.com/reference/reranker-api; of that
    # API mongodb.com/docs/api/doc/atlas-embedding-and-reranking-api (read 2026-11). There is no list of models.
    Hosted(
        id="voyage",
        name="Voyage AI",
        base_url="https://api.voyageai.com/v1",
        env=("VOYAGE_API_KEY",),
        priority=380,
        target=MAKER,
        free_tier=free_tiers.VOYAGE,
        key_url="https://dashboard.voyageai.com/api-keys",
        chat_path=None,
        models_path=None,
        models=("voyage-4-large", "voyage-4", "voyage-4-lite", "rerank-3", "rerank-2.5", "rerank-2.5-lite"),
        paths=also("embeddings", "rerank"),
        endpoint_quirks={
            "embeddings": EndpointQuirks(
                drop=frozenset({"user"}), rename={"dimensions": "output_dimension"}, token_ids=False
            ),
            "rerank": EndpointQuirks(drop=frozenset({"max_tokens_per_doc"}), rename={"top_n": "top_k"}),
        },
    ),
    # Jina AI: embeddings and rerankers, no chat.
    # Source: jina.ai/reranker, its API's OpenAPI document; of `embedding_type` the code of its clients (read 2026-11).
    # There is no list of models.
    Hosted(
        id="jina",
        name="Jina AI",
        base_url="https://api.jina.ai/v1",
        env=("JINA_API_KEY",),
        priority=385,
        target=MAKER,
        free_tier=free_tiers.JINA,
        key_url="https://jina.ai/api-dashboard",
        chat_path=None,
        models_path=None,
        models=("jina-embeddings-v4", "jina-embeddings-v3", "jina-reranker-v3", "jina-reranker-v2-base-multilingual"),
        paths=also("embeddings", "rerank"),
        endpoint_quirks={
            "embeddings": EndpointQuirks(
                drop=frozenset({"user"}), rename={"encoding_format": "embedding_type"}, token_ids=False
            ),
            "rerank": EndpointQuirks(drop=frozenset({"max_tokens_per_doc"})),
        },
    ),
)
