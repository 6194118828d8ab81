"""What an issuer says of itself, and how it is asked: few calls, bounded, and only where its operator meant.

Source: OpenID Connect Discovery 1.0, 3 and 4; RFC 8414; RFC 9207 (read 2026-11).
"""

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import Final, cast

import httpx
import msgspec

from adapters.transport.egress import EgressGuard, EgressRefused, Origin
from domain.issuers import Issuer
from domain.ports.issuers import IssuerAway
from domain.ports.runtime import Clock

ASK_SECONDS: Final = 5.0
MAX_BYTES: Final = 1024 * 1024
FRESH_SECONDS: Final = 3600.0
"""How long a discovery document is taken without asking again."""
COLD_RETRY_SECONDS: Final = 2.0
"""How soon an issuer is asked again of which nothing is known."""
RETRY_SECONDS: Final = 30.0
"""How soon an issuer that did not answer is asked again, where what it said before still serves."""

MakeTransport = Callable[[EgressGuard], httpx.AsyncBaseTransport]


class Metadata(msgspec.Struct, frozen=True):
    """The fields of a discovery document that are used."""

    issuer: str
    jwks_uri: str
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    userinfo_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    claims_parameter_supported: bool = False
    authorization_response_iss_parameter_supported: bool = False


class IssuerCalls:
    """Calls to one issuer, a connection each: there are few. Redirects are not followed.

    A private address is called only at the origin that was configured, unless `allow_private_network`: what a
    discovery document names is the issuer's word, not the operator's (S-08).
    """

    def __init__(self, issuer: Issuer, make_transport: MakeTransport, *, allow_private_network: bool = False) -> None:
        self._configured = Origin.of(httpx.URL(issuer.issuer))
        self._make_transport = make_transport
        self._allow_private_network = allow_private_network

    async def ask(
        self, method: str, address: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> tuple[int, bytes]:
        """Status and body. Raises `IssuerAway`."""
        url, origin = self.checked(address)
        try:
            async with asyncio.timeout(ASK_SECONDS):
                return await self._send(method, url, origin, headers or {}, body)
        except TimeoutError:
            raise IssuerAway(f"{origin} did not answer within {ASK_SECONDS:g} seconds") from None
        except EgressRefused as error:
            raise IssuerAway(f"{origin} may not be called: {error}") from error
        except (httpx.HTTPError, OSError) as error:
            raise IssuerAway(f"{origin} cannot be reached: {error}") from error

    def checked(self, address: str) -> tuple[httpx.URL, Origin]:
        """An address that the issuer named: http, and by TLS where its own is. Raises `IssuerAway` for another one."""
        try:
            url = httpx.URL(address)
            origin = Origin.of(url)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise IssuerAway(f"'{address}' is no address: {error}") from error
        if self._configured.tls and not origin.tls:
            raise IssuerAway(f"{origin} is not used: the issuer is asked by https only")
        return url, origin

    async def _send(
        self, method: str, url: httpx.URL, origin: Origin, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        own = {"host": origin.authority, "accept": "application/json", "user-agent": "open-model-gateway"}
        if method == "POST":
            own["content-length"] = str(len(body))
        meant = self._allow_private_network or origin == self._configured
        transport = self._make_transport(EgressGuard(private_origins=(origin,) if meant else ()))
        try:
            request = httpx.Request(method, url, headers=own | dict(headers), stream=httpx.ByteStream(body))
            answer = await transport.handle_async_request(request)
            try:
                found = b""
                async for piece in cast(httpx.AsyncByteStream, answer.stream):
                    found += piece
                    if len(found) > MAX_BYTES:
                        raise IssuerAway(f"{origin} answered more than a megabyte")
            finally:
                await answer.aclose()
            return answer.status_code, found
        finally:
            await transport.aclose()

    async def get_json(self, address: str, headers: Mapping[str, str] | None = None) -> Mapping[str, object]:
        """The JSON object there. Raises `IssuerAway`."""
        status, body = await self.ask("GET", address, headers)
        if status != 200:
            raise IssuerAway(f"{address} answered {status}")
        try:
            return msgspec.json.decode(body, type=dict[str, object])
        except (msgspec.DecodeError, RecursionError) as error:  # the latter for brackets without end
            raise IssuerAway(f"{address} answered no JSON object") from error


class Discovery:
    """The issuer's document, read when first needed and again after an hour; while it is away the old one serves."""

    def __init__(self, issuer: Issuer, calls: IssuerCalls, clock: Clock) -> None:
        self._issuer = issuer
        self._calls = calls
        self._clock = clock
        self._known: Metadata | None = None
        self._why_not = ""
        self._asked_at = -math.inf
        self._read_at = -math.inf
        self._reading = asyncio.Lock()

    async def get(self) -> Metadata:
        """Raises `IssuerAway` where it was never read."""
        if (known := self._current()) is not None:
            return known
        async with self._reading:
            if (known := self._current()) is not None:  # another one has read it meanwhile
                return known
            if self._known is None and self._clock.monotonic() - self._asked_at < COLD_RETRY_SECONDS:
                raise IssuerAway(self._why_not)  # who waited for another one's call does not call again
            self._asked_at = self._clock.monotonic()
            try:
                self._known = await self._read()
                self._read_at = self._asked_at
            except IssuerAway as error:
                self._why_not = str(error)
                if self._known is None:
                    raise
            return self._known

    def _current(self) -> Metadata | None:
        now = self._clock.monotonic()
        if self._known is None:
            return None
        return self._known if now - self._read_at < FRESH_SECONDS or now - self._asked_at < RETRY_SECONDS else None

    async def _read(self) -> Metadata:
        address = self._issuer.issuer.rstrip("/") + "/.well-known/openid-configuration"
        document = await self._calls.get_json(address)
        try:
            found = msgspec.convert(_known_fields(document), Metadata)
        except msgspec.ValidationError as error:
            raise IssuerAway(f"{address} is no discovery document: {error}") from error
        if found.issuer != self._issuer.issuer:
            raise IssuerAway(f"{address} is of another issuer, '{found.issuer}', than the one that is configured")
        return found


def _known_fields(document: Mapping[str, object]) -> dict[str, object]:
    """Without nulls, which mean what a missing field means."""
    return {name: value for name in Metadata.__struct_fields__ if (value := document.get(name)) is not None}
