"""Webhooks: the alert as JSON, signed, to the URL an admin typed, through the egress guard (S-08, S-12).

The signature is Stripe's scheme: `x-omg-signature: t=<unix>,v1=<hex HMAC-SHA256 of "<t>.<body>">`, anew with each
attempt. A channel without a secret is not signed at all: nothing is ever signed with an empty one.
"""

import asyncio
import hmac
from collections.abc import Callable
from typing import Final

import httpx
import msgspec
from typing_extensions import override

from adapters.transport.direct import direct
from adapters.transport.egress import EgressGuard, EgressRefused
from domain.alerts import AlertChannel, AlertDelivery
from domain.ports.alerts import AlertNotDelivered, AlertSender
from domain.ports.runtime import Clock
from domain.timeouts import Timeouts

SIGNATURE_HEADER: Final = "x-omg-signature"
SEND_SECONDS: Final = 15.0

TRIED_AGAIN: Final = frozenset({408, 425, 429})
"""Statuses below 500 that time may cure."""

MakeTransport = Callable[[EgressGuard], httpx.AsyncBaseTransport]


class WebhookSender(AlertSender):
    """Each attempt has a connection of its own: there are few. Redirects are not followed."""

    def __init__(self, make_transport: MakeTransport, clock: Clock, *, allow_private_network: bool = False) -> None:
        self._make_transport = make_transport
        self._clock = clock
        self._allow_private_network = allow_private_network

    @override
    async def send(self, channel: AlertChannel, delivery: AlertDelivery) -> None:
        body = msgspec.json.encode(delivery.alert)
        headers = {
            "content-type": "application/json",
            "user-agent": "open-model-gateway",
            "x-omg-delivery": delivery.id,
            "x-omg-event": delivery.alert.event,
        }
        if channel.secret:
            headers[SIGNATURE_HEADER] = sign(channel.secret.reveal(), body, int(self._clock.now().timestamp()))
        try:
            async with asyncio.timeout(SEND_SECONDS):
                status = await self._post(channel.url or "", headers, body)
        except TimeoutError:
            raise AlertNotDelivered(f"The webhook did not answer within {SEND_SECONDS:g} seconds.") from None
        except EgressRefused as error:
            raise AlertNotDelivered(
                "The webhook's address is not public. If it is meant to be on your own network, write the address "
                "itself into the URL, not a name.",
                final=True,
            ) from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise AlertNotDelivered(f"The webhook's URL cannot be used: {error}", final=True) from error
        except (httpx.TransportError, OSError) as error:
            raise AlertNotDelivered(f"The webhook cannot be reached: {error}") from error
        if not 200 <= status < 300:
            final = 300 <= status < 500 and status not in TRIED_AGAIN
            moved = " Redirects are not followed: write the address it leads to." if 300 <= status < 400 else ""
            raise AlertNotDelivered(f"The webhook answered {status}.{moved}", final=final)

    @override
    async def aclose(self) -> None:
        """Nothing is kept open."""

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> int:
        parsed = httpx.URL(url)
        own = {"host": parsed.netloc.decode("ascii"), "content-length": str(len(body))}
        guard = EgressGuard.for_provider(parsed, allow_private_network=self._allow_private_network)
        transport = self._make_transport(guard)
        try:
            answer = await direct(transport, Timeouts()).ask("POST", parsed, httpx.Headers(own | headers), body)
            if answer.stream is not None:
                await answer.stream.aclose()  # what it says does not matter
            return answer.status
        finally:
            await transport.aclose()


def sign(secret: str, body: bytes, at: int) -> str:
    """The header's value for this moment, in seconds since 1970."""
    code = hmac.digest(secret.encode(), f"{at}.".encode() + body, "sha256").hex()
    return f"t={at},v1={code}"
