"""Where a request ends and what belongs to it, on real sockets (S-39, S-40)."""

import asyncio
import json

import pytest

from entrypoints.http.edge.config import ConnectionLimits
from tests.fakes.pipeline import DONE, FIRST
from tests.unit.entrypoints.http.edge.serving import BODY, Running, request, served
from tests.unit.entrypoints.http.harness import CHAT, KEY

CHAT_PATH = b"/v1/chat/completions"
AUTH = b"authorization: Bearer " + KEY.encode() + b"\r\n"
HOST = b"host: localhost\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n"


def chunked(head: bytes, trailers: bytes = b"", body: bytes = BODY) -> bytes:
    """A chat whose body comes in one chunk, with these header and trailer lines."""
    start = b"POST " + CHAT_PATH + b" HTTP/1.1\r\n" + head + CHUNKED + b"\r\n"
    return start + b"%x\r\n%b\r\n0\r\n%b\r\n" % (len(body), body, trailers)


async def statuses(server: Running, *parts: bytes) -> list[int]:
    """Of every answer on one connection, up to that of a last request behind them or to the connection's end."""
    connection = await server.connect()
    found: list[int] = []
    for part in parts:
        await connection.send(part)
        await asyncio.sleep(0.02)
    await connection.send(request(b"GET", b"/v1/models", b"", b"x-request-id: the-last-one"))
    while True:
        try:
            status, headers, _ = await connection.answer()
        except EOFError:
            return found
        if headers.get("x-request-id") == "the-last-one":
            return found
        found.append(status)


UPGRADES = {
    "h2c, as the JDK sends it": b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAA\r\n",
    "websocket": b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n",
    "TLS": b"upgrade: TLS/1.0\r\nconnection: upgrade\r\n",
    "in two lines": b"connection: keep-alive\r\nconnection: Upgrade\r\nupgrade: h2c, websocket\r\n",
}


@pytest.mark.parametrize("lines", UPGRADES.values(), ids=UPGRADES)
@pytest.mark.parametrize("apart", [False, True], ids=["one segment", "two segments"])
async def test_an_upgrade_that_is_not_offered_is_ignored_and_its_body_read(lines: bytes, apart: bool) -> None:
    head, body = request(b"POST", CHAT_PATH, BODY, lines.rstrip()).split(b"\r\n\r\n")
    async with served() as server:
        parts = (head + b"\r\n\r\n", body) if apart else (head + b"\r\n\r\n" + body,)
        found = await statuses(server, *parts, request())

    assert found == [200, 200]


async def test_the_body_of_an_upgrade_is_never_a_request() -> None:
    inner = request()
    head, _ = request(b"POST", CHAT_PATH, inner, b"connection: upgrade", b"upgrade: websocket").split(b"\r\n\r\n", 1)
    async with served() as server:
        assert await statuses(server, head + b"\r\n\r\n", inner) == [400]


@pytest.mark.parametrize(
    ("head", "trailers", "status"),
    [(HOST, AUTH, 401), (AUTH, HOST, 400), (HOST + AUTH, b"content-encoding: gzip\r\n", 200),
     (HOST + AUTH, b"host: evil.example\r\n", 200), (HOST + AUTH, b"content-length: 3\r\n", 200),
     (HOST + AUTH, b"connection: close\r\nexpect: 100-continue\r\n", 200)],
    ids=["a key", "a host", "an encoding", "another host", "a length", "a connection option"],
)  # fmt: skip
async def test_a_trailer_is_no_header(head: bytes, trailers: bytes, status: int) -> None:
    async with served() as server:
        found = await statuses(server, chunked(head, trailers), request())

    assert found[0] == status
    assert found[1:] == ([200] if status == 200 else [])


@pytest.mark.parametrize(
    "trailers",
    [b"x: " + b"v" * 40_000, b"x: 1\r\n" * 200, b"x: " + b"v" * 40_000 + b"\r\n", b"x: 1\r\n" * 10_000],
    ids=["a value without an end", "many", "a large one", "many without an end"],
)
async def test_trailers_are_bounded_in_bytes_and_number(trailers: bytes) -> None:
    async with served() as server:
        assert await statuses(server, chunked(HOST + AUTH, trailers)) in ([431], [400])


async def test_endless_chunk_extensions_are_refused() -> None:
    start = chunked(HOST + AUTH).split(b"\r\n\r\n")[0] + b"\r\n\r\n"
    async with served() as server:
        assert await statuses(server, start + b"1;" + b"e" * 20_000) == [400]
        assert await statuses(server, start + b"1;e=123456789\r\nx\r\n" * 20_000) == [400]
        assert await statuses(server, start + b"%x;e=1\r\n%b\r\n0;f\r\n\r\n" % (len(BODY), BODY)) == [200]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_a_fault_in_the_request_behind_is_not_written_into_the_running_answer(stream: bool) -> None:
    async with served() as server:
        server.http.pipeline.delay_seconds = 0.1
        server.http.pipeline.steps = (FIRST, 0.1, DONE)
        connection = await server.connect()
        await connection.send(request(b"POST", CHAT_PATH, json.dumps(CHAT | {"stream": stream}).encode()))
        await server.http.pipeline.called.wait()
        await connection.send(chunked(HOST + AUTH).replace(b"\r\n0\r\n", b"zz\r\n"))
        answers = await connection.rest()

    assert answers.startswith(b"HTTP/1.1 200 ")
    first, *second = answers.split(b"HTTP/1.1 400 ")
    assert first.endswith(DONE + b"\r\n0\r\n\r\n") if stream else first.endswith(b"}")
    assert len(second) <= 1


