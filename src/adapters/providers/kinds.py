"""Every provider the gateway knows, by the kind of its API: one row a kind, and in it one entry a provider.

Adding a provider that speaks OpenAI's API is an entry in a table of `openai_compatible`; adding an API is a row here
and the adapter it names.
"""

from typing import Final

from adapters.dialects.openai.quirks import TEXT_ONLY, EndpointQuirks, Quirks
from adapters.providers import free_tiers
from adapters.providers.kind import PATHS, AnyServer, Cloud, Entry, Hosted, Kind, LocalServer, also
from adapters.providers.openai_compatible.gateways import GATEWAYS
from adapters.providers.openai_compatible.inference_hosts import INFERENCE_HOSTS
from adapters.providers.openai_compatible.model_makers import MODEL_MAKERS
from adapters.providers.openai_compatible.servers import CUSTOM, LOCAL_SERVERS, SIMULATED
from adapters.providers.targets import (
    ANTHROPIC_TARGET,
    BEDROCK_TARGET,
    COHERE_TARGET,
    GEMINI_TARGET,
    HOST,
    OLLAMA_TARGET,
    OPENAI_TARGET,
    VERTEX_TARGET,
)
from adapters.wire.limit_headers import openai_limit_headers

OPENAI: Final = Kind(
    id="openai",
    name="OpenAI and every OpenAI-compatible API",
    adapter="adapters.providers.openai_compatible.adapter",
    endpoints=("chat.completions", *PATHS, "models"),
    entries=(*MODEL_MAKERS, *INFERENCE_HOSTS, *GATEWAYS, *LOCAL_SERVERS, CUSTOM),
    fallback=CUSTOM,
)

