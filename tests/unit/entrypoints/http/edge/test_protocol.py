"""The server protocol on real sockets: deadlines, caps, and what is no HTTP (F4, F5, R-35)."""

import asyncio
import json
from typing import Any

import pytest

from entrypoints.http.edge.config import ConnectionLimits, EdgeConfig
from tests.fakes.pipeline import ANSWER, DONE, FIRST
from tests.raw_client import Connection
from tests.unit.entrypoints.http.edge.serving import BODY, SHORT_HEADS, request, served
from tests.unit.entrypoints.http.harness import CHAT, KEY
from tests.waiting import HANG_SECONDS, until


async def test_requests_follow_one_another_on_a_connection() -> None:
    async with served() as server:
        connection = await server.connect()
        for _ in range(3):
            await connection.send(request(b"POST", b"/v1/chat/completions", BODY))
            status, headers, _ = await connection.answer()
            assert status == 200
            assert "server" not in headers


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /v1/models HTTP/1.1\r\nhost: loc"],
    ids=["silent", "half a head"],
)
async def test_a_head_that_does_not_come_ends_the_connection(sent: bytes) -> None:
    async with served(SHORT_HEADS) as server:
        connection = await server.connect()
        await connection.send(sent)
        rest = await connection.rest()

    assert (b" 408 " in rest) is bool(sent)


async def test_a_trickled_head_does_not_buy_time() -> None:
    """The deadline is absolute: a header a moment, as slowloris sends them, changes nothing (R-35)."""
    async with served(SHORT_HEADS) as server:
        connection = await server.connect()
        await connection.send(b"GET / HTTP/1.1\r\nhost: localhost\r\n")
        reading = asyncio.create_task(connection.rest())
        while not reading.done():
            await asyncio.sleep(0.02)
            await connection.send(b"x-a: b\r\n")
        rest = await reading

    assert b" 408 " in rest


async def test_a_second_request_has_the_same_deadline_for_its_head() -> None:
    async with served(SHORT_HEADS) as server:
        connection = await server.connect()
        await connection.send(request())
        await connection.answer()
        await connection.send(b"GET / HTTP")

        assert b" 408 " in await connection.rest()


async def test_an_idle_connection_may_wait_longer_than_a_head() -> None:
    async with served(SHORT_HEADS) as server:
        connection = await server.connect()
        await connection.send(request())
        await connection.answer()
        await asyncio.sleep(0.6)
        await connection.send(request())

        assert (await connection.answer())[0] == 200


async def test_a_head_without_an_end_is_cut_off_at_its_limit() -> None:
    async with served(ConnectionLimits()) as server:
        connection = await server.connect()
        await connection.send(b"GET / HTTP/1.1\r\nhost: localhost\r\nx: " + b"v" * 40_000)
        rest = await connection.rest()

    assert b" 431 " in rest
    assert b"headers_too_large" in rest


async def test_a_large_head_that_is_whole_is_refused_as_well() -> None:
    async with served(ConnectionLimits()) as server:
        status, _, body = await server.exchange(request(b"GET", b"/", b"", b"x: " + b"v" * 33_000))

    assert (status, json.loads(body)["error"]["code"]) == (431, "headers_too_large")


NOT_HTTP = [
    b"nonsense\r\n\r\n",
    b"GET / HTTP/9.9\r\nhost: localhost\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: localhost\r\n folded\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nabcd",
    b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: +4\r\n\r\nabcd",
    b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: -4\r\n\r\nabcd",
    b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0x4\r\n\r\nabcd",
    b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
]


async def test_what_is_no_http_gets_the_one_error_body_and_no_second_chance() -> None:
    async with served() as server:
        for sent in NOT_HTTP:
            connection = await server.connect()
            await connection.send(sent)
            status, headers, body = await connection.answer()
            after = await connection.rest()

            error = json.loads(body)
            assert (status, error["error"]["code"], headers["connection"]) == (400, "invalid_http", "close"), sent
            assert error["request_id"] == headers["x-request-id"]
            assert headers["x-content-type-options"] == "nosniff"
            assert after == b""


