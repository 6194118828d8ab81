"""Several worker processes on one listening socket: starts them, replaces those that die, passes stop signals on.

On SIGHUP (Linux) it becomes the version that is installed by then (`handover`) and replaces its workers one after
another: each new one listens before an old one stops taking connections.

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

from entrypoints.handover import (
    AdoptedWorker,
    Handover,
    become_next_version,
    is_rehearsal,
    next_version_starts,
    received,
    rehearse,
)
from entrypoints.process_settings import load_process_settings
from entrypoints.settings.model import Settings, SettingsError

log = logging.getLogger(__name__)

START_SECONDS = 60.0
CHECK_SECONDS = 0.2

_FORKS = sys.platform == "linux"
_processes = multiprocessing.get_context("fork") if _FORKS else multiprocessing.get_context("spawn")

_SHARED = ("asyncpg", "entrypoints.http.edge.protocol", "entrypoints.process", "entrypoints.server", "uvloop")
"""What a worker needs before its first request, and all that these import."""

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_CAN_RENEW = _FORKS and hasattr(signal, "SIGHUP")

Worker = ForkProcess | SpawnProcess | AdoptedWorker


def supervise(given: Mapping[str, object], settings: Settings) -> int:
    """Run `settings.workers` processes until a stop signal; the exit code. `given` is from the command line."""
    from entrypoints.server import bind, restrict_new_files, take_over

    is_heard = _CAN_RENEW and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN  # nohup leaves it ignored
    if _CAN_RENEW:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is something to renew
    restrict_new_files()
    if is_rehearsal():
        _import_what_is_shared()
        return rehearse(settings)
    left = received()
    listener = bind(settings) if left is None else take_over(left.listener)
    if _FORKS:
        _import_what_is_shared()
    from entrypoints.ioc.telemetry import worker_sums

    with worker_sums(settings, go_on=left is not None):
        return _Supervisor(dict(given), settings, listener, left).run(hears_sighup=is_heard or left is not None)


def _import_what_is_shared() -> None:
    for name in _SHARED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # or a worker's first look for garbage would write to every page, and own them all


class _Supervisor:
    def __init__(
        self, given: dict[str, object], settings: Settings, listener: socket.socket, left: Handover | None
    ) -> None:
        self._given = given
        self._settings = settings
        self._count = settings.workers
        self._listener = listener
        self._workers: list[Worker] = []
        self._former: list[Worker] = [AdoptedWorker(pid) for pid in left.workers] if left else []
        self._retired: list[Worker] = []
        self._parent_end, self._alive = _processes.Pipe(duplex=False)
        self._kept = [Connection(number, readable=False) for number in left.alive] if left else []
        self._stopping = self._renewing = False

    def run(self, *, hears_sighup: bool) -> int:
        for number in _STOP_SIGNALS:
            signal.signal(number, self._pass_on)
        if hears_sighup:
            signal.signal(signal.SIGHUP, self._hang_up)
        code = self._start_all()
        while code is None and not self._stopping:
            time.sleep(CHECK_SECONDS)
            self._forget_ended()
            code = self._replace_dead()
            if code is None and self._renewing:
                self._renew()
        self._stopping = True
        for worker in self._all():
            if worker.is_alive() and code is not None:
                worker.terminate()
        for worker in self._all():
            worker.join()
        if code is not None:
            return code
        clean = {0, -signal.SIGTERM, -signal.SIGINT}  # the signals: a worker that was still starting
        return 0 if all(worker.exitcode in clean for worker in self._workers) else 1

    def _all(self) -> list[Worker]:
        return [*self._workers, *self._former, *self._retired]

    def _start_all(self) -> int | None:
        """The exit code where one does not start. The first is alone at first: it migrates, seeds, prints the banner.

        Of the version before, one worker goes for each that has come, and the rest at the end. Where one does not
        start those that are left go on.
        """
        renewed = bool(self._former)
        while len(self._workers) < self._count and not self._stopping:
            code = self._start(first=not renewed and not self._workers)
            if code is not None and self._former:
                log.error("the installed version does not serve; the one before goes on", extra={"code": code})
                self._workers = [worker for worker in self._workers if worker.is_alive()] + self._former
                self._former = []
                return None
            if code is not None:
                return code
            self._retire(1)
        self._retire(len(self._former))
        if renewed and not self._stopping:
            log.info("all workers are of the installed version", extra={"workers": len(self._workers)})
        return None

    def _retire(self, count: int) -> None:
        """Workers of the version before take no more connections, end what they have, and go."""
        for worker in self._former[:count]:
            self._former.remove(worker)
            self._retired.append(worker)
            if worker.is_alive() and worker.pid is not None:
                os.kill(worker.pid, signal.SIGHUP)

    def _forget_ended(self) -> None:
        """And, with the last worker of the version before, what told those that their supervisor lives."""
        self._retired = [worker for worker in self._retired if worker.is_alive()]
        if self._kept and not any(isinstance(worker, AdoptedWorker) for worker in self._all()):
            for end in self._kept:
                end.close()
            self._kept.clear()

    def _renew(self) -> None:
        """Become the installed version, with all workers as former ones; or go on, where that does not start."""
        from entrypoints.ioc.runtime import finish_logging, set_up_logging

        self._renewing = False
        log.info("trying the installed version")
        if not next_version_starts() or self._stopping:
            return
        finish_logging()  # what waits to be written would be lost
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the only disposition that the next version begins with
        alive = tuple(end.fileno() for end in (self._alive, *self._kept))
        workers = tuple(worker.pid for worker in self._all() if worker.is_alive() and worker.pid is not None)
        try:
            become_next_version(Handover(self._listener.fileno(), alive, workers))
        except OSError:
            set_up_logging(self._settings)
            signal.signal(signal.SIGHUP, self._hang_up)
            log.exception("the installed version cannot be run; this one goes on")

    def _start(self, *, first: bool) -> int | None:
        """None once the new worker listens; its exit code where it ended before."""
        from entrypoints.ioc.runtime import set_up_logging

        set_up_logging(self._settings)  # anew: what wrote the lines before was a thread, and none may run at a fork
        listening, reports = _processes.Pipe(
            duplex=False
        )  # no Event: a worker would wait for a supervisor that is gone
        inherited = (self._alive, *self._kept) if _FORKS else ()
        arguments = (self._given, self._listener, reports, self._parent_end, first, inherited)
        worker = _processes.Process(target=work, args=arguments, name=f"worker-{len(self._workers)}")
        with listening, reports:
            with _signals_held_back():
                if self._stopping:
                    return None
                worker.start()
                self._workers.append(worker)
            reports.close()
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
        for worker in self._all():
            if worker.is_alive() and worker.pid is not None:
                os.kill(worker.pid, number)

    def _hang_up(self, _number: int, frame: FrameType | None) -> None:
        """A service manager wants the workers renewed; from a terminal that was closed it is the end."""
        if sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty():
            self._pass_on(signal.SIGTERM, frame)
        else:
            self._renewing = True


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
    reports: Connection,
    parent: Connection,
    prints_banner: bool,
    inherited: tuple[Connection, ...],
) -> None:
    """One worker process. In a session of its own, so that a stop signal comes from the supervisor alone.

    Says so on `reports` once it listens. `inherited` is what a fork took along and only the supervisor may hold: the
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
        with suppress(OSError):  # the supervisor is gone, which is noticed below
            reports.send_bytes(b"listening")

    os.setsid()
    threading.Thread(target=_stop_with_parent, args=(parent,), daemon=True).start()
    try:
        code = serve_on(
            listener,
            load_process_settings(given),
            prints_banner=prints_banner,
            on_listening=listening,
            has_siblings=True,
        )
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
