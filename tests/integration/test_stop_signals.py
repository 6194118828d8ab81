"""The way down (R-11): not ready at once, streams end in their own time, a second signal waits for nobody."""

import fcntl
import json
import signal
import socket
import struct
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typing_extensions import override

from tests.e2e.processes import Gateway
from tests.raw_client import open_socket, send_bytes
from tests.waiting import HANG_SECONDS, takes, wait_until

pytestmark = pytest.mark.process

MUCH_TOO_LONG = "600"
"""Seconds that no test lives to see the end of."""


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


def stop(gateway: Gateway, number: signal.Signals = signal.SIGTERM) -> None:
    gateway.process.send_signal(number)


def ended(gateway: Gateway) -> int:
    """The exit code, as soon as there is one."""
    return gateway.process.wait(HANG_SECONDS)


def test_a_stream_that_ends_in_time_is_whole_and_the_process_ends_well(demo: Gateway) -> None:
    reader = Reader(demo, "demo-a/sim-words-12+chunk-delay-100ms")
    assert reader.begun.wait(HANG_SECONDS)

    stop(demo)
    wait_until(lambda: demo.http.get("/health/ready").status_code == 503)
    new = demo.http.post("/v1/chat/completions", json={"model": "demo", "messages": [{"role": "user", "content": "x"}]})

    assert new.status_code == 200  # a balancer may not have noticed yet
    assert ended(demo) == 0
    reader.join(HANG_SECONDS)
    assert reader.lines[-1] == "data: [DONE]"
    assert "word12" in reader.lines[-3] + reader.lines[-4]


def test_a_stream_that_would_not_end_gets_an_error_event(demo: Gateway) -> None:
    reader = Reader(demo, "demo-a/sim-endless")
    assert reader.begun.wait(HANG_SECONDS)

    with takes(at_least=2):
        stop(demo)
        assert ended(demo) == 0

    reader.join(HANG_SECONDS)
    assert json.loads(reader.lines[-1].removeprefix("data: "))["error"]["code"] == "shutting_down"
    assert "Traceback" not in demo.output


def test_a_stream_whose_client_reads_nothing_ends_with_the_drain(demo: Gateway) -> None:
    """It waited to be written to for half a minute, longer than an orchestrator does."""
    body = json.dumps(
        {"model": "demo-a/sim-endless", "stream": True, "messages": [{"role": "user", "content": "x" * 1000}]}
    )
    with open_socket(demo.port) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {demo.key}\r\n"
        lines = "Content-Type: application/json\r\n"
        send_bytes(client, f"{head}{lines}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        assert client.recv(12) == b"HTTP/1.1 200"
        until_written_full(client)

        stop(demo)

        assert demo.process.wait(25) == 0  # the wait for a client that takes nothing is half a minute
    assert "running task" not in demo.output  # uvicorn's words for what did not end by itself
    assert "Traceback" not in demo.output


def until_written_full(client: socket.socket) -> None:
    """Until what the gateway has written stays the same for half a second: it waits for the client."""
    before, same = -1, 0
    while same < 5:
        (waiting,) = struct.unpack("i", fcntl.ioctl(client.fileno(), termios.FIONREAD, bytes(4)))
        same = same + 1 if waiting == before else 0
        before = waiting
        time.sleep(0.1)


def test_an_idle_process_waits_for_no_grace_although_connections_are_open(tmp_path: Path) -> None:
    with Gateway(tmp_path, OMG_GRACE_SECONDS=MUCH_TOO_LONG, OMG_DRAIN_SECONDS=MUCH_TOO_LONG) as running:
        assert running.http.get("/health/ready").status_code == 200  # the client keeps its connection

        stop(running)

        assert ended(running) == 0


def test_a_second_signal_ends_the_process_without_waiting_for_the_drain(tmp_path: Path) -> None:
    with Gateway(tmp_path, "--demo", OMG_DRAIN_SECONDS=MUCH_TOO_LONG) as running:
        reader = Reader(running, "demo-a/sim-endless")
        assert reader.begun.wait(HANG_SECONDS)
        stop(running, signal.SIGINT)
        time.sleep(0.3)

        stop(running, signal.SIGINT)

        assert ended(running) == 1
        assert "Traceback" not in running.output
        reader.join(HANG_SECONDS)


def test_what_was_learned_of_a_key_is_kept_through_the_stop(tmp_path: Path) -> None:
    """R-10, for availability."""
    ask = {"model": "demo-a/sim-429-retry-60s", "messages": [{"role": "user", "content": "x"}]}
    with Gateway(tmp_path, "--demo") as running:
        assert running.http.post("/v1/chat/completions", json=ask).status_code == 429
        running.restart()

        assert running.provider("demo-a")["status"] == "rate_limited"
