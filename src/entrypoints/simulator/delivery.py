"""Carries one behaviour out on the wire: delays, headers, writes, and the fault at its exact place."""

import asyncio
import json
import zlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from typing import Any, NoReturn

import msgspec

from entrypoints.simulator.apis.endpoint import JSON, Endpoint, Failure, encoded
from entrypoints.simulator.behaviour import Behaviour
from entrypoints.simulator.connection import connection_of
from entrypoints.simulator.journal import Entry
from entrypoints.simulator.oddities import event

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

_PAD_WRITE_BYTES = 64 * 1024
_APART_SECONDS = 0.002  # between two writes that must not share a TCP segment
_BEFORE_RESET_SECONDS = 0.02  # so that what was written is read before the RST overtakes it


class Delivery(msgspec.Struct, frozen=True):
    """One request that is being answered in the words of `endpoint`."""

    scope: Message
    send: Send
    entry: Entry
    endpoint: Endpoint


async def deliver(delivery: Delivery, behaviour: Behaviour) -> None:
    """Answer as scripted. Returns when the response is complete or broken; a stall waits to be cancelled."""
    await asyncio.sleep(behaviour.delay_ms / 1000)
    if behaviour.fault == "silent":
        await _for_ever()
    streams = delivery.endpoint.streams()
    if behaviour.fault == "reset" and behaviour.after_chunks is None and behaviour.after_bytes is None:
        await _break(delivery, behaviour)
    elif behaviour.status != 200 or behaviour.body is not None or behaviour.fault == "leak_key":
        await _fixed(delivery, behaviour)
    elif behaviour.endless and streams:
        await _stream(delivery, behaviour, delivery.endpoint.endless(behaviour))
    elif streams and not behaviour.plain:
        await _stream(delivery, behaviour, _blocks(delivery, behaviour))
    else:
        await _plain(delivery, behaviour)


