"""Differential fuzz of the server's framing: the gateway's protocol and h11 read the same streams.

    python -m tests.fuzz.server_framing --streams 20000 [--seed 1]

Both find the same requests with the same heads and bodies and stand at the end alike, or both refuse. A stream on which
they differ is printed with its seed and number, for `KEPT`, which every run begins with.
"""

import argparse
import asyncio
import re
import sys
import time
from collections import Counter
from typing import Any

import uvicorn
import uvloop
from typing_extensions import override
from uvicorn.server import ServerState

from domain.errors import GatewayError
from entrypoints.http.edge.config import ConnectionLimits
from entrypoints.http.edge.protocol import GatewayProtocol, Stage, protocol_class
from tests.fuzz.h11_oracle import H11Oracle, Reading, Request
from tests.fuzz.request_streams import Streams

KEPT = (
    (1, 664),
    (1, 1190),
    (7, 6116),
    (7, 10984),
    (20261129, 13666),
    (20261129, 82813),
    (20261129, 88525),
    (11, 6791),
    (1, 9078),
    (1, 15369),
)
"""Seed and number of streams that once made a difference."""

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_QUIET_TURNS = 8  # of the loop without progress: nothing more will come of what was sent


class MemoryTransport(asyncio.Transport):
    """Keeps what is written; reading is paused and resumed by the protocol."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False
        self.paused = False

    @override
    def write(self, data: Any) -> None:
        self.written += data

    @override
    def close(self) -> None:
        self.closed = True

    @override
    def abort(self) -> None:
        self.closed = True

    @override
    def is_closing(self) -> bool:
        return self.closed

    @override
    def pause_reading(self) -> None:
        self.paused = True

    @override
    def resume_reading(self) -> None:
        self.paused = False

    @override
    def can_write_eof(self) -> bool:
        return True

    @override
    def write_eof(self) -> None:
        pass

    @override
    def get_write_buffer_size(self) -> int:
        return 0


class Recording(protocol_class(ConnectionLimits())):  # type: ignore[misc]  # a class made for one server
    """The gateway's protocol, which says why it refused."""

    __slots__ = ("refusals",)

    @override
    def _refuse(self, error: GatewayError, linger_seconds: float | None = None) -> None:
        self.refusals = [error]
        super()._refuse(error, linger_seconds)


class Reader:
    """That protocol around an application that keeps each request and answers it when it is whole."""

    def __init__(self) -> None:
        self._config = uvicorn.Config(self._app, interface="asgi3", lifespan="off", log_config=None)
        self._config.load()
        self._reading = Reading()

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        request = Request(scope["method"], target, scope["headers"])
        self._reading.requests.append(request)
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return
            request.body += message["body"]
            if not message["more_body"]:
                break
        request.whole = True
        await send({"type": "http.response.start", "status": 204, "headers": [(b"x", b"y")]})
        await send({"type": "http.response.body", "body": b""})

    async def read(self, pieces: list[bytes]) -> Reading:
        """Raises `AssertionError` where the answers are not one for each request."""
        self._reading = reading = Reading()
        state = ServerState()
        protocol = Recording(self._config, state, {}, asyncio.get_running_loop())
        protocol.refusals = []
        transport = MemoryTransport()
        protocol.connection_made(transport)
        for piece in pieces:
            while transport.paused:  # noqa: ASYNC110 - a turn of the loop is what it waits for
                await asyncio.sleep(0)
            protocol.data_received(piece)
            await asyncio.sleep(0)
        await _quiet(protocol, reading)
        if protocol.refusals:
            reading.end = "refused"
        elif transport.closed or protocol.stage is Stage.LINGERING:
            reading.end = "closed"
        _check_answers(transport.written, reading)
        protocol.connection_lost(None)
        await asyncio.gather(*state.tasks)
        return reading


async def _quiet(protocol: GatewayProtocol, reading: Reading) -> None:
    quiet, before = 0, (-1, False)
    while quiet < _QUIET_TURNS:
        await asyncio.sleep(0)
        now = (len(reading.requests), bool(reading.requests) and reading.requests[-1].whole)
        quiet = quiet + 1 if now == before else 0
        before = now


def _check_answers(written: bytes, reading: Reading) -> None:
    """One 204 for each whole request, in order, and at most one refusal behind them."""
    statuses = [status for status in _STATUS.findall(written) if status != b"100"]
    whole = sum(request.whole for request in reading.requests)
    refused = statuses[whole:]
    assert statuses[:whole] == [b"204"] * whole, written
    assert len(refused) <= (reading.end == "refused"), written
    assert all(status in (b"400", b"431") for status in refused), written


async def compare(reader: Reader, pieces: list[bytes], used: Counter[str]) -> str | None:
    """What is different, None where nothing is."""
    theirs = H11Oracle(used).read(pieces)
    ours = await reader.read(pieces)
    if ours.canonical() == theirs.canonical():
        return None
    return f"h11:  {theirs}\nours: {ours}\nsent: {pieces}"


async def run(seed: int, count: int) -> tuple[list[str], Counter[str]]:
    """Compare that many streams, after those kept. Returns what differed, and how often each exception counted."""
    used: Counter[str] = Counter()
    reader = Reader()
    found: list[str] = []
    for one_seed, number in (*KEPT, *((seed, number) for number in range(count))):
        difference = await compare(reader, Streams(one_seed).pieces(number), used)
        if difference is not None:
            found.append(f"seed {one_seed}, stream {number}\n{difference}\n")
            if len(found) >= 5:
                break
    return found, used


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--streams", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=1)
    wanted = options.parse_args()
    began = time.monotonic()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found, used = runner.run(run(wanted.seed, wanted.streams))
    seconds = time.monotonic() - began
    sys.stdout.write("\n".join(found))
    sys.stdout.write(f"{wanted.streams} streams of seed {wanted.seed} in {seconds:.0f} s: {len(found)} differences; ")
    sys.stdout.write(f"allowed ones: {dict(used.most_common())}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
