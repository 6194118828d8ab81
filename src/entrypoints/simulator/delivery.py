"""Carries one behaviour out on the wire: delays, headers, writes, and the fault at its exact place."""

import asyncio
import json
import zlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from typing import Any, NoReturn

import msgspec

from entrypoints.simulator.behaviour import Behaviour
from entrypoints.simulator.connection import connection_of
from entrypoints.simulator.journal import Entry
from entrypoints.simulator.oddities import event
from entrypoints.simulator.wires.wire import JSON, Failure, Wire, encoded

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

_PAD_WRITE_BYTES = 64 * 1024
_APART_SECONDS = 0.002  # between two writes that must not share a TCP segment
_BEFORE_RESET_SECONDS = 0.02  # so that what was written is read before the RST overtakes it


class Exchange(msgspec.Struct, frozen=True):
    """One request that is being answered in the words of `wire`."""

    scope: Message
    send: Send
    entry: Entry
    wire: Wire


async def deliver(exchange: Exchange, behaviour: Behaviour) -> None:
    """Answer as told. Returns when the response is complete or broken; a stall waits to be cancelled."""
    await asyncio.sleep(behaviour.delay_ms / 1000)
    if behaviour.fault == "silent":
        await _for_ever()
    streams = exchange.wire.streams()
    if behaviour.fault == "reset" and behaviour.after_chunks is None and behaviour.after_bytes is None:
        await _break(exchange, behaviour)
    elif behaviour.status != 200 or behaviour.body is not None or behaviour.fault == "leak_key":
        await _fixed(exchange, behaviour)
    elif behaviour.endless and streams:
        await _stream(exchange, behaviour, exchange.wire.endless(behaviour))
    elif streams and not behaviour.plain:
        await _stream(exchange, behaviour, _blocks(exchange, behaviour))
    else:
        await _plain(exchange, behaviour)


