"""The adapter and the connections of one version of a provider."""

import httpx
from typing_extensions import override

from domain.ports.providers import Capabilities, ProviderClient


class HttpProviderClient(ProviderClient):
    """Owns one transport; closing it closes every connection of this provider version (R-12)."""

    def __init__(self, capabilities: Capabilities, transport: httpx.AsyncBaseTransport) -> None:
        self._capabilities = capabilities
        self._transport = transport

    @property
    @override
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @override
    async def aclose(self) -> None:
        await self._transport.aclose()
