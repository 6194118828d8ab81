"""Several worker processes on one listening socket: starts them, replaces those that die, passes stop signals on.

On Linux the supervisor imports the whole gateway once and forks its workers, which share that memory with it: a
worker takes half of what it would alone, and one that died is replaced without importing anything. It runs no event
loop and, when it forks, no other thread. Elsewhere, where system libraries do not bear a fork, workers are spawned.
"""

import gc
import importlib
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess, SpawnProcess
from types import FrameType

from entrypoints.settings.loading import load_settings
from entrypoints.settings.model import Settings, SettingsError

log = logging.getLogger(__name__)

START_SECONDS = 60.0
CHECK_SECONDS = 0.2

_FORKS = sys.platform == "linux"
_processes = multiprocessing.get_context("fork") if _FORKS else multiprocessing.get_context("spawn")

_SHARED = ("asyncpg", "entrypoints.http.edge.protocol", "entrypoints.process", "entrypoints.server", "uvloop")
"""What a worker needs before its first request, and all that these import."""

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def supervise(given: Mapping[str, object], settings: Settings) -> int:
    """Run `settings.workers` processes until a stop signal; the exit code. `given` is from the command line."""
    from entrypoints.server import bind, restrict_new_files

    restrict_new_files()
    listener = bind(settings)
    if _FORKS:
        _import_what_is_shared()
    return _Supervisor(dict(given), settings, listener).run()


def _import_what_is_shared() -> None:
    for name in _SHARED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # or a worker's first look for garbage would write to every page, and own them all


class _Supervisor:
    def __init__(self, given: dict[str, object], settings: Settings, listener: socket.socket) -> None:
        self._given = given
        self._settings = settings
        self._count = settings.workers
        self._listener = listener
        self._workers: list[ForkProcess | SpawnProcess] = []
        self._parent_end, self._alive = _processes.Pipe(duplex=False)
        self._inherited = (self._alive,) if _FORKS else ()
        self._stopping = False

    def run(self) -> int:
        for number in _STOP_SIGNALS:
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
        from entrypoints.ioc.runtime import set_up_logging

        set_up_logging(self._settings)  # anew: what wrote the lines before was a thread, and none may run at a fork
        listening, tells = _processes.Pipe(duplex=False)  # no Event: a worker would wait for a supervisor that is gone
        arguments = (self._given, self._listener, tells, self._parent_end, first, self._inherited)
        worker = _processes.Process(target=work, args=arguments, name=f"worker-{len(self._workers)}")
        with listening, tells:
            with _signals_held_back():
                if self._stopping:
                    return None
                worker.start()
                self._workers.append(worker)
            tells.close()
            return self._wait_until_listening(worker, listening)

    def _wait_until_listening(self, worker: ForkProcess | SpawnProcess, listening: Connection) -> int | None:
        deadline = time.monotonic() + START_SECONDS
        while not listening.poll(CHECK_SECONDS):
            if self._stopping:
                return None
            if time.monotonic() > deadline:
                return 1
        try:
            listening.recv_bytes()
        except EOFError:  # it has ended, or is about to
            worker.join(CHECK_SECONDS)
            return None if self._stopping else worker.exitcode or 1
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


@contextmanager
def _signals_held_back() -> Iterator[None]:
    """A stop signal waits: here until the new process is known, there until it has put its own handlers in place."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)


def work(
    given: dict[str, object],
    listener: socket.socket,
    tells: Connection,
    parent: Connection,
    prints_banner: bool,
    inherited: tuple[Connection, ...],
) -> None:
    """One worker process. In a session of its own, so that a stop signal comes from the supervisor alone.

    Says so on `tells` once it listens. `inherited` is what a fork took along and only the supervisor may hold: the
    end of it is how a worker knows of the supervisor's death.
    """
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)
    for connection in inherited:
        connection.close()
    from entrypoints.lean_start import import_store_without_other_databases, import_without_unused_parts

    import_without_unused_parts()
    import_store_without_other_databases()
    from entrypoints.ioc.runtime import finish_logging
    from entrypoints.process import serve_on

    def listening() -> None:
        with suppress(OSError):  # the supervisor is gone, which is told below
            tells.send_bytes(b"listening")

    os.setsid()
    threading.Thread(target=_stop_with_parent, args=(parent,), daemon=True).start()
    try:
        code = serve_on(listener, load_settings(given), prints_banner=prints_banner, on_listening=listening)
    except SettingsError as error:
        sys.stderr.write(f"omg: {error}\n")
        code = 2
    finally:
        finish_logging()  # a forked process runs no exit handlers
    raise SystemExit(code)


def _stop_with_parent(parent: Connection) -> None:
    """Blocks until the supervisor is gone, however it went."""
    try:
        parent.recv_bytes()
    except (EOFError, OSError):
        os.kill(os.getpid(), signal.SIGTERM)
