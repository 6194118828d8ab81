"""Every named deadline fires, and the gateway's own pings never feed one (R-05)."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.conftest import AddUpstream
from tests.e2e.processes import Gateway, Simulator
from tests.waiting import takes

pytestmark = pytest.mark.process

ASK = [{"role": "user", "content": "one two three"}]

STALLS = {
    "response_headers": ("sim-silent", True),
    "first_content": ("sim-stall-after-1", True),
    "first_content, no frame at all": ("sim-stall-after-0", True),
    "idle": ("sim-stall-after-2", False),
    "upstream_call": ("sim-silent", False),
}


@pytest.mark.parametrize("stall", STALLS)
def test_a_stall_before_content_ends_in_504_at_its_deadline(
    gateway: Gateway, add_upstream: AddUpstream, stall: str
) -> None:
    model, stream = STALLS[stall]
    name = add_upstream(settings={"timeouts": {stall.partition(",")[0]: 0.4}})

    body = {"model": f"{name}/{model}", "messages": ASK, "stream": stream}
    with takes(at_least=0.4):
        answer = gateway.http.post("/v1/chat/completions", json=body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")


@pytest.mark.parametrize(("deadline", "model"), [("idle", "sim-stall-after-2"), ("upstream_call", "sim-endless")])
def test_a_stall_after_content_ends_in_an_error_event(
    gateway: Gateway, add_upstream: AddUpstream, deadline: str, model: str
) -> None:
    name = add_upstream(settings={"timeouts": {deadline: 0.5}})

    answer = gateway.http.post(
        "/v1/chat/completions", json={"model": f"{name}/{model}", "messages": ASK, "stream": True}
    )

    last = answer.text.split("\n\n")[-2]
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "upstream_timeout"
    assert "[DONE]" not in answer.text


def test_a_slow_stream_that_keeps_within_its_idle_limit_survives(gateway: Gateway, add_upstream: AddUpstream) -> None:
    name = add_upstream(settings={"timeouts": {"idle": 4.0}})

    answer = gateway.http.post(
        "/v1/chat/completions",
        json={"model": f"{name}/sim-words-6+chunk-delay-1s", "messages": ASK, "stream": True},
    )

    assert answer.text.endswith("data: [DONE]\n\n")


def test_a_plain_answer_may_take_as_long_as_its_call(gateway: Gateway, add_upstream: AddUpstream) -> None:
    """It has no head before its end: work that was begun is not thrown away for one."""
    name = add_upstream(settings={"timeouts": {"response_headers": 0.1, "first_content": 0.1, "idle": 0.1}})

    answer = gateway.http.post("/v1/chat/completions", json={"model": f"{name}/sim-delay-400ms", "messages": ASK})

    assert answer.status_code == 200


def test_a_stream_that_opens_and_thinks_in_silence_keeps_its_time(gateway: Gateway, add_upstream: AddUpstream) -> None:
    """The role has come, the client's headers are sent after 2 s: neither is content."""
    name = add_upstream(settings={"timeouts": {"first_content": 3, "idle": 0.2}})

    with takes(at_least=3):
        answer = gateway.http.post(
            "/v1/chat/completions", json={"model": f"{name}/sim-stall-after-1", "messages": ASK, "stream": True}
        )

    assert answer.status_code == 200
    assert json.loads(answer.text.split("\n\n")[-2].removeprefix("data: "))["error"]["code"] == "upstream_timeout"


async def test_a_hundred_stalls_at_once_all_end_at_their_deadline(gateway: Gateway, add_upstream: AddUpstream) -> None:
    name = add_upstream(settings={"timeouts": {"response_headers": 1.0}})
    body = {"model": f"{name}/sim-silent", "messages": ASK, "stream": True}
    headers = {"authorization": f"Bearer {gateway.key}"}
    limits = httpx.Limits(max_connections=100)

    async with httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=30, limits=limits) as client:
        calls = (client.post("/v1/chat/completions", json=body) for _ in range(100))
        answers = await asyncio.gather(*calls)

    assert {answer.status_code for answer in answers} <= {504, 503}  # once the breaker opens, the rest is refused
    assert {answer.json()["error"]["code"] for answer in answers} <= {"upstream_timeout", "no_provider_available"}


@pytest.fixture
def full_backlog() -> Iterator[int]:
    """A port whose SYNs are never answered, because its backlog is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            waiting.append(filler)
        time.sleep(0.05)
        yield listener.getsockname()[1]
        for filler in waiting:
            filler.close()


def test_a_connection_that_is_never_accepted_ends_at_the_connect_deadline(gateway: Gateway, full_backlog: int) -> None:
    gateway.add_provider("deaf", f"http://127.0.0.1:{full_backlog}/v1", settings={"timeouts": {"connect": 0.4}})

    with takes(at_least=0.4):
        answer = gateway.http.post("/v1/chat/completions", json={"model": "deaf/m", "messages": ASK})
    gateway.admin.delete("/providers/deaf")

    assert answer.status_code in {502, 504}


def test_a_timeout_is_tried_elsewhere_at_most_once(
    gateway: Gateway, simulator: Simulator, add_upstream: AddUpstream
) -> None:
    """Its outcome upstream is unknown, so the work may be paid for twice but never three times (R-09)."""
    short = {"timeouts": {"response_headers": 0.3}}
    names = [add_upstream("silent", behaviours={"m": "sim-silent"}, settings=short) for _ in range(3)]

    answer = gateway.http.post(
        "/v1/chat/completions",
        json={"model": f"{names[0]}/m", "models": [f"{name}/m" for name in names[1:]], "messages": ASK, "stream": True},
    )

    assert answer.status_code == 504
    assert [len(simulator.calls(name)) for name in names] == [1, 1, 0]
