"""Servers of one's own, and whatever else answers at an address that only the operator knows."""

from typing import Final

from adapters.dialects.openai.quirks import REASONING_FIELDS, TEXT_ONLY, EndpointQuirks, Quirks
from adapters.providers import free_tiers
from adapters.providers.kind import PATHS, AnyServer, Entry, LocalServer, also
from adapters.providers.targets import LOCAL, SIMULATED_TARGET, UNKNOWN_SERVER
from adapters.wire.limit_headers import openai_limit_headers

LOCAL_SERVERS: Final[tuple[Entry, ...]] = (
    # A vLLM server of your own.
    # Source: vLLM's OpenAI server, litellm hosted_vllm (read 2026-11). A key only where it was started with one.
    LocalServer(
        id="vllm",
        name="vLLM (own server)",
        base_url="http://127.0.0.1:8000/v1",
        env=("VLLM_BASE_URL", "HOSTED_VLLM_API_BASE", "VLLM_API_KEY", "HOSTED_VLLM_API_KEY"),
        priority=410,
        target=LOCAL,
        quirks=Quirks(
            own_params=frozenset({"top_k"}),
            max_stops=None,
            developer_role=True,
            message_fields=frozenset(REASONING_FIELDS),
        ),
        paths=also("completions", "embeddings", "audio.transcriptions", "audio.translations", "rerank", "responses"),
    ),
    # LM Studio on your own machine.
    # Source: litellm lm_studio (read 2026-11). It refuses `json_object`; unknown paths are a 200 with an error.
    LocalServer(
        id="lmstudio",
        name="LM Studio (local)",
        base_url="http://127.0.0.1:1234/v1",
        env=("LM_STUDIO_API_BASE", "LM_STUDIO_API_KEY"),
        priority=420,
        target=LOCAL,
        quirks=Quirks(
            own_params=frozenset({"top_k"}),
            max_stops=None,
            max_tokens_field="max_tokens",
            message_fields=frozenset(REASONING_FIELDS),
        ),
        paths=also("completions", "embeddings", "responses"),
        endpoint_quirks={"embeddings": TEXT_ONLY},
    ),
    # llama.cpp's server on your own machine.
    # Source: llama.cpp server (read 2026-11). 503 while a model loads; older versions tell a
    # stream's error in an `error:` line.
    LocalServer(
        id="llamacpp",
        name="llama.cpp (local)",
        base_url="http://127.0.0.1:8080/v1",
        env=("LLAMACPP_BASE_URL",),
        priority=430,
        target=LOCAL,
        quirks=Quirks(
            own_params=frozenset({"top_k"}),
            max_stops=None,
            max_tokens_field="max_tokens",
            message_fields=frozenset(REASONING_FIELDS),
        ),
        paths=also("completions", "embeddings", "rerank", "responses"),
    ),
    # Hugging Face's text-embeddings-inference with a reranker: one model a server, whatever it is called.
    # Source: text-embeddings-inference, `router/src/http/types.rs` (read 2026-11). It ranks all documents.
    LocalServer(
        id="tei",
        name="Text Embeddings Inference (own server)",
        base_url="http://127.0.0.1:3000",
        env=("TEI_BASE_URL", "TEI_API_KEY"),
        priority=440,
        target=LOCAL,
        chat_path=None,
        models_path=None,
        version_path="",
        paths={"rerank": "/rerank", "embeddings": "/v1/embeddings"},
        endpoint_quirks={
            "embeddings": TEXT_ONLY,
            "rerank": EndpointQuirks(
                drop=frozenset({"max_tokens_per_doc"}),
                rename={"documents": "texts", "return_documents": "return_text"},
            ),
        },
    ),
)

CUSTOM: Final = AnyServer(
    id="custom",
    name="Any OpenAI-compatible URL",
    priority=500,
    target=UNKNOWN_SERVER,
    quirks=Quirks(
        message_fields=frozenset(REASONING_FIELDS),
        limits=openai_limit_headers(),
    ),
    paths=also(*(name for name in PATHS if not name.startswith("responses"))),
)
"""Any other OpenAI-compatible base URL: nothing is known of it, so everything is passed on.

Rate-limit headers are read by OpenAI's names, in whatever format they come.
"""

SIMULATED: Final = AnyServer(
    id="simulated",
    kind="simulated",
    name="Simulated upstream",
    priority=900,
    target=SIMULATED_TARGET,
    requires_key=False,
    free_tier=free_tiers.SIMULATED,
    quirks=Quirks(
        developer_role=True,
        message_fields=frozenset(REASONING_FIELDS),
        limits=openai_limit_headers(),
    ),
    paths=PATHS,
)
"""The simulated upstream of `omg simulate` and `omg serve --demo`: OpenAI's format, faults on demand."""
