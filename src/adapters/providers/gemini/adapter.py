"""Google Gemini by its own API: chat, embeddings and Imagen's images.

Source: ai.google.dev, google-genai 3.4 (read 2026-11). The key goes in the header `x-goog-api-key`, never the address
(S-21). It sends no rate-limit headers: the wait is in the error's RetryInfo.
"""

from typing import Final
from urllib.parse import quote

import httpx

from adapters.dialects.gemini.chat import GeminiChat
from adapters.dialects.gemini.embeddings import GeminiEmbeddings
from adapters.dialects.gemini.errors import REFUSALS
from adapters.dialects.gemini.images import ImagenImages
from adapters.dialects.gemini.models import read_page
from adapters.dialects.gemini.params import CHAT_FIDELITY, EMBEDDING_FIDELITY, IMAGE_FIDELITY, OWN_FIELDS
from adapters.dialects.gemini.settings import GeminiSettings
from adapters.providers.base_url import endpoint
from adapters.providers.batched_embeddings import BatchedEmbeddings
from adapters.providers.capability import Address, HttpCapability
from adapters.providers.credentials import KeyHeaders
from adapters.providers.detokenized import Detokenized
from adapters.providers.entry import Entry
from adapters.providers.kind import Place
from adapters.providers.models import HttpModels, ReadFailure
from adapters.providers.upstream import HttpUpstream
from adapters.wire.errors import failure_from_answer
from adapters.wire.rate_limits import RawHeaders
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.fidelity import Fidelity
from domain.images import ImageRequest
from domain.ports.providers import Capabilities
from domain.providers import Offering
from domain.secrets import Secret

MODELS_A_PAGE: Final = 1000


def build(place: Place) -> Capabilities:
    """Chat, embeddings, images, and the models."""
    base = place.base
    upstream = HttpUpstream(place.transport, place.timeouts, place.now)
    headers = KeyHeaders(place.user_agent, place.entry.headers, header="x-goog-api-key", prefix="")
    settings = GeminiSettings(drop=place.provider.settings.drop_params)
    chat: HttpCapability[ChatRequest] = HttpCapability(
        upstream, GeminiChat(settings), methods(base, "generateContent", "streamGenerateContent"), headers
    )
    embeddings = BatchedEmbeddings(upstream, GeminiEmbeddings(), methods(base, "batchEmbedContents"), headers)
    images: HttpCapability[ImageRequest] = HttpCapability(upstream, ImagenImages(), methods(base, "predict"), headers)
    models_url = endpoint(base, "/models").copy_merge_params({"pageSize": MODELS_A_PAGE})
    models = HttpModels(upstream, models_url, headers, _offerings, failure_reader(place), next_page=_next_page)
    return Capabilities(chat=chat, embeddings=Detokenized(embeddings), images=images, models=models)


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
    }


def failure_reader(place: Place) -> ReadFailure:
    """Reads refusals of calls that are no attempt of a request."""

    def failure(status: int, headers: RawHeaders, body: bytes, secret: Secret | None) -> UpstreamFailure:
        return failure_from_answer(status, headers, body, REFUSALS, secret=secret, now=place.now())

    return failure


def _offerings(body: bytes) -> tuple[Offering, ...]:
    return tuple(read_page(body).offerings)


def _next_page(url: httpx.URL, body: bytes) -> httpx.URL | None:
    token = read_page(body).next_token
    return url.copy_set_param("pageToken", token) if token else None
