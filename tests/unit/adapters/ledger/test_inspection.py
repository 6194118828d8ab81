"""What a segment tells whoever checks the books."""

from pathlib import Path

from adapters.ledger.inspection import ended_before, segments_below
from adapters.ledger.segment import Kind, frame
from tests.builders import a_request_record

FIRST, SECOND = (frame(Kind.END, a_request_record(f"req_{number}")) for number in (1, 2))


def ids(path: Path, offset: int) -> list[str]:
    return [record.request_id for record in ended_before(path, offset)]


def test_only_ends_before_the_offset_are_told(tmp_path: Path) -> None:
    segment = tmp_path / "w_1" / "1.spool"
    segment.parent.mkdir()
    segment.write_bytes(FIRST + SECOND + bytes(100))

    assert segments_below(tmp_path) == {"1.spool": segment}
    assert ids(segment, 0) == []
    assert ids(segment, len(FIRST)) == ["req_1"]
    assert ids(segment, len(FIRST + SECOND)) == ["req_1", "req_2"]
    assert ids(segment, len(FIRST + SECOND) + 50) == ["req_1", "req_2"]


def test_what_came_before_a_torn_record_is_told(tmp_path: Path) -> None:
    segment = tmp_path / "1.spool"
    segment.write_bytes(FIRST + SECOND[:-1] + b"?")

    assert ids(segment, 10_000) == ["req_1"]


def test_a_segment_that_has_gone_tells_nothing(tmp_path: Path) -> None:
    assert ended_before(tmp_path / "gone.spool", 10) == []
