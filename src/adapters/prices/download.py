"""Fetches a published price catalog, through the egress guard (S-08)."""

import asyncio
from collections.abc import Callable
from typing import Final

import httpx
from typing_extensions import override

from adapters.transport.egress import EgressGuard, EgressRefused
from domain.errors import RequestInvalid
from domain.ports.price_catalogs import CatalogDownload

SECONDS: Final = 60.0
MAX_BYTES: Final = 32 * 1024 * 1024

MakeTransport = Callable[[EgressGuard], httpx.AsyncBaseTransport]


class GuardedDownload(CatalogDownload):
    """One connection a download. Redirects are not followed: what is fetched is what was named."""

    def __init__(self, make_transport: MakeTransport, *, allow_private_network: bool = False) -> None:
        self._make_transport = make_transport
        self._allow_private_network = allow_private_network

    @override
    async def fetch(self, url: str) -> bytes:
        try:
            parsed = httpx.URL(url)
            guard = EgressGuard.for_provider(parsed, allow_private_network=self._allow_private_network)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise RequestInvalid(f"The URL cannot be used: {error}", param="source") from error
        try:
            async with asyncio.timeout(SECONDS):
                return await self._fetch(parsed, guard)
        except TimeoutError:
            raise RequestInvalid(f"{url} did not answer within {SECONDS:g} seconds.", param="source") from None
        except EgressRefused as error:
            raise RequestInvalid(str(error), param="source") from error
        except (httpx.TransportError, OSError) as error:
            raise RequestInvalid(f"{url} cannot be reached: {error}", param="source") from error

    async def _fetch(self, url: httpx.URL, guard: EgressGuard) -> bytes:
        transport = self._make_transport(guard)
        try:
            headers = {"user-agent": "open-model-gateway", "accept": "application/json", "accept-encoding": "identity"}
            answer = await transport.handle_async_request(httpx.Request("GET", url, headers=headers))
            try:
                return await _content(url, answer)
            finally:
                await answer.aclose()
        finally:
            await transport.aclose()


async def _content(url: httpx.URL, answer: httpx.Response) -> bytes:
    if answer.status_code != httpx.codes.OK:
        raise RequestInvalid(f"{url} answered {answer.status_code}; redirects are not followed.", param="source")
    found = bytearray()
    async for part in answer.aiter_bytes():
        found += part
        if len(found) > MAX_BYTES:
            raise RequestInvalid(f"{url} is larger than {MAX_BYTES // 1024 // 1024} MiB.", param="source")
    return bytes(found)
