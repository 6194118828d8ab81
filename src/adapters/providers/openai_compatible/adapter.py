"""Builds the capabilities of an OpenAI-compatible upstream from its row of data."""

from collections.abc import Callable
from typing import TypeVar

import httpx

from adapters.constraints.conform import Conformer
from adapters.dialects.openai.audio import OpenAISpeech, OpenAITranscriptions, OpenAITranslations
from adapters.dialects.openai.chat import OpenAIChat
from adapters.dialects.openai.completions import OpenAICompletions
from adapters.dialects.openai.embeddings import OpenAIEmbeddings
from adapters.dialects.openai.endpoint import OpenAIModerations
from adapters.dialects.openai.images import OpenAIImageEdits, OpenAIImages
from adapters.dialects.openai.model_list import read_models
from adapters.dialects.openai.params import ENDPOINT_PARAMS, chat_fidelity, endpoint_fidelity
from adapters.dialects.openai.quirks import EndpointQuirks
from adapters.dialects.openai.rerank import OpenAIRerank
from adapters.ingress.carriers import responses_over_chat
from adapters.providers.base_url import endpoint
from adapters.providers.capability import Address, HeaderSource, HttpCapability, HttpModels, fixed
from adapters.providers.detokenized import Detokenized
from adapters.providers.dialect import Dialect
from adapters.providers.kind import BuildContext, Entry
from adapters.providers.upstream import HttpUpstream, KeyHeaders
from adapters.wire.errors import failure_from_answer
from adapters.wire.rate_limits import RawHeaders
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.fidelity import Fidelity
from domain.inference import InferenceRequest
from domain.ports.providers import (
    Capabilities,
    ChatProvider,
    EmbeddingProvider,
    KeptResponsesProvider,
    ResponseCountProvider,
    ResponsesProvider,
)
from domain.secrets import Secret

R = TypeVar("R", bound=InferenceRequest)

Locate = Callable[[str], Address | None]
"""From an endpoint's name to where it is; None where the upstream has none."""


def build(context: BuildContext) -> Capabilities:
    """Every capability the entry names."""
    entry, base = context.entry, context.base
    paths = entry.addresses

    def locate(name: str) -> Address | None:
        return fixed(endpoint(base, paths[name])) if name in paths else None

    models_url = endpoint(base, entry.models_path) if entry.models_path is not None else None
    return OpenAIParts(context, locate, KeyHeaders(context.user_agent, entry.headers)).capabilities(models_url)


def fidelity(entry: Entry) -> dict[str, Fidelity]:
    """The parameter tables of one entry, by endpoint."""
    tables = {} if entry.chat_path is None else {"chat.completions": chat_fidelity(entry.quirks)}
    for name in entry.paths:
        if name in ENDPOINT_PARAMS:
            own = entry.endpoint_quirks.get(name, EndpointQuirks())
            tables[name] = endpoint_fidelity(name, entry.quirks, own)
    if "responses" in entry.paths:
        from adapters.dialects.responses.params import native_fidelity

        native = native_fidelity(entry.endpoint_quirks.get("responses", EndpointQuirks()).drop)
        tables |= {name: native for name in ("responses", "responses.input_tokens") if name in entry.paths}
    return tables


