"""Builds the capabilities of an OpenAI-compatible upstream from its row of data."""

from collections.abc import Callable

from adapters.dialects.openai.chat import OpenAIChat
from adapters.dialects.openai.model_list import read_models
from adapters.dialects.openai.params import chat_fidelity
from adapters.providers.base_url import endpoint
from adapters.providers.capability import HttpCapability, fixed
from adapters.providers.credentials import KeyHeaders
from adapters.providers.entry import Entry
from adapters.providers.kind import Place
from adapters.providers.models import HttpModels
from adapters.providers.upstream import HttpUpstream
from adapters.wire.errors import failure_from_answer
from adapters.wire.rate_limits import RawHeaders
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.fidelity import Fidelity
from domain.ports.providers import Capabilities
from domain.secrets import Secret

ENDPOINTS = ("chat.completions", "models")


def build(place: Place) -> Capabilities:
    """Every capability the entry names."""
    entry, base, settings = place.entry, place.base, place.provider.settings
    upstream = HttpUpstream(place.transport, place.timeouts, place.now)
    headers = KeyHeaders(place.user_agent, entry.headers)
    chat_url = endpoint(base, entry.chat_path)
    chat: HttpCapability[ChatRequest] = HttpCapability(
        upstream, OpenAIChat(entry.quirks, settings.drop_params), fixed(chat_url), headers
    )
    models_url = endpoint(base, entry.models_path) if entry.models_path is not None else None
    certain = (*settings.models, *entry.preset.models)
    models = HttpModels(upstream, models_url, headers, read_models, _failure_reader(entry, place.now), certain)
    return Capabilities(chat=chat, models=models)


def fidelity(entry: Entry) -> dict[str, Fidelity]:
    """The parameter tables of one entry, by endpoint."""
    return {"chat.completions": chat_fidelity(entry.quirks)}


def _failure_reader(
    entry: Entry, now: Callable[[], float]
) -> Callable[[int, RawHeaders, bytes, Secret | None], UpstreamFailure]:
    def failure(status: int, headers: RawHeaders, body: bytes, secret: Secret | None) -> UpstreamFailure:
        return failure_from_answer(status, headers, body, entry.quirks, secret=secret, now=now())

    return failure
