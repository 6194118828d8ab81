"""Lines of the log: those of a settled request, and the bounded queue from which a thread of its own writes all lines.

A blocked pipe never blocks a request (R-42).
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

import msgspec
from typing_extensions import override

from adapters.telemetry.redaction import mask
from domain.ports.runtime import UsageSink
from domain.records import AttemptRecord, RequestRecord

MAX_WAITING = 10_000
"""Lines; what comes while as many wait is counted and dropped."""

GATHER_SECONDS = 0.02
"""How long lines gather before one write takes them all."""

Line = Callable[[], bytes]
"""Makes one whole line; called in the writing thread, so that formatting costs the event loop nothing."""

Format = Literal["console", "json"]

Keep = Callable[[RequestRecord], object]
"""Takes a record for those who count; it must not take longer than that."""


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
        self._reported_dropped = 0

    @property
    def dropped_total(self) -> int:
        """Since the start; `dropped` are those that no line has told of yet."""
        return self._reported_dropped + self.dropped

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
            self._reported_dropped += count
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


MAX_CLIENT_TEXT = 200
"""Characters shown of what a client or a provider wrote."""

MAX_CLEAN = 1000
_CLEAN = {""}  # texts shown as they are: the same few models come again and again, and a search costs 2 µs

_encode = msgspec.json.Encoder().encode

_RANK = {"debug": 0, "info": 1, "warning": 2, "error": 3}


class LogUsageSink(UsageSink):
    """Queues each record; the lines are made in the writing thread (under 1 µs a request on the event loop).

    `keep` gets each record too, whatever is logged.
    """

    def __init__(self, output: BoundedOutput, style: Format, level: str = "info", keep: Keep | None = None) -> None:
        self._output = output
        self._keep = keep
        self._lines = _json_lines if style == "json" else _console_lines
        self._show_requests = _RANK[level] <= _RANK["info"]
        self._show_attempts = _RANK[level] <= _RANK["warning"]

    @override
    def record(self, record: RequestRecord) -> None:
        if self._keep is not None:
            self._keep(record)
        usual = record.outcome == "ok" and len(record.attempts) < 2
        failed = self._show_attempts and not usual and any(attempt.outcome != "ok" for attempt in record.attempts)
        if self._show_requests or failed:
            settled = time.time()
            self._output.put(lambda: self._lines(record, self._show_requests, datetime.fromtimestamp(settled, UTC)))


def _json_lines(record: RequestRecord, show_request: bool, settled: datetime) -> bytes:
    stamp = _stamp(settled)
    lines = [_encode(_attempt(a, record, stamp)) for a in record.attempts if a.outcome != "ok"]
    if show_request:
        lines.append(_encode(_request(record, stamp)))
    return b"\n".join(lines) + b"\n"


def _request(record: RequestRecord, stamp: str) -> dict[str, object]:
    usage = record.usage
    return {
        "timestamp": stamp,
        "level": "info",
        "event": "request",
        "request_id": record.request_id,
        "decision_id": record.decision_id,
        "tenant_id": record.tenant_id,
        "key_id": record.key_id,
        "endpoint": record.endpoint,
        "requested_model": _shown(record.requested_model),
        "provider": record.provider_id,
        "model": _shown(record.model or ""),
        "status": record.status,
        "outcome": record.outcome,
        "error_code": record.error_code,
        "stream": record.stream,
        "attempts": len(record.attempts),
        "input_tokens": usage.input_tokens if usage else None,
        "output_tokens": usage.output_tokens if usage else None,
        "latency_ms": round(record.latency_ms, 1),
        "ttft_ms": None if record.ttft_ms is None else round(record.ttft_ms, 1),
    }


def _attempt(attempt: AttemptRecord, record: RequestRecord, stamp: str) -> dict[str, object]:
    return {
        "timestamp": stamp,
        "level": "warning",
        "event": "attempt failed",
        "request_id": record.request_id,
        "number": attempt.number,
        "provider": attempt.provider_id,
        "key_id": attempt.key_id,
        "model": _shown(attempt.model),
        "outcome": attempt.outcome,
        "status": attempt.status,
        "duration_ms": round(attempt.duration_ms, 1),
        "message": _shown(attempt.message),
    }


def _console_lines(record: RequestRecord, show_request: bool, settled: datetime) -> bytes:
    clock = f"{settled:%H:%M:%S}"
    lines = [
        f"{clock} warning  attempt {a.number} at {a.provider_id}: {a.outcome}"
        f"{f' ({a.status})' if a.status else ''} {_shown(a.message)}".rstrip()
        for a in record.attempts
        if a.outcome != "ok"
    ]
    if show_request:
        lines.append(f"{clock} info     {_console_request(record)}")
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")


def _console_request(record: RequestRecord) -> str:
    served = f"{record.provider_id}/{_shown(record.model or '')}" if record.provider_id else "-"
    tokens = f" {record.usage.input_tokens}+{record.usage.output_tokens} tokens" if record.usage else ""
    tries = f" {len(record.attempts)} attempts" if len(record.attempts) > 1 else ""
    code = f" {record.error_code}" if record.error_code else ""
    kind = "stream" if record.stream else "plain"
    return f"{record.status}{code} {record.endpoint} {kind} {served}{tries}{tokens} {record.latency_ms:.0f} ms"


def _shown(text: str) -> str:
    """Masked, cut, and free of control characters, so that nobody writes a line of his own into the log."""
    if text in _CLEAN:
        return text
    shown = mask(text[:MAX_CLIENT_TEXT])
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else " " for c in shown)
    if shown == text:
        if len(_CLEAN) >= MAX_CLEAN:
            _CLEAN.clear()
        _CLEAN.add(text)
    return shown


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
