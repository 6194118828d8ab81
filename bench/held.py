"""What an open stream costs in memory: streams that have sent their first events and then stay open.

`python -m bench.held '{"port": 1, "mode": "held", "connections": 1000, "seconds": 0, "key": "…"}'` opens them, prints
how many have had an event, and closes them when its standard input ends.
"""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import uvloop

from bench import targets
from bench.load import Job, request_bytes
from bench.processes import Cores
from bench.report import GATEWAY
from bench.targets import Target

_OPEN_SECONDS = 15.0
_SETTLE_SECONDS = 1.5
_AT_ONCE = 100  # connections being opened: the backlog of a listening socket is not what is measured


class Held(msgspec.Struct):
    """Memory of one target, MiB, before and while `opened` of `asked` streams were open."""

    asked: int
    opened: int
    before_mib: float
    open_mib: float

    @property
    def kib_each(self) -> float:
        """Memory of one open stream; infinite where none opened."""
        return (self.open_mib - self.before_mib) * 1024 / self.opened if self.opened else float("inf")


def compare(cores: Cores, folder: Path, found: list[Target], omg: list[str], streams: int) -> dict[str, Held]:
    """By target name. The gateway is a fresh one: memory freed by earlier load would hide what a stream needs."""
    port = found[0].port
    folder.mkdir()
    fresh = targets.gateway(cores, folder, port, omg)
    try:
        held = {GATEWAY: measure(cores, fresh, streams)}
    finally:
        assert fresh.server is not None
        fresh.server.stop()
    return {t.name: measure(cores, t, streams) for t in found if t.server and t.name != GATEWAY} | held


def measure(cores: Cores, target: Target, streams: int) -> Held:
    """Open them, look, close them."""
    assert target.server is not None
    before = target.server.rss_mib()
    with hold(cores, target, streams) as process:
        opened = opened_of(process)
        time.sleep(_SETTLE_SECONDS)
        while_open = target.server.rss_mib()
        process.communicate()
    return Held(streams, opened, before, while_open)


def hold(cores: Cores, target: Target, streams: int) -> "subprocess.Popen[bytes]":
    """The client process. End its standard input to close the streams."""
    job = msgspec.json.encode(Job(target.port, "held", streams, 0, target.key)).decode()
    command = cores.rest([sys.executable, "-m", "bench.held", job])
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def opened_of(process: "subprocess.Popen[bytes]") -> int:
    """How many streams have had their first event. Waits for all, or for `_OPEN_SECONDS`."""
    assert process.stdout is not None
    return int(process.stdout.readline() or 0)


def table(streams: dict[str, Held]) -> str:
    """Markdown: one row a target."""
    lines = [
        "**idle streams: open, and silent after their first events**",
        "",
        "| target | open | RSS MiB before | while open | per 1,000 streams | KiB each |",
        "|---|---|---|---|---|---|",
    ]
    for name, held in streams.items():
        lines.append(
            f"| {name} | {held.opened} of {held.asked} | {held.before_mib:.0f} | {held.open_mib:.0f}"
            f" | {held.kib_each * 1000 / 1024:.1f} | {held.kib_each:.1f} |"
        )
    return "\n".join(lines)


async def _open(job: Job) -> None:
    places = asyncio.Semaphore(_AT_ONCE)
    writers: list[asyncio.StreamWriter] = []

    async def one() -> bool:
        async with places:
            reader, writer = await asyncio.open_connection("127.0.0.1", job.port)
            writers.append(writer)
            writer.write(request_bytes(job))
            head = await reader.readuntil(b"\r\n\r\n")
            return head.startswith(b"HTTP/1.1 200") and b"data: " in await reader.readuntil(b"\n\n")

    tasks = [asyncio.create_task(one()) for _ in range(job.connections)]
    done, late = await asyncio.wait(tasks, timeout=_OPEN_SECONDS)
    sys.stdout.write(f"{sum(not t.exception() and t.result() for t in done)}\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    for task in late:
        task.cancel()
    for writer in writers:
        writer.close()


if __name__ == "__main__":
    uvloop.run(_open(msgspec.json.decode(sys.argv[1], type=Job)))
