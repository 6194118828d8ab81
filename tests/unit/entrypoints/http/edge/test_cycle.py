"""One request and its answer, against a connection that only keeps what it is given."""

import asyncio
from typing import Any, cast

import pytest
from litestar.types import HTTPScope

from entrypoints.http.edge.cycle import Cycle


class Wire:
    """A transport that keeps each write."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close


class FakeLine:
    def __init__(self) -> None:
        self.loop = cast(asyncio.AbstractEventLoop, None)  # only handed on
        self.wire = Wire()
        self.transport = cast(asyncio.Transport, self.wire)
        self.write_paused = False
        self.default_headers = [(b"date", b"now")]
        self.resumed = 0
        self.ended = 0
        self.unread_bytes: int | None = 0

    async def drained(self) -> None:
        raise AssertionError("nothing is paused")

    def resume_reading(self) -> None:
        self.resumed += 1

    def answered(self, cycle: Cycle) -> None:
        assert cycle.complete
        self.ended += 1
        if not cycle.keep_alive:
            self.wire.close()

    def left_unanswered(self) -> None:
        self.wire.close()


def a_cycle(line: FakeLine, method: str = "POST", *, keep_alive: bool = True) -> Cycle:
    scope = cast(HTTPScope, {"type": "http", "method": method})
    return Cycle(line, scope, keep_alive=keep_alive, expects_continue=False)


def start(*headers: tuple[bytes, bytes], status: int = 200) -> Any:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(data: bytes, *, more: bool = False) -> Any:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def test_head_and_body_leave_in_one_write() -> None:
    line = FakeLine()
    cycle = a_cycle(line)
    await cycle.send(start((b"content-length", b"2")))
    assert line.wire.writes == []

    await cycle.send(body(b"hi"))

    assert line.wire.writes == [b"HTTP/1.1 200 OK\r\ndate: now\r\ncontent-length: 2\r\n\r\nhi"]
    assert (line.ended, line.wire.closed) == (1, False)


async def test_an_answer_of_unknown_length_is_chunked() -> None:
    line = FakeLine()
    cycle = a_cycle(line)
    for message in (start(), body(b"data: 1\n\n", more=True), body(b"x" * 16, more=True), body(b"")):
        await cycle.send(message)

    assert line.wire.writes[0].endswith(b"transfer-encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n")
    assert line.wire.writes[1:] == [b"10\r\n" + b"x" * 16 + b"\r\n", b"0\r\n\r\n"]


@pytest.mark.parametrize("value", [b"a\r\nb: c", b"a\nb", b"a\rb", b"a\x00b", b"a\x7fb"])
async def test_a_header_cannot_break_out_of_its_line(value: bytes) -> None:
    line = FakeLine()
    with pytest.raises(RuntimeError):
        await a_cycle(line).send(start((b"x-model", value)))

    assert line.wire.writes == []


@pytest.mark.parametrize("parts", [[body(b"toolong")], [body(b"s")]], ids=["longer", "shorter"])
async def test_an_answer_is_as_long_as_it_said(parts: list[Any]) -> None:
    cycle = a_cycle(FakeLine())
    await cycle.send(start((b"content-length", b"3")))
    with pytest.raises(RuntimeError):
        for part in parts:
            await cycle.send(part)


async def test_messages_out_of_order_are_refused() -> None:
    cycle = a_cycle(FakeLine())
    with pytest.raises(RuntimeError):
        await cycle.send(body(b""))
    await cycle.send(start())
    with pytest.raises(RuntimeError):
        await cycle.send(start())
    await cycle.send(body(b""))
    with pytest.raises(RuntimeError):
        await cycle.send(body(b""))


async def test_a_connection_that_ends_after_this_answer_says_so_and_closes() -> None:
    for cycle, headers in (
        (a_cycle(FakeLine(), keep_alive=False), ()),
        (a_cycle(FakeLine()), ((b"connection", b"close"),)),
    ):
        line = cast(FakeLine, cycle._line)
        await cycle.send(start((b"content-length", b"0"), *headers))
        await cycle.send(body(b""))

        assert line.wire.writes[0].count(b"connection: close\r\n") == 1
        assert line.wire.closed


async def test_receive_tells_the_body_as_it_comes_and_then_the_end_of_the_connection() -> None:
    cycle = a_cycle(FakeLine())
    waiting = asyncio.create_task(cycle.receive())
    await asyncio.sleep(0)
    cycle.feed(b"ab")
    assert await waiting == {"type": "http.request", "body": b"ab", "more_body": True}
    cycle.feed(b"c")
    cycle.feed(b"d")
    cycle.feed_end()
    assert await cycle.receive() == {"type": "http.request", "body": b"cd", "more_body": False}
    waiting = asyncio.create_task(cycle.receive())
    await asyncio.sleep(0)
    cycle.disconnect()
    assert await waiting == {"type": "http.disconnect"}


def test_a_body_is_taken_whole_once_or_not_at_all() -> None:
    cycle = a_cycle(FakeLine())
    assert cycle.whole_body() is None
    cycle.feed(b"abc")
    assert cycle.whole_body() is None
    cycle.feed_end()
    assert cycle.whole_body() == b"abc"
    assert cycle.whole_body() is None


async def test_whoever_watches_is_told_once_that_the_client_left() -> None:
    received: list[int] = []
    for watch in (True, False):
        line = FakeLine()
        cycle = a_cycle(line)
        cycle.watch(lambda: received.append(1))
        assert line.resumed == 1
        if not watch:
            cycle.watch(None)
        cycle.disconnect()
        cycle.disconnect()
    late = a_cycle(FakeLine())
    late.disconnect()
    late.watch(lambda: received.append(2))
    await asyncio.sleep(0)

    assert received == [1, 2]


async def test_what_is_left_unanswered_ends_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    async def silent(*_: object) -> None:
        pass

    async def broken(*_: object) -> None:
        raise ValueError("a bug")

    for app in (silent, broken):
        line = FakeLine()
        await a_cycle(line).run(cast(Any, app))
        assert line.wire.closed

    assert "a bug" in caplog.text
