"""The HTTP calls that google-auth makes from its thread, sent through the provider's own transport.

It asks for a callable like `google.auth.transport.Request`; nothing of google-auth is imported for that.
"""

import asyncio
import http.client
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import httpx

from adapters.providers.upstream import HttpUpstream
from adapters.providers.vertex.stored_key import is_google
from domain.errors import UpstreamFailure
from domain.failover import FailureKind

METADATA_HOSTS: Final = frozenset({"metadata.google.internal", "169.254.169.254"})
_LONGEST_SECONDS: Final = 20.0
_MAX_METADATA_BYTES: Final = 64 * 1024


class GoogleResponse:
    """What google-auth reads of an answer."""

    def __init__(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
        self.status = status
        self.headers = headers
        self.data = data


class GoogleCalls:
    """Called in a thread; waits there for the loop. `machine`: the credentials are this machine's, not a stored key."""

    def __init__(self, upstream: HttpUpstream, loop: asyncio.AbstractEventLoop, *, machine: bool) -> None:
        self._upstream = upstream
        self._loop = loop
        self._machine = machine

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: object,
    ) -> GoogleResponse:
        """Raises `UpstreamFailure`, and google-auth's own `TransportError` for a metadata server that is not there."""
        longest = min(timeout or _LONGEST_SECONDS, _LONGEST_SECONDS)
        if self._machine and urlsplit(url).scheme == "http" and urlsplit(url).hostname in METADATA_HOSTS:
            return _metadata(url, method, dict(headers or {}), longest)
        if not (is_google(url) or (self._machine and urlsplit(url).scheme == "https")):
            raise UpstreamFailure(
                FailureKind.INVALID_CREDENTIAL, "This credential names an address that is not Google's; not called."
            )
        content = body.encode() if isinstance(body, str) else body or b""
        sent = self._send(method, httpx.URL(url), httpx.Headers(dict(headers or {})), content, longest)
        return asyncio.run_coroutine_threadsafe(sent, self._loop).result(longest + 5)

    async def _send(
        self, method: str, url: httpx.URL, headers: httpx.Headers, body: bytes, longest: float
    ) -> GoogleResponse:
        try:
            async with asyncio.timeout(longest):
                status, answer_headers, data = await self._upstream.fetch(method, url, headers, body, None)
        except TimeoutError:
            failure = UpstreamFailure(FailureKind.CONNECT, f"{url.host} did not answer in {longest:g} seconds.")
        else:
            return GoogleResponse(status, answer_headers, data)
        raise failure


def _metadata(url: str, method: str, headers: Mapping[str, str], longest: float) -> GoogleResponse:
    """The egress guard keeps every provider from these addresses; only the machine's own credentials come this way."""
    from google.auth import exceptions

    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=longest)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, target, headers=dict(headers))
        response = connection.getresponse()
        data = response.read(_MAX_METADATA_BYTES)
    except (OSError, http.client.HTTPException) as error:
        message = f"the metadata server cannot be reached: {error}"
        raise exceptions.TransportError(message) from error  # type: ignore[no-untyped-call]  # its types end there
    finally:
        connection.close()
    return GoogleResponse(response.status, dict(response.getheaders()), data)
