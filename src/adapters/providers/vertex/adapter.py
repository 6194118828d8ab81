"""Builds Vertex AI's capabilities: Gemini in Google's format, Claude in Anthropic's, embeddings, Imagen.

Source: google-genai 3.4, anthropic-python 2.11, Vertex AI reference (November 2026).
"""

from collections.abc import Callable
from typing import Final, TypeVar

import httpx
from typing_extensions import override

from adapters.dialects.anthropic.chat import AnthropicChat
from adapters.dialects.anthropic.messages import AnthropicMessages
from adapters.dialects.anthropic.settings import AnthropicSettings
from adapters.dialects.anthropic.token_count import AnthropicTokenCount
from adapters.dialects.gemini.chat import GeminiChat
from adapters.dialects.gemini.embeddings import VertexEmbeddings
from adapters.dialects.gemini.images import ImagenImages
from adapters.dialects.gemini.params import CHAT_FIDELITY, IMAGE_FIDELITY, OWN_FIELDS, VERTEX_EMBEDDING_FIDELITY
from adapters.dialects.gemini.settings import GeminiSettings
from adapters.providers.batched_embeddings import BatchedEmbeddings
from adapters.providers.by_model import AnsweringByModel, ByModel
from adapters.providers.capability import Address, HeaderSource, HttpCapability
from adapters.providers.credentials import KeyHeaders
from adapters.providers.detokenized import Detokenized
from adapters.providers.dialect import Dialect
from adapters.providers.entry import Entry
from adapters.providers.gemini.adapter import failure_reader
from adapters.providers.kind import Place
from adapters.providers.models import HttpModels
from adapters.providers.over_chat.carriers import estimated_token_counts, messages_over_chat
from adapters.providers.upstream import HttpUpstream
from adapters.providers.vertex.places import Places, is_claude
from adapters.providers.vertex.signer import Credentials, VertexSigner
from domain.chat import ChatRequest
from domain.embeddings import EmbeddingRequest
from domain.fidelity import Fidelity
from domain.images import ImageRequest
from domain.inference import InferenceRequest
from domain.keys import ProviderKey
from domain.messages import MessagesRequest
from domain.ports.providers import Capabilities

R = TypeVar("R", bound=InferenceRequest)
Find = Callable[[str | None], Address]
"""From the project of a key to its addresses."""

_CLAUDE: Final = AnthropicSettings(body_version="vertex-2023-10-16", model_in_body=False, inline_media_only=True)
_CLAUDE_COUNT: Final = AnthropicSettings(body_version="vertex-2023-10-16", inline_media_only=True)


class _OurHeaders(HeaderSource):
    """The signer adds the credential."""

    def __init__(self, user_agent: str) -> None:
        self._headers = KeyHeaders(user_agent).of(None)

    @override
    def of(self, key: ProviderKey | None) -> httpx.Headers:
        return self._headers


class _Wiring:
    """What every capability of one provider version shares. A capability is made for each project that keys have."""

    def __init__(self, place: Place) -> None:
        self.credentials = Credentials(
            HttpUpstream(place.transport, place.timeouts, place.now), place.variables, place.now
        )
        self.places = Places(place.base, place.provider.settings, place.variables)
        self.upstream = HttpUpstream(place.transport, place.timeouts, place.now, VertexSigner(self.credentials))
        self.headers = _OurHeaders(place.user_agent)

    def address(self, publisher: str, whole: str, streamed: str = "", as_model: str = "") -> Find:
        def find(project: str | None) -> Address:
            def address(model: str, stream: bool) -> httpx.URL:
                return self.places.method(model, publisher, streamed if stream else whole, project, as_model)

            return address

        return find

    def http(self, dialect: Dialect[R], find: Find) -> Callable[[ProviderKey | None], HttpCapability[R]]:
        """The capability for a key."""
        made: dict[str | None, HttpCapability[R]] = {}

        def choose(key: ProviderKey | None) -> HttpCapability[R]:
            project = self.credentials.project(key)
            if project not in made:
                made[project] = HttpCapability(self.upstream, dialect, find(project), self.headers)
            return made[project]

        return choose

    def embeddings(self) -> AnsweringByModel[EmbeddingRequest]:
        find = self.address("google", "predict")

        def choose(model: str, key: ProviderKey | None) -> BatchedEmbeddings:  # noqa: ARG001 - one for all
            address = find(self.credentials.project(key))
            return BatchedEmbeddings(self.upstream, VertexEmbeddings(), address, self.headers)

        return AnsweringByModel(choose)


def build(place: Place) -> Capabilities:
    """Raises `RequestInvalid` for a project or location that is none."""
    wiring, drop = _Wiring(place), place.provider.settings.drop_params
    claude_url = wiring.address("anthropic", "rawPredict", "streamRawPredict")
    settings = GeminiSettings(json_schema=False, call_ids=False, typed_files=True, drop=drop)
    gemini = wiring.http(GeminiChat(settings), wiring.address("google", "generateContent", "streamGenerateContent"))
    claude = wiring.http(AnthropicChat(_CLAUDE, drop), claude_url)
    messages = wiring.http(AnthropicMessages(_CLAUDE, drop), claude_url)
    counts = wiring.http(
        AnthropicTokenCount(_CLAUDE_COUNT, drop), wiring.address("anthropic", "rawPredict", as_model="count-tokens")
    )
    images = wiring.http(ImagenImages(), wiring.address("google", "predict", "predict"))
    chat: ByModel[ChatRequest] = ByModel(lambda model, key: claude(key) if is_claude(model) else gemini(key))
    carried = messages_over_chat(chat, place.count_tokens)
    estimated = estimated_token_counts(place.count_tokens)
    native: ByModel[MessagesRequest] = ByModel(lambda model, key: messages(key) if is_claude(model) else carried)
    token_counts: AnsweringByModel[MessagesRequest] = AnsweringByModel(
        lambda model, key: counts(key) if is_claude(model) else estimated
    )
    pictures: ByModel[ImageRequest] = ByModel(lambda model, key: images(key))  # noqa: ARG005 - one for all
    certain = dict.fromkeys((*place.provider.settings.models, *place.entry.preset.models))
    models = HttpModels(wiring.upstream, None, wiring.headers, _no_list, failure_reader(place), tuple(certain))
    return Capabilities(
        chat=chat,
        embeddings=Detokenized(wiring.embeddings()),
        images=pictures,
        messages=native,
        token_counts=token_counts,
        models=models,
    )


def fidelity(entry: Entry) -> dict[str, Fidelity]:  # noqa: ARG001 - every one is alike
    """The parameter tables, by endpoint; those of Gemini, for Claude has Anthropic's."""
    return {
        "chat.completions": CHAT_FIDELITY | OWN_FIELDS,
        "embeddings": VERTEX_EMBEDDING_FIDELITY,
        "images.generations": IMAGE_FIDELITY,
    }


def _no_list(body: bytes) -> tuple[()]:  # noqa: ARG001 - there is no list to read
    return ()
