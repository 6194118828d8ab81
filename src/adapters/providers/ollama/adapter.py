"""Ollama by its own API, which OpenAI's form of it cannot replace: that has no `num_ctx`, no `keep_alive`, no `think`.

Source: ollama 0.6.3, the server's API page (read 2026-11). The first call to a model loads it: tens of seconds. Plain
completions go to its OpenAI form, the one that takes a prompt as it is.
"""

from collections.abc import Callable
from typing import Final

from adapters.constraints.conform import Conformer
from adapters.dialects.ollama.chat import OllamaChat
from adapters.dialects.ollama.embeddings import OllamaEmbedding
from adapters.dialects.ollama.errors import failure_from_ollama
from adapters.dialects.ollama.model_list import read_tags
from adapters.dialects.ollama.params import OLLAMA_CHAT_PARAMS, OLLAMA_EMBEDDING_PARAMS
from adapters.dialects.openai.completions import OpenAICompletions
from adapters.dialects.openai.params import endpoint_fidelity
from adapters.dialects.openai.quirks import EndpointQuirks
from adapters.providers.base_url import endpoint, without_suffix
from adapters.providers.batched_embeddings import BatchedEmbeddings
from adapters.providers.capability import HttpCapability, HttpModels, fixed
from adapters.providers.detokenized import Detokenized
from adapters.providers.kind import BuildContext, Entry
from adapters.providers.upstream import HttpUpstream, KeyHeaders
from adapters.wire.rate_limits import RawHeaders
from domain.chat import ChatRequest
from domain.completions import CompletionRequest
from domain.errors import UpstreamFailure
from domain.fidelity import Fidelity
from domain.ports.providers import Capabilities
from domain.secrets import Secret

_SUFFIXES: Final = ("/v1", "/api")


def build(context: BuildContext) -> Capabilities:
    """Chat, completions, embeddings and the list of models."""
    settings, base = context.provider.settings, without_suffix(context.base, _SUFFIXES)
    upstream = HttpUpstream(context.transport, context.timeouts, context.now)
    headers = KeyHeaders(context.user_agent, context.entry.headers)
    chat: HttpCapability[ChatRequest] = HttpCapability(
        upstream,
        OllamaChat(settings.drop_params, settings.num_ctx),
        fixed(endpoint(base, "/api/chat")),
        headers,
        Conformer(context.entry.target, context.provider.id),
    )
    completions: HttpCapability[CompletionRequest] = HttpCapability(
        upstream,
        OpenAICompletions(context.entry.quirks, EndpointQuirks(), settings.drop_params),
        fixed(endpoint(base, "/v1/completions")),
        headers,
    )
    embedding = OllamaEmbedding(settings.num_ctx)
    embeddings = BatchedEmbeddings(upstream, embedding, fixed(endpoint(base, "/api/embed")), headers)
    tags = endpoint(base, "/api/tags")
    models = HttpModels(upstream, tags, headers, read_tags, _failure_reader(context.now), settings.models)
    return Capabilities(chat=chat, completions=completions, embeddings=Detokenized(embeddings), models=models)


def fidelity(entry: Entry) -> dict[str, Fidelity]:
    """The parameter tables, by endpoint."""
    return {
        "chat.completions": OLLAMA_CHAT_PARAMS,
        "completions": endpoint_fidelity("completions", entry.quirks, EndpointQuirks()),
        "embeddings": OLLAMA_EMBEDDING_PARAMS,
    }


def _failure_reader(
    now: Callable[[], float],
) -> Callable[[int, RawHeaders, bytes, Secret | None], UpstreamFailure]:
    def failure(status: int, headers: RawHeaders, body: bytes, secret: Secret | None) -> UpstreamFailure:
        return failure_from_ollama(status, headers, body, secret=secret, now=now())

    return failure
