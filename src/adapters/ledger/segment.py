"""A preallocated file of the usage spool, and how records lie in it: length, CRC, kind, payload; zeros at the end."""

import errno
import os
import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple, TypeVar, cast

import msgspec

from domain.records import ProgressRecord, RequestRecord, StartRecord


class Begun(msgspec.Struct, frozen=True, array_like=True):
    """A `StartRecord` as the living process reads it back: who, and no more."""

    request_id: str
    decision_id: str


Record = StartRecord | ProgressRecord | RequestRecord | Begun

_HEAD = struct.Struct("<IIBI")  # payload length and `_NUMBERED`, CRC-32 of the rest, kind, number
_OLD_HEAD = struct.Struct("<IIB")  # the same without `_NUMBERED` and number
_NUMBERED = 0x8000_0000
_pack_head = _HEAD.pack
HEAD_BYTES = _HEAD.size
MAX_PAYLOAD_BYTES = 256 * 1024
_LARGEST = _HEAD.size + MAX_PAYLOAD_BYTES
_POSSIBLE_HEAD = re.compile(rb"(?s)(?=..[\x00-\x04][\x00\x80].{4}[^\x00])")
_NOISE_BYTES = 1
"""So much in a stretch of zeros is a fault of the disk, and no rest of a record."""
_MAX_TEXT, _MAX_ITEMS, _MAX_NUMBER = 1000, 50, 2**62

T = TypeVar("T")


class Kind(IntEnum):
    START = 1
    PROGRESS = 2
    END = 3


_encode = msgspec.msgpack.Encoder().encode
_TYPES: dict[int, type[Record]] = {Kind.START: StartRecord, Kind.PROGRESS: ProgressRecord, Kind.END: RequestRecord}
_DECODERS = {kind: msgspec.msgpack.Decoder(type_).decode for kind, type_ in _TYPES.items()}
_read_end = msgspec.msgpack.Decoder(RequestRecord).decode
_LEAN_DECODERS = {**_DECODERS, Kind.START: msgspec.msgpack.Decoder(Begun).decode}


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One record and the offset right behind it. None is a whole record that this version cannot read.

    `number` is 0 where an older version wrote it.
    """

    record: Record | None
    end: int
    number: int = 0


class Damage(msgspec.Struct, frozen=True, gc=False):
    """A stretch without a whole record: a write was cut short, or the disk lied. `blank`: it holds next to nothing."""

    start: int
    end: int
    blank: bool


class _Head(NamedTuple):
    length: int
    crc: int
    kind: int
    number: int
    payload: int  # its offset

    @property
    def end(self) -> int:
        return self.payload + self.length


def encoded(record: Record) -> bytes:
    """A record as a frame's payload. Never raises."""
    try:
        payload = _encode(record)
    except (OverflowError, UnicodeError):
        payload = _encode(_tamed(record))
    if len(payload) > MAX_PAYLOAD_BYTES:
        payload = _encode(_tamed(record))
    return payload


def ended(payload: bytes) -> RequestRecord:
    """The record that an END frame's payload is."""
    return _read_end(payload)


def framed(kind: Kind, payload: bytes, number: int) -> bytes:
    """The bytes of the segment's frame of this number."""
    crc = zlib.crc32(payload, _seed(kind, number))
    return _pack_head(len(payload) | _NUMBERED, crc, kind, number) + payload


def frame(kind: Kind, record: Record, number: int = 1) -> bytes:
    """A record as it is written, in one piece. Never raises."""
    return framed(kind, encoded(record), number)


def frames(
    data: bytes | memoryview, base: int = 0, *, lean: bool = False, last: bool = True
) -> Iterator[Frame | Damage]:
    """What a segment's bytes hold that begin at offset `base`: whole records, and the damaged parts between them.

    Where more of the segment follows (`last` is False) it ends before what that may complete; the next call begins at
    the end of the last piece. `lean` reads a `Begun` for each start.
    """
    decoders = _LEAN_DECODERS if lean else _DECODERS
    view = memoryview(data)
    at = 0
    while at < len(view):
        head = _head(view, at)
        if head is not None and _whole(view, head):
            yield Frame(_record(decoders, head.kind, view[head.payload : head.end]), base + head.end, head.number)
            at = head.end
            continue
        if at and not last and (head is None or head.end > len(view)) and len(view) - at <= _LARGEST:
            return  # the next call sees it whole
        end = _resumption(view, at, head, last=last)
        yield Damage(base + at, base + end, _blank(bytes(view[at:end])))
        at = end


def _seed(kind: int, number: int) -> int:
    """What the checksum of a payload begins with; of an older version's frame the kind alone."""
    return number ^ kind << 24 if number else kind


def _head(view: memoryview, at: int) -> _Head | None:
    """What could be a frame's head, or None."""
    if at + _OLD_HEAD.size > len(view):
        return None
    length, crc, kind = _OLD_HEAD.unpack_from(view, at)
    if length & _NUMBERED:
        if at + _HEAD.size > len(view):
            return None
        length, crc, kind, number = _HEAD.unpack_from(view, at)
        found = _Head(length ^ _NUMBERED, crc, kind, number, at + _HEAD.size)
    else:
        found = _Head(length, crc, kind, 0, at + _OLD_HEAD.size)
    return found if kind and 0 < found.length <= MAX_PAYLOAD_BYTES else None