async def test_requests_ahead_are_held_unread_and_then_served() -> None:
    async with served() as server:
        server.http.pipeline.delay_seconds = 0.05
        connection = await server.connect()
        await connection.send(request(b"POST", CHAT_PATH, BODY) + request() * 2000)
        await server.http.pipeline.called.wait()

        assert [(await connection.answer())[0] for _ in range(2001)] == [200] * 2001


EARLY = ConnectionLimits(header_seconds=0.2, keep_alive_seconds=0.3, linger_silence_seconds=0.2, linger_seconds=1)
WRONG = b"authorization: Bearer wrong-wrong-wrong-wrong"


def early(length: int, *more: bytes) -> bytes:
    """The head of a request that is answered before its body."""
    return (
        request(b"POST", CHAT_PATH, b"", WRONG, *more).replace(AUTH, b"").replace(b"length: 0", b"length: %d" % length)
    )


@pytest.mark.parametrize("length", [4, 60_000, 10_000_000])
@pytest.mark.parametrize("trickle", [b"", b"x", b"abcd"], ids=["silent", "one byte", "some"])
async def test_a_connection_answered_before_its_body_is_closed_in_time(length: int, trickle: bytes) -> None:
    async with served(EARLY) as server:
        connection = await server.connect()
        await connection.send(early(length))
        assert (await connection.answer())[0] == 401
        await connection.send(trickle)

        assert await connection.rest() == b""


async def test_a_trickled_body_does_not_keep_an_answered_connection() -> None:
    """Absolute, whatever comes: a byte a moment buys no time."""
    async with served(EARLY) as server:
        connection = await server.connect()
        await connection.send(early(60_000))
        assert (await connection.answer())[0] == 401
        reading = asyncio.create_task(connection.rest())
        while not reading.done():
            await connection.send(b"x")
            await asyncio.sleep(0.02)

        assert await reading == b""


async def test_a_small_body_that_follows_its_answer_leaves_the_connection_usable() -> None:
    async with served() as server:
        connection = await server.connect()
        await connection.send(early(4))
        assert (await connection.answer())[0] == 401
        await connection.send(b"GET " + request())

        assert (await connection.answer())[0] == 200


@pytest.mark.parametrize("size", [1_000_000, 20_000_000])
async def test_an_early_answer_reaches_a_client_that_sends_its_whole_body_first(size: int) -> None:
    async with served() as server:
        connection = await server.connect()
        await connection.send(early(size) + b"x" * size)

        assert (await connection.answer())[0] == 401
        assert await connection.rest() == b""


async def test_what_a_closing_connection_still_sends_is_bounded() -> None:
    async with served(ConnectionLimits(linger_bytes=1_000_000)) as server:
        connection = await server.connect()
        await connection.send(early(1_000_000_000))
        assert (await connection.answer())[0] == 401
        taken = [await connection.send(b"x" * 100_000) for _ in range(1000)]

    assert not taken[-1]


async def test_a_100_is_sent_only_where_the_body_is_waited_for() -> None:
    expect = b"expect: 100-continue"
    head = request(b"POST", CHAT_PATH, BODY, expect)[: -len(BODY)]
    async with served() as server:
        assert await statuses(server, head.replace(b"HTTP/1.1", b"HTTP/1.0"), BODY) == [200]
        assert await statuses(server, head + BODY) == [200]
        assert await statuses(server, request(b"GET", b"/v1/models", b"", expect)) == [200]
        assert await statuses(server, head, BODY) == [100, 200]


async def test_a_connection_whose_client_may_leave_the_body_out_ends_with_the_answer() -> None:
    """Refused before a 100, a client may send no body: what comes next would be taken for it (RFC 9110 10.1.1)."""
    async with served() as server:
        connection = await server.connect()
        await connection.send(early(len(request()), b"expect: 100-continue"))
        status, headers, _ = await connection.answer()
        await connection.send(request())

        assert (status, headers["connection"], await connection.rest()) == (401, "close", b"")


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [(b"http://localhost/", b"localhost", 200), (b"http://localhost:80/?x", b"evil.example", 200),
     (b"HTTP://LOCALHOST", b"localhost", 200), (b"http://evil.example/", b"localhost", 400),
     (b"http://user@localhost/", b"localhost", 400), (b"http:///", b"localhost", 400),
     (b"ftp://localhost/", b"localhost", 400), (b"localhost:80", b"localhost", 400), (b"*", b"localhost", 400),
     (b"http://localhost\\@evil.example/", b"localhost", 400), (b"/#x", b"localhost", 400)],
)  # fmt: skip
async def test_the_host_of_a_whole_url_is_the_one_that_counts(target: bytes, host: bytes, status: int) -> None:
    """RFC 9112 3.2.2."""
    async with served() as server:
        found = await statuses(server, b"GET " + target + b" HTTP/1.1\r\nhost: " + host + b"\r\n\r\n")

    assert found == [status]


@pytest.mark.parametrize(
    ("request_line", "hosts", "status"),
    [(b"GET /health/live HTTP/1.1", b"host: 10.20.30.40:8000\r\n", 200), (b"GET /health/live HTTP/1.0", b"", 200),
     (b"GET /health/live HTTP/1.1", b"", 400), (b"GET /health/live HTTP/1.1", b"host: a?b\r\n", 400),
     (b"GET /health/../v1/models HTTP/1.1", b"host: evil.example\r\n", 404),
     (b"GET /v1/models HTTP/1.1", b"host: 10.20.30.40:8000\r\n", 400), (b"GET /v1/models HTTP/1.0", b"", 400)],
)  # fmt: skip
async def test_a_probe_is_answered_by_whatever_address_it_comes(request_line: bytes, hosts: bytes, status: int) -> None:
    async with served() as server:
        assert await statuses(server, request_line + b"\r\n" + hosts + AUTH + b"\r\n") == [status]
