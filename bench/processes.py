"""Processes of a benchmark run: started on a core, measured, and ended with all their children."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

START_SECONDS = 30.0


class Measured:
    """A running server: what its process tree has used so far."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self._popen = process
        self._process = psutil.Process(process.pid)
        self._log = log

    def _tree(self) -> list[psutil.Process]:
        try:
            return [self._process, *self._process.children(recursive=True)]
        except psutil.Error:
            return []

    def cpu_seconds(self) -> float:
        """User and system time of the whole tree."""
        total = 0.0
        for process in self._tree():
            try:
                times = process.cpu_times()
            except psutil.Error:
                continue
            total += times.user + times.system
        return total

    def rss_mib(self) -> float:
        """Resident memory of the whole tree, shared pages counted in each process."""
        total = 0
        for process in self._tree():
            try:
                total += process.memory_info().rss
            except psutil.Error:
                continue
        return total / 2**20

    def pss_mib(self) -> float:
        """The same, but a page that several processes have counts as its share; Linux alone tells (else the RSS)."""
        if not sys.platform.startswith("linux"):
            return self.rss_mib()
        total = 0
        for process in self._tree():
            try:
                total += process.memory_full_info().pss
            except psutil.Error:
                continue
        return total / 2**20

    def descriptors(self) -> int:
        """Open files and sockets of the whole tree."""
        return sum(process.num_fds() for process in self._tree())

    def threads(self) -> int:
        """Of the whole tree."""
        return sum(process.num_threads() for process in self._tree())

    def connections_to(self, port: int) -> int:
        """Established connections of the whole tree to this port."""
        found = [c for process in self._tree() for c in process.net_connections("tcp4")]
        return sum(bool(c.raddr) and c.raddr.port == port and c.status == psutil.CONN_ESTABLISHED for c in found)

    def check_alive(self) -> None:
        """Raises `RuntimeError` with the end of its output where it has stopped."""
        if self._popen.poll() is not None:
            raise RuntimeError(f"{self.name} stopped with exit code {self._popen.returncode}:\n{self.output()}")

    def output(self) -> str:
        """The end of what it printed."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-2000:]

    def stop(self) -> None:
        """End the tree: politely, then not."""
        tree = self._tree()
        for process in tree[:1]:
            process.terminate()
        _, alive = psutil.wait_procs(tree, timeout=6)
        for process in alive:
            process.kill()
        self._popen.wait(5)


class Cores:
    """Which cores the measured process and everything else get. With one core or no taskset: no pinning."""

    def __init__(self) -> None:
        allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        self.pinned = len(allowed) >= 2 and shutil.which("taskset") is not None
        self._measured = str(allowed[0]) if self.pinned else ""
        self._rest = ",".join(map(str, allowed[1:]))

    def measured(self, command: Sequence[str]) -> list[str]:
        """The command, on the first core alone."""
        return ["taskset", "-c", self._measured, *command] if self.pinned else list(command)

    def rest(self, command: Sequence[str]) -> list[str]:
        """The command, on the other cores."""
        return ["taskset", "-c", self._rest, *command] if self.pinned else list(command)


def spawn(name: str, command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> Measured:
    """Start it with its output in `folder/name.log`. `env` is added to ours."""
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    return Measured(name, process, log)


def wait_ready(server: Measured, url: str, body: bytes | None = None, key: str = "") -> float:
    """Seconds until `url` answers 200. Raises `RuntimeError` where it does not in `START_SECONDS`."""
    started = time.perf_counter()
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
    seen = "no answer"
    while time.perf_counter() - started < START_SECONDS:
        server.check_alive()
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=5) as answer:
                answer.read()
                return time.perf_counter() - started
        except urllib.error.HTTPError as error:
            seen = f"{error.code} {error.read()[:500]!r}"
        except OSError as error:
            seen = str(error)
        time.sleep(0.02)
    server.stop()
    raise RuntimeError(f"{server.name} did not become ready at {url}: {seen}\n{server.output()}")


def free_port() -> int:
    """A loopback port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        assert isinstance(port, int)
        return port
