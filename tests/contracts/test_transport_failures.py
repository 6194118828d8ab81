"""How every upstream transport fails: cut, garbled, refused, silent and stale connections (R-05, R-06, R-08, R-44).

Before anything was sent the error is a `ConnectError`, `ConnectTimeout` or `PoolTimeout`, because only then may
the attempt loop treat the call as never made (R-09).
"""

import asyncio
import contextlib
import datetime
import time
from collections.abc import Sequence

import httpx
import pytest

from adapters.transport.egress import EgressGuard, Origin, Resolver
from tests.contracts.conftest import Certificates, Transports
from tests.contracts.transport_servers import OK, Wire, after_request, always, deaf_port, read, send, silent, upstream
from tests.waiting import takes, until

AFTER_SENDING = (httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ],
)
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("ending", [Wire.finish, Wire.reset], ids=["fin", "rst"])
async def test_a_cut_answer_is_never_complete(
    transports: Transports, certificates: Certificates, answer: bytes, secure: bool, ending: object
) -> None:
    """R-08: wherever the upstream stops, on a plain end or a reset, the reader gets an error."""
    tls = certificates.server(certificates.authority.issue_cert("127.0.0.1")) if secure else None
    end = Wire.reset if ending is Wire.reset else Wire.finish
    async with upstream(after_request(answer, end), tls=tls) as server:
        transport = transports.to(server.url())
        with pytest.raises(AFTER_SENDING):
            await read(await send(transport, server.url()))

        assert len(server.received) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"this is no HTTP at all\r\n\r\n",
        b"\x16\x03\x01\x02\x00 TLS record",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: nine\r\n\r\nninebytes",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx-bad\0name: 1\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nnot http",
    ],
)
async def test_an_answer_that_is_not_http_is_a_protocol_error(transports: Transports, answer: bytes) -> None:
    async with upstream(after_request(answer)) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            await read(await send(transports.to(server.url()), server.url()))


async def test_a_connection_with_bytes_after_its_answer_is_not_used_again(transports: Transports) -> None:
    """Otherwise the next caller would be given somebody else's answer."""
    forged = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged"

    async def script(wire: Wire, number: int) -> None:
        await wire.receive()
        await wire.send(OK + forged if number == 0 else OK)
        if number == 1:
            await asyncio.sleep(0.02)
            await wire.send(forged)
        await wire.reader.read()

    async with upstream(script) as server:
        transport = transports.to(server.url())
        for _ in range(3):
            assert await read(await send(transport, server.url())) == b"ok"
            await asyncio.sleep(0.05)

        assert server.accepted == 3


async def test_an_upstream_that_hangs_up_while_we_send_is_an_error_after_sending(transports: Transports) -> None:
    async def script(wire: Wire, _: int) -> None:
        await wire.reader.readexactly(1000)
        wire.reset()

    async with upstream(script) as server:
        with pytest.raises(AFTER_SENDING):
            await send(transports.to(server.url()), server.url(), bytes(20 * 2**20))


