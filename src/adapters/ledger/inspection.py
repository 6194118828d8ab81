"""Looks into spool segments without applying anything, for whoever checks the books."""

from pathlib import Path

from adapters.ledger.segment import Frame, frames
from adapters.ledger.spool import SUFFIX
from adapters.persistence.ledger.verification import AppliedSegment, LookAt
from domain.records import RequestRecord


def applied_segments(root: Path) -> LookAt:
    """How a check of the books looks at the segments that are below `root` now."""
    segments = segments_below(root)

    def look_at(segment: str, applied_bytes: int) -> AppliedSegment | None:
        path = segments.get(segment)
        if path is None or not path.exists():
            return None
        return AppliedSegment(path.stat().st_size, tuple(ended_before(path, applied_bytes)))

    return look_at


def segments_below(root: Path) -> dict[str, Path]:
    """Every segment there is by its name, whosever it is."""
    return {path.name: path for path in root.glob(f"*/*{SUFFIX}")}


def ended_before(segment: Path, offset: int) -> list[RequestRecord]:
    """The requests whose end is written before this offset. Empty for a file that has gone meanwhile."""
    try:
        data = memoryview(segment.read_bytes())[:offset]
    except FileNotFoundError:
        return []
    pieces = [piece for piece in frames(data) if isinstance(piece, Frame)]
    return [piece.record for piece in pieces if isinstance(piece.record, RequestRecord)]
