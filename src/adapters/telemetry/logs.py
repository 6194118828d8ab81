"""Sets logging up: console lines on a terminal, JSON elsewhere, every line filtered and written off the loop.

Modules log with `logging.getLogger(__name__)`, a constant message and facts in `extra`. structlog formats the
records; it is imported in the writing thread with the first one, since its import is a tenth of a cold start.
"""

import atexit
import logging
import sys
import time
from collections.abc import MutableMapping
from typing import Literal, TextIO

import msgspec
from typing_extensions import override

from adapters.telemetry.log_lines import BoundedOutput, Format
from adapters.telemetry.redaction import allowed

OUR_PACKAGES = ("domain", "application", "adapters", "entrypoints")
"""Only these log below WARNING: libraries put SQL parameters, URLs and headers into their debug lines."""

MAX_PER_SECOND = 10
"""Records of one call site a second; the rest is counted, so that a storm of tracebacks stays readable (R-42)."""


def choose_format(setting: Literal["auto", "console", "json"], stream: TextIO) -> Format:
    """`auto` is console on a terminal and json elsewhere."""
    if setting == "auto":
        return "console" if stream.isatty() else "json"
    return setting


def configure_logging(level: str, style: Format, stream: TextIO = sys.stderr) -> BoundedOutput:
    """Route all logging to `stream`; the output is returned for the lines that need no record."""
    output = BoundedOutput(stream.fileno())
    atexit.register(output.close)
    handler = OutputHandler(output, RecordFormatter(style))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in OUR_PACKAGES:
        logging.getLogger(name).setLevel(level.upper())
    logging.captureWarnings(capture=True)
    return output


def current_output() -> BoundedOutput:
    """The output logging was set up with, else one on stderr: for lines that need no record."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, OutputHandler):
            return handler.output
    return BoundedOutput(2)


class RecordFormatter(logging.Formatter):
    """Formats records with structlog, which is imported when the first one comes."""

    def __init__(self, style: Format) -> None:
        super().__init__()
        self._format_name: Format = style
        self._formatter: logging.Formatter | None = None

    @override
    def format(self, record: logging.LogRecord) -> str:
        if self._formatter is None:
            self._formatter = _structlog_formatter(self._format_name)
        return self._formatter.format(record)


class OutputHandler(logging.Handler):
    """Hands records to the output, at most `MAX_PER_SECOND` a second from one place in the code."""

    def __init__(self, output: BoundedOutput, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.output = output
        self._seen: dict[tuple[str, int], list[float]] = {}  # call site → [second, count, suppressed]

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if not self._within_rate(record):
            return
        record.msg, record.args = record.getMessage(), None  # now: an argument may change before it is written
        self.output.put(lambda: (self.format(record) + "\n").encode("utf-8", "backslashreplace"))

    def _within_rate(self, record: logging.LogRecord) -> bool:
        second = float(int(time.monotonic()))
        site = self._seen.setdefault((record.pathname, record.lineno), [second, 0, 0])
        if site[0] != second:
            site[0], site[1] = second, 0
        site[1] += 1
        if site[1] > MAX_PER_SECOND:
            site[2] += 1
            return False
        if site[2]:
            record.__dict__["suppressed"], site[2] = int(site[2]), 0
        return True


def _structlog_formatter(style: Format) -> logging.Formatter:
    import structlog

    renderer: structlog.typing.Processor
    if style == "json":
        renderer = structlog.processors.JSONRenderer(serializer=_json)
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_plain_exception)
    return structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _filtered, renderer],
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.ExtraAdder(),
            structlog.processors.format_exc_info,
        ],
    )


def _filtered(_logger: object, _method: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
    return allowed(event)


def _json(value: object, **_options: object) -> str:
    return msgspec.json.encode(value).decode()


def _plain_exception(stream: TextIO, _exc_info: object) -> None:
    """Never reached with a traceback: `format_exc_info` has made text of it, which the filter masks."""
    stream.write("exception")
