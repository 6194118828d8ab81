"""Log lines as they come out of the process: whole, filtered, and never in a request's way."""

import io
import json
import logging
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.telemetry.log_lines import BoundedOutput, LogUsageSink
from adapters.telemetry.logs import MAX_PER_SECOND, OutputHandler, RecordFormatter, choose_format
from domain.records import AttemptRecord, RequestRecord
from domain.usage import TokenUsage
from tests.builders import NOW
from tests.waiting import wait_until


class Pipe:
    """An output on a pipe, and what was written to it."""

    def __init__(self, max_waiting: int = 100) -> None:
        self._reading, self._writing = os.pipe()
        self.output = BoundedOutput(self._writing, max_waiting)

    def text(self) -> str:
        assert self.output.flush(20.0)  # the first line imports structlog, which a busy machine takes its time for
        return os.read(self._reading, 1_000_000).decode()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]

    def close(self) -> None:
        os.close(self._reading)
        self.output.close()
        time.sleep(0)
        os.close(self._writing)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.close()


def a_logger(pipe: Pipe, style: Any = "json") -> logging.Logger:
    logger = logging.Logger("adapters.test", logging.DEBUG)  # noqa: LOG001 - in no registry: this test's alone
    logger.addHandler(OutputHandler(pipe.output, RecordFormatter(style)))
    return logger


def a_record(**changes: Any) -> RequestRecord:
    fields: dict[str, Any] = {
        "request_id": "req_1",
        "decision_id": "dec_1",
        "created_at": NOW,
        "tenant_id": "ten_default",
        "key_id": "key_1",
        "endpoint": "chat",
        "requested_model": "m",
        "provider_id": "beta",
        "model": "m",
        "status": 200,
        "outcome": "ok",
        "error_code": None,
        "stream": False,
        "attempts": (
            AttemptRecord(
                1, "alpha", "pk_1", "m", "rate_limited", 429, 12.34, message="slow down, sk-abcdefghijklmnop"
            ),
            AttemptRecord(2, "beta", "pk_2", "m", "ok", 200, 20.0),
        ),
        "usage": TokenUsage(3, 5),
        "latency_ms": 40.04,
        "ttft_ms": None,
    }
    return RequestRecord(**(fields | changes))


def test_a_record_becomes_one_json_line_with_its_facts(pipe: Pipe) -> None:
    a_logger(pipe).warning("provider cannot be used", extra={"provider": "alpha", "headers": {"x": "canary"}})

    (line,) = pipe.lines()

    assert line["event"] == "provider cannot be used"
    assert (line["level"], line["logger"], line["provider"]) == ("warning", "adapters.test", "alpha")
    assert "canary" not in str(line)


def test_a_traceback_is_masked_text_in_its_line(pipe: Pipe) -> None:
    logger = a_logger(pipe)

    try:
        raise ValueError("refused sk-omg-abcdefghijklmnop")
    except ValueError:
        logger.exception("job failed")

    (line,) = pipe.lines()
    assert "ValueError: refused ***" in line["exception"]


def test_debug_lines_pass_the_same_filter(pipe: Pipe) -> None:
    """S-23: debug logging is where keys usually leak."""
    a_logger(pipe).debug("sent %s", "Bearer canary-token", extra={"authorization": "canary"})

    assert "canary" not in pipe.text()


def test_console_lines_are_for_people(pipe: Pipe) -> None:
    a_logger(pipe, "console").warning("provider cannot be used", extra={"provider": "alpha", "other": "canary"})

    text = pipe.text()

    assert "provider cannot be used" in text
    assert "alpha" in text
    assert "canary" not in text


def test_a_storm_from_one_place_is_counted_instead_of_written(pipe: Pipe) -> None:
    """R-42."""
    logger = a_logger(pipe)

    for _ in range(MAX_PER_SECOND * 10):
        logger.error("the same again")

    assert len(pipe.lines()) <= MAX_PER_SECOND * 2


def test_a_blocked_pipe_blocks_no_one_and_what_is_dropped_is_counted() -> None:
    """R-42."""
    pipe = Pipe(max_waiting=50)
    line = b'{"x":"' + b"y" * 9000 + b'"}\n'
    for _ in range(40):  # more than a pipe holds: the writing thread is stuck from here on
        pipe.output.put(lambda: line)
    wait_until(lambda: not pipe.output._waiting)

    for _ in range(1000):
        pipe.output.put(lambda: line)  # to wait for the pipe would be to wait for ever

    assert pipe.output.dropped >= 900
    pipe.close()


def test_a_line_that_cannot_be_made_does_not_stop_the_others(pipe: Pipe) -> None:
    def broken() -> bytes:
        raise RuntimeError

    pipe.output.put(broken)
    pipe.output.put(lambda: b'{"event":"next"}\n')

    assert [line["event"] for line in pipe.lines()] == ["log line failed", "next"]


def test_a_settled_request_is_one_line_and_each_failed_attempt_a_warning(pipe: Pipe) -> None:
    LogUsageSink(pipe.output, "json").record(a_record())

    attempt, request = pipe.lines()

    assert (attempt["level"], attempt["event"], attempt["provider"]) == ("warning", "attempt failed", "alpha")
    assert attempt["message"] == "slow down, ***"
    assert (request["level"], request["event"], request["status"], request["attempts"]) == ("info", "request", 200, 2)
    assert (request["input_tokens"], request["output_tokens"], request["latency_ms"]) == (3, 5, 40.0)


def test_on_a_console_a_request_is_one_short_line_no_client_can_break(pipe: Pipe) -> None:
    LogUsageSink(pipe.output, "console").record(a_record(model="m\nINFO forged"))

    lines = pipe.text().splitlines()

    assert len(lines) == 2
    assert "attempt 1 at alpha: rate_limited (429)" in lines[0]
    assert "200 chat plain beta/m INFO forged 2 attempts 3+5 tokens 40 ms" in lines[1]


def test_above_info_only_the_failures_are_written(pipe: Pipe) -> None:
    sink = LogUsageSink(pipe.output, "json", "warning")

    sink.record(a_record())
    sink.record(a_record(attempts=()))

    assert [line["event"] for line in pipe.lines()] == ["attempt failed"]


def test_the_format_follows_the_stream_unless_it_is_set() -> None:
    stream = io.StringIO()

    assert choose_format("auto", stream) == "json"
    assert choose_format("console", stream) == "console"
