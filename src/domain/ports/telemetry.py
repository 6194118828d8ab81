"""Ports of what is told to those who watch the gateway."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from domain.metrics import Readings
from domain.records import RequestRecord


class MetricsText(msgspec.Struct, frozen=True):
    """A page of metrics in a form that the one who asked reads."""

    body: bytes
    content_type: str


class MetricsFormat(Protocol):
    """Writes readings as the text that a monitor reads. Called in a thread."""

    def render(self, readings: Readings, accept: str) -> MetricsText:
        """`accept` is the header of that name."""
        ...


class TelemetryExport(Protocol):
    """Sends what happened to a collector, beside the requests: what it does not take is dropped and counted."""

    def start(self) -> None: ...

    def keep(self, record: RequestRecord) -> None:
        """A request has ended; called in its context. It costs no more than an append."""
        ...

    def sampled(self, trace_id: str) -> bool:
        """Whether a trace that begins here, of this id in hexadecimal, is collected."""
        ...

    def readings(self) -> Readings:
        """What was sent, and what was dropped."""
        ...

    def close(self) -> None:
        """Blocks for a moment, for what waits."""
        ...


class SiblingReadings(Protocol):
    """What the other worker processes behind the same port have counted. Called in a thread."""

    def write(self, own: Readings) -> None:
        """Let the others read it."""
        ...

    def others(self) -> Sequence[Readings]:
        """Theirs, as of a second ago: of a process that is no more what it had counted."""
        ...
