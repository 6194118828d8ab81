"""A client that leaves takes its upstream call with it within a second, in every phase (R-01)."""

import asyncio
import json
import socket
import time
from typing import Any

import httpx
import pytest

from tests.e2e.processes import Gateway, Simulator
from tests.raw_client import open_socket, send_bytes
from tests.waiting import wait_until

pytestmark = pytest.mark.process

ASK = [{"role": "user", "content": "hello there"}]
CLIENTS = 20
WITHIN_SECONDS = 1.0

PHASES = {
    "before headers": ("sim-silent", True, 0),
    "before the first token": ("sim-stall-after-1", True, 0),
    "mid-stream": ("sim-endless", True, 300),
    "plain": ("sim-silent", False, 0),
    "plain, mid-body": ("sim-stall-after-2", False, 0),
}


def send(gateway: Gateway, model: str, stream: bool) -> socket.socket:
    """A request on a socket of its own, so that leaving is a plain close."""
    body = json.dumps({"model": model, "messages": ASK, "stream": stream}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{gateway.port}\r\n"
        f"authorization: Bearer {gateway.key}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    connection = open_socket(gateway.port)
    send_bytes(connection, head.encode() + body)
    return connection


def calls_begun(simulator: Simulator, persona: str, count: int) -> None:
    wait_until(lambda: len(simulator.calls(persona)) >= count)


def calls_ended(simulator: Simulator, persona: str) -> list[dict[str, Any]]:
    """The journal of a persona, as soon as no call of it is open."""
    wait_until(lambda: all(call["outcome"] != "open" for call in simulator.calls(persona)))
    return simulator.calls(persona)


def read_at_least(connection: socket.socket, size: int) -> None:
    received = 0
    while received < size:
        data = connection.recv(65536)
        assert data, "the gateway closed the connection first"
        received += len(data)


@pytest.mark.parametrize("phase", PHASES)
def test_the_upstream_is_released_when_its_client_leaves(
    gateway: Gateway, simulator: Simulator, upstream: str, phase: str
) -> None:
    model, stream, size = PHASES[phase]
    connections = [send(gateway, f"{upstream}/{model}", stream) for _ in range(CLIENTS)]
    calls_begun(simulator, upstream, CLIENTS)
    time.sleep(0.05)  # well inside the phase
    for connection in connections:
        read_at_least(connection, size)

    for connection in connections:
        connection.close()

    assert [call["outcome"] for call in calls_ended(simulator, upstream)] == ["client_gone"] * CLIENTS


def test_an_upstream_is_released_also_where_clients_leave_one_by_one(
    gateway: Gateway, simulator: Simulator, upstream: str
) -> None:
    """The connections of those that stay are not touched."""
    staying = send(gateway, f"{upstream}/sim-words-40+chunk-delay-20ms", True)
    for leaving in range(1, 6):
        connection = send(gateway, f"{upstream}/sim-silent", bool(leaving % 2))
        calls_begun(simulator, upstream, leaving + 1)
        connection.close()

    received = b""
    while not received.endswith(b"0\r\n\r\n"):
        received += staying.recv(65536)
    staying.close()

    assert b"data: [DONE]" in received
    outcomes = sorted(call["outcome"] for call in calls_ended(simulator, upstream))
    assert outcomes == ["client_gone"] * 5 + ["completed"]


def test_a_client_that_left_is_recorded_as_gone_not_as_an_error(
    gateway: Gateway, simulator: Simulator, upstream: str
) -> None:
    connection = send(gateway, f"{upstream}/sim-silent", False)
    calls_begun(simulator, upstream, 1)
    connection.close()
    calls_ended(simulator, upstream)

    assert gateway.provider(upstream)["status"] == "available"
    assert gateway.http.post(
        "/v1/chat/completions", json={"model": f"{upstream}/m", "messages": [{"role": "user", "content": "hi"}]}
    ).is_success


async def test_a_storm_of_cancelled_requests_leaves_every_connection_usable(gateway: Gateway, upstream: str) -> None:
    """Some clients' pools lose a slot with each request cancelled at the wrong moment, until nothing works."""
    headers = {"authorization": f"Bearer {gateway.key}"}
    async with httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=10) as client:

        async def given_up(number: int) -> None:
            body = {"model": f"{upstream}/sim-delay-20ms", "messages": ASK, "stream": bool(number % 2)}
            try:
                await client.post("/v1/chat/completions", json=body, timeout=(number % 40 + 1) / 1000)
            except httpx.TimeoutException:
                return

        for _ in range(10):
            await asyncio.gather(*(given_up(number) for number in range(40)))
        body = {"model": f"{upstream}/sim-echo", "messages": ASK}
        answers = await asyncio.gather(*(client.post("/v1/chat/completions", json=body) for _ in range(40)))

    assert [answer.status_code for answer in answers] == [200] * 40
