"""Each cell of the protocol's tables: what each event does in each state (S-39, R-35)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from typing_extensions import override
from uvicorn.server import ServerState

from domain.errors import RequestInvalid
from entrypoints.http.edge.config import ConnectionLimits
from entrypoints.http.edge.protocol import GatewayProtocol, Stage, protocol_class
from tests.fuzz.server_framing import MemoryTransport

LIMITS = ConnectionLimits(
    header_seconds=0.05, keep_alive_seconds=0.06, linger_seconds=0.2, linger_silence_seconds=0.04, linger_bytes=1000
)
HEAD = b"POST / HTTP/1.1\r\nhost: localhost\r\n"
SIZED = HEAD + b"content-length: 4\r\n\r\n"
EMPTY = HEAD + b"\r\n"
LARGE = HEAD + b"content-length: 100000\r\n\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"


class Line(MemoryTransport):
    """Remembers the end of our side, and whether bytes wait to be taken by the client."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = False
        self.aborted = False
        self.unsent = 0

    @override
    def write_eof(self) -> None:
        self.ended = True

    @override
    def abort(self) -> None:
        self.aborted = self.closed = True

    @override
    def get_write_buffer_size(self) -> int:
        return self.unsent


class Connection:
    """The protocol around an application that answers when the test says so."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.gone = 0
        self.may_answer = asyncio.Event()
        self.reads = True
        self.begins = False  # its answer, long before it ends
        self.state = ServerState()
        config = uvicorn.Config(self._app, interface="asgi3", lifespan="off", log_config=None)
        self.protocol: GatewayProtocol = protocol_class(LIMITS)(config, self.state, {}, asyncio.get_running_loop())
        self.line = Line()
        self.protocol.connection_made(self.line)

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", self.reads
        if self.begins:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"y")]})
            await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        while more:
            message = await receive()
            if message["type"] != "http.request":
                self.gone += 1
                return
            body, more = body + message["body"], message["more_body"]
        self.bodies.append(body)
        await self.may_answer.wait()
        if not self.begins:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def get(self, data: bytes) -> None:
        self.protocol.data_received(data)
        await turns()

    async def answer(self) -> None:
        self.may_answer.set()
        await turns()
        self.may_answer.clear()

    @property
    def stage(self) -> Stage:
        return self.protocol.stage

    @property
    def statuses(self) -> list[bytes]:
        return [part[:3] for part in self.line.written.split(b"HTTP/1.1 ")[1:] if part[:3].isdigit()]


async def turns() -> None:
    for _ in range(6):
        await asyncio.sleep(0)


async def idle(connection: Connection) -> None:
    await connection.get(EMPTY)
    await connection.answer()


async def head(connection: Connection) -> None:
    await connection.get(HEAD)


async def answering(connection: Connection) -> None:
    await connection.get(SIZED + b"ab")


async def answering_a_whole_request(connection: Connection) -> None:
    await connection.get(SIZED + b"abcd")


async def discarding(connection: Connection) -> None:
    connection.reads = False
    await connection.get(SIZED + b"a")
    await connection.answer()


async def lingering(connection: Connection) -> None:
    connection.reads = False
    await connection.get(LARGE)
    await connection.answer()


Reach = Callable[[Connection], Awaitable[None]]
REACHED: dict[Stage, Reach] = {
    Stage.IDLE: idle,
    Stage.HEAD: head,
    Stage.ANSWERING: answering,
    Stage.DISCARDING: discarding,
    Stage.LINGERING: lingering,
}


@asynccontextmanager
async def at(reach: Reach) -> AsyncIterator[Connection]:
    connection = Connection()
    await reach(connection)
    yield connection
    connection.protocol.connection_lost(None)
    connection.may_answer.set()
    await asyncio.gather(*connection.state.tasks)


async def gone(connection: Connection) -> None:
    async with asyncio.timeout(5):
        while not connection.line.closed:  # noqa: ASYNC110 - the transport has no event
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("stage", Stage)
async def test_every_state_is_reached(stage: Stage) -> None:
    async with at(REACHED[stage]) as connection:
        assert connection.stage is stage


async def test_bytes_when_idle_begin_a_head_and_a_whole_one_is_served() -> None:
    async with at(idle) as connection:
        await connection.get(HEAD)
        begun = connection.stage
        await connection.get(b"\r\n")
        assert (begun, connection.stage) == (Stage.HEAD, Stage.ANSWERING)


async def test_bytes_of_the_body_go_to_the_application_and_what_follows_is_held() -> None:
    async with at(answering) as connection:
        await connection.get(b"cd" + EMPTY + b"nonsense")
        assert (connection.bodies, connection.stage) == ([b"abcd"], Stage.ANSWERING)
        await connection.answer()
        assert (connection.bodies, connection.statuses) == ([b"abcd", b""], [b"200"] * 2)


async def test_what_is_held_past_the_bound_stays_in_the_socket() -> None:
    async with at(answering_a_whole_request) as connection:
        await connection.get(b"x" * 70_000)
        assert connection.line.paused
        await connection.answer()
        assert not connection.line.paused


async def test_bytes_of_a_discarded_body_are_dropped_and_the_next_request_is_served() -> None:
    async with at(discarding) as connection:
        connection.reads = True
        await connection.get(b"bc")
        assert connection.stage is Stage.DISCARDING
        await connection.get(b"d" + EMPTY)
        assert (connection.stage, connection.bodies) == (Stage.ANSWERING, [b"", b""])


async def test_bytes_while_lingering_are_dropped_up_to_a_bound() -> None:
    async with at(lingering) as connection:
        await connection.get(EMPTY)
        assert (len(connection.bodies), connection.line.closed) == (1, False)
        await connection.get(b"x" * 1001)
        assert connection.line.closed


async def test_a_fault_in_a_head_is_answered_and_our_side_ended() -> None:
    for reach in (idle, head):
        async with at(reach) as connection:
            before = len(connection.statuses)
            await connection.get(b"no header\x00\r\n\r\n")
            assert connection.statuses[before:] == [b"400"]
            assert (connection.stage, connection.line.ended) == (Stage.LINGERING, True)


async def test_a_fault_in_a_body_takes_the_place_of_its_answer() -> None:
    async with at(idle) as connection:
        await connection.get(CHUNKED + b"zz\r\n")
        assert (connection.statuses, connection.gone) == ([b"200", b"400"], 1)
        assert connection.stage is Stage.LINGERING


async def test_a_fault_in_the_body_of_an_answer_that_has_begun_cuts_it_off() -> None:
    async with at(idle) as connection:
        connection.begins = True
        await connection.get(CHUNKED + b"1\r\na\r\n")
        await connection.get(b"zz\r\n")
        assert (connection.statuses, connection.line.aborted) == ([b"200", b"200"], True)


async def test_a_fault_in_a_discarded_body_is_not_answered_again() -> None:
    async with at(idle) as connection:
        connection.protocol.stage = Stage.DISCARDING
        connection.protocol._refuse(RequestInvalid("x", code="invalid_http"))
        assert (connection.statuses, connection.stage) == ([b"200"], Stage.LINGERING)


async def test_a_fault_behind_a_request_ends_the_connection_after_its_answer() -> None:
    async with at(answering_a_whole_request) as connection:
        await connection.get(b"\x00\r\n\r\n")
        assert connection.stage is Stage.ANSWERING
        await connection.answer()
        assert (connection.statuses, connection.stage) == ([b"200"], Stage.LINGERING)


@pytest.mark.parametrize(
    ("reach", "then"),
    [(answering_a_whole_request, Stage.IDLE), (answering, Stage.ANSWERING)],
    ids=["the body has come", "the body is awaited"],
)
async def test_a_complete_answer_leads_on(reach: Reach, then: Stage) -> None:
    async with at(reach) as connection:
        await connection.answer()
        assert connection.stage is then


async def test_an_answer_that_ends_its_connection_closes_it_where_nothing_is_to_come() -> None:
    async with at(idle) as connection:
        await connection.get(HEAD + b"connection: close\r\n\r\n")
        await connection.answer()
        assert (connection.line.closed, connection.line.ended) == (True, False)


@pytest.mark.parametrize("unsent", [True, False], ids=["unsent bytes", "bytes behind it"])
async def test_an_answer_that_ends_its_connection_lingers_where_something_is(unsent: bool) -> None:
    async with at(idle) as connection:
        await connection.get(HEAD + b"connection: close\r\n\r\n" + (b"" if unsent else EMPTY))
        connection.line.unsent = 10 if unsent else 0
        await connection.answer()
        assert (connection.line.closed, connection.stage) == (False, Stage.LINGERING)
        connection.line.unsent = 0


@pytest.mark.parametrize("stage", [Stage.IDLE, Stage.HEAD, Stage.DISCARDING, Stage.LINGERING])
async def test_every_state_but_answering_has_a_deadline(stage: Stage) -> None:
    async with at(REACHED[stage]) as connection:
        await gone(connection)
        assert (b"408" in connection.statuses) is (stage is Stage.HEAD)


async def test_answering_has_no_deadline_of_the_connections() -> None:
    async with at(answering) as connection:
        assert connection.protocol._due == float("inf")


@pytest.mark.parametrize("stage", [Stage.IDLE, Stage.LINGERING])
async def test_a_client_that_takes_nothing_of_its_answer_is_dropped_at_the_deadline(stage: Stage) -> None:
    async with at(REACHED[stage]) as connection:
        connection.line.unsent = 10
        await gone(connection)
        assert connection.line.aborted


@pytest.mark.parametrize("stage", Stage)
async def test_the_end_of_the_client_is_noticed_in_every_state(stage: Stage) -> None:
    async with at(REACHED[stage]) as connection:
        connection.protocol.connection_lost(None)
        await turns()
        assert connection.gone == (stage is Stage.ANSWERING)
        remaining: set[object] = set(connection.state.connections)
        assert connection.protocol not in remaining
        connection.protocol = Connection().protocol  # `at` ends it a second time


@pytest.mark.parametrize("stage", Stage)
async def test_a_stopping_server_ends_each_connection(stage: Stage) -> None:
    async with at(REACHED[stage]) as connection:
        connection.protocol.shutdown()
        if stage in (Stage.IDLE, Stage.HEAD):
            assert connection.line.closed
        if stage is Stage.ANSWERING:
            await connection.get(b"cd")
            assert not connection.line.closed
            await connection.answer()
            assert connection.statuses == [b"200"]
        await gone(connection)
