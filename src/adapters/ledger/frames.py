"""How records lie in a spool segment: length, CRC, kind, payload; zeros follow the last one."""

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum
from typing import TypeVar, cast

import msgspec

from domain.records import ProgressRecord, RequestRecord, StartRecord


class Begun(msgspec.Struct, frozen=True, array_like=True):
    """A `StartRecord` as the living process reads it back: who, and no more."""

    request_id: str
    decision_id: str


Record = StartRecord | ProgressRecord | RequestRecord | Begun

_HEAD = struct.Struct("<IIB")  # payload length, CRC-32 of kind and payload, kind
_pack_head = _HEAD.pack
MAX_PAYLOAD_BYTES = 256 * 1024
_MAX_TEXT, _MAX_ITEMS, _MAX_NUMBER = 1000, 50, 2**62

T = TypeVar("T")


class Kind(IntEnum):
    START = 1
    PROGRESS = 2
    END = 3


_encode = msgspec.msgpack.Encoder().encode
_TYPES: dict[int, type[Record]] = {Kind.START: StartRecord, Kind.PROGRESS: ProgressRecord, Kind.END: RequestRecord}
_DECODERS = {kind: msgspec.msgpack.Decoder(type_).decode for kind, type_ in _TYPES.items()}
_LEAN_DECODERS = {**_DECODERS, Kind.START: msgspec.msgpack.Decoder(Begun).decode}


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One record and the offset right behind it. None is a whole record that this version cannot read."""

    record: Record | None
    end: int


class TornFrame(Exception):
    """From this offset on the segment holds no whole record: a write was cut short, or the disk lied."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"no whole record at offset {offset}")
        self.offset = offset


def frame(kind: Kind, record: Record) -> bytes:
    """A record as it is written, in one piece. Never raises."""
    try:
        payload = _encode(record)
    except (OverflowError, UnicodeError):
        payload = _encode(_tamed(record))
    if len(payload) > MAX_PAYLOAD_BYTES:
        payload = _encode(_tamed(record))
    return _pack_head(len(payload), zlib.crc32(payload, kind), kind) + payload


def frames(data: bytes | memoryview, base: int = 0, *, lean: bool = False) -> Iterator[Frame]:
    """The records of a segment's bytes, which begin at offset `base`. Raises `TornFrame` behind the last good one.

    `lean` reads a `Begun` for each start.
    """
    decoders = _LEAN_DECODERS if lean else _DECODERS
    view = memoryview(data)
    at = 0
    while at + _HEAD.size <= len(view):
        length, crc, kind = _HEAD.unpack_from(view, at)
        if length == 0 and crc == 0 and kind == 0:
            return
        end = at + _HEAD.size + length
        payload = view[at + _HEAD.size : end]
        if length > MAX_PAYLOAD_BYTES or end > len(view) or zlib.crc32(payload, kind) != crc:
            raise TornFrame(base + at)
        yield Frame(_record(decoders, kind, payload), base + end)
        at = end
    if any(view[at:]):
        raise TornFrame(base + at)


def _record(decoders: Mapping[int, Callable[[memoryview], Record]], kind: int, payload: memoryview) -> Record | None:
    try:
        return decoders[kind](payload)
    except (KeyError, msgspec.DecodeError):
        return None


def _tamed(value: T) -> T:
    """A record in which a client or a provider wrote more than fits: texts and tuples cut, numbers bounded."""
    tame: object = value
    if isinstance(value, str):
        tame = value[:_MAX_TEXT].encode("utf-8", "replace").decode()
    elif isinstance(value, int) and not isinstance(value, bool):
        tame = max(-_MAX_NUMBER, min(value, _MAX_NUMBER))
    elif isinstance(value, tuple):
        tame = tuple(map(_tamed, value[:_MAX_ITEMS]))
    elif isinstance(value, msgspec.Struct):
        tame = type(value)(*map(_tamed, msgspec.structs.astuple(value)))
    return cast(T, tame)
