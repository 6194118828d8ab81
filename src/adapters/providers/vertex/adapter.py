"""Builds Vertex AI's capabilities: Gemini in Google's format, Claude in Anthropic's, embeddings, Imagen.

Source: google-genai 3.4, anthropic-python 2.11, Vertex AI reference (November 2026).
"""

from collections.abc import Callable
from typing import Final, TypeVar

import httpx
from typing_extensions import override

from adapters.constraints.conform import Conformer
from adapters.dialects.anthropic.chat import AnthropicChat
from adapters.dialects.anthropic.messages import AnthropicMessages, AnthropicTokenCount
from adapters.dialects.anthropic.params import FIRST_PARTY_FIELDS
from adapters.dialects.anthropic.settings import AnthropicSettings
from adapters.dialects.gemini.chat import GeminiChat
from adapters.dialects.gemini.contents import GeminiSettings
from adapters.dialects.gemini.embeddings import VertexEmbeddings
from adapters.dialects.gemini.images import ImagenImages
from adapters.dialects.gemini.params import CHAT_FIDELITY, IMAGE_FIDELITY, OWN_FIELDS, VERTEX_EMBEDDING_FIDELITY
from adapters.ingress.carriers import estimated_token_counts, messages_over_chat
from adapters.providers.batched_embeddings import BatchedEmbeddings
from adapters.providers.capability import Address, HeaderSource, HttpCapability, HttpModels
from adapters.providers.detokenized import Detokenized
from adapters.providers.dialect import Dialect
from adapters.providers.gemini.adapter import failure_reader
from adapters.providers.kind import BuildContext, Entry
from adapters.providers.upstream import HttpUpstream, KeyHeaders
from adapters.providers.vertex.addresses import Addresses, is_claude
from adapters.providers.vertex.signer import Credentials, VertexSigner
from adapters.wire.chosen import Chosen, ChosenAnswering
from domain.chat import ChatRequest
from domain.embeddings import EmbeddingRequest
from domain.fidelity import Fidelity
from domain.images import ImageRequest
from domain.inference import InferenceRequest
from domain.keys import ProviderKey
from domain.messages import MessagesRequest
from domain.ports.providers import Capabilities, ProviderCall

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

    def __init__(self, context: BuildContext) -> None:
        self.credentials = Credentials(
            HttpUpstream(context.transport, context.timeouts, context.now), context.variables, context.now
        )
        self.addresses = Addresses(context.base, context.provider.settings, context.variables)
        self.upstream = HttpUpstream(context.transport, context.timeouts, context.now, VertexSigner(self.credentials))
        self.headers = _OurHeaders(context.user_agent)
        self.conformer = Conformer(context.entry.target, context.provider.id)

    def address(self, publisher: str, whole: str, streamed: str = "", as_model: str = "") -> Find:
        def find(project: str | None) -> Address:
            def address(model: str, stream: bool) -> httpx.URL:
                return self.addresses.method(model, publisher, streamed if stream else whole, project, as_model)

            return address

        return find

    def http(self, dialect: Dialect[R], find: Find) -> Callable[[ProviderKey | None], HttpCapability[R]]:
        """The capability for a key."""
        made: dict[str | None, HttpCapability[R]] = {}

        def choose(key: ProviderKey | None) -> HttpCapability[R]:
            project = self.credentials.project(key)
            if project not in made:
                made[project] = HttpCapability(self.upstream, dialect, find(project), self.headers, self.conformer)
            return made[project]

        return choose

    def embeddings(self) -> ChosenAnswering[EmbeddingRequest]:
        find = self.address("google", "predict")

        def choose(call: ProviderCall[EmbeddingRequest]) -> BatchedEmbeddings:
            address = find(self.credentials.project(call.key))
            return BatchedEmbeddings(self.upstream, VertexEmbeddings(), address, self.headers)

        return ChosenAnswering(choose)


def build(context: BuildContext) -> Capabilities:
    """Raises `RequestInvalid` for a project or location that is none."""
    wiring, drop = _Wiring(context), context.provider.settings.drop_params
    claude_url = wiring.address("anthropic", "rawPredict", "streamRawPredict")
    settings = GeminiSettings(json_schema=False, call_ids=False, typed_files=True, drop=drop)
    gemini = wiring.http(GeminiChat(settings), wiring.address("google", "generateContent", "streamGenerateContent"))
    claude = wiring.http(AnthropicChat(_CLAUDE, drop), claude_url)
    messages = wiring.http(AnthropicMessages(_CLAUDE, (*drop, *FIRST_PARTY_FIELDS)), claude_url)
    counts = wiring.http(
        AnthropicTokenCount(_CLAUDE_COUNT, (*drop, *FIRST_PARTY_FIELDS)),
        wiring.address("anthropic", "rawPredict", as_model="count-tokens"),
    )
    images = wiring.http(ImagenImages(), wiring.address("google", "predict", "predict"))
    chat: Chosen[ChatRequest] = Chosen(lambda call: (claude if is_claude(call.model) else gemini)(call.key))
    carried = messages_over_chat(chat, context.count_tokens)
    estimated = estimated_token_counts(context.count_tokens)
    native: Chosen[MessagesRequest] = Chosen(lambda call: messages(call.key) if is_claude(call.model) else carried)
    token_counts: ChosenAnswering[MessagesRequest] = ChosenAnswering(
        lambda call: counts(call.key) if is_claude(call.model) else estimated
    )
    pictures: Chosen[ImageRequest] = Chosen(lambda call: images(call.key))
    certain = dict.fromkeys((*context.provider.settings.models, *context.entry.preset.models))
    models = HttpModels(wiring.upstream, None, wiring.headers, _no_list, failure_reader(context), tuple(certain))
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
