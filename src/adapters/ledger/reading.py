"""Reads spool segments in order, and knows whose end is still to come."""

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from adapters.ledger.segment import MAX_PAYLOAD_BYTES, Begun, Damage, Frame, frames
from domain.records import ProgressRecord, StartRecord

log = logging.getLogger(__name__)

READ_BYTES = MAX_PAYLOAD_BYTES + 64 * 1024
"""At a time: more than the largest record. What is read takes some ten times as much memory."""


class OpenRequest(msgspec.Struct):
    """A start without its end, and how far it came."""

    start: StartRecord
    progress: ProgressRecord | None = None


class Position(msgspec.Struct, frozen=True):
    """How far a segment is read: the offset, the number of the last frame, and whether a damaged part is behind it."""

    offset: int = 0
    number: int = 0
    damaged: bool = False
    blank: bool = False


_BEGINNING = Position()


class Read(msgspec.Struct, frozen=True):
    """Some records of a segment, where to go on once they are dealt with, and how many between them were lost."""

    found: Sequence[Frame]
    position: Position
    lost: int


class SegmentReader:
    """Reads one directory's segments. `advance` after what was read is safe: a failure reads it again.

    `lean` is for the living process's own: it needs no `open`, which would hold each open stream's start in memory.
    """

    def __init__(self, *, lean: bool = False) -> None:
        self._lean = lean
        self._positions: dict[Path, Position] = {}
        self._begun_in: dict[str, Path] = {}  # by decision: segments that must stay until its end comes
        self.open: dict[str, OpenRequest] = {}  # by decision: a client may use a request's id again
        self._decisions: dict[str, str] = {}  # of open requests, by the id that progress is told under

    def read(self, segment: Path, length: int, descriptor: int | None = None) -> Read | None:
        """The next records of a segment that is so long, or None at its end. Damaged ones are passed over.

        Read through `descriptor`, where it is open, whatever became of its folder. Raises `OSError`.
        """
        position = self._positions.get(segment, _BEGINNING)
        if position.offset >= length:
            return None
        data = _read(segment, descriptor, min(READ_BYTES, length - position.offset), position.offset)
        last = not data or position.offset + len(data) >= length
        found: list[Frame] = []
        lost = 0
        for piece in frames(data, position.offset, lean=self._lean, last=last):
            if isinstance(piece, Damage):
                position = Position(piece.end, position.number, position.damaged or not piece.blank, True)
                continue
            lost += _between(position, piece)
            position = Position(piece.end, piece.number)
            found.append(piece)
        if last:
            lost += position.damaged
            position = Position(length, position.number + position.damaged)
        return Read(found, position, lost)

    def advance(self, segment: Path, read: Read) -> None:
        """What was read is applied: remember whose end is still to come."""
        for item in read.found:
            record = item.record
            if isinstance(record, Begun):
                self._begun_in[record.decision_id] = segment
            elif isinstance(record, StartRecord):
                self._begun_in[record.decision_id] = segment
                self.open[record.decision_id] = OpenRequest(record)
                self._decisions[record.request_id] = record.decision_id
            elif isinstance(record, ProgressRecord):
                if started := self.open.get(self._decisions.get(record.request_id, "")):
                    started.progress = record
            elif record is not None:
                self._begun_in.pop(record.decision_id, None)
                self.open.pop(record.decision_id, None)
                self._decisions.pop(record.request_id, None)
            else:
                log.error("a record in the spool is of another version and cannot be read", extra={"at": item.end})
        self._positions[segment] = read.position

    def records_read(self, segment: Path) -> int:
        """How many of its records were dealt with, those that were lost included."""
        return self._positions.get(segment, _BEGINNING).number

    def forget(self, segment: Path) -> None:
        """Its file is gone."""
        self._positions.pop(segment, None)

    def open_after(self, segment: Path | None) -> list[OpenRequest]:
        """The open requests that began in a later segment than this one; all of them for None."""
        return [item for decision, item in self.open.items() if segment is None or self._begun_in[decision] > segment]

    def done_with(self, segment: Path) -> bool:
        """Whether no request that started in this segment is still open."""
        return segment not in self._begun_in.values()


def _between(position: Position, frame: Frame) -> int:
    """How many frames were passed over before this one."""
    if frame.number:
        return max(0, frame.number - position.number - 1)
    return 1 if position.damaged or position.blank else 0


def _read(segment: Path, descriptor: int | None, count: int, at: int) -> bytes:
    if descriptor is not None:
        with suppress(OSError):  # a handle that has died: the file itself may be well
            return os.pread(descriptor, count, at)
    with segment.open("rb") as file:
        return os.pread(file.fileno(), count, at)
