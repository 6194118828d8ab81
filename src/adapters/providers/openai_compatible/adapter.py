"""Builds the capabilities of an OpenAI-compatible upstream from its row of data."""

from collections.abc import Callable
from typing import TypeVar

import httpx

from adapters.dialects.openai.chat import OpenAIChat
from adapters.dialects.openai.completions import OpenAICompletions
from adapters.dialects.openai.embeddings import OpenAIEmbeddings
from adapters.dialects.openai.images import OpenAIImages
from adapters.dialects.openai.model_list import read_models
from adapters.dialects.openai.moderations import OpenAIModerations
from adapters.dialects.openai.params import ENDPOINT_PARAMS, chat_fidelity, endpoint_fidelity
from adapters.dialects.openai.quirks import EndpointQuirks
from adapters.dialects.openai.speech import OpenAISpeech
from adapters.dialects.openai.transcriptions import OpenAITranscriptions
from adapters.providers.base_url import endpoint
from adapters.providers.capability import Address, HeaderSource, HttpCapability, fixed
from adapters.providers.credentials import KeyHeaders
from adapters.providers.detokenized import Detokenized
from adapters.providers.dialect import Dialect
from adapters.providers.entry import Entry
from adapters.providers.kind import Place
from adapters.providers.models import HttpModels
from adapters.providers.over_chat.carriers import responses_over_chat
from adapters.providers.upstream import HttpUpstream
from adapters.wire.errors import failure_from_answer
from adapters.wire.rate_limits import RawHeaders
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.fidelity import Fidelity
from domain.inference import InferenceRequest
from domain.ports.providers import Capabilities, ChatProvider, EmbeddingProvider, ResponsesProvider
from domain.secrets import Secret

R = TypeVar("R", bound=InferenceRequest)

Locate = Callable[[str], Address | None]
"""From an endpoint's name to where it is; None where the upstream has none."""


def build(place: Place) -> Capabilities:
    """Every capability the entry names."""
    entry, base = place.entry, place.base
    paths = {"chat.completions": entry.chat_path, **entry.paths}

    def locate(name: str) -> Address | None:
        return fixed(endpoint(base, paths[name])) if name in paths else None

    models_url = endpoint(base, entry.models_path) if entry.models_path is not None else None
    return OpenAIParts(place, locate, KeyHeaders(place.user_agent, entry.headers)).capabilities(models_url)


def fidelity(entry: Entry) -> dict[str, Fidelity]:
    """The parameter tables of one entry, by endpoint."""
    tables = {"chat.completions": chat_fidelity(entry.quirks)}
    for name in entry.paths:
        if name in ENDPOINT_PARAMS:
            own = entry.endpoint_quirks.get(name, EndpointQuirks())
            tables[name] = endpoint_fidelity(name, entry.quirks, own)
    if "responses" in entry.paths:
        from adapters.dialects.responses.params import native_fidelity

        tables["responses"] = native_fidelity(entry.endpoint_quirks.get("responses", EndpointQuirks()).drop)
    return tables


class OpenAIParts:
    """Makes OpenAI's capabilities of one upstream, wherever its endpoints are."""

    def __init__(self, place: Place, locate: Locate, headers: HeaderSource) -> None:
        self.place = place
        self._locate = locate
        self.headers = headers
        self.upstream = HttpUpstream(place.transport, place.timeouts, place.now)

    def capabilities(self, models_url: httpx.URL | None) -> Capabilities:
        """All that `locate` knows the place of. `models_url` of None: there is no list of models."""
        quirks, drop = self.place.entry.quirks, self.place.provider.settings.drop_params
        chat: HttpCapability[ChatRequest] | None = self.at("chat.completions", OpenAIChat(quirks, drop))
        return Capabilities(
            chat=chat,
            completions=self.at("completions", OpenAICompletions(quirks, self._own("completions"), drop)),
            embeddings=self.embeddings(),
            images=self.at("images.generations", OpenAIImages(quirks, self._own("images.generations"), drop)),
            speech=self.at("audio.speech", OpenAISpeech(quirks, self._own("audio.speech"), drop)),
            transcriptions=self.at(
                "audio.transcriptions", OpenAITranscriptions(quirks, self._own("audio.transcriptions"), drop)
            ),
            moderations=self.at("moderations", OpenAIModerations(quirks, self._own("moderations"), drop)),
            responses=self.responses(chat),
            models=self.models(models_url),
        )

    def at(self, name: str, dialect: Dialect[R]) -> HttpCapability[R] | None:
        """One endpoint, or None where the upstream has none."""
        address = self._locate(name)
        return self.capability(dialect, address) if address is not None else None

    def capability(self, dialect: Dialect[R], address: Address) -> HttpCapability[R]:
        return HttpCapability(self.upstream, dialect, address, self.headers)

    def embeddings(self) -> EmbeddingProvider | None:
        own = self._own("embeddings")
        drop = self.place.provider.settings.drop_params
        found = self.at("embeddings", OpenAIEmbeddings(self.place.entry.quirks, own, drop))
        return found if found is None or own.token_ids else Detokenized(found)

    def responses(self, chat: ChatProvider | None) -> ResponsesProvider | None:
        """Its own, with chat behind them for a server that is older than they are."""
        if self._locate("responses") is None:
            return None
        from adapters.dialects.responses.pass_through import CODEX_ONLY, ResponsesPassThrough
        from adapters.providers.over_chat.responses_else_chat import ResponsesElseChat

        place = self.place
        drop = self._own("responses").drop.union(place.provider.settings.drop_params)
        silent = () if place.entry.preset.id == "openai" else CODEX_ONLY
        dialect = ResponsesPassThrough(place.provider.id, place.entry.quirks, drop=drop, silent=silent)
        own = self.at("responses", dialect)
        return own if own is None or chat is None else ResponsesElseChat(own, responses_over_chat(chat, place.now))

    def models(self, url: httpx.URL | None) -> HttpModels:
        return HttpModels(self.upstream, url, self.headers, read_models, self._failure, self.certain())

    def certain(self) -> tuple[str, ...]:
        """The models it has for certain."""
        return (*self.place.provider.settings.models, *self.place.entry.preset.models)

    def _own(self, name: str) -> EndpointQuirks:
        return self.place.entry.endpoint_quirks.get(name, EndpointQuirks())

    def _failure(self, status: int, headers: RawHeaders, body: bytes, secret: Secret | None) -> UpstreamFailure:
        place = self.place
        return failure_from_answer(status, headers, body, place.entry.quirks, secret=secret, now=place.now())
