"""Anthropic: Claude, by its own Messages API, and in OpenAI's form over it.

Source: platform.claude.com (read 2026-11). Keys go in `x-api-key`; the list of models comes in pages.
"""

from typing import Final

import httpx

from adapters.dialects.anthropic import errors
from adapters.dialects.anthropic.chat import AnthropicChat
from adapters.dialects.anthropic.headers import VERSION
from adapters.dialects.anthropic.messages import AnthropicMessages
from adapters.dialects.anthropic.model_list import last_of, read_models
from adapters.dialects.anthropic.params import COUNT_FIDELITY, MESSAGES_FIDELITY, chat_fidelity
from adapters.dialects.anthropic.settings import AnthropicSettings
from adapters.dialects.anthropic.token_count import AnthropicTokenCount
from adapters.providers.base_url import endpoint
from adapters.providers.capability import HttpCapability, fixed
from adapters.providers.credentials import KeyHeaders
from adapters.providers.entry import Entry
from adapters.providers.kind import Place
from adapters.providers.models import HttpModels, ReadFailure
from adapters.providers.upstream import HttpUpstream
from adapters.wire.rate_limits import RawHeaders
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.fidelity import Fidelity
from domain.messages import MessagesRequest
from domain.ports.providers import Capabilities
from domain.secrets import Secret

MODELS_A_PAGE: Final = 1000


_VERSION: Final = (("anthropic-version", VERSION),)
_SETTINGS: Final = AnthropicSettings()


def build(place: Place) -> Capabilities:
    """Chat over the Messages API, the Messages API itself, its token counts, and the models."""
    base, drop = place.base, place.provider.settings.drop_params
    upstream = HttpUpstream(place.transport, place.timeouts, place.now)
    headers = KeyHeaders(place.user_agent, _VERSION, header="x-api-key", prefix="")
    messages_url = fixed(endpoint(base, "/messages"))
    chat: HttpCapability[ChatRequest] = HttpCapability(upstream, AnthropicChat(_SETTINGS, drop), messages_url, headers)
    messages: HttpCapability[MessagesRequest] = HttpCapability(
        upstream, AnthropicMessages(_SETTINGS, drop), messages_url, headers
    )
    token_counts: HttpCapability[MessagesRequest] = HttpCapability(
        upstream, AnthropicTokenCount(_SETTINGS, drop), fixed(endpoint(base, "/messages/count_tokens")), headers
    )
    models_url = endpoint(base, "/models").copy_merge_params({"limit": MODELS_A_PAGE})
    models = HttpModels(upstream, models_url, headers, read_models, _failure_reader(place), next_page=_next_page)
    return Capabilities(chat=chat, messages=messages, token_counts=token_counts, models=models)


def fidelity(entry: Entry) -> dict[str, Fidelity]:  # noqa: ARG001 - every Anthropic upstream is alike
    """The parameter tables, by endpoint."""
    return {
        "chat.completions": chat_fidelity(_SETTINGS),
        "messages": MESSAGES_FIDELITY,
        "messages.count_tokens": COUNT_FIDELITY,
    }


def _next_page(url: httpx.URL, body: bytes) -> httpx.URL | None:
    last = last_of(body)
    return url.copy_set_param("after_id", last) if last is not None else None


def _failure_reader(place: Place) -> ReadFailure:
    def failure(status: int, headers: RawHeaders, body: bytes, secret: Secret | None) -> UpstreamFailure:
        return errors.failure(status, headers, body, secret=secret, now=place.now())

    return failure
