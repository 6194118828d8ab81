"""Clients that are slow, silent or gone; and a machine without descriptors, log space or the right time."""

import contextlib
import fcntl
import json
import os
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import psutil
from tests.e2e.processes import Gateway
from typing_extensions import override

from bench.faults.case import Case, Checks, NotHere
from bench.faults.checking import books, only
from bench.faults.stand import Site, Stand, until

_ROOT: Final = Path(__file__).parents[2]
HEAD_SECONDS: Final = 10.0
_SLOW_HEADS: Final = 200
_SLOW_READERS: Final = 20
READERS_MIB: Final = 100.0


def slow_heads(stand: Stand, checks: Checks) -> None:
    """Connections that send a head byte by byte take nothing from the others, and are closed."""
    site = stand.site()
    with site.traffic() as load, contextlib.ExitStack() as held:
        sockets = [
            held.enter_context(socket.create_connection(("127.0.0.1", site.first.port))) for _ in range(_SLOW_HEADS)
        ]
        for each in sockets:
            each.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ")
        began = time.monotonic()
        opened = set(sockets)

        def all_closed() -> bool:
            for each in list(opened):
                if _closed(each):
                    opened.discard(each)
            return not opened

        until(all_closed, HEAD_SECONDS + 30, 1.0)
        took = time.monotonic() - began
    checks.holds(f"all are closed within {HEAD_SECONDS + 30:.0f} s", not opened, len(opened))
    checks.figure(f"{_SLOW_HEADS} connections, all closed after {took:.0f} s")
    only(checks, "the others do not notice", load, "200")
    books(site, checks, load)


def slow_readers(stand: Stand, checks: Checks) -> None:
    """Clients that read nothing of a long stream: what is kept for them is bounded."""
    site = stand.site()
    process = psutil.Process(site.first.process.pid)
    with site.traffic() as load, contextlib.ExitStack() as held:
        time.sleep(1.0)
        before = process.memory_info().rss
        body = json.dumps(
            {
                "model": f"{site.provider}/sim-words-4000",
                "stream": True,
                "messages": [{"role": "user", "content": "hi"}],
            }
        ).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {site.key}\r\n"
        for _ in range(_SLOW_READERS):
            reader = held.enter_context(socket.socket())
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.connect(("127.0.0.1", site.first.port))
            reader.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        most = before
        for _ in range(20):
            time.sleep(0.5)
            most = max(most, process.memory_info().rss)
    grown = (most - before) / 2**20
    checks.holds(f"memory grows by less than {READERS_MIB:.0f} MiB", grown < READERS_MIB, f"{grown:.1f} MiB")
    checks.figure(f"{_SLOW_READERS} readers, memory grew by {grown:.0f} MiB")
    only(checks, "the others do not notice", load, "200")
    books(site, checks, load)


def leaving(stand: Stand, checks: Checks) -> None:
    """Many streams at once, all left in the middle, and again."""
    site = stand.site()
    body = json.dumps(
        {"model": f"{site.provider}/sim-endless", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    ).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {site.key}\r\n"
    asked = f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
    streams = 100
    with site.traffic() as load:
        for _ in range(3):
            with contextlib.ExitStack() as held:
                clients = [
                    held.enter_context(socket.create_connection(("127.0.0.1", site.first.port), timeout=60))
                    for _ in range(streams)
                ]
                for each in clients:
                    each.sendall(asked)
                for each in clients:
                    each.recv(1024)
        left = until(lambda: _cancelled(site) == 3 * streams, 60, 0.3)
    checks.holds(f"{3 * streams} records say that the client left", left < float("inf"), _cancelled(site))
    upstream = psutil.Process(site.first.process.pid).net_connections("tcp4")
    running = sum(bool(each.raddr) and each.raddr.port == stand.simulator.port for each in upstream)
    checks.holds("no upstream call runs on", running <= 20, running)
    only(checks, "the others do not notice", load, "200")
    books(site, checks, load)


def descriptors_gone(stand: Stand, checks: Checks) -> None:
    """No further file or socket may be opened for a while."""
    site = stand.site()
    process = psutil.Process(site.first.process.pid)
    _, hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
    with site.traffic() as load:
        time.sleep(1.0)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (process.num_fds(), hard))
        with contextlib.ExitStack() as held:
            for _ in range(100):
                held.enter_context(socket.create_connection(("127.0.0.1", site.first.port), timeout=10))
            time.sleep(3.0)
            resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (hard, hard))
        back = until(lambda: site.ready() == "200 ready", 30)
        time.sleep(1.0)
    checks.holds("it is ready again without a restart", back < float("inf"))
    refused = {answer: count for answer, count in load.statuses().items() if answer != "200"}
    checks.figure(f"refused meanwhile: {refused or 'nobody'}")
    only(checks, "answers are whole, refused or missing, never wrong", load, "200", "0", "503 overloaded")
    books(site, checks, load)


