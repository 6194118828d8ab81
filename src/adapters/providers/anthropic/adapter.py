"""Anthropic: Claude, by its own Messages API, and in OpenAI's form over it.

Source: platform.claude.com (read 2026-11). Keys go in `x-api-key`; the list of models comes in pages.
"""

from typing import Final

import httpx

from adapters.constraints.conform import Conformer
from adapters.dialects.anthropic import errors
from adapters.dialects.anthropic.chat import AnthropicChat
from adapters.dialects.anthropic.messages import AnthropicMessages, AnthropicTokenCount
from adapters.dialects.anthropic.model_list import last_of, read_models
from adapters.dialects.anthropic.params import COUNT_FIDELITY, MESSAGES_FIDELITY, chat_fidelity
from adapters.dialects.anthropic.settings import VERSION, AnthropicSettings
from adapters.providers.base_url import endpoint
from adapters.providers.capability import HttpCapability, HttpModels, ReadFailure, fixed
from adapters.providers.kind import BuildContext, Entry
from adapters.providers.upstream import HttpUpstream, KeyHeaders
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


def build(context: BuildContext) -> Capabilities:
    """Chat over the Messages API, the Messages API itself, its token counts, and the models."""
    base, drop = context.base, context.provider.settings.drop_params
    upstream = HttpUpstream(context.transport, context.timeouts, context.now)
    headers = KeyHeaders(context.user_agent, _VERSION, header="x-api-key", prefix="")
    messages_url = fixed(endpoint(base, "/messages"))
    conformer = Conformer(context.entry.target, context.provider.id)
    chat: HttpCapability[ChatRequest] = HttpCapability(
        upstream, AnthropicChat(_SETTINGS, drop), messages_url, headers, conformer
    )
    messages: HttpCapability[MessagesRequest] = HttpCapability(
        upstream, AnthropicMessages(_SETTINGS, drop), messages_url, headers, conformer
    )
    token_counts: HttpCapability[MessagesRequest] = HttpCapability(
        upstream,
        AnthropicTokenCount(_SETTINGS, drop),
        fixed(endpoint(base, "/messages/count_tokens")),
        headers,
        conformer,
    )
    models_url = endpoint(base, "/models").copy_merge_params({"limit": MODELS_A_PAGE})
    models = HttpModels(upstream, models_url, headers, read_models, _failure_reader(context), next_page=_next_page)
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


def _failure_reader(context: BuildContext) -> ReadFailure:
    def failure(status: int, headers: RawHeaders, body: bytes, secret: Secret | None) -> UpstreamFailure:
        return errors.failure(status, headers, body, secret=secret, now=context.now())

    return failure
