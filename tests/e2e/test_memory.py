"""What an upstream sends too much of, and what a client does not take, is not kept in memory (R-34, R-35)."""

import psutil
import pytest

from tests.e2e.processes import Gateway, Simulator
from tests.e2e.test_disconnect import calls_begun, send
from tests.waiting import wait_until

pytestmark = pytest.mark.process

ASK = [{"role": "user", "content": "hello"}]
GROWTH_BYTES = 20 * 1024 * 1024


def resident(gateway: Gateway) -> int:
    """Bytes of memory the gateway holds."""
    size: int = psutil.Process(gateway.process.pid).memory_info().rss
    return size


@pytest.mark.parametrize("model", ["sim-500-big-64mb", "sim-gzip-bomb"])
def test_a_giant_body_is_cut_off_and_not_kept(gateway: Gateway, upstream: str, model: str) -> None:
    """R-34, at a size the suite can afford."""
    before = resident(gateway)

    answer = gateway.http.post("/v1/chat/completions", json={"model": f"{upstream}/{model}", "messages": ASK})

    assert answer.status_code == 502
    assert len(answer.content) < 8192
    assert resident(gateway) - before < GROWTH_BYTES


def test_a_client_that_does_not_read_holds_the_upstream_back(
    gateway: Gateway, simulator: Simulator, upstream: str
) -> None:
    """R-35: what waits lies in socket buffers, not in ours, and the upstream is read no further."""
    before = resident(gateway)
    connection = send(gateway, f"{upstream}/sim-endless+chunk-delay-0ms", True)
    calls_begun(simulator, upstream, 1)

    sent: list[int] = []

    def stands_still() -> bool:
        sent.append(simulator.calls(upstream)[0]["chunks_sent"])
        return len(sent) > 1 and sent[-1] == sent[-2] > 0

    wait_until(stands_still, every_seconds=0.3)  # else the upstream is read although nobody takes it
    assert resident(gateway) - before < GROWTH_BYTES
    connection.close()
    wait_until(lambda: simulator.calls(upstream)[0]["outcome"] == "client_gone")


def test_a_large_prompt_passes_whole(gateway: Gateway, upstream: str) -> None:
    text = "größe " * 500_000

    body = {"model": f"{upstream}/m", "messages": [{"role": "user", "content": text}]}
    answer = gateway.http.post("/v1/chat/completions", json=body)

    assert answer.json()["choices"][0]["message"]["content"] == text


def test_a_long_stream_passes_whole(gateway: Gateway, upstream: str) -> None:
    body = {"model": f"{upstream}/sim-words-5000", "messages": ASK, "stream": True}

    answer = gateway.http.post("/v1/chat/completions", json=body)

    assert answer.text.count("data: ") == 1 + 5000 + 1 + 1
    assert '" word5000"' in answer.text
    assert answer.text.endswith("data: [DONE]\n\n")