class OpenAIParts:
    """Makes OpenAI's capabilities of one upstream, wherever its endpoints are."""

    def __init__(self, context: BuildContext, locate: Locate, headers: HeaderSource) -> None:
        self.context = context
        self._locate = locate
        self.headers = headers
        self.upstream = HttpUpstream(context.transport, context.timeouts, context.now)
        self.conformer = Conformer(context.entry.target, context.provider.id)

    def capabilities(self, models_url: httpx.URL | None) -> Capabilities:
        """All that `locate` knows the address of. `models_url` of None: there is no list of models."""
        quirks, drop = self.context.entry.quirks, self.context.provider.settings.drop_params
        voice = self.context.provider.settings.default_voice
        chat: HttpCapability[ChatRequest] | None = self.at("chat.completions", OpenAIChat(quirks, drop))
        return Capabilities(
            chat=chat,
            completions=self.at("completions", OpenAICompletions(quirks, self._own("completions"), drop)),
            embeddings=self.embeddings(),
            images=self.at("images.generations", OpenAIImages(quirks, self._own("images.generations"), drop)),
            image_edits=self.at("images.edits", OpenAIImageEdits(quirks, self._own("images.edits"), drop)),
            speech=self.at("audio.speech", OpenAISpeech(quirks, self._own("audio.speech"), drop, voice)),
            transcriptions=self.at(
                "audio.transcriptions",
                OpenAITranscriptions(quirks, self._own("audio.transcriptions"), drop),
            ),
            translations=self.at(
                "audio.translations", OpenAITranslations(quirks, self._own("audio.translations"), drop)
            ),
            moderations=self.at("moderations", OpenAIModerations(quirks, self._own("moderations"), drop)),
            rerank=self.at("rerank", OpenAIRerank(quirks, self._own("rerank"), drop)),
            responses=self.responses(chat),
            kept_responses=self.kept_responses(),
            response_counts=self.response_counts(),
            models=self.models(models_url),
        )

    def at(self, name: str, dialect: Dialect[R]) -> HttpCapability[R] | None:
        """One endpoint, or None where the upstream has none."""
        address = self._locate(name)
        return self.capability(dialect, address) if address is not None else None

    def capability(self, dialect: Dialect[R], address: Address) -> HttpCapability[R]:
        return HttpCapability(self.upstream, dialect, address, self.headers, self.conformer)

    def embeddings(self) -> EmbeddingProvider | None:
        own = self._own("embeddings")
        drop = self.context.provider.settings.drop_params
        found = self.at("embeddings", OpenAIEmbeddings(self.context.entry.quirks, own, drop))
        return found if found is None or own.token_ids else Detokenized(found)

    def responses(self, chat: ChatProvider | None) -> ResponsesProvider | None:
        """Its own, with chat behind them for a server that is older than they are."""
        if self._locate("responses") is None:
            return None
        from adapters.dialects.responses.pass_through import ResponsesPassThrough
        from adapters.providers.openai_compatible.responses_else_chat import ResponsesElseChat

        context = self.context
        drop, silent = self._left_out_of_responses()
        dialect = ResponsesPassThrough(context.provider.id, context.entry.quirks, drop=drop, silent=silent)
        own = self.at("responses", dialect)
        return own if own is None or chat is None else ResponsesElseChat(own, responses_over_chat(chat, context.now))

    def kept_responses(self) -> KeptResponsesProvider | None:
        """Whoever has Responses keeps them."""
        address = self._locate("responses")
        if address is None:
            return None
        from adapters.dialects.responses.kept import KeptResponses
        from adapters.providers.openai_compatible.kept_responses import HttpKeptResponses

        dialect = KeptResponses(self.context.provider.id, self.context.entry.quirks)
        return HttpKeptResponses(self.upstream, dialect, address, self.headers)

    def response_counts(self) -> ResponseCountProvider | None:
        if self._locate("responses.input_tokens") is None:
            return None
        from adapters.dialects.responses.kept import ResponseCounts

        drop, silent = self._left_out_of_responses()
        dialect = ResponseCounts(self.context.provider.id, self.context.entry.quirks, drop=drop, silent=silent)
        return self.at("responses.input_tokens", dialect)

    def _left_out_of_responses(self) -> tuple[frozenset[str], tuple[str, ...]]:
        """What is left out with a word, and without one."""
        from adapters.dialects.responses.pass_through import CODEX_ONLY

        drop = self._own("responses").drop.union(self.context.provider.settings.drop_params)
        return drop, () if self.context.entry.id == "openai" else CODEX_ONLY

    def models(self, url: httpx.URL | None) -> HttpModels:
        return HttpModels(self.upstream, url, self.headers, read_models, self._failure, self.certain())

    def certain(self) -> tuple[str, ...]:
        """The models it has for certain."""
        return (*self.context.provider.settings.models, *self.context.entry.preset.models)

    def _own(self, name: str) -> EndpointQuirks:
        return self.context.entry.endpoint_quirks.get(name, EndpointQuirks())

    def _failure(self, status: int, headers: RawHeaders, body: bytes, secret: Secret | None) -> UpstreamFailure:
        context = self.context
        return failure_from_answer(status, headers, body, context.entry.quirks, secret=secret, now=context.now())
