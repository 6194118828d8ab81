"""How records lie in a spool segment: length, CRC, kind, payload; zeros follow the last one."""

import struct
import zlib
from collections.abc import Iterator
from enum import IntEnum

import msgspec

from domain.records import ProgressRecord, RequestRecord, StartRecord

Record = StartRecord | ProgressRecord | RequestRecord

_HEAD = struct.Struct("<IIB")  # payload length, CRC-32 of kind and payload, kind
MAX_PAYLOAD_BYTES = 256 * 1024


class Kind(IntEnum):
    START = 1
    PROGRESS = 2
    END = 3


_encode = msgspec.msgpack.Encoder().encode
_TYPES: dict[Kind, type[Record]] = {Kind.START: StartRecord, Kind.PROGRESS: ProgressRecord, Kind.END: RequestRecord}
_DECODERS = {kind: msgspec.msgpack.Decoder(type_).decode for kind, type_ in _TYPES.items()}


class Frame(msgspec.Struct, frozen=True):
    """One record and the offset right behind it."""

    record: Record
    end: int


class TornFrame(Exception):
    """From this offset on the segment holds no whole record: a write was cut short, or the disk lied."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"no whole record at offset {offset}")
        self.offset = offset


def frame(kind: Kind, record: Record) -> bytes:
    """A record as it is written, in one piece."""
    payload = _encode(record)
    return _HEAD.pack(len(payload), zlib.crc32(payload, kind), kind) + payload


def frames(data: bytes | memoryview, base: int = 0) -> Iterator[Frame]:
    """The records of a segment's bytes, which begin at offset `base`. Raises `TornFrame` behind the last good one."""
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
        try:
            record = _DECODERS[Kind(kind)](payload)
        except (KeyError, ValueError, msgspec.DecodeError) as error:
            raise TornFrame(base + at) from error
        yield Frame(record, base + end)
        at = end
    if any(view[at:]):
        raise TornFrame(base + at)
