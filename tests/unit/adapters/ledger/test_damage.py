"""A damaged part of a segment costs the records in it and no other, and their number is told."""

import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from adapters.ledger.flusher import LedgerFlusher
from adapters.ledger.ownership import OwnDirectory
from adapters.ledger.reading import SegmentReader
from adapters.ledger.segment import Kind, Record, frame
from adapters.ledger.spool import Spool
from domain.records import RequestRecord
from tests.fakes.ledger import MemoryLedgerStore
from tests.unit.adapters.ledger.test_spool import a_progress, a_start, an_end

pytestmark = pytest.mark.slow

KINDS: list[tuple[Kind, Record]] = [(Kind.START, a_start()), (Kind.PROGRESS, a_progress()), (Kind.END, an_end())]
TAIL = bytes(300)


def numbered(count: int) -> list[bytes]:
    """Frames of all kinds; those of one kind are equally long, so that one's length fits another."""
    return [frame(*KINDS[number % 3], number) for number in range(1, count + 1)]


def of_an_older_version(count: int) -> list[bytes]:
    found = []
    for number in range(1, count + 1):
        kind, record = KINDS[number % 3]
        payload = msgspec.msgpack.encode(record)
        found.append(struct.pack("<IIB", len(payload), zlib.crc32(payload, kind), kind) + payload)
    return found


def read(segment: Path, data: bytes) -> tuple[list[int], int]:
    """The ends of the frames that a reader finds, and how many it counts as lost."""
    segment.write_bytes(data)
    reader = SegmentReader()
    ends: list[int] = []
    lost = 0
    while (found := reader.read(segment, len(data))) is not None:
        ends += [piece.end for piece in found.found]
        lost += found.lost
        reader.advance(segment, found)
    return ends, lost


def ends_of(pieces: list[bytes]) -> list[int]:
    return [sum(map(len, pieces[: n + 1])) for n in range(len(pieces))]


@pytest.mark.parametrize("flip", [0x01, 0x80, 0xFF])
@pytest.mark.parametrize("written", [numbered, of_an_older_version])
def test_whichever_byte_is_flipped_all_frames_but_its_own_are_read(
    tmp_path: Path, flip: int, written: Callable[[int], list[bytes]]
) -> None:
    pieces = written(7)
    whole, ends = b"".join(pieces) + TAIL, ends_of(pieces)
    for place in range(len(whole)):
        data = bytearray(whole)
        data[place] ^= flip
        hit = [end for end, piece in zip(ends, pieces, strict=True) if end - len(piece) <= place < end]

        found, lost = read(tmp_path / "1.spool", bytes(data))

        assert (found, lost) == ([end for end in ends if end not in hit], len(hit)), place


@pytest.mark.parametrize("page", [64, 512, 4096])
@pytest.mark.parametrize("filling", [b"\0", b"\xff", b"?"])
def test_a_lost_page_costs_the_frames_that_it_touched(tmp_path: Path, page: int, filling: bytes) -> None:
    """What a machine leaves that lost its power; also at the very beginning, and behind full windows of the reader."""
    pieces = numbered(4000)
    whole, ends = b"".join(pieces), ends_of(pieces)
    chosen = random.Random(page)
    for start in (0, *(chosen.randrange(len(whole) - 2 * page) for _ in range(5))):
        data = whole[:start] + filling * page + whole[start + page :]
        touched = [
            end for end, piece in zip(ends, pieces, strict=True) if end > start and end - len(piece) < start + page
        ]

        found, lost = read(tmp_path / "1.spool", data + TAIL)

        assert (found, lost) == ([end for end in ends if end not in set(touched)], len(touched)), start


def test_a_damaged_part_larger_than_what_is_read_at_a_time_is_passed_over(tmp_path: Path) -> None:
    pieces = numbered(20_000)
    whole, ends = b"".join(pieces), ends_of(pieces)
    first, last = ends[9], ends[19_979]
    noise = random.Random(1).randbytes(last - first)
    for filling in (bytes(last - first), noise):
        found, lost = read(tmp_path / "1.spool", whole[:first] + filling + whole[last:] + TAIL)

        assert (found, lost) == ([end for end in ends if end <= first or end > last], 19_970)


def test_what_a_client_wrote_is_not_taken_for_a_record(tmp_path: Path) -> None:
    """A whole frame lies in a model's name; the frame around it is damaged."""
    forged = msgspec.msgpack.encode(["req_forged"] + [0] * 6)
    inner = struct.pack("<IIB", len(forged), zlib.crc32(forged, 3), 3) + forged
    outer = bytearray(frame(Kind.END, msgspec.structs.replace(an_end(2), requested_model="~" * len(inner)), 2))
    at = outer.index(b"~" * len(inner))
    outer[at : at + len(inner)] = inner
    pieces = [frame(Kind.END, an_end(1), 1), bytes(outer), frame(Kind.END, an_end(3), 3)]

    found, lost = read(tmp_path / "1.spool", b"".join(pieces) + TAIL)

    ends = ends_of(pieces)
    assert (found, lost) == ([ends[0], ends[2]], 1)


async def test_every_request_but_the_damaged_one_is_booked_and_the_count_says_one(tmp_path: Path) -> None:
    store = MemoryLedgerStore()
    own = OwnDirectory(tmp_path / "spool", "dead")
    spool = Spool(own, segment_bytes=256 * 1024)
    for number in range(200):
        spool.end(an_end(number))
    (extent,) = spool.extents
    with extent.path.open("r+b") as file:
        file.seek(extent.length // 2)
        (byte,) = file.read(1)
        file.seek(extent.length // 2)
        file.write(bytes([byte ^ 0x10]))
    own.release()
    mine = OwnDirectory(tmp_path / "spool", "alive")
    living = Spool(mine, segment_bytes=64 * 1024)
    flusher = LedgerFlusher(living, mine, tmp_path / "spool", store, lambda provider, model: None)

    await flusher.replay_orphans()
    living.close()
    spool.close()

    assert len(store.requests) == 199
    assert flusher.health().torn_records == 1
    assert all(isinstance(record, RequestRecord) for record in store.requests.values())
