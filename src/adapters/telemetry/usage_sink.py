"""Writes settled requests to the log: one line a request, one warning a failed attempt."""

import time
from datetime import UTC, datetime

import msgspec
from typing_extensions import override

from adapters.telemetry.logs import Format
from adapters.telemetry.output import BoundedOutput
from adapters.telemetry.redaction import mask
from domain.ports.runtime import UsageSink
from domain.records import AttemptRecord, RequestRecord

MAX_CLIENT_TEXT = 200
"""Characters shown of what a client or a provider wrote."""

MAX_CLEAN = 1000
_CLEAN = {""}  # texts shown as they are: the same few models come again and again, and a search costs 2 µs

_encode = msgspec.json.Encoder().encode

_RANK = {"debug": 0, "info": 1, "warning": 2, "error": 3}


class LogUsageSink(UsageSink):
    """Queues each record; the lines are made in the writing thread (under 1 µs a request on the event loop)."""

    def __init__(self, output: BoundedOutput, style: Format, level: str = "info") -> None:
        self._output = output
        self._lines = _json_lines if style == "json" else _console_lines
        self._show_requests = _RANK[level] <= _RANK["info"]
        self._show_attempts = _RANK[level] <= _RANK["warning"]

    @override
    def record(self, record: RequestRecord) -> None:
        failed = self._show_attempts and any(attempt.outcome != "ok" for attempt in record.attempts)
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
