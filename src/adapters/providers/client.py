"""The adapter and the connections of one version of a provider."""

import httpx
from typing_extensions import override

from adapters.providers.http import HttpChatProvider
from domain.ports.providers import ChatProvider, ModelLister, ProviderClient


class HttpProviderClient(ProviderClient):
    """Owns one transport; closing it closes every connection of this provider version (R-12)."""

    def __init__(self, adapter: HttpChatProvider, transport: httpx.AsyncBaseTransport) -> None:
        self._adapter = adapter
        self._transport = transport

    @property
    @override
    def chat(self) -> ChatProvider | None:
        return self._adapter

    @property
    @override
    def models(self) -> ModelLister | None:
        return self._adapter

    @override
    async def aclose(self) -> None:
        await self._transport.aclose()
