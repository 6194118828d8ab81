"""Serves Responses by the upstream's own API, or over its chat where that turns out to be missing.

Servers people run themselves are of any age, and only asking tells: the first 404 for the path is remembered as long
as this version of the provider is in use.
"""

from typing_extensions import override

from adapters.dialects.responses.pass_through import NO_RESPONSES
from domain.errors import UpstreamFailure
from domain.ports.providers import ProviderAnswer, ProviderCall, ProviderStream, ResponsesProvider
from domain.responses import ResponsesRequest


class ResponsesElseChat(ResponsesProvider):
    """`own` is asked until it says that it is not there."""

    def __init__(self, own: ResponsesProvider, over_chat: ResponsesProvider) -> None:
        self._provider = own
        self._over_chat = over_chat

    @override
    async def complete(self, call: ProviderCall[ResponsesRequest]) -> ProviderAnswer:
        try:
            return await self._provider.complete(call)
        except UpstreamFailure as failure:
            self._look_at(failure)
        return await self._provider.complete(call)

    @override
    async def stream(self, call: ProviderCall[ResponsesRequest]) -> ProviderStream:
        try:
            return await self._provider.stream(call)
        except UpstreamFailure as failure:
            self._look_at(failure)
        return await self._provider.stream(call)

    def _look_at(self, failure: UpstreamFailure) -> None:
        """Return where chat is to be asked from now on."""
        if failure.code != NO_RESPONSES:
            raise failure
        self._provider = self._over_chat
