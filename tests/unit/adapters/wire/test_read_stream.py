"""The loop every decoder shares: what was read before a failure is kept, and the end alone completes nothing."""

from collections.abc import Iterable

from typing_extensions import override

from adapters.wire.errors import invalid_answer
from adapters.wire.read_stream import ReadStream, lacks_its_end_alone
from adapters.wire.sse import EventTooLarge
from domain.failover import FailureKind


class Words(ReadStream[bytes]):
    """Words, of which `end` is the last, `bad` is none and `huge` is too long."""

    def __init__(self, rest: bytes = b"", *, may_just_end: bool = False) -> None:
        super().__init__()
        self.left = rest
        self.may_just_end = may_just_end

    @override
    def _pieces(self, data: bytes) -> Iterable[bytes]:
        for word in data.split():
            if word == b"huge":
                raise EventTooLarge("an event is longer than it may be")
            yield word

    @override
    def _read(self, piece: bytes) -> bytes:
        if piece == b"bad":
            raise invalid_answer("it says 'bad'")
        self.done = piece == b"end"
        return piece

    @override
    def _rest(self) -> Iterable[bytes]:
        return (self.left,) if self.left else ()

    @override
    def _conclude(self) -> bytes:
        self.done = self.may_just_end
        return b"."


def test_what_was_read_before_a_failure_is_given_back_and_nothing_after_it() -> None:
    for fault in (b"bad", b"huge"):
        stream = Words()

        assert stream.feed(b"one two %b three" % fault) == b"onetwo"
        assert stream.failure is not None
        assert (stream.failure.kind, stream.failure.status) == (FailureKind.SERVER_ERROR, 200)
        assert stream.feed(b"four") == b""
        assert stream.finish() == b""


def test_nothing_is_read_behind_the_end() -> None:
    stream = Words()

    assert stream.feed(b"one end two") == b"oneend"
    assert stream.done
    assert stream.finish() == b""
    assert stream.failure is None


def test_the_end_of_the_bytes_alone_is_a_truncated_answer() -> None:
    """R-08."""
    stream = Words(rest=b"two")
    stream.feed(b"one")

    assert stream.finish() == b"two."
    assert not stream.done
    assert stream.failure is not None
    assert stream.failure.kind is FailureKind.TRUNCATED


def test_what_is_left_is_read_before_the_stream_concludes() -> None:
    assert (Words(rest=b"two", may_just_end=True).finish(), Words(rest=b"end").finish()) == (b"two.", b"end")

    broken = Words(rest=b"bad", may_just_end=True)

    assert broken.finish() == b""
    assert not broken.done


def test_an_event_without_its_blank_line_counts_only_where_its_json_has_its_end() -> None:
    assert lacks_its_end_alone(b'event: x\ndata: {"a": 1}')
    assert not lacks_its_end_alone(b'data: {"a": 1')
    assert not lacks_its_end_alone(b"data: 1")
    assert not lacks_its_end_alone(b"event: x")