KINDS: Final[tuple[Kind, ...]] = (
    OPENAI,
    Kind(
        id="simulated",
        name="Simulated upstream",
        adapter="adapters.providers.openai_compatible.adapter",
        endpoints=("chat.completions", *PATHS, "models"),
        entries=(SIMULATED,),
    ),
    Kind(
        id="azure",
        name="Azure OpenAI",
        adapter="adapters.providers.azure.adapter",
        endpoints=(
            "chat.completions",
            "completions",
            "embeddings",
            "images.generations",
            "images.edits",
            "audio.speech",
            "audio.transcriptions",
            "audio.translations",
            "responses",
            "models",
        ),
        entries=(
            AnyServer(
                id="azure",
                kind="azure",
                name="Azure OpenAI",
                env=("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN", "AZURE_OPENAI_ENDPOINT"),
                priority=205,
                target=OPENAI_TARGET,
                free_tier=free_tiers.AZURE,
                key_url="https://portal.azure.com",
                quirks=Quirks(
                    developer_role=True,
                    limits_by_model=True,
                    error_kinds={"DeploymentNotFound": "model_absent", "content_filter": "content_policy"},
                    limits=openai_limit_headers(requests_window="minute"),
                ),
                version_path="",
                paths=also(
                    "completions",
                    "embeddings",
                    "images.generations",
                    "images.edits",
                    "audio.speech",
                    "audio.transcriptions",
                    "audio.translations",
                    "responses",
                ),
                endpoint_quirks={"audio.speech": EndpointQuirks(default_voice="alloy")},
            ),
        ),
    ),
    Kind(
        id="huggingface",
        name="Hugging Face",
        adapter="adapters.providers.huggingface.adapter",
        endpoints=(
            "chat.completions",
            "embeddings",
            "images.generations",
            "audio.transcriptions",
            "responses",
            "models",
        ),
        entries=(
            Hosted(
                id="huggingface",
                kind="huggingface",
                name="Hugging Face Inference Providers",
                base_url="https://router.huggingface.co/v1",
                env=("HF_TOKEN", "HUGGINGFACEHUB_API_TOKEN", "HUGGING_FACE_HUB_TOKEN"),
                priority=150,
                target=HOST,
                default_model="openai/gpt-oss-120b",
                free_tier=free_tiers.HUGGINGFACE,
                key_url="https://huggingface.co/settings/tokens",
                quirks=Quirks(max_tokens_field="max_tokens", quota_resets="month"),
                paths=also("responses"),
                endpoint_quirks={"embeddings": TEXT_ONLY},
            ),
        ),
    ),
    Kind(
        id="anthropic",
        name="Anthropic Messages",
        adapter="adapters.providers.anthropic.adapter",
        endpoints=("chat.completions", "messages", "messages.count_tokens", "models"),
        entries=(
            Hosted(
                id="anthropic",
                kind="anthropic",
                name="Anthropic",
                base_url="https://api.anthropic.com/v1",
                env=("ANTHROPIC_API_KEY",),
                priority=205,
                target=ANTHROPIC_TARGET,
                default_model="claude-sonnet-5-5",
                models=("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"),
                free_tier=free_tiers.ANTHROPIC,
                key_url="https://platform.claude.com/settings/keys",
            ),
        ),
    ),
    Kind(
        id="bedrock",
        name="Amazon Bedrock",
        adapter="adapters.providers.bedrock.adapter",
        endpoints=("chat.completions", "embeddings", "images.generations", "models"),
        entries=(
            Cloud(
                id="bedrock",
                kind="bedrock",
                name="Amazon Bedrock",
                base_url="https://bedrock-runtime.amazonaws.com",
                env=("AWS_BEARER_TOKEN_BEDROCK",),
                ambient=("AWS_ACCESS_KEY_ID",),
                priority=360,
                target=BEDROCK_TARGET,
                default_model="global.anthropic.claude-sonnet-5-5",
                free_tier=free_tiers.BEDROCK,
                key_url="https://console.aws.amazon.com/bedrock/home#/api-keys",
                version_path="",
            ),
        ),
    ),
    Kind(
        id="cohere",
        name="Cohere",
        adapter="adapters.providers.cohere.adapter",
        endpoints=("chat.completions", "embeddings", "rerank", "models"),
        entries=(
            Hosted(
                id="cohere",
                kind="cohere",
                name="Cohere",
                base_url="https://api.cohere.com",
                env=("COHERE_API_KEY", "CO_API_KEY"),
                priority=165,
                target=COHERE_TARGET,
                default_model="command-a-03-2025",
                free_tier=free_tiers.COHERE,
                key_url="https://dashboard.cohere.com/api-keys",
                version_path="",
            ),
        ),
    ),
    Kind(
        id="ollama",
        name="Ollama",
        adapter="adapters.providers.ollama.adapter",
        endpoints=("chat.completions", "completions", "embeddings", "models"),
        entries=(
            LocalServer(
                id="ollama",
                kind="ollama",
                name="Ollama (local)",
                base_url="http://127.0.0.1:11434",
                env=("OLLAMA_HOST",),
                priority=400,
                target=OLLAMA_TARGET,
                quirks=Quirks(max_tokens_field="max_tokens"),
                version_path="",
            ),
        ),
    ),
    Kind(
        id="gemini",
        name="Gemini API",
        adapter="adapters.providers.gemini.adapter",
        endpoints=(
            "chat.completions",
            "embeddings",
            "images.generations",
            "models.generate_content",
            "models.count_tokens",
            "models.embed_content",
            "models",
        ),
        entries=(
            Hosted(
                id="gemini",
                kind="gemini",
                name="Google Gemini",
                base_url="https://generativelanguage.googleapis.com/v1beta",
                env=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
                priority=30,
                target=GEMINI_TARGET,
                default_model="gemini-flash-latest",
                models=("gemini-flash-latest",),
                free_tier=free_tiers.GEMINI,
                key_url="https://aistudio.google.com/apikey",
                version_path="/v1beta",
            ),
        ),
    ),
    Kind(
        id="vertex",
        name="Vertex AI",
        adapter="adapters.providers.vertex.adapter",
        endpoints=("chat.completions", "embeddings", "images.generations", "models"),
        entries=(
            Cloud(
                id="vertex",
                kind="vertex",
                name="Google Vertex AI",
                base_url="https://aiplatform.googleapis.com/v1",
                env=("VERTEX_CREDENTIALS",),
                priority=225,
                target=VERTEX_TARGET,
                models=("gemini-4-argon", "gemini-3.8-flash", "gemini-embedding-001", "claude-sonnet-5-5"),
                free_tier=free_tiers.VERTEX,
                key_url="https://console.cloud.google.com/iam-admin/serviceaccounts",
            ),
        ),
    ),
)

ENTRIES: Final[tuple[Entry, ...]] = tuple(entry for kind in KINDS for entry in kind.entries)
