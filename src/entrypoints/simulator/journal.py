"""What the simulator was asked, and how each request ended."""

import json
import time
from collections import deque
from typing import Any, Literal

import msgspec

Outcome = Literal["open", "completed", "client_gone", "faulted"]

KEPT_REQUESTS = 5000
KEPT_BODY_BYTES = 16 * 1024


class Entry(msgspec.Struct):
    """One request. Times are Unix seconds; `finished_at` is None while it is open."""

    id: int
    persona: str
    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    raw_body: bytes
    started_at: float
    model: str | None = None
    status: int | None = None
    chunks_sent: int = 0
    finished_at: float | None = None
    outcome: Outcome = "open"

    def finish(self, outcome: Outcome) -> None:
        """Note how it ended, once: the first word stands."""
        if self.finished_at is None:
            self.finished_at = time.time()
            self.outcome = outcome


class Journal:
    """The newest requests, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT_REQUESTS)
        self._count = 0

    def open(self, persona: str, method: str, path: str, query: str, headers: list[tuple[str, str]]) -> Entry:
        """Begin an entry."""
        self._count += 1
        entry = Entry(self._count, persona, method, path, query, headers, b"", time.time())
        self._entries.append(entry)
        return entry

    def clear(self) -> None:
        """Forget everything but the numbering."""
        self._entries.clear()

    def shown(self, persona: str | None = None) -> list[dict[str, Any]]:
        """Entries as JSON values, of one persona or of all."""
        return [_shown(entry) for entry in self._entries if persona is None or entry.persona == persona]


def _shown(entry: Entry) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.structs.asdict(entry)
    fields["headers"] = [list(pair) for pair in entry.headers]
    fields["body"] = _readable(fields.pop("raw_body"))
    return fields


def _readable(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body.decode(errors="replace")