@pytest.mark.parametrize(
    ("hosts", "status"),
    [(b"", 400), (b"host: localhost\r\nhost: localhost\r\n", 400), (b"host: evil.example\r\n", 400),
     (b"host: localhost\r\n", 200)],
    ids=["none", "two", "another", "one"],
)  # fmt: skip
async def test_the_host_is_checked_on_the_wire(hosts: bytes, status: int) -> None:
    async with served() as server:
        answer = await server.exchange(b"GET / HTTP/1.1\r\n" + hosts + b"\r\n")

    assert answer[0] == status


@pytest.mark.parametrize("behind", [b"\x00garbage\r\n\r\n", b"GET /half-a-head HTT"], ids=["garbage", "half a head"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_what_is_wrong_behind_a_request_leaves_its_answer_whole(behind: bytes, stream: bool) -> None:
    """Nothing lands in the midst of the answer; the connection ends after it."""
    async with served(ConnectionLimits(header_seconds=0.1)) as server:
        server.http.pipeline.delay_seconds = 0.25  # longer than a head may take
        server.http.pipeline.steps = (FIRST, 0.05, DONE)
        connection = await server.connect()
        body = json.dumps(CHAT | {"stream": stream}).encode()
        await connection.send(request(b"POST", b"/v1/chat/completions", body))
        await server.http.pipeline.called.wait()
        await connection.send(behind)
        answer = await connection.rest()

    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert (DONE + b"\r\n0\r\n\r\n" if stream else ANSWER) in answer


async def test_a_broken_body_is_answered_without_waiting_for_the_rest() -> None:
    async with served() as server:
        head = request(b"POST", b"/v1/chat/completions").replace(b"content-length: 0", b"transfer-encoding: chunked")
        status, _, body = await server.exchange(head + b"xyz\r\n")

    assert (status, json.loads(body)["error"]["code"]) == (400, "invalid_http")


async def test_a_large_body_before_a_half_head_is_not_taken_for_a_large_head() -> None:
    async with served(ConnectionLimits(header_seconds=5)) as server:
        connection = await server.connect()
        large = json.dumps(CHAT | {"user": "x" * 50_000}).encode()
        await connection.send(request(b"POST", b"/v1/chat/completions", large) + request()[:20])
        assert (await connection.answer())[0] == 200
        await connection.send(request()[20:])
        assert (await connection.answer())[0] == 200


async def test_a_large_body_with_a_bad_key_is_answered_and_not_read() -> None:
    """S-31: 401 after at most 64 KiB; the rest of 100 MB is never taken."""
    async with served() as server:
        connection = await server.connect()
        head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer wrong-wrong-wrong-wrong"
        await connection.send(head + b"\r\ncontent-length: 104857600\r\n\r\n" + b" " * 1000)
        status, headers, _ = await connection.answer()
        after = await connection.rest()

    assert (status, headers["connection"], after) == (401, "close", b"")


@pytest.mark.parametrize("closing", [Connection.close, Connection.reset], ids=["fin", "rst"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_a_closed_connection_cancels_the_call(closing: Any, stream: bool) -> None:
    async with served() as server:
        server.http.pipeline.delay_seconds = 60
        connection = await server.connect()
        body = json.dumps(CHAT | {"stream": stream}).encode()
        await connection.send(request(b"POST", b"/v1/chat/completions", body))
        await server.http.pipeline.called.wait()

        closing(connection)
        async with asyncio.timeout(HANG_SECONDS):
            await server.http.pipeline.gave_up.wait()

    assert server.http.pipeline.client_left is True


async def test_a_client_that_stops_reading_its_stream_is_dropped() -> None:
    edge = EdgeConfig(allowed_hosts=("localhost",), write_stall_seconds=0.2)
    async with served(edge=edge) as server:
        server.http.pipeline.steps = [b"data: " + b"x" * 65536 + b"\n\n"] * 400
        connection = await server.connect()
        body = json.dumps(CHAT | {"stream": True}).encode()
        await connection.send(request(b"POST", b"/v1/chat/completions", body))
        await server.http.pipeline.called.wait()
        await until(lambda: server.http.services.drain.in_flight == 0)

        assert server.http.pipeline.reply
        assert server.http.pipeline.reply.closed.is_set()
        assert server.http.pipeline.reply.sent < 400
        assert server.http.pipeline.calls[0].trace.client_left


async def test_an_answer_nobody_takes_does_not_hold_its_connection_for_ever() -> None:
    async with served(ConnectionLimits(keep_alive_seconds=0.2)) as server:
        server.http.pipeline.body = b'"' + b"x" * 30_000_000 + b'"'
        connection = await server.connect()
        await connection.send(request(b"POST", b"/v1/chat/completions", BODY))
        await server.http.pipeline.called.wait()

        await until(lambda: not server.connections)


async def test_more_connections_than_the_limit_are_refused() -> None:
    async with served(ConnectionLimits(max_connections=2)) as server:
        for _ in range(2):
            assert (await server.exchange(request()))[0] == 200
        status, _, body = await server.exchange(request())

    assert (status, json.loads(body)["error"]["code"]) == (503, "overloaded")


async def test_one_address_cannot_take_every_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback speaks for a proxy on the same machine and is exempt, so the test says it is not."""
    monkeypatch.setattr("entrypoints.http.edge.connection_counts._is_loopback", lambda _: False)
    async with served(ConnectionLimits(max_connections_per_address=1)) as server:
        connection = await server.connect()
        await connection.send(request())
        assert (await connection.answer())[0] == 200
        assert (await server.exchange(request()))[0] == 503
        server.close()
        await until(lambda: server.protocol.counts.by_address == {})

        assert (await server.exchange(request()))[0] == 200


async def test_a_websocket_upgrade_is_an_ordinary_request() -> None:
    async with served() as server:
        status, _, body = await server.exchange(
            request(b"GET", b"/v1/realtime", b"", b"upgrade: websocket", b"connection: upgrade")
        )

    assert (status, json.loads(body)["error"]["code"]) == (404, "not_found")


async def test_requests_sent_all_at_once_are_answered_in_their_order() -> None:
    async with served() as server:
        connection = await server.connect()
        await connection.send(b"".join(request(b"GET", b"/", b"", b"x-request-id: %d" % n) for n in range(5)))

        assert [(await connection.answer())[1]["x-request-id"] for _ in range(5)] == ["0", "1", "2", "3", "4"]


async def test_a_client_that_leaves_takes_the_requests_behind_its_first_with_it() -> None:
    async with served() as server:
        server.http.pipeline.delay_seconds = 60
        connection = await server.connect()
        await connection.send(request(b"POST", b"/v1/chat/completions", BODY) * 2)
        await server.http.pipeline.called.wait()
        connection.reset()
        await until(lambda: server.http.services.drain.in_flight == 0)

        assert len(server.http.pipeline.calls) == 1


async def test_the_answer_to_head_has_no_body() -> None:
    async with served() as server:
        connection = await server.connect()
        await connection.send(request(b"HEAD"))
        head = await connection.until(b"\r\n\r\n")
        await connection.send(request())

        assert b"content-length: " in head
        assert (await connection.answer())[0] == 200


async def test_an_old_client_gets_its_answer_and_the_end_of_its_connection() -> None:
    async with served() as server:
        connection = await server.connect()
        await connection.send(request().replace(b"HTTP/1.1", b"HTTP/1.0"))
        status, headers, _ = await connection.answer()

        assert (status, headers["connection"], await connection.rest()) == (200, "close", b"")


async def test_expect_100_continue_is_only_answered_to_those_who_may_send() -> None:
    async with served() as server:
        connection = await server.connect()
        head = request(b"POST", b"/v1/chat/completions", b"", b"expect: 100-continue").replace(
            b"content-length: 0", b"content-length: %d" % len(BODY)
        )
        await connection.send(head)
        assert await connection.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await connection.send(BODY)
        assert (await connection.answer())[0] == 200

        status, _, _ = await server.exchange(head.replace(KEY.encode(), b"wrong-wrong-wrong-wrong"))
        assert status == 401
