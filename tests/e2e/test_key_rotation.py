"""Changing a provider under running streams fails no request and leaks no connection (R-12)."""

import asyncio

import psutil
import pytest
from openai.types.chat import ChatCompletionMessageParam

from tests.e2e.processes import Gateway, Simulator
from tests.waiting import wait_until

pytestmark = pytest.mark.process

ROTATIONS = 50
STREAMS = 15
ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": "go on"}]


def upstream_connections(gateway: Gateway, port: int) -> int:
    """Open sockets from the gateway to the simulator."""
    process = psutil.Process(gateway.process.pid)
    return sum(bool(c.raddr) and c.raddr.port == port and c.status == "ESTABLISHED" for c in process.net_connections())


def settles_at(gateway: Gateway, port: int, most: int) -> bool:
    """Waits until no more than this many are open; it hangs where more stay."""
    wait_until(lambda: upstream_connections(gateway, port) <= most, every_seconds=0.05)
    return True


async def test_fifty_key_rotations_under_streams_fail_no_request(
    gateway: Gateway, simulator: Simulator, upstream: str
) -> None:
    [key] = gateway.admin.get(f"/providers/{upstream}/keys").json()["data"]
    client = gateway.async_openai()
    rotating = True
    answers: list[str] = []

    async def stream_until_rotated() -> None:
        while rotating:
            stream = await client.chat.completions.create(
                model=f"{upstream}/sim-words-20+chunk-delay-10ms", messages=ASK, stream=True
            )
            answers.append("".join([str(chunk.choices[0].delta.content or "") async for chunk in stream]))

    async def rotate() -> None:
        nonlocal rotating
        for number in range(ROTATIONS):
            changed = await asyncio.to_thread(
                gateway.admin.patch,
                f"/providers/{upstream}/keys/{key['id']}",
                json={"secret": f"up-rotated-{number:04}"},
            )
            assert changed.status_code == 200, changed.text
        rotating = False

    await asyncio.gather(rotate(), *(stream_until_rotated() for _ in range(STREAMS)))
    await client.close()

    whole = " ".join(f"word{number}" for number in range(1, 21))
    assert len(answers) >= STREAMS
    assert set(answers) == {whole}
    last = await asyncio.to_thread(simulator.calls, upstream)
    assert {call["outcome"] for call in last} == {"completed"}
    assert settles_at(gateway, simulator.port, STREAMS + 5)


def test_the_new_key_is_used_at_the_next_request(gateway: Gateway, simulator: Simulator, upstream: str) -> None:
    [key] = gateway.admin.get(f"/providers/{upstream}/keys").json()["data"]

    gateway.admin.patch(f"/providers/{upstream}/keys/{key['id']}", json={"secret": "up-the-new-key-123"})
    gateway.http.post("/v1/chat/completions", json={"model": f"{upstream}/m", "messages": ASK})

    assert dict(simulator.calls(upstream)[-1]["headers"])["authorization"] == "Bearer up-the-new-key-123"
