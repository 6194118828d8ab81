"""Requests with an `Idempotency-Key`: an answer that is kept is sent again, and another is kept while it is sent."""

import asyncio
import logging
import re
from collections.abc import Iterable
from typing import Final

from litestar.types import Message, Send

from application.idempotency import MAX_KEPT_BYTES
from domain.keys import Principal
from domain.money import usd
from domain.ports.idempotency import KeptAnswer
from entrypoints.http.edge.exchange import Exchange
from entrypoints.http.responses import JSON_SECURITY

log = logging.getLogger(__name__)

_KEPT: Final = frozenset({"content-type", "retry-after", "x-should-retry"})
_OWN: Final = "x-omg-"
_OF_THE_FIRST: Final = ("x-omg-overhead-ms", "x-omg-budget-limit", "x-omg-budget-remaining", "x-omg-cost-")
"""What was true of the first request alone."""

_COST: Final = frozenset({"x-omg-cost-usd", "x-omg-cost"})
_FREE: Final = (b"x-omg-cost-usd", usd(0).encode())
_REPLAYED: Final = (b"idempotent-replayed", b"true")
_BOUNDARY: Final = re.compile(rb'boundary="?([^";,\s]+)', re.IGNORECASE)


async def replayed(exchange: Exchange, principal: Principal, endpoint: str, body: bytes) -> bool:
    """Whether the answer was kept, and is sent; else the one to come is kept. Raises as `IdempotentRequests.begin`."""
    requests = exchange.services.idempotent
    key = exchange.head.singles[b"idempotency-key"].decode("latin-1")
    route = "/".join((exchange.provider or "", endpoint, exchange.tail))
    name, answer = await requests.begin(principal, route, key, body, _boundary(exchange))
    if answer is None:
        exchange.keep_answer(_Keeping(exchange, name))
        return False
    log.info("answered again", extra={"request_id": exchange.request_id, "endpoint": endpoint})
    await _send_again(exchange, answer)
    return True


def _boundary(exchange: Exchange) -> bytes:
    kind = next((value for name, value in exchange.scope["headers"] if name == b"content-type"), b"")
    found = _BOUNDARY.search(kind) if kind.startswith(b"multipart/") else None
    return found.group(1) if found else b""


async def _send_again(exchange: Exchange, answer: KeptAnswer) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    if any(name in _COST for name, _ in answer.headers):
        headers = [each for each in headers if each[0].decode() not in _COST]
        headers.append(_FREE)
    headers += [(b"content-length", b"%d" % len(answer.body)), *JSON_SECURITY, *exchange.headers(), _REPLAYED]
    send = exchange.begin()
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


class _Keeping:
    """Keeps an answer as it is sent, and says so before its last byte goes out: whoever has read it may ask again."""

    def __init__(self, exchange: Exchange, name: str) -> None:
        self._exchange = exchange
        self._name = name
        self._status = 0
        self._headers: tuple[tuple[str, str], ...] = ()
        self._blocks: list[bytes] = []
        self._size = 0
        self._ended = False

    def around(self, send: Send) -> Send:
        async def kept(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._status = message["status"]
                self._headers = tuple(_worth_keeping(message["headers"]))
            elif message["type"] == "http.response.body":
                self._add(message["body"])
                if not message["more_body"]:
                    await self._end(whole=True)
            await send(message)

        return kept

    async def over(self) -> None:
        """An answer that has not ended by now was cut short."""
        await self._end(whole=False)

    def _add(self, block: bytes) -> None:
        if block == self._exchange.errors.ping:
            return
        self._size += len(block)
        if self._size > MAX_KEPT_BYTES:
            self._blocks.clear()
        else:
            self._blocks.append(block)

    async def _end(self, *, whole: bool) -> None:
        if self._ended:
            return
        self._ended = True
        trace = self._exchange.trace
        answer = None
        if whole and self._size <= MAX_KEPT_BYTES:
            answer = KeptAnswer(self._status, self._headers, b"".join(self._blocks))
        self._blocks.clear()
        dispatched = trace is not None and bool(trace.attempts)
        # Shielded: a client that leaves now must not leave a claim that nobody ends.
        await asyncio.shield(self._exchange.services.idempotent.end(self._name, answer, dispatched=dispatched))


def _worth_keeping(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    texts = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers]
    return [
        (name, value)
        for name, value in texts
        if name in _KEPT or name in _COST or (name.startswith(_OWN) and not name.startswith(_OF_THE_FIRST))
    ]
