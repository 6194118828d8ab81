"""Carries one behaviour out on the wire: delays, headers, writes, and the fault at its exact place."""

import asyncio
import json
import zlib
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any, NoReturn

import msgspec

from entrypoints.simulator.answers import answer_to
from entrypoints.simulator.behaviour import Behaviour
from entrypoints.simulator.completion import chunks, completion, word_chunk
from entrypoints.simulator.connection import connection_of
from entrypoints.simulator.error_bodies import error_body
from entrypoints.simulator.journal import Entry
from entrypoints.simulator.oddities import DONE, blocks_of, event

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

EVENT_STREAM = "text/event-stream; charset=utf-8"

_PAD_WRITE_BYTES = 64 * 1024
_APART_SECONDS = 0.002  # between two writes that must not share a TCP segment
_BEFORE_RESET_SECONDS = 0.02  # so that what was written is read before the RST overtakes it


class Exchange(msgspec.Struct, frozen=True):
    """One request that is being answered. `credential` is what it was authorised with, or empty."""

    scope: Message
    send: Send
    entry: Entry
    request: dict[str, Any]
    credential: str

    @property
    def identity(self) -> str:
        """The id of the answer."""
        return f"chatcmpl-sim{self.entry.id}"

    @property
    def streams(self) -> bool:
        return self.request.get("stream") is True


async def deliver(exchange: Exchange, behaviour: Behaviour) -> None:
    """Answer as told. Returns when the response is complete or broken; a stall waits to be cancelled."""
    await asyncio.sleep(behaviour.delay_ms / 1000)
    if behaviour.fault == "silent":
        await _for_ever()
    if behaviour.fault == "reset" and behaviour.after_chunks is None:
        await _break(exchange, behaviour)
    elif behaviour.status != 200 or behaviour.body is not None or behaviour.fault == "leak_key":
        await _fixed(exchange, behaviour)
    elif behaviour.endless and exchange.streams:
        await _endless(exchange, behaviour)
    elif exchange.streams and not behaviour.plain:
        await _stream(exchange, behaviour)
    else:
        await _plain(exchange, behaviour)


async def respond_json(send: Send, entry: Entry | None, status: int, value: object) -> None:
    """A whole JSON response."""
    body = json.dumps(value, ensure_ascii=False).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if entry is not None:
        entry.status = status
        headers.append((b"x-request-id", f"req_sim{entry.id}".encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _start(exchange: Exchange, behaviour: Behaviour, content_type: str, length: int | None) -> None:
    headers = {"content-type": content_type, "x-request-id": f"req_sim{exchange.entry.id}"}
    if length is not None:
        headers["content-length"] = str(length)
    if 300 <= behaviour.status < 400:
        headers["location"] = "http://127.0.0.1:9/elsewhere"
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
    answer = answer_to(exchange.request, behaviour)
    body = json.dumps(completion(exchange.request, answer, exchange.identity), ensure_ascii=False).encode()
    if behaviour.fault == "error_event":
        body = json.dumps(error_body(500, "scripted error in a 200")).encode()
    elif behaviour.fault == "bad_json":
        body = body[: len(body) // 2]
    await _start(exchange, behaviour, "application/json", len(body))
    if behaviour.fault in {"cut", "stall", "reset", "end"}:
        await _write(exchange, b"" if behaviour.after_chunks == 0 else body[: len(body) // 2])
        await _break(exchange, behaviour)
    elif behaviour.fault == "split_utf8":
        await _write_split(exchange, body)
        await _write(exchange, b"", more=False)
    else:
        await _write(exchange, body, more=False)


async def _stream(exchange: Exchange, behaviour: Behaviour) -> None:
    await _start(exchange, behaviour, EVENT_STREAM, None)
    stops_at = (behaviour.after_chunks or 0) if behaviour.fault not in {None, "split_utf8"} else None
    for number, block in enumerate(_blocks(exchange, behaviour)):
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


def _blocks(exchange: Exchange, behaviour: Behaviour) -> list[bytes]:
    if behaviour.events is not None:
        return [told.encode() if isinstance(told, str) else event(told) for told in behaviour.events]
    answer = answer_to(exchange.request, behaviour)
    return blocks_of(chunks(exchange.request, answer, exchange.identity), behaviour.odd)


async def _endless(exchange: Exchange, behaviour: Behaviour) -> None:
    await _start(exchange, behaviour, EVENT_STREAM, None)
    number = 0
    while True:
        await _write(exchange, event(word_chunk(exchange.request, exchange.identity, number)))
        exchange.entry.chunks_sent += 1
        number += 1
        await asyncio.sleep(behaviour.chunk_delay_ms / 1000)


async def _break(exchange: Exchange, behaviour: Behaviour) -> None:
    """The fault itself, once everything before it is written."""
    match behaviour.fault:
        case "error_event":
            await _write(exchange, event(error_body(500, "scripted error")), more=False)
        case "bad_json":
            await _write(exchange, b'data: {"choices": [{"delta": {"cont\n\n' + DONE, more=False)
        case "end" if exchange.streams:
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
    kind, start = _fixed_body(exchange, behaviour)
    length = None if behaviour.compress else len(start) + behaviour.pad_bytes
    if behaviour.compress:
        packer = zlib.compressobj(wbits=31)
        await _start(exchange, msgspec.structs.replace(behaviour, headers=_GZIP | behaviour.headers), kind, length)
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


def _fixed_body(exchange: Exchange, behaviour: Behaviour) -> tuple[str, bytes]:
    if behaviour.fault == "leak_key":
        body = error_body(behaviour.status, f"Incorrect API key provided: {exchange.credential}.")
        return "application/json", json.dumps(body).encode()
    if isinstance(behaviour.body, str):
        return "text/plain; charset=utf-8", behaviour.body.encode()
    body = error_body(behaviour.status) if behaviour.body is None else behaviour.body
    return "application/json", b"" if behaviour.status == 204 else json.dumps(body, ensure_ascii=False).encode()


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
