"""What the gateway is measured against where nginx is not at hand, and the floor of any ASGI service.

Served by uvicorn as the gateway is: `nothing` answers without an upstream, `forward` is a bare reverse proxy that
authenticates nobody, reads nothing and keeps no record.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from bench.samples import EVENT_GAP_SECONDS, HELD_EVENTS, plain_answer, stream_events

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_PORT = int(os.environ.get("BENCH_UPSTREAM_PORT", "0"))
_PLAIN = plain_answer()
_STREAM = stream_events(usage=False)
_idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []


async def nothing(scope: Message, receive: Receive, send: Send) -> None:
    """Read the body, answer the sample."""
    if scope["type"] != "http":
        return
    body = await _body(receive)
    if b'plain"' in body or not body:
        await _start(send, 200, b"application/json", len(_PLAIN))
        await send({"type": "http.response.body", "body": _PLAIN})
        return
    await _start(send, 200, b"text/event-stream")
    if b'held"' in body:
        await _hold(receive, send)
        return
    paced = b'paced"' in body
    for event in _STREAM:
        await send({"type": "http.response.body", "body": event, "more_body": True})
        await asyncio.sleep(EVENT_GAP_SECONDS if paced else 0)
    await send({"type": "http.response.body", "body": b""})


async def _hold(receive: Receive, send: Send) -> None:
    for event in _STREAM[:HELD_EVENTS]:
        await send({"type": "http.response.body", "body": event, "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        continue


async def forward(scope: Message, receive: Receive, send: Send) -> None:
    """Pass the request on over a kept connection and the answer back as it comes."""
    if scope["type"] != "http":
        return
    body = await _body(receive)
    reader, writer = _idle.pop() if _idle else await asyncio.open_connection("127.0.0.1", _PORT)
    head = f"{scope['method']} {scope['path']} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
    headers = dict(line.split(b": ", 1) for line in lines[1:] if b": " in line)
    length = int(headers[b"content-length"]) if b"content-length" in headers else None
    await _start(send, int(lines[0].split(b" ")[1]), headers[b"content-type"], length)
    async for part in _parts(reader, length):
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
    _idle.append((reader, writer))


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def _start(send: Send, status: int, content_type: bytes, length: int | None = None) -> None:
    headers = [(b"content-type", content_type)]
    if length is not None:
        headers.append((b"content-length", b"%d" % length))
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _parts(reader: asyncio.StreamReader, length: int | None) -> AsyncIterator[bytes]:
    if length is not None:
        yield await reader.readexactly(length)
        return
    while size := int(await reader.readline(), 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)
