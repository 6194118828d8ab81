"""Token counts for an upstream that has none of its own: an estimate, made here, which costs nothing."""

from collections.abc import Callable

import msgspec
from typing_extensions import override

from adapters.dialects.messages.request import countable_text
from domain.messages import MessagesRequest
from domain.ports.providers import ProviderAnswer, ProviderCall, TokenCountProvider
from domain.usage import TokenUsage
from domain.wire import Payload

_PER_TURN_TOKENS = 4  # what chat templates add around a message, by OpenAI's own counting recipe
_REPLY_TOKENS = 3
_PER_FILE_TOKENS = 1_500  # of a picture at Anthropic's usual size; nobody can say it of a document unread


class EstimatedTokenCounts(TokenCountProvider):
    """Counts with `count` instead of asking. Nothing goes upstream, so nothing is booked."""

    def __init__(self, count: Callable[[str], int]) -> None:
        self._count = count

    @override
    async def complete(self, call: ProviderCall[MessagesRequest]) -> ProviderAnswer:
        tokens = estimated_input_tokens(call.payload, self._count)
        return ProviderAnswer(msgspec.json.encode({"input_tokens": tokens}), call.model, TokenUsage(), asked=False)


def estimated_input_tokens(payload: Payload[MessagesRequest], count: Callable[[str], int]) -> int:
    """The tokens of a message's input. Raises `UpstreamFailure` for what no model could read."""
    text, turns, files = countable_text(payload)
    return count(text) + _PER_TURN_TOKENS * turns + _PER_FILE_TOKENS * files + _REPLY_TOKENS