def _whole(view: memoryview, head: _Head) -> bool:
    if head.end > len(view):
        return False
    return zlib.crc32(view[head.payload : head.end], _seed(head.kind, head.number)) == head.crc


def _resumption(view: memoryview, at: int, damaged: _Head | None, *, last: bool) -> int:
    """Where the next whole frame begins; where there is none, as far as that is certain."""
    if damaged is not None and damaged.number:
        # Its own length, where the number of what follows confirms it: what a client wrote is not looked at.
        follower = _head(view, damaged.end)
        if follower is not None and follower.number == damaged.number + 1 and _whole(view, follower):
            return damaged.end
    if not _any_bytes(view[at:]):
        return len(view) if last else max(at + 1, len(view) - _HEAD.size)
    for match in _POSSIBLE_HEAD.finditer(view, at + 1):
        head = _head(view, match.start())
        if head is not None and _whole(view, head) and _is_array(view[head.payload]):
            return match.start()
    return len(view) if last else max(at + 1, len(view) - _LARGEST)


def _is_array(first: int) -> bool:
    """Whether MessagePack's first byte begins an array, as every record is one."""
    return 0x90 <= first <= 0x9F or first in {0xDC, 0xDD}


def _any_bytes(view: memoryview) -> bool:
    """Whether anything but zeros is there."""
    return bool(bytes(view).strip(b"\0"))


def _blank(data: bytes) -> bool:
    return len(data) - data.count(0) <= _NOISE_BYTES


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
    elif isinstance(value, dict):
        tame = {_tamed(name): _tamed(each) for name, each in [*value.items()][:_MAX_ITEMS]}
    elif isinstance(value, msgspec.Struct):
        tame = type(value)(*map(_tamed, msgspec.structs.astuple(value)))
    return cast(T, tame)


_CANNOT_RESERVE = {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}
_ZEROS = bytes(256 * 1024)
_COPY_BYTES = 1024 * 1024


class Segment:
    """A file being filled. `written` is the length of the `records` whole records in it.

    It stays open until it is let go: what is in it can be read however its folder fares.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self.written = 0
        self.records = 0
        self.descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            _reserve(self.descriptor, size)
        except OSError:
            os.close(self.descriptor)
            path.unlink()
            raise

    def append(self, data: bytes) -> None:
        """Write one record whole. Raises `OSError`; a record cut short is overwritten by the next try.

        A system call, not a copy into a mapping of the file: decision 0039.
        """
        if os.pwrite(self.descriptor, data, self.written) != len(data):
            raise OSError(errno.ENOSPC, "the record was written in part")
        self.written += len(data)
        self.records += 1

    def sync(self) -> None:
        """Make what was written durable."""
        getattr(os, "fdatasync", os.fsync)(self.descriptor)  # macOS has only the latter

    def is_in_its_folder(self) -> bool:
        """Whether its file can be found where it was made: folders vanish, move, and are mounted over."""
        try:
            there, own = self.path.stat(), os.fstat(self.descriptor)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (own.st_dev, own.st_ino)

    def put_back(self, lock: AbstractContextManager[object]) -> None:
        """Write its records into a file of its name again; appending waits only while `lock` is held. Raises `OSError`.

        A file handle that has died (a network file system's) is replaced by one of the file that is there.
        """
        try:
            os.pread(self.descriptor, 1, 0)
        except OSError:
            made = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        else:
            made = os.open(self.path, os.O_CREAT | os.O_TRUNC | os.O_RDWR | os.O_CLOEXEC, 0o600)
            try:
                _reserve(made, self.size)
                copied = self._copy(made, 0)
                with lock:
                    self._copy(made, copied)
                    os.fsync(made)
                    os.dup2(made, self.descriptor, inheritable=False)
            except OSError:
                os.close(made)
                with suppress(OSError):
                    self.path.unlink()
                raise
            os.close(made)
            return
        with lock:
            os.dup2(made, self.descriptor, inheritable=False)
        os.close(made)

    def _copy(self, target: int, at: int) -> int:
        while at < self.written:
            at += os.pwrite(target, os.pread(self.descriptor, min(_COPY_BYTES, self.written - at), at), at)
        return at

    def let_go(self) -> None:
        """Close it. Nobody reads or writes it any more."""
        with suppress(OSError):
            os.close(self.descriptor)

    def discard(self) -> None:
        """It was prepared and is not needed. A file that cannot be removed holds no record, and stays."""
        self.let_go()
        with suppress(OSError):
            self.path.unlink()


def _reserve(descriptor: int, size: int) -> None:
    """Take the room for the whole file from the disk. Raises `OSError` where there is not so much."""
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError as error:
            if error.errno not in _CANNOT_RESERVE:
                raise
        else:
            return
    at = 0
    while at < size:
        at += os.pwrite(descriptor, _ZEROS[: size - at], at)
