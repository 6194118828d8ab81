"""Giving up: a cancelled or closed call frees its place and its connection at once (F1, R-01, R-13)."""

import asyncio
import contextlib
import random

import httpx
import pytest

from tests.contracts.conftest import Transports
from tests.contracts.transport_servers import OK, Wire, always, deaf_port, everyone_left, read, send, silent, upstream
from tests.waiting import until

CANCELS = 10_000
POOL = 10
CALLERS = 60


async def slow_in_every_phase(wire: Wire, _: int) -> None:
    """Answers after a moment, in two parts, so that cancels fall before, between and after them."""
    while True:
        await wire.receive()
        await asyncio.sleep(0.0005)
        await wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhal")
        await asyncio.sleep(0.0005)
        await wire.send(b"ves")


async def test_after_10000_cancels_on_a_pool_of_10_the_next_100_of_100_succeed(transports: Transports) -> None:
    """T-F9: in whatever phase they were cancelled, no place is lost and none comes back late."""
    chance = random.Random(20261121)
    async with upstream(slow_in_every_phase) as server:
        transport = transports.to(server.url(), max_connections=POOL)
        left = iter(range(CANCELS))

        async def call() -> None:
            await read(await send(transport, server.url()))

        async def caller() -> None:
            for _ in left:
                task = asyncio.create_task(call())
                await asyncio.sleep(chance.random() * 0.004)
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, httpx.PoolTimeout):
                    await task

        await asyncio.gather(*(caller() for _ in range(CALLERS)))
        answers = await asyncio.gather(*(send_and_read(transport, server.url()) for _ in range(100)))

        assert answers == [b"halves"] * 100
        assert server.open <= POOL


async def send_and_read(transport: httpx.AsyncBaseTransport, url: str) -> bytes:
    return await read(await send(transport, url))


@pytest.mark.parametrize("phase", ["headers", "body"])
async def test_cancelling_hangs_up_on_the_upstream_at_once(transports: Transports, phase: str) -> None:
    """R-01: the upstream sees its connection closed within a second, and usually within milliseconds."""

    async def script(wire: Wire, number: int) -> None:
        await wire.receive()
        if number == 1:
            await wire.send(OK)
        elif phase == "body":
            await wire.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n")
        await wire.reader.read()

    async with upstream(script) as server:
        transport = transports.to(server.url(), max_connections=1, pool_wait_seconds=0.3)
        task = asyncio.create_task(send_and_read(transport, server.url()))
        await until(lambda: bool(server.received))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        await everyone_left(server)
        assert await send_and_read(transport, server.url()) == b"ok"


async def test_closing_a_stream_early_hangs_up_and_frees_the_place(transports: Transports) -> None:
    async def script(wire: Wire, number: int) -> None:
        await wire.receive()
        await wire.send(OK if number == 1 else b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\npart")
        await wire.reader.read()

    async with upstream(script) as server:
        transport = transports.to(server.url(), max_connections=1, pool_wait_seconds=0.3)
        response = await send(transport, server.url())
        stream = response.stream
        assert isinstance(stream, httpx.AsyncByteStream)
        async for _ in stream:
            break
        await stream.aclose()
        await stream.aclose()

        await everyone_left(server)
        assert await send_and_read(transport, server.url()) == b"ok"


async def test_a_caller_cancelled_while_waiting_leaves_the_queue_in_order(transports: Transports) -> None:
    release = asyncio.Event()

    async def script(wire: Wire, _: int) -> None:
        while True:
            request = await wire.receive()
            if request.body == b"first":
                await release.wait()
            await wire.send(OK)

    async with upstream(script) as server:
        transport = transports.to(server.url(), max_connections=1)
        first = asyncio.create_task(send(transport, server.url(), b"first"))
        await until(lambda: bool(server.received))
        waiting = [asyncio.create_task(send(transport, server.url(), b"%d" % number)) for number in range(4)]
        await asyncio.sleep(0.01)
        waiting[0].cancel()
        waiting[2].cancel()
        release.set()
        await read(await first)
        for number in (1, 3):
            assert await read(await waiting[number]) == b"ok"

        assert [request.body for request in server.received] == [b"first", b"1", b"3"]


async def test_a_caller_cancelled_in_the_moment_it_is_served_passes_the_place_on(transports: Transports) -> None:
    async with upstream(always(OK)) as server:
        transport = transports.to(server.url(), max_connections=1, pool_wait_seconds=0.3)
        for steps in range(12):
            first = asyncio.create_task(send_and_read(transport, server.url()))
            second = asyncio.create_task(send_and_read(transport, server.url()))
            for _ in range(steps):
                await asyncio.sleep(0)
            second.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await second
            assert await first == b"ok"

        assert await send_and_read(transport, server.url()) == b"ok"


async def test_a_caller_cancelled_while_connecting_frees_its_place(transports: Transports) -> None:
    with deaf_port() as port:
        url = f"http://127.0.0.1:{port}/"
        transport = transports.to(url, max_connections=1, connect_seconds=0.3, pool_wait_seconds=0.1)
        for _ in range(3):
            task = asyncio.create_task(send(transport, url))
            await asyncio.sleep(0.03)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        with pytest.raises(httpx.ConnectTimeout):  # and not a PoolTimeout
            await send(transport, url)


async def test_500_stalled_calls_leave_no_connection_behind(transports: Transports) -> None:
    """R-05, R-45: with the callers gone, so are their sockets."""
    async with upstream(silent) as server:
        transport = transports.to(server.url(), max_connections=500)
        tasks = [asyncio.create_task(send(transport, server.url())) for _ in range(500)]
        await until(lambda: len(server.received) == 500)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

        await everyone_left(server)