async def respond_json(
    send: Send, entry: Entry | None, status: int, value: object, headers: dict[str, str] | None = None
) -> None:
    """A whole response of JSON, or of a text as it stands."""
    body = value.encode() if isinstance(value, str) else json.dumps(value, ensure_ascii=False).encode()
    given = {
        "content-type": "text/plain; charset=utf-8" if isinstance(value, str) else JSON,
        "content-length": str(len(body)),
        **(headers or {}),
    }
    if entry is not None:
        entry.status = status
        given["x-request-id"] = f"req_sim{entry.id}"
    pairs = [(name.encode("latin-1"), text.encode("latin-1")) for name, text in given.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


async def respond_failure(delivery: Delivery, failure: Failure) -> None:
    """An error that no script asked for."""
    await respond_json(delivery.send, delivery.entry, failure.status, failure.body, failure.headers)


async def _start(delivery: Delivery, behaviour: Behaviour, content_type: str, length: int | None) -> None:
    headers = {"content-type": content_type, "x-request-id": f"req_sim{delivery.entry.id}"}
    if length is not None:
        headers["content-length"] = str(length)
    if 300 <= behaviour.status < 400:
        headers["location"] = "http://127.0.0.1:9/elsewhere"
    headers |= delivery.endpoint.headers()
    headers |= {name.lower(): value for name, value in behaviour.headers.items()}
    delivery.entry.status = behaviour.status
    await delivery.send(
        {
            "type": "http.response.start",
            "status": behaviour.status,
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        }
    )
    await asyncio.sleep(behaviour.first_chunk_delay_ms / 1000)


async def _write(delivery: Delivery, body: bytes, *, more: bool = True) -> None:
    await delivery.send({"type": "http.response.body", "body": body, "more_body": more})


async def _plain(delivery: Delivery, behaviour: Behaviour) -> None:
    whole = delivery.endpoint.plain(behaviour)
    body = whole.content
    if behaviour.fault == "error_event":
        body = encoded(delivery.endpoint.failure(500, "scripted error in a 200").body)
    elif behaviour.fault == "bad_json":
        body = body[: len(body) // 2]
    await _start(delivery, behaviour, whole.content_type, len(body))
    if behaviour.fault in {"cut", "stall", "reset", "end"}:
        half = 0 if behaviour.after_chunks == 0 else len(body) // 2
        await _write(delivery, body[: half if behaviour.after_bytes is None else behaviour.after_bytes])
        await _break(delivery, behaviour)
    elif behaviour.fault == "split_utf8":
        await _write_split(delivery, body)
        await _write(delivery, b"", more=False)
    else:
        await _write(delivery, body, more=False)


async def _stream(delivery: Delivery, behaviour: Behaviour, blocks: Iterable[bytes]) -> None:
    await _start(delivery, behaviour, delivery.endpoint.stream_type, None)
    stops_at = (behaviour.after_chunks or 0) if behaviour.fault not in {None, "split_utf8"} else None
    if behaviour.fault is not None and behaviour.after_bytes is not None:
        stops_at, blocks = 1, [b"".join(blocks)[: behaviour.after_bytes]]
    for number, block in enumerate(blocks):
        if number == stops_at:
            break
        if number or behaviour.chunk_delay_ms:
            await asyncio.sleep(behaviour.chunk_delay_ms / 1000)
        if behaviour.fault == "split_utf8":
            await _write_split(delivery, block)
        else:
            await _write(delivery, block)
        delivery.entry.chunks_sent += 1
    if stops_at is None:
        await _write(delivery, b"", more=False)
    else:
        await _break(delivery, behaviour)


def _blocks(delivery: Delivery, behaviour: Behaviour) -> Iterable[bytes]:
    if behaviour.events is not None:
        return [given.encode() if isinstance(given, str) else event(given) for given in behaviour.events]
    return delivery.endpoint.blocks(behaviour)


async def _break(delivery: Delivery, behaviour: Behaviour) -> None:
    """The fault itself, once everything before it is written."""
    match behaviour.fault:
        case "error_event":
            await _write(delivery, delivery.endpoint.error_block(), more=False)
        case "bad_json":
            await _write(delivery, delivery.endpoint.broken_block(), more=False)
        case "end" if delivery.endpoint.streams():
            await _write(delivery, b"", more=False)
        case "stall":
            await _for_ever()
        case "reset":
            await asyncio.sleep(_BEFORE_RESET_SECONDS)
            delivery.entry.finish("faulted")
            connection_of(delivery.scope).reset()
        case _:
            delivery.entry.finish("faulted")
            connection_of(delivery.scope).close()


async def _fixed(delivery: Delivery, behaviour: Behaviour) -> None:
    """A scripted status and body, padded and compressed as scripted, written in pieces that never add up in memory."""
    kind, start, failure = _fixed_body(delivery, behaviour)
    headers = failure.headers
    behaviour = msgspec.structs.replace(behaviour, headers=headers, status=failure.status)
    length = None if behaviour.compress else len(start) + behaviour.pad_bytes
    if behaviour.compress:
        packer = zlib.compressobj(wbits=31)
        await _start(delivery, msgspec.structs.replace(behaviour, headers=_GZIP | headers), kind, length)
        for piece in _padded(start, behaviour.pad_bytes):
            if packed := packer.compress(piece):
                await _write(delivery, packed)
            await asyncio.sleep(0)
        await _write(delivery, packer.flush(), more=False)
        return
    await _start(delivery, behaviour, kind, length)
    for piece in _padded(start, behaviour.pad_bytes):
        await _write(delivery, piece)
    await _write(delivery, b"", more=False)


_GZIP = {"content-encoding": "gzip"}


def _fixed_body(delivery: Delivery, behaviour: Behaviour) -> tuple[str, bytes, Failure]:
    """Content type and body, and the status and headers that the API sends with it."""
    given = behaviour.body
    as_scripted = Failure(behaviour.status, given, behaviour.headers)
    if isinstance(given, str) and behaviour.fault != "leak_key":
        return "text/plain; charset=utf-8", given.encode(), as_scripted
    if given is not None and behaviour.fault != "leak_key":
        return JSON, encoded(given), as_scripted
    credential = delivery.endpoint.call.credential
    message = f"Incorrect API key provided: {credential}." if behaviour.fault == "leak_key" else None
    failure = delivery.endpoint.failure(behaviour.status, message, behaviour.error_code, behaviour.headers)
    return JSON, b"" if behaviour.status == 204 else encoded(failure.body), failure


def _padded(start: bytes, pad_bytes: int) -> Iterator[bytes]:
    yield start
    for begin in range(0, pad_bytes, _PAD_WRITE_BYTES):
        yield b" " * min(_PAD_WRITE_BYTES, pad_bytes - begin)


async def _write_split(delivery: Delivery, body: bytes) -> None:
    """Write so that every multi-byte character spans two writes."""
    begin = 0
    for index, byte in enumerate(body):
        if byte & 0xC0 == 0x80 and body[index - 1] & 0xC0 == 0xC0:
            await _write(delivery, body[begin:index])
            await asyncio.sleep(_APART_SECONDS)
            begin = index
    await _write(delivery, body[begin:])


async def _for_ever() -> NoReturn:
    await asyncio.Event().wait()
    raise AssertionError("an event that nobody sets was set")