async def test_an_answer_before_the_body_was_read_is_passed_on(transports: Transports) -> None:
    async def script(wire: Wire, _: int) -> None:
        await wire.reader.readuntil(b"\r\n\r\n")
        await wire.send(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\nconnection: close\r\n\r\nbig")
        await wire.reader.read(30 * 2**20)
        await asyncio.sleep(0.1)

    async with upstream(script) as server:
        response = await send(transports.to(server.url()), server.url(), bytes(2 * 2**20))

        assert (response.status_code, await read(response)) == (413, b"big")


async def test_a_refused_connection_is_a_connect_error(transports: Transports) -> None:
    async with upstream(always(OK)) as server:
        url = server.url()

    with pytest.raises(httpx.ConnectError):
        await send(transports.to(url), url)


async def test_a_host_that_never_answers_costs_the_connect_deadline_and_no_more(transports: Transports) -> None:
    with deaf_port() as port:
        url = f"http://127.0.0.1:{port}/"
        with takes(at_least=0.15), pytest.raises(httpx.ConnectTimeout):
            await send(transports.to(url, connect_seconds=0.2), url)


async def test_a_tls_peer_that_never_shakes_hands_costs_the_connect_deadline(transports: Transports) -> None:
    async def script(wire: Wire, _: int) -> None:
        await wire.reader.read()

    async with upstream(script) as server:
        url = server.url().replace("http:", "https:")
        with takes(at_least=0.15), pytest.raises(httpx.ConnectTimeout):
            await send(transports.to(url, connect_seconds=0.2), url)


@pytest.mark.parametrize("case", ["unknown authority", "wrong host", "expired", "no TLS"])
async def test_a_peer_that_cannot_prove_its_name_gets_nothing(
    transports: Transports, certificates: Certificates, case: str
) -> None:
    authority = certificates.authority
    if case == "unknown authority":
        authority = type(authority)()
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    name = "elsewhere.example" if case == "wrong host" else "127.0.0.1"
    certificate = authority.issue_cert(name, not_after=past if case == "expired" else None)
    tls = None if case == "no TLS" else certificates.server(certificate)

    async def script(wire: Wire, _: int) -> None:
        await wire.reader.read(64)
        await wire.send(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")

    async with upstream(script if tls is None else always(OK), tls=tls) as server:
        url = server.url().replace("http:", "https:")
        with pytest.raises(httpx.ConnectError):
            await send(transports.to(url), url)

        assert server.received == []


async def test_tls_names_the_host_that_was_asked_for(transports: Transports, certificates: Certificates) -> None:
    """The socket goes to the address the guard gave; SNI, the certificate and Host are the name's."""
    names: list[str | None] = []
    tls = certificates.server(certificates.authority.issue_cert("models.example"))
    tls.sni_callback = lambda _socket, name, _context: names.append(name)
    async with upstream(always(OK), tls=tls) as server:
        url = server.url(host="models.example")
        guard = EgressGuard(Resolver(lambda _: ["127.0.0.1"]), private_origins=[Origin.of(httpx.URL(url))])
        assert await read(await send(transports.to(url, guard=guard), url)) == b"ok"

        assert names == ["models.example"]
        assert b"host: models.example:" in server.received[0].head.lower()


@pytest.mark.parametrize("case", ["no such name", "no address", "slow"])
async def test_a_name_without_an_address_is_a_connect_error(transports: Transports, case: str) -> None:
    """R-44: and it is known within the limit on look-ups."""

    def lookup(_: str) -> Sequence[str]:
        if case == "no such name":
            raise OSError("Name or service not known")
        if case == "slow":
            time.sleep(0.4)
        return []

    guard = EgressGuard(Resolver(lookup, limit_seconds=0.1))
    with pytest.raises(httpx.ConnectError, match="name"):
        await send(transports.to("http://models.example/", guard=guard), "http://models.example/")


async def test_with_every_connection_in_use_the_next_caller_waits_its_second_and_no_more(
    transports: Transports,
) -> None:
    """R-06, with a pool of 10 and a wait of 0.2 s."""
    async with upstream(silent) as server:
        transport = transports.to(server.url(), max_connections=10, pool_wait_seconds=0.2)
        stalled = [asyncio.create_task(send(transport, server.url())) for _ in range(10)]
        await until(lambda: len(server.received) == 10)
        with takes(at_least=0.15), pytest.raises(httpx.PoolTimeout):
            await send(transport, server.url())

        for task in stalled:
            task.cancel()
        await asyncio.gather(*stalled, return_exceptions=True)


@pytest.mark.parametrize("ending", ["fin", "rst"])
async def test_a_connection_closed_while_idle_is_replaced_unseen(transports: Transports, ending: str) -> None:
    async def script(wire: Wire, number: int) -> None:
        await wire.receive()
        await wire.send(OK)
        if number == 0:
            await asyncio.sleep(0.02)
            wire.finish() if ending == "fin" else wire.reset()
        else:
            await wire.reader.read()

    async with upstream(script) as server:
        transport = transports.to(server.url())
        assert await read(await send(transport, server.url())) == b"ok"
        await asyncio.sleep(0.06)
        assert await read(await send(transport, server.url(), b"second")) == b"ok"

        assert [request.body for request in server.received] == [b"{}", b"second"]


async def test_a_connection_closed_while_the_loop_was_busy_is_replaced_unseen(transports: Transports) -> None:
    """The end lies in the kernel and the loop has not looked: it is seen before the request is written."""
    served: list[Wire] = []

    async def script(wire: Wire, _: int) -> None:
        served.append(wire)
        await wire.receive()
        await wire.send(OK)
        await wire.reader.read()

    async with upstream(script) as server:
        transport = transports.to(server.url())
        assert await read(await send(transport, server.url())) == b"ok"
        await asyncio.sleep(0.06)
        served[0].end_now()
        assert await read(await send(transport, server.url())) == b"ok"

        assert len(server.received) == 2


async def test_a_close_that_crosses_the_request_is_repeated_once_on_a_new_connection(transports: Transports) -> None:
    async def script(wire: Wire, number: int) -> None:
        await wire.receive()
        await wire.send(OK)
        if number == 0:
            await wire.reader.read(1)
            wire.reset()
        await wire.reader.read()

    async with upstream(script) as server:
        transport = transports.to(server.url(), stale_window_seconds=0.5)
        assert await read(await send(transport, server.url())) == b"ok"
        assert await read(await send(transport, server.url(), b"second")) == b"ok"

        assert server.accepted == 2
        assert [request.body for request in server.received] == [b"{}", b"second"]


@pytest.mark.parametrize("busy_seconds", [0, 0.05], ids=["quiet loop", "busy loop"])
async def test_an_end_that_the_request_meets_on_its_way_is_repeated(
    transports: Transports, busy_seconds: float
) -> None:
    """The upstream closed before a byte of the request came; the loop sees it only after having written."""
    if transports.name == "aiohttp":
        pytest.skip("repeats no POST, and only sometimes sees the end before it writes")
    served: list[Wire] = []

    async def script(wire: Wire, _: int) -> None:
        served.append(wire)
        await wire.receive()
        await wire.send(OK)
        await wire.receive()
        await wire.send(OK)

    async with upstream(script) as server:
        transport = transports.to(server.url())
        for _ in range(30):
            assert await read(await send(transport, server.url())) == b"ok"
            served[-1].close_now()
            sending = asyncio.ensure_future(send(transport, server.url(), b"second"))
            await asyncio.sleep(0)
            time.sleep(busy_seconds)  # noqa: ASYNC251 - the loop is held up on purpose
            assert await read(await sending) == b"ok"
            served[-1].close_now()
            await asyncio.sleep(0.06)

        assert len(server.received) == 60


async def test_the_repeat_happens_once_and_only_after_a_reuse(transports: Transports) -> None:
    async def script(wire: Wire, number: int) -> None:
        if number == 0:
            await wire.receive()
            await wire.send(OK)
        await wire.reader.read(1)
        wire.reset()

    async with upstream(script) as server:
        transport = transports.to(server.url(), stale_window_seconds=0.5)
        assert await read(await send(transport, server.url())) == b"ok"
        with pytest.raises(AFTER_SENDING):
            await send(transport, server.url())

        assert server.accepted <= 2


async def test_a_request_that_the_upstream_may_have_read_is_never_repeated(transports: Transports) -> None:
    """R-09: cut 50 ms after it arrived, on a connection used before; that is for the attempt loop to decide."""

    async def script(wire: Wire, _: int) -> None:
        await wire.receive()
        await wire.send(OK)
        await wire.receive()
        await asyncio.sleep(0.05)
        wire.finish()

    async with upstream(script) as server:
        transport = transports.to(server.url())
        assert await read(await send(transport, server.url())) == b"ok"
        with pytest.raises(AFTER_SENDING):
            await send(transport, server.url())

        assert len(server.received) == 2


async def test_a_broken_call_leaves_its_place_to_the_next(transports: Transports) -> None:
    async def script(wire: Wire, number: int) -> None:
        await wire.receive()
        if number < 5:
            wire.reset()
        else:
            await wire.send(OK)
        await wire.reader.read()

    async with upstream(script) as server:
        transport = transports.to(server.url(), max_connections=1, pool_wait_seconds=0.3)
        for _ in range(5):
            with contextlib.suppress(*AFTER_SENDING):
                await read(await send(transport, server.url()))

        assert await read(await send(transport, server.url())) == b"ok"
