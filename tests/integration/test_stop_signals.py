"""The way down (R-11): not ready at once, streams end in their own time, a second signal waits for nobody."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typing_extensions import override

from tests.e2e.processes import Gateway

pytestmark = pytest.mark.process


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Gateway]:
    with Gateway(tmp_path, "--demo", OMG_GRACE_SECONDS="0.5", OMG_DRAIN_SECONDS="2") as running:
        yield running


class Reader(threading.Thread):
    """One stream, read to its end."""

    def __init__(self, gateway: Gateway, model: str) -> None:
        super().__init__(daemon=True)
        self._gateway = gateway
        self._body = {"model": model, "stream": True, "messages": [{"role": "user", "content": "hi"}]}
        self.begun = threading.Event()
        self.lines: list[str] = []
        self.cut = False
        self.start()

    @override
    def run(self) -> None:
        try:
            with self._gateway.http.stream("POST", "/v1/chat/completions", json=self._body) as answer:
                for line in answer.iter_lines():
                    self.lines += [line] if line else []
                    self.begun.set()
        except httpx.HTTPError:
            self.cut = True


def stop(gateway: Gateway, number: signal.Signals = signal.SIGTERM) -> float:
    gateway.process.send_signal(number)
    return time.monotonic()


def test_a_stream_that_ends_in_time_is_whole_and_the_process_ends_well(demo: Gateway) -> None:
    reader = Reader(demo, "demo-a/sim-words-12+chunk-delay-100ms")
    assert reader.begun.wait(5)

    at = stop(demo)
    time.sleep(0.1)
    ready = demo.http.get("/health/ready")
    new = demo.http.post("/v1/chat/completions", json={"model": "demo", "messages": [{"role": "user", "content": "x"}]})

    assert ready.status_code == 503
    assert new.status_code == 200  # a balancer may not have noticed yet
    assert demo.process.wait(10) == 0
    assert time.monotonic() - at < 4
    reader.join(5)
    assert reader.lines[-1] == "data: [DONE]"
    assert "word12" in reader.lines[-3] + reader.lines[-4]


def test_a_stream_that_would_not_end_gets_an_error_event(demo: Gateway) -> None:
    reader = Reader(demo, "demo-a/sim-endless")
    assert reader.begun.wait(5)

    at = stop(demo)

    assert demo.process.wait(15) == 0
    assert 2 <= time.monotonic() - at < 8
    reader.join(5)
    assert json.loads(reader.lines[-1].removeprefix("data: "))["error"]["code"] == "shutting_down"
    assert "Traceback" not in demo.output


def test_an_idle_process_waits_for_no_grace_although_connections_are_open(tmp_path: Path) -> None:
    with Gateway(tmp_path) as running:
        assert running.http.get("/health/ready").status_code == 200  # the client keeps its connection

        at = stop(running)

        assert running.process.wait(10) == 0
        assert time.monotonic() - at < 4  # the grace is five seconds


def test_a_second_signal_ends_the_process_within_two_seconds(tmp_path: Path) -> None:
    with Gateway(tmp_path, "--demo") as running:
        reader = Reader(running, "demo-a/sim-endless")
        assert reader.begun.wait(5)
        stop(running, signal.SIGINT)
        time.sleep(0.3)

        at = stop(running, signal.SIGINT)

        assert running.process.wait(5) == 1
        assert time.monotonic() - at < 2
        assert "Traceback" not in running.output
        reader.join(5)


def test_what_was_learned_of_a_key_is_kept_through_the_stop(tmp_path: Path) -> None:
    """R-10, for availability."""
    ask = {"model": "demo-a/sim-429-retry-60s", "messages": [{"role": "user", "content": "x"}]}
    with Gateway(tmp_path, "--demo") as running:
        assert running.http.post("/v1/chat/completions", json=ask).status_code == 429
        running.restart()

        assert running.provider("demo-a")["status"] == "rate_limited"
