"""Reads spool segments in order, and knows whose end is still to come."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from adapters.ledger.frames import MAX_PAYLOAD_BYTES, Begun, Frame, TornFrame, frames
from domain.records import ProgressRecord, StartRecord

log = logging.getLogger(__name__)

READ_BYTES = MAX_PAYLOAD_BYTES + 64 * 1024
"""At a time: more than the largest record. What is read takes some ten times as much memory."""


class OpenRequest(msgspec.Struct):
    """A start without its end, and how far it came."""

    start: StartRecord
    progress: ProgressRecord | None = None


class Read(msgspec.Struct, frozen=True):
    """Some records of a segment, and where to go on once they are dealt with."""

    found: Sequence[Frame]
    next_offset: int


class SegmentReader:
    """Reads one directory's segments. `advance` after what was read is safe: a failure reads it again.

    `lean` is for the living process's own: it needs no `open`, which would hold each open stream's start in memory.
    """

    def __init__(self, *, lean: bool = False) -> None:
        self._lean = lean
        self._read_to: dict[Path, int] = {}
        self._begun_in: dict[str, Path] = {}  # by decision: segments that must stay until its end comes
        self.open: dict[str, OpenRequest] = {}  # by decision: a client may use a request's id again
        self._decisions: dict[str, str] = {}  # of open requests, by the id that progress is told under
        self.torn = 0

    def read(self, segment: Path, length: int) -> Read | None:
        """The next records of a segment that is so long, or None at its end. A torn tail is cut, counted, logged."""
        start = self._read_to.get(segment, 0)
        if start >= length:
            return None
        with segment.open("rb") as file:
            data = os.pread(file.fileno(), min(READ_BYTES, length - start), start)
        found: list[Frame] = []
        last_window = start + len(data) >= length
        try:
            found.extend(frames(data, start, lean=self._lean))  # keeps what came before a torn record
        except TornFrame as torn:
            if found and not last_window:
                return Read(found, found[-1].end)  # the window ended inside a record
            self.torn += 1
            log.warning("a torn record was cut from the spool", extra={"segment": segment.name, "at": torn.offset})
            return Read(found, length)
        return Read(found, length if last_window or not found else found[-1].end)

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
        self._read_to[segment] = read.next_offset

    def forget(self, segment: Path) -> None:
        """Its file is gone."""
        self._read_to.pop(segment, None)

    def done_with(self, segment: Path) -> bool:
        """Whether no request that started in this segment is still open."""
        return segment not in self._begun_in.values()
