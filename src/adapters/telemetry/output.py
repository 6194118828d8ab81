"""Writes log lines from a thread of its own, through a bounded queue: a blocked pipe never blocks a request (R-42)."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable

MAX_WAITING = 10_000
"""Lines; what comes while as many wait is counted and dropped."""

GATHER_SECONDS = 0.02
"""How long lines gather before one write takes them all."""

Line = Callable[[], bytes]
"""Makes one whole line; called in the writing thread, so that formatting costs the event loop nothing."""


class BoundedOutput:
    """A queue of lines to be written to a file descriptor. `put` never blocks and never raises."""

    def __init__(self, descriptor: int, max_waiting: int = MAX_WAITING) -> None:
        self._descriptor = descriptor
        self._max_waiting = max_waiting
        self._waiting: deque[Line] = deque()
        self._wake = threading.Event()
        self._writing = False
        self._closed = False
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self.dropped = 0

    def put(self, line: Line) -> None:
        """Queue a line, or count it as dropped where the queue is full or closed."""
        if len(self._waiting) >= self._max_waiting or self._closed:
            self.dropped += 1
            return
        self._waiting.append(line)
        if not self._wake.is_set():
            self._wake.set()
            if self._thread is None:
                self._start()

    def flush(self, timeout_seconds: float = 2.0) -> bool:
        """Wait until everything queued is written; False where that took too long."""
        deadline = time.monotonic() + timeout_seconds
        while self._waiting or self._writing:
            if time.monotonic() > deadline:
                return False
            time.sleep(GATHER_SECONDS / 4)
        return True

    def close(self, timeout_seconds: float = 2.0) -> None:
        """Write what waits, for at most that long, take no more, and end the thread. Again, it does nothing."""
        if self._closed:
            return
        self.flush(timeout_seconds)
        self._closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout_seconds)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._closed or self._waiting:
            self._wake.wait()
            if not self._closed:
                time.sleep(GATHER_SECONDS)
            self._wake.clear()
            self._writing = True  # before a line leaves the queue, so that `flush` sees it in one place or the other
            self._write(self._take())
            self._writing = False

    def _take(self) -> bytes:
        lines: list[bytes] = []
        while self._waiting:
            lines.append(_made(self._waiting.popleft()))
        if self.dropped:
            count, self.dropped = self.dropped, 0
            lines.append(b'{"level":"warning","event":"log lines dropped","count":%d}\n' % count)
        return b"".join(lines)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._descriptor, view) :]
            except BlockingIOError:
                time.sleep(GATHER_SECONDS)
            except OSError:  # nobody reads any more: a log that cannot be written is no reason to stop
                return


def _made(line: Line) -> bytes:
    try:
        return line()
    except Exception as error:  # noqa: BLE001 - one line that cannot be made must not stop the others
        return b'{"level":"error","event":"log line failed","reason":"%s"}\n' % type(error).__name__.encode()
