"""Sends an operator's headers along with whatever is asked of a provider, and to nobody else."""

from collections.abc import Mapping
from typing import Final

import httpx
from typing_extensions import override

from adapters.transport.direct import DirectTransport, direct
from adapters.transport.egress import Origin
from adapters.transport.response_stream import UpstreamResponse
from domain.timeouts import Timeouts

_LISTS: Final = frozenset({"anthropic-beta", "openai-beta"})
"""Of which a client may say some too: both are sent."""


class ExtraHeaders(DirectTransport):
    """Only to the origin that they were given for: a cloud's token endpoint, or another host, gets none (S-07).

    They hold over what the gateway says of itself by the same name, such as `user-agent`.
    """

    def __init__(
        self, transport: httpx.AsyncBaseTransport, origin: Origin, headers: Mapping[str, str], timeouts: Timeouts
    ) -> None:
        self._transport = transport
        self._direct = direct(transport, timeouts)
        self._origin = origin
        self._headers = dict(headers)

    @override
    async def ask(self, method: str, url: httpx.URL, headers: httpx.Headers, body: bytes) -> UpstreamResponse:
        if Origin.of(url) == self._origin:
            headers = headers.copy()
            for name, value in self._headers.items():
                given = headers.get(name) if name.lower() in _LISTS else None
                headers[name] = f"{given},{value}" if given else value
        return await self._direct.ask(method, url, headers, body)

    @override
    async def aclose(self) -> None:
        await self._transport.aclose()


def with_headers(
    transport: httpx.AsyncBaseTransport, base_url: str, headers: Mapping[str, str], timeouts: Timeouts
) -> httpx.AsyncBaseTransport:
    """The same transport where there are none: then a call costs what it did."""
    if not headers:
        return transport
    return ExtraHeaders(transport, Origin.of(httpx.URL(base_url)), headers, timeouts)
