"""Mixed clients for the soak: plain, streaming, with tools, patient and not, while the upstream fails now and then.

`python -m bench.mixed '{"port": 1, "key": "…", "requests": 10000, "connections": 48, "seed": 1}'` prints one JSON line.
"""

import asyncio
import random
import sys
import time
from collections import Counter
from statistics import quantiles

import msgspec
import uvloop

from bench.load import Job, request_bytes
from bench.samples import EVENTS

KINDS = {
    ("plain", False): 48,
    ("faulty", False): 2,
    ("burst", False): 17,
    ("tools", False): 5,
    ("paced", False): 2,
    ("cut", False): 1,
    ("burst", True): 10,
    ("paced", True): 15,
}
"""Mode, and whether the client leaves in the middle, by their share in percent: half streams, half of them left."""

_ANSWER_SECONDS = 30.0


class Order(msgspec.Struct):
    """`requests` in all, over `connections` clients at once. The same seed makes the same mix."""

    port: int
    key: str
    requests: int
    connections: int
    seed: int


class Outcome(msgspec.Struct):
    """Requests by kind (`left` ones by mode and `, left`), and those that were answered otherwise than they should.

    Latencies are those of the plain requests, in milliseconds to the last byte.
    """

    done: dict[str, int]
    wrong: int
    sample: str
    p50_ms: float = 0.0
    p99_ms: float = 0.0


class Clients:
    """The shared state of all clients."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._random = random.Random(order.seed)
        kinds = self._random.choices(list(KINDS), list(KINDS.values()), k=order.requests)
        self._kinds = iter(kinds)
        self._requests = {mode: request_bytes(Job(order.port, mode, 1, 0, order.key)) for mode, _ in KINDS}
        self._done: Counter[str] = Counter()
        self._wrong = 0
        self._sample = ""
        self._plain_ms: list[float] = []

    async def run(self) -> Outcome:
        """Until every request is answered or left."""
        await asyncio.gather(*(self._client() for _ in range(self._order.connections)))
        hundredths = quantiles(self._plain_ms, n=100) if len(self._plain_ms) > 1 else [0.0] * 99
        return Outcome(dict(self._done), self._wrong, self._sample, hundredths[49], hundredths[98])

    async def _client(self) -> None:
        kept: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        for mode, leaves in self._kinds:
            reader, writer = kept or await asyncio.open_connection("127.0.0.1", self._order.port)
            began = time.perf_counter()
            writer.write(self._requests[mode])
            after = self._random.randrange(1, EVENTS * 2 // 3) if leaves else 0
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    whole, answer = await _answer(reader, after)
            except (OSError, EOFError, TimeoutError) as error:
                whole, answer = False, repr(error).encode()
            if mode == "plain":
                self._plain_ms.append((time.perf_counter() - began) * 1000)
            self._done[f"{mode}, left" if leaves else mode] += 1
            if not _right(mode, answer, left=leaves):
                self._wrong += 1
                self._sample = self._sample or f"{mode}: {answer[:200]!r} … {answer[-300:]!r}"
            kept = (reader, writer) if whole else None
            if kept is None:
                _leave(writer, abruptly=self._random.random() < 0.5)
        if kept is not None:
            kept[1].close()


def _leave(writer: asyncio.StreamWriter, *, abruptly: bool) -> None:
    if abruptly:
        writer.transport.abort()
    else:
        writer.close()


async def _answer(reader: asyncio.StreamReader, after: int) -> tuple[bool, bytes]:
    """Whether the connection can be used again, and what was read; with `after`, no more than so many events."""
    answer = head = await reader.readuntil(b"\r\n\r\n")
    _, sized, length = head.lower().partition(b"content-length:")
    if sized:
        return True, answer + await reader.readexactly(int(length.split(b"\r\n", 1)[0]))
    while not answer.endswith(b"0\r\n\r\n"):
        if after and answer.count(b"data: ") >= after:
            return False, answer
        part = await reader.read(65536)
        if not part:
            return False, answer
        answer += part
    return True, answer


def _right(mode: str, answer: bytes, *, left: bool) -> bool:
    if mode == "faulty":  # the second try may meet the next fault
        return answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 50"))
    if not answer.startswith(b"HTTP/1.1 200"):
        return False
    if mode == "cut":
        return b'"error"' in answer
    if mode == "tools" and b'"tool_calls"' not in answer:
        return False
    return left or mode == "plain" or b"[DONE]" in answer


if __name__ == "__main__":
    outcome = uvloop.run(Clients(msgspec.json.decode(sys.argv[1], type=Order)).run())
    sys.stdout.write(msgspec.json.encode(outcome).decode() + "\n")