async def respond_json(
    send: Send, entry: Entry | None, status: int, value: object, headers: dict[str, str] | None = None
) -> None:
    """A whole response of JSON, or of a text as it stands."""
    body = value.encode() if isinstance(value, str) else json.dumps(value, ensure_ascii=False).encode()
    told = {
        "content-type": "text/plain; charset=utf-8" if isinstance(value, str) else JSON,
        "content-length": str(len(body)),
        **(headers or {}),
    }
    if entry is not None:
        entry.status = status
        told["x-request-id"] = f"req_sim{entry.id}"
    pairs = [(name.encode("latin-1"), text.encode("latin-1")) for name, text in told.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


async def respond_failure(exchange: Exchange, failure: Failure) -> None:
    """An error that no script asked for."""
    await respond_json(exchange.send, exchange.entry, failure.status, failure.body, failure.headers)


async def _start(exchange: Exchange, behaviour: Behaviour, content_type: str, length: int | None) -> None:
    headers = {"content-type": content_type, "x-request-id": f"req_sim{exchange.entry.id}"}
    if length is not None:
        headers["content-length"] = str(length)
    if 300 <= behaviour.status < 400:
        headers["location"] = "http://127.0.0.1:9/elsewhere"
    headers |= exchange.wire.headers()
    headers |= {name.lower(): value for name, value in behaviour.headers.items()}
    exchange.entry.status = behaviour.status
    await exchange.send(
        {
            "type": "http.response.start",
            "status": behaviour.status,
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        }
    )
    await asyncio.sleep(behaviour.first_chunk_delay_ms / 1000)


async def _write(exchange: Exchange, body: bytes, *, more: bool = True) -> None:
    await exchange.send({"type": "http.response.body", "body": body, "more_body": more})


async def _plain(exchange: Exchange, behaviour: Behaviour) -> None:
    whole = exchange.wire.plain(behaviour)
    body = whole.content
    if behaviour.fault == "error_event":
        body = encoded(exchange.wire.failure(500, "scripted error in a 200").body)
    elif behaviour.fault == "bad_json":
        body = body[: len(body) // 2]
    await _start(exchange, behaviour, whole.content_type, len(body))
    if behaviour.fault in {"cut", "stall", "reset", "end"}:
        half = 0 if behaviour.after_chunks == 0 else len(body) // 2
        await _write(exchange, body[: half if behaviour.after_bytes is None else behaviour.after_bytes])
        await _break(exchange, behaviour)
    elif behaviour.fault == "split_utf8":
        await _write_split(exchange, body)
        await _write(exchange, b"", more=False)
    else:
        await _write(exchange, body, more=False)


async def _stream(exchange: Exchange, behaviour: Behaviour, blocks: Iterable[bytes]) -> None:
    await _start(exchange, behaviour, exchange.wire.stream_type, None)
    stops_at = (behaviour.after_chunks or 0) if behaviour.fault not in {None, "split_utf8"} else None
    if behaviour.fault is not None and behaviour.after_bytes is not None:
        stops_at, blocks = 1, [b"".join(blocks)[: behaviour.after_bytes]]
    for number, block in enumerate(blocks):
        if number == stops_at:
            break
        if number or behaviour.chunk_delay_ms:
            await asyncio.sleep(behaviour.chunk_delay_ms / 1000)
        if behaviour.fault == "split_utf8":
            await _write_split(exchange, block)
        else:
            await _write(exchange, block)
        exchange.entry.chunks_sent += 1
    if stops_at is None:
        await _write(exchange, b"", more=False)
    else:
        await _break(exchange, behaviour)


def _blocks(exchange: Exchange, behaviour: Behaviour) -> Iterable[bytes]:
    if behaviour.events is not None:
        return [told.encode() if isinstance(told, str) else event(told) for told in behaviour.events]
    return exchange.wire.blocks(behaviour)


async def _break(exchange: Exchange, behaviour: Behaviour) -> None:
    """The fault itself, once everything before it is written."""
    match behaviour.fault:
        case "error_event":
            await _write(exchange, exchange.wire.error_block(), more=False)
        case "bad_json":
            await _write(exchange, exchange.wire.broken_block(), more=False)
        case "end" if exchange.wire.streams():
            await _write(exchange, b"", more=False)
        case "stall":
            await _for_ever()
        case "reset":
            await asyncio.sleep(_BEFORE_RESET_SECONDS)
            exchange.entry.finish("faulted")
            connection_of(exchange.scope).reset()
        case _:
            exchange.entry.finish("faulted")
            connection_of(exchange.scope).close()


async def _fixed(exchange: Exchange, behaviour: Behaviour) -> None:
    """A told status and body, padded and compressed as told, written in pieces that never add up in memory."""
    kind, start, failure = _fixed_body(exchange, behaviour)
    headers = failure.headers
    behaviour = msgspec.structs.replace(behaviour, headers=headers, status=failure.status)
    length = None if behaviour.compress else len(start) + behaviour.pad_bytes
    if behaviour.compress:
        packer = zlib.compressobj(wbits=31)
        await _start(exchange, msgspec.structs.replace(behaviour, headers=_GZIP | headers), kind, length)
        for piece in _padded(start, behaviour.pad_bytes):
            if packed := packer.compress(piece):
                await _write(exchange, packed)
            await asyncio.sleep(0)
        await _write(exchange, packer.flush(), more=False)
        return
    await _start(exchange, behaviour, kind, length)
    for piece in _padded(start, behaviour.pad_bytes):
        await _write(exchange, piece)
    await _write(exchange, b"", more=False)


_GZIP = {"content-encoding": "gzip"}


def _fixed_body(exchange: Exchange, behaviour: Behaviour) -> tuple[str, bytes, Failure]:
    """Content type and body, and the status and headers that the API sends with it."""
    told = behaviour.body
    as_told = Failure(behaviour.status, told, behaviour.headers)
    if isinstance(told, str) and behaviour.fault != "leak_key":
        return "text/plain; charset=utf-8", told.encode(), as_told
    if told is not None and behaviour.fault != "leak_key":
        return JSON, encoded(told), as_told
    credential = exchange.wire.call.credential
    message = f"Incorrect API key provided: {credential}." if behaviour.fault == "leak_key" else None
    failure = exchange.wire.failure(behaviour.status, message, behaviour.error_code, behaviour.headers)
    return JSON, b"" if behaviour.status == 204 else encoded(failure.body), failure


def _padded(start: bytes, pad_bytes: int) -> Iterator[bytes]:
    yield start
    for begin in range(0, pad_bytes, _PAD_WRITE_BYTES):
        yield b" " * min(_PAD_WRITE_BYTES, pad_bytes - begin)


async def _write_split(exchange: Exchange, body: bytes) -> None:
    """Write so that every multi-byte character spans two writes."""
    begin = 0
    for index, byte in enumerate(body):
        if byte & 0xC0 == 0x80 and body[index - 1] & 0xC0 == 0xC0:
            await _write(exchange, body[begin:index])
            await asyncio.sleep(_APART_SECONDS)
            begin = index
    await _write(exchange, body[begin:])


async def _for_ever() -> NoReturn:
    await asyncio.Event().wait()
    raise AssertionError("an event that nobody sets was set")
