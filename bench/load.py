"""The load generator: closed-loop clients on raw connections, in a process of its own.

`python -m bench.load '{"port": 1, "mode": "plain", "connections": 32, "seconds": 2, "key": "…"}'` prints one JSON
line. Each client sends its next request when the last answer is whole, so with many clients the latencies are those
of queueing behind a busy core; the added cost of one request is read at one client.
"""

import asyncio
import sys
import time
from functools import partial
from typing import cast

import msgspec
import uvloop
from typing_extensions import override

from bench.samples import request_body

_GRACE_SECONDS = 20.0
_MAX_ERRORS = 50


class Job(msgspec.Struct):
    """What to do: `mode` is one of `bench.samples.MODES`."""

    port: int
    mode: str
    connections: int
    seconds: float
    key: str


class Result(msgspec.Struct):
    """What came of it. Latencies are milliseconds to the last byte, `first_ms` to the first event."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    first_p50_ms: float
    errors: int
    sample: str  # the start of an answer that was no good


def request_bytes(job: Job) -> bytes:
    """One whole request of this mode."""
    body = request_body(job.mode)
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {job.key}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Load:
    """The shared state of all clients of one job."""

    def __init__(self, job: Job) -> None:
        self.request = request_bytes(job)
        self.ending = b"" if job.mode == "plain" else b"[DONE]"
        self.whole: list[float] = []
        self.first: list[float] = []
        self.errors = 0
        self.sample = ""
        self.deadline = time.perf_counter() + job.seconds
        self.last = time.perf_counter()

    def more(self) -> bool:
        """Whether a client whose answer is whole should ask again."""
        return time.perf_counter() < self.deadline and self.errors < _MAX_ERRORS

    def failed(self, answer: bytes) -> None:
        """An answer that is no 200, or no whole one."""
        self.errors += 1
        self.sample = self.sample or answer[:300].decode(errors="replace")


class Client(asyncio.Protocol):
    """One connection: asks, reads to the end of the answer, asks again."""

    def __init__(self, load: Load, done: asyncio.Future[None]) -> None:
        self._load = load
        self._done = done
        self._transport: asyncio.Transport | None = None
        self._reset()

    def _reset(self) -> None:
        self._head = b""
        self._in_body = False
        self._left = -1  # bytes of a sized body still to come
        self._tail = b""
        self._first = 0.0
        self._started = time.perf_counter()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its class
        self._ask()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._load.failed(b"connection closed after: " + self._head + self._tail)
            self._done.set_result(None)

    def _ask(self) -> None:
        assert self._transport is not None
        self._reset()
        self._transport.write(self._load.request)

    @override
    def data_received(self, data: bytes) -> None:
        if not self._in_body:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            data, self._head, self._in_body = self._head[end + 4 :], self._head[:end].lower(), True
            _, sized, length = self._head.partition(b"content-length:")
            if sized:
                self._left = int(length.split(b"\r\n", 1)[0])
        if data and not self._first:
            self._first = time.perf_counter()
        self._tail = (self._tail + data)[-400:]
        if self._left >= 0:
            self._left -= len(data)
        if self._left == 0 or (self._left < 0 and self._tail.endswith(b"0\r\n\r\n")):
            self._finished()

    def _finished(self) -> None:
        load, now = self._load, time.perf_counter()
        load.last = now
        if self._head.startswith(b"http/1.1 200") and load.ending in self._tail:
            load.whole.append(now - self._started)
            load.first.append((self._first or now) - self._started)
        else:
            load.failed(self._head + b"\r\n\r\n" + self._tail)
        if load.more():
            self._ask()
        elif not self._done.done():
            self._done.set_result(None)
            assert self._transport is not None
            self._transport.close()


async def run(job: Job) -> Result:
    """Raises `TimeoutError` where answers stay away for long after the end."""
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    load = Load(job)
    ends = [loop.create_future() for _ in range(job.connections)]
    for done in ends:
        await loop.create_connection(partial(Client, load, done), "127.0.0.1", job.port)
    await asyncio.wait_for(asyncio.gather(*ends), job.seconds + _GRACE_SECONDS)
    return Result(
        requests=len(load.whole),
        seconds=load.last - started,
        p50_ms=_percentile(load.whole, 0.50),
        p99_ms=_percentile(load.whole, 0.99),
        first_p50_ms=_percentile(load.first, 0.50),
        errors=load.errors,
        sample=load.sample,
    )


def _percentile(seconds: list[float], share: float) -> float:
    if not seconds:
        return 0.0
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))] * 1000


if __name__ == "__main__":
    outcome = uvloop.run(run(msgspec.json.decode(sys.argv[1], type=Job)))
    sys.stdout.write(msgspec.json.encode(outcome).decode() + "\n")