class Unheard(Gateway):
    """Nobody reads what it writes: after a page of it the pipe is full."""

    @override
    def _spawn(self) -> subprocess.Popen[bytes]:
        self._logs += [Path(os.devnull)] * 2
        self._unread, write = os.pipe()
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
        try:
            return subprocess.Popen(
                [sys.executable, *self.arguments],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=write,
                stderr=write,
            )
        finally:
            os.close(write)

    @override
    def stop(self) -> int:
        with contextlib.suppress(OSError):
            os.close(self._unread)
        return super().stop()


def log_blocked(stand: Stand, checks: Checks) -> None:
    """Standard output and error are a pipe that nobody reads."""
    if not hasattr(fcntl, "F_SETPIPE_SZ"):
        raise NotHere("only Linux makes a pipe small enough to fill")
    site = stand.site(kind=Unheard, OMG_LOG_LEVEL="debug")
    with site.traffic() as load:
        time.sleep(5.0)
        words = site.ready()
    checks.holds("it is ready", words == "200 ready", words)
    only(checks, "nobody notices", load, "200")
    books(site, checks, load)


def clock_jumps(stand: Stand, checks: Checks) -> None:
    """The gateway's clock an hour and a day ahead and behind, and right again."""
    shift = stand.folder / "shift"
    shift.write_text("0")
    site = stand.site()
    site.first.stop()
    site.first.arguments[:2] = ["-m", "bench.faults.skewed"]
    site.first.environment |= {"BENCH_CLOCK_FILE": str(shift), "PYTHONPATH": str(_ROOT)}
    site.first.start_again()
    site.first.wait_until_answering(f"{site.first.url}/health/ready")
    with site.traffic() as load:
        for seconds in (3600, -3600, 86400, -86400, 0):
            time.sleep(1.5)
            swapped = shift.with_suffix(".new")
            swapped.write_text(str(seconds))
            swapped.replace(shift)
        time.sleep(1.5)
    checks.holds("it is ready", site.ready() == "200 ready")
    only(checks, "nobody notices", load, "200")
    books(site, checks, load)


def _closed(client: socket.socket) -> bool:
    """Send one byte more; whether the other side has ended it."""
    try:
        client.sendall(b"x")
        client.setblocking(False)
        try:
            return client.recv(65536) == b""
        except BlockingIOError:
            return False
        finally:
            client.setblocking(True)
    except OSError:
        return True


def _cancelled(site: Site) -> int:
    # those of the load, which leaves some streams itself, ask for other models
    asked = f"requested_model = '{site.provider}/sim-endless'"
    return int(site.query(f"SELECT COUNT(*) FROM requests WHERE outcome = 'client_cancelled' AND {asked}")[0][0])


CASES: Final = (
    Case(
        "clients-slow-heads",
        f"{_SLOW_HEADS} connections send a head byte by byte",
        "closed at the deadline of a head; the others do not notice (R-35)",
        slow_heads,
    ),
    Case(
        "clients-slow-readers",
        f"{_SLOW_READERS} clients read nothing of a long stream",
        f"memory grows by less than {READERS_MIB:.0f} MiB; the others do not notice (R-35)",
        slow_readers,
    ),
    Case(
        "clients-leave",
        "100 endless streams at once, all left, three times",
        "every upstream call ends, each is recorded as left (R-01, R-02, R-13)",
        leaving,
    ),
    Case(
        "descriptors-gone",
        "no further file or socket may be opened for some seconds",
        "refused quickly, nothing lost, back without a restart",
        descriptors_gone,
    ),
    Case("log-blocked", "the log is a pipe that nobody reads", "nobody notices (R-42)", log_blocked),
    Case(
        "clock-jumps",
        "the gateway's wall clock jumps by an hour and a day, ahead and back",
        "nobody notices; durations come from another clock (R-21)",
        clock_jumps,
    ),
)
