"""Compresses what the pages read: JSON and files of `/admin`, `/me` and `/api`.

Only answers of GET: whatever has a secret in it (a new key, a link, a token) is the answer of a POST, and stays as it
is, since the length of a compressed answer tells of a secret beside what an attacker can choose (BREACH). No GET shows
one: a test goes through all of them.
"""

import asyncio
import zlib
from collections.abc import MutableMapping
from typing import Any, Final, cast

from litestar.types import HTTPScope, Message, Send

PREFIXES: Final = ("/admin/", "/me", "/api/")
SMALLEST_BYTES: Final = 1_024
"""A smaller answer is one packet anyway."""

_IN_A_THREAD_BYTES: Final = 64 * 1024
"""A larger one takes milliseconds, in which others would wait."""

_LEVEL: Final = 5
_GZIP: Final = 31
"""As `wbits`: gzip, with the largest window."""

_KINDS: Final = (b"application/json", b"text/csv")


def compressing(scope: HTTPScope, send: Send) -> Send:
    """What to send with in place of `send`, for an answer to this request."""
    if scope["method"] != "GET" or not scope["path"].startswith(PREFIXES) or not accepts_gzip(scope["headers"]):
        return send
    return _Compressing(send)


def accepts_gzip(headers: Any) -> bool:
    """Whether the client takes gzip; `gzip;q=0` says that it does not."""
    given = b",".join(value for name, value in headers if name == b"accept-encoding").lower()
    weights: dict[bytes, bytes] = {}
    for part in given.split(b","):
        coding, _, parameters = part.partition(b";")
        weights[coding.strip()] = parameters.replace(b" ", b"").partition(b"q=")[2] or b"1"
    weight = weights.get(b"gzip", weights.get(b"x-gzip", weights.get(b"*", b"0")))
    return bool(weight.strip(b"0."))


class _Compressing:
    """Holds the head back until the first of the body says whether it is worth it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._head: MutableMapping[str, Any] | None = None
        self._stream: Any = None  # zlib has no name for its type

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_eligible(cast(MutableMapping[str, Any], message)):
            self._head = cast(MutableMapping[str, Any], message)
        elif message["type"] == "http.response.body" and self._head is not None:
            head, self._head = self._head, None
            await self._begin(head, cast(MutableMapping[str, Any], message))
        elif message["type"] == "http.response.body" and self._stream is not None:
            await self._go_on(cast(MutableMapping[str, Any], message))
        else:
            await self._send(message)

    async def _begin(self, head: MutableMapping[str, Any], message: MutableMapping[str, Any]) -> None:
        body, more = message.get("body", b""), message.get("more_body", False)
        headers = [*head["headers"], (b"vary", b"accept-encoding")]
        if not more and len(body) < SMALLEST_BYTES:
            head["headers"] = headers
            await self._send(cast(Message, head))
            await self._send(cast(Message, message))
            return
        headers = [header for header in headers if header[0].lower() != b"content-length"]
        headers.append((b"content-encoding", b"gzip"))
        self._stream = zlib.compressobj(_LEVEL, wbits=_GZIP)
        if not more:
            body = await self._compressed(body, more=False)
            headers.append((b"content-length", b"%d" % len(body)))
            head["headers"] = headers
            await self._send(cast(Message, head))
            await self._send({"type": "http.response.body", "body": body, "more_body": False})
            return
        head["headers"] = headers
        await self._send(cast(Message, head))
        await self._go_on(message)

    async def _go_on(self, message: MutableMapping[str, Any]) -> None:
        more = message.get("more_body", False)
        body = await self._compressed(message.get("body", b""), more=more)
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def _compressed(self, body: bytes, *, more: bool) -> bytes:
        if len(body) > _IN_A_THREAD_BYTES:
            return await asyncio.to_thread(self._compress, body, more)
        return self._compress(body, more)

    def _compress(self, body: bytes, more: bool) -> bytes:
        begun: bytes = self._stream.compress(body)
        rest: bytes = self._stream.flush(zlib.Z_SYNC_FLUSH if more else zlib.Z_FINISH)
        return begun + rest


def _is_eligible(head: MutableMapping[str, Any]) -> bool:
    named = {name.lower(): value for name, value in head["headers"]}
    kind = named.get(b"content-type", b"")
    return head["status"] == 200 and b"content-encoding" not in named and kind.startswith(_KINDS)
