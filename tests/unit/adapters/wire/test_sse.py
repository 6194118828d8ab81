"""Cutting bytes into events (R-08)."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.wire.sse import MAX_EVENT_BYTES, MAX_EVENT_LINES, Event, EventCutter, EventTooLarge, read_event


def feed(pieces: list[bytes]) -> tuple[bytes, bytes]:
    cutter = EventCutter()
    return b"".join(cutter.feed(piece) for piece in pieces), cutter.rest()


def test_a_chunk_of_whole_events_passes_as_the_same_object() -> None:
    data = b"data: 1\n\ndata: 2\n\n"

    assert EventCutter().feed(data) is data


def test_half_an_event_waits_for_its_other_half() -> None:
    cutter = EventCutter()

    assert cutter.feed(b"data: 1\n\nda") == b"data: 1\n\n"
    assert cutter.feed(b"ta: 2\n") == b""
    assert cutter.feed(b"\nx") == b"data: 2\n\n"
    assert cutter.rest() == b"x"


@given(
    st.lists(st.sampled_from([b"data: {}", b": c", b"\n", b"\r\n", b"\r", b"\xef\xbb\xbf", "ü".encode()]), max_size=25),
    st.data(),
)
@settings(max_examples=60, deadline=None)
def test_any_split_gives_the_same_events(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    bounds = [0, *cuts, len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(bounds)]
    one_by_one = [stream[place : place + 1] for place in range(len(stream))]

    def events(pieces: list[bytes]) -> list[bytes]:
        output, _ = feed(pieces)
        return [event for event in output.replace(b"\n\n\n", b"\n\n").split(b"\n\n") if event.strip()]

    assert events(pieces) == events([stream]) == events(one_by_one)


def test_a_byte_order_mark_is_dropped_also_when_it_comes_in_pieces() -> None:
    assert feed([b"\xef", b"\xbb", b"\xbfdata: 1\n\n"]) == (b"data: 1\n\n", b"")
    assert feed([b"\xef", b"x\n\n"]) == (b"\xefx\n\n", b"")


def test_a_crlf_cut_in_the_middle_is_one_line_end() -> None:
    assert feed([b"data: 1\r", b"\n", b"\r", b"\ndata: 2"]) == (b"data: 1\n\n", b"data: 2")


def test_a_cr_ends_its_line_before_anyone_knows_what_follows() -> None:
    cutter = EventCutter()

    assert cutter.feed(b"data: a\r\r") == b"data: a\n\n"
    assert cutter.feed(b"") == b""
    assert cutter.feed(b"\ndata: b\r") == b""
    assert cutter.feed(b"\n\r\ndata: c\n") == b"data: b\n\n"


@pytest.mark.parametrize("size", [1, 70_000])
def test_an_event_without_an_end_is_refused_once_it_is_too_large(size: int) -> None:
    cutter = EventCutter()
    piece = b"x" * (MAX_EVENT_BYTES if size == 1 else size)

    with pytest.raises(EventTooLarge, match="1048576"):
        for _ in range(20):
            cutter.feed(piece)


def test_a_whole_event_that_is_too_large_is_refused_too() -> None:
    with pytest.raises(EventTooLarge):
        EventCutter().feed(b"data: " + b"x" * MAX_EVENT_BYTES + b"\n\n")


def test_fields_of_an_event_are_read_as_the_standard_says() -> None:
    assert read_event(b": hi\nid: 4\nretry: 5\nevent: ping\ndata:  a\ndata:b") == Event(b"ping", b" a\nb")
    assert read_event(b"event: ping") == Event(b"ping", None)
    assert read_event(b'error: {"message": 1}') == Event(b"error", b'{"message": 1}')


@pytest.mark.parametrize("size", [1, 3, 4096])
def test_blank_lines_are_left_out_however_many(size: int) -> None:
    flood = b"\n" * 3000
    stream = flood + b"data: a\n" + flood + b"data: b\r\n\r\n" + b"\r\n" * 500 + b"data: c\n\n"
    cutter = EventCutter()

    blocks = [cutter.feed(stream[at : at + size]) for at in range(0, len(stream), size)]

    assert b"".join(blocks) == b"data: a\n\ndata: b\n\ndata: c\n\n"
    assert cutter.rest() == b""


def test_an_event_of_too_many_lines_is_refused() -> None:
    """Each line costs an object: a megabyte of them would hold up all others."""
    lines = b":\n" * (MAX_EVENT_LINES + 2)

    assert EventCutter().feed(b"data: a\n\n" * MAX_EVENT_LINES)
    with pytest.raises(EventTooLarge, match="lines"):
        EventCutter().feed(lines + b"\n")
