"""A provider that costs almost nothing: raw HTTP/1.1 on asyncio protocols. `python -m bench.upstream PORT`.

Answers any POST as the body's model says, a mode of `bench.samples`; a stream's chunks are written one by one. Any GET
lists those models.
"""

import asyncio
import json
import sys
from itertools import cycle
from typing import cast

import uvloop
from typing_extensions import override

from bench.samples import (
    CUT_AFTER_EVENTS,
    EVENT_GAP_SECONDS,
    HELD_EVENTS,
    MODES,
    plain_answer,
    stream_events,
    tool_events,
)

_MODELS = {"object": "list", "data": [{"id": mode, "object": "model"} for mode in MODES]}
CUT = b"cut here"
_LAST_CHUNK = b"0\r\n\r\n"
_ERROR = b'{"error": {"message": "The engine is on fire.", "type": "server_error"}}'
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def _whole(body: bytes, status: bytes = b"200 OK") -> bytes:
    head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(body)) + body


def _chunks(events: list[bytes]) -> list[bytes]:
    return [b"%x\r\n%b\r\n" % (len(event), event) for event in events]


_PLAIN = _whole(plain_answer())
_FAULTY = cycle((_whole(_ERROR, b"500 Internal Server Error"), _PLAIN))
_LIST = _whole(json.dumps(_MODELS).encode())
_CHUNKS = {usage: _chunks(stream_events(usage=usage)) for usage in (False, True)}
_TOOLS = {usage: _chunks(tool_events(usage=usage)) for usage in (False, True)}


class Upstream(asyncio.Protocol):
    """One client connection: requests are answered in the order they come, one at a time."""

    def __init__(self) -> None:
        self._buffer = b""
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its class

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            _, found, length = head.partition(b"content-length:")
            size = int(length.split(b"\r\n", 1)[0]) if found else 0
            if len(self._buffer) < end + 4 + size:
                return
            body = self._buffer[end + 4 : end + 4 + size]
            self._buffer = self._buffer[end + 4 + size :]
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"get "):
            self._write(_LIST)
        elif b'burst"' in body:
            self._stream(_CHUNKS[b"include_usage" in body], gap=0.0)
        elif b'paced"' in body:
            self._stream(_CHUNKS[b"include_usage" in body], gap=EVENT_GAP_SECONDS)
        elif b'held"' in body:
            self._write(_STREAM_HEAD + b"".join(_CHUNKS[False][:HELD_EVENTS]))
        elif b'tools"' in body:
            self._stream(_TOOLS[b"include_usage" in body], gap=0.0)
        elif b'cut"' in body:
            self._stream([*_CHUNKS[False][:CUT_AFTER_EVENTS], CUT], gap=0.0)
        else:
            self._write(next(_FAULTY) if b'faulty"' in body else _PLAIN)

    def _stream(self, chunks: list[bytes], gap: float) -> None:
        self._write(_STREAM_HEAD)
        self._next(chunks, 0, gap)

    def _next(self, chunks: list[bytes], index: int, gap: float) -> None:
        if index == len(chunks):
            self._write(_LAST_CHUNK)
            return
        if chunks[index] is CUT:
            if self._transport is not None:
                self._transport.close()
            return
        self._write(chunks[index])
        if gap:
            self._loop.call_later(gap, self._next, chunks, index + 1, gap)
        else:  # a turn of the loop between two writes, or they would leave as one
            self._loop.call_soon(self._next, chunks, index + 1, gap)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


async def serve(port: int) -> None:
    """Until killed."""
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
