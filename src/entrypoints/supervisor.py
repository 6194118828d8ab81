"""Several worker processes on one listening socket: starts them, replaces those that die, passes stop signals on."""

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event
from types import FrameType

from entrypoints.settings.loading import load_settings
from entrypoints.settings.model import Settings, SettingsError

log = logging.getLogger(__name__)

START_SECONDS = 60.0
CHECK_SECONDS = 0.2

_spawn = multiprocessing.get_context("spawn")


def supervise(given: Mapping[str, object], settings: Settings) -> int:
    """Run `settings.workers` processes until a stop signal; the exit code. `given` is from the command line."""
    from entrypoints.ioc.runtime import set_up_logging
    from entrypoints.server import bind, restrict_new_files

    restrict_new_files()
    listener = bind(settings)
    set_up_logging(settings)
    return _Supervisor(dict(given), settings.workers, listener).run()


class _Supervisor:
    def __init__(self, given: dict[str, object], count: int, listener: socket.socket) -> None:
        self._given = given
        self._count = count
        self._listener = listener
        self._workers: list[SpawnProcess] = []
        self._parent_end, self._alive = _spawn.Pipe(duplex=False)
        self._stopping = False

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._pass_on)
        code = self._start(first=True)  # alone at first: it migrates, seeds, and prints the banner
        while code is None and len(self._workers) < self._count and not self._stopping:
            code = self._start(first=False)
        while code is None and not self._stopping:
            time.sleep(CHECK_SECONDS)
            code = self._replace_dead()
        self._stopping = True
        for worker in self._workers:
            if worker.is_alive() and code is not None:
                worker.terminate()
        for worker in self._workers:
            worker.join()
        if code is not None:
            return code
        clean = {0, -signal.SIGTERM, -signal.SIGINT}  # the signals: a worker that was still starting
        return 0 if all(worker.exitcode in clean for worker in self._workers) else 1

    def _start(self, *, first: bool) -> int | None:
        """None once the new worker listens; its exit code where it ended before."""
        ready = _spawn.Event()
        arguments = (self._given, self._listener, ready, self._parent_end, first)
        worker = _spawn.Process(target=work, args=arguments, name=f"worker-{len(self._workers)}")
        worker.start()
        self._workers.append(worker)
        deadline = time.monotonic() + START_SECONDS
        while not ready.wait(CHECK_SECONDS):
            if self._stopping:
                return None
            if worker.exitcode is not None or time.monotonic() > deadline:
                return worker.exitcode or 1
        return None

    def _replace_dead(self) -> int | None:
        for worker in [w for w in self._workers if not w.is_alive()]:
            if self._stopping:
                return None
            log.error("worker died", extra={"code": worker.exitcode})
            self._workers.remove(worker)
            if (code := self._start(first=False)) is not None:
                return code
        return None

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        for worker in self._workers:
            if worker.is_alive() and worker.pid is not None:
                os.kill(worker.pid, number)


def work(
    given: dict[str, object], listener: socket.socket, ready: Event, parent: Connection, prints_banner: bool
) -> None:
    """One worker process. In a session of its own, so that a stop signal comes from the supervisor alone."""
    from entrypoints.lean_start import import_store_without_other_databases, import_without_unused_parts

    import_without_unused_parts()
    import_store_without_other_databases()
    from entrypoints.process import serve_on

    os.setsid()
    threading.Thread(target=_stop_with_parent, args=(parent,), daemon=True).start()
    try:
        code = serve_on(listener, load_settings(given), prints_banner=prints_banner, on_listening=ready.set)
    except SettingsError as error:
        sys.stderr.write(f"omg: {error}\n")
        code = 2
    raise SystemExit(code)


def _stop_with_parent(parent: Connection) -> None:
    """Blocks until the supervisor is gone, however it went."""
    try:
        parent.recv_bytes()
    except (EOFError, OSError):
        os.kill(os.getpid(), signal.SIGTERM)
