"""However the bytes of a recording come, and wherever they end: the same is told, and never more than came (R-08)."""

import base64
import re
from itertools import pairwise

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.failover import FailureKind
from tests.contracts.ingress.driving import Heard
from tests.contracts.ingress.grammars import CHAT_END, GRAMMARS
from tests.contracts.ingress.recordings import RECORDINGS, Recording
from tests.contracts.ingress.test_recordings import named

COMPLETE = (CHAT_END, b'"type":"response.completed"', b'"type": "response.completed"', b"event: message_stop")
SHORT_BYTES = 800
"""Recordings up to this size are cut at every byte of chat; longer ones, and other ingresses, at telling places."""

_MADE = re.compile(rb"[0-9a-f]{16,}")
_SEALED = re.compile(rb"omg1\.([A-Za-z0-9+/=]+)")
_TIMES = re.compile(rb'"(created|created_at|completed_at)":[0-9.]+')


def comparable(heard: Heard) -> tuple[object, ...]:
    """What was heard, without the ids and times of the day."""
    known: dict[bytes, bytes] = {}

    def numbered(found: re.Match[bytes]) -> bytes:
        return known.setdefault(found[0], b"id%d" % len(known))

    opened = _SEALED.sub(lambda found: base64.b64decode(found[1]), heard.whole)
    body = _TIMES.sub(rb'"\1":0', _MADE.sub(numbered, opened))
    return body, heard.usage, heard.failure and (heard.failure.kind, heard.failure.message)


def pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    bounds = [0, *sorted(cuts), len(stream)]
    return [stream[a:b] for a, b in pairwise(bounds) if a != b]


@pytest.mark.parametrize("recording", RECORDINGS, ids=named)
async def test_one_byte_at_a_time_says_the_same(recording: Recording) -> None:
    stage = recording.stage()

    for ingress in stage.ingresses:
        whole = await stage.hear(ingress, [recording.stream])
        single = await stage.hear(ingress, pieces(recording.stream, list(range(len(recording.stream)))))
        assert comparable(single) == comparable(whole), ingress


@given(data=st.data())
@settings(max_examples=150, deadline=None)
async def test_any_pieces_say_the_same(data: st.DataObject) -> None:
    recording = data.draw(st.sampled_from(RECORDINGS))
    stage = recording.stage()
    cuts = data.draw(st.lists(st.integers(0, len(recording.stream)), max_size=12))

    for ingress in stage.ingresses:
        whole = await stage.hear(ingress, [recording.stream])
        in_pieces = await stage.hear(ingress, pieces(recording.stream, cuts))
        assert comparable(in_pieces) == comparable(whole), ingress


@pytest.mark.parametrize("recording", RECORDINGS, ids=named)
async def test_a_cut_anywhere_is_never_told_as_complete(recording: Recording) -> None:
    """R-08. Complete is only what says all there is, after the event that ends it has come."""
    stage = recording.stage()

    for ingress in stage.ingresses:
        every = ingress == "chat" and len(recording.stream) <= SHORT_BYTES
        received = await stage.hear(ingress, [recording.stream])
        whole = GRAMMARS[ingress](received.whole) if received.failure is None else []
        for place in range(len(recording.stream)) if every else telling_places(recording.stream):
            heard = await stage.hear(ingress, [recording.stream[:place]] if place else [])
            if heard.failure is not None:
                assert not any(mark in heard.whole for mark in COMPLETE), (ingress, place)
                continue
            assert place > recording.whole_from, (ingress, place)
            if place % 8 == 0:
                assert GRAMMARS[ingress](heard.whole) == whole, (ingress, place)


def test_twenty_recordings_and_more_are_cut_at_every_byte() -> None:
    assert sum(len(recording.stream) <= SHORT_BYTES for recording in RECORDINGS) >= 20


@pytest.mark.parametrize("recording", RECORDINGS, ids=named)
async def test_a_connection_lost_anywhere_before_the_end_is_a_failure(recording: Recording) -> None:
    """R-08."""
    stage = recording.stage()

    for ingress in stage.ingresses:
        for place in telling_places(recording.stream[: recording.whole_from])[::3]:
            cut: list[bytes | Exception] = [recording.stream[:place], httpx.ReadError("reset")]
            heard = await stage.hear(ingress, cut)
            assert heard.failure is not None
            assert heard.failure.kind in {FailureKind.TRUNCATED, recording.fails}, (ingress, place)
            assert not any(mark in heard.whole for mark in COMPLETE), (ingress, place)


def telling_places(stream: bytes) -> list[int]:
    """Around the end of every line, and some in between."""
    ends = [found.end() for found in re.finditer(rb"\n|:event-type|[}]", stream)]
    around = {end + step for end in ends[:: max(len(ends) // 12, 1)] for step in (-1, 0, 1)}
    last = {len(stream) - step for step in range(1, 12)}
    return sorted(place for place in {*around, *last, *range(0, len(stream), 197)} if 0 <= place < len(stream))
