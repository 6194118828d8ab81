"""Google Gemini by its own API: chat, embeddings and Imagen's images.

Source: ai.google.dev, google-genai 3.4 (read 2026-11). The key goes in the header `x-goog-api-key`, never the address
(S-21). It sends no rate-limit headers: the wait is in the error's RetryInfo.
"""

from typing import Final
from urllib.parse import quote

import httpx

from adapters.constraints.conform import Conformer
from adapters.dialects.gemini.chat import GeminiChat
from adapters.dialects.gemini.contents import GeminiSettings
from adapters.dialects.gemini.embeddings import GeminiEmbeddings
from adapters.dialects.gemini.errors import REFUSALS
from adapters.dialects.gemini.images import ImagenImages
from adapters.dialects.gemini.model_list import read_page
from adapters.dialects.gemini.native import GeminiContent, GeminiEmbedding, GeminiTokenCount
from adapters.dialects.gemini.params import (
    CHAT_FIDELITY,
    CONTENT_COUNT_FIDELITY,
    CONTENT_FIDELITY,
    EMBED_CONTENT_FIDELITY,
    EMBEDDING_FIDELITY,
    IMAGE_FIDELITY,
    OWN_FIELDS,
)
from adapters.providers.base_url import endpoint
from adapters.providers.batched_embeddings import BatchedEmbeddings
from adapters.providers.capability import Address, HttpCapability, HttpModels, ReadFailure
from adapters.providers.detokenized import Detokenized
from adapters.providers.kind import BuildContext, Entry
from adapters.providers.upstream import HttpUpstream, KeyHeaders
from adapters.wire.errors import failure_from_answer
from adapters.wire.rate_limits import RawHeaders
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.fidelity import Fidelity
from domain.generate_content import EmbedContentRequest, GenerateContentRequest
from domain.images import ImageRequest
from domain.ports.providers import Capabilities
from domain.providers import Offering
from domain.secrets import Secret

MODELS_A_PAGE: Final = 1000


def build(context: BuildContext) -> Capabilities:
    """Chat, embeddings, images, Google's own API as it is, and the models."""
    base = context.base
    upstream = HttpUpstream(context.transport, context.timeouts, context.now)
    headers = KeyHeaders(context.user_agent, context.entry.headers, header="x-goog-api-key", prefix="")
    settings = GeminiSettings(drop=context.provider.settings.drop_params)
    chat: HttpCapability[ChatRequest] = HttpCapability(
        upstream,
        GeminiChat(settings),
        methods(base, "generateContent", "streamGenerateContent"),
        headers,
        Conformer(context.entry.target, context.provider.id),
    )
    embeddings = BatchedEmbeddings(upstream, GeminiEmbeddings(), methods(base, "batchEmbedContents"), headers)
    images: HttpCapability[ImageRequest] = HttpCapability(upstream, ImagenImages(), methods(base, "predict"), headers)
    drop = context.provider.settings.drop_params
    contents: HttpCapability[GenerateContentRequest] = HttpCapability(
        upstream, GeminiContent(drop), methods(base, "generateContent", "streamGenerateContent"), headers
    )
    counts: HttpCapability[GenerateContentRequest] = HttpCapability(
        upstream, GeminiTokenCount(drop), methods(base, "countTokens"), headers
    )
    embedded: HttpCapability[EmbedContentRequest] = HttpCapability(
        upstream, GeminiEmbedding(drop), methods(base, "batchEmbedContents"), headers
    )
    models_url = endpoint(base, "/models").copy_merge_params({"pageSize": MODELS_A_PAGE})
    models = HttpModels(upstream, models_url, headers, _offerings, failure_reader(context), next_page=_next_page)
    return Capabilities(
        chat=chat,
        embeddings=Detokenized(embeddings),
        images=images,
        contents=contents,
        content_counts=counts,
        content_embeddings=embedded,
        models=models,
    )


def methods(base: httpx.URL, whole: str, streamed: str | None = None) -> Address:
    """A model's method behind `base`; a model's name is one segment, whatever is in it."""

    def address(model: str, stream: bool) -> httpx.URL:
        collection, _, name = model.rpartition("/")
        if collection not in {"models", "tunedModels"}:
            collection, name = "models", model
        return method_url(base, f"/{collection}/", name, streamed if stream else whole)

    return address


def method_url(base: httpx.URL, path: str, model: str, method: str | None) -> httpx.URL:
    """`?alt=sse` makes a stream one of events; without it, it is one long array."""
    target = f"{base.path.rstrip('/')}{path}{quote(model, safe='@')}:{method}"
    query = "?alt=sse" if (method or "").startswith("stream") else ""
    return base.copy_with(raw_path=(target + query).encode())


def fidelity(entry: Entry) -> dict[str, Fidelity]:  # noqa: ARG001 - every one is alike
    """The parameter tables, by endpoint."""
    return {
        "chat.completions": CHAT_FIDELITY | OWN_FIELDS,
        "embeddings": EMBEDDING_FIDELITY,
        "images.generations": IMAGE_FIDELITY,
        "models.generate_content": CONTENT_FIDELITY,
        "models.count_tokens": CONTENT_COUNT_FIDELITY,
        "models.embed_content": EMBED_CONTENT_FIDELITY,
    }


def failure_reader(context: BuildContext) -> ReadFailure:
    """Reads refusals of calls that are no attempt of a request."""

    def failure(status: int, headers: RawHeaders, body: bytes, secret: Secret | None) -> UpstreamFailure:
        return failure_from_answer(status, headers, body, REFUSALS, secret=secret, now=context.now())

    return failure


def _offerings(body: bytes) -> tuple[Offering, ...]:
    return tuple(read_page(body).offerings)


def _next_page(url: httpx.URL, body: bytes) -> httpx.URL | None:
    token = read_page(body).next_token
    return url.copy_set_param("pageToken", token) if token else None
