"""Looks into spool segments without applying anything, for whoever checks the books."""

from pathlib import Path

from adapters.ledger.frames import TornFrame, frames
from adapters.ledger.spool import SUFFIX
from domain.records import RequestRecord


def segments_below(root: Path) -> dict[str, Path]:
    """Every segment there is by its name, whosever it is."""
    return {path.name: path for path in root.glob(f"*/*{SUFFIX}")}


def ended_before(segment: Path, offset: int) -> list[RequestRecord]:
    """The requests whose end is written before this offset. Empty for a file that has gone meanwhile."""
    try:
        data = memoryview(segment.read_bytes())[:offset]
    except FileNotFoundError:
        return []
    found: list[RequestRecord] = []
    try:
        found.extend(item.record for item in frames(data) if isinstance(item.record, RequestRecord))
    except TornFrame:  # cut and counted when it was replayed; what came before it is in `found`
        return found
    return found
