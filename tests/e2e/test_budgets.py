"""Budgets over the wire: exact at once, after a kill, and at the end of a stream."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.processes import OMG, Gateway, Simulator
from tests.e2e.test_limits import CHAT, Caller
from tests.waiting import wait_until

pytestmark = pytest.mark.process

FIVE_TOKENS = {"reply": "hi", "usage": {"prompt_tokens": 0, "completion_tokens": 5}}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Gateway]:
    with Gateway(tmp_path) as running:
        yield running


def a_budget(usd: str, **fields: Any) -> dict[str, Any]:
    return {"limit_usd": usd, "period": "never"} | fields


def price(gateway: Gateway, provider: str, model: str, *, output: str, input_: str = "0") -> None:
    """In USD a million tokens; 1000 is a tenth of a cent a token."""
    body = {"provider": provider, "model": model, "prices": {"input": input_, "output": output}, "confirm": True}
    set_ = gateway.admin.post("/models", json=body)
    assert set_.status_code == 201, set_.text


def a_caller(gateway: Gateway, model: str, usd: str, **fields: Any) -> Caller:
    caller = Caller(gateway, model)
    changed = gateway.admin.patch(f"/keys/{caller.key_id}", json={"budgets": [a_budget(usd, **fields)]})
    assert changed.status_code == 200, changed.text
    return caller


def upstream_of(gateway: Gateway, simulator: Simulator, name: str, behaviour: Any = FIVE_TOKENS) -> str:
    simulator.script(name, behaviours={"*": [behaviour]})
    gateway.add_provider(name, simulator.base_url(name))
    return name


def verified(gateway: Gateway) -> str:
    """What `omg ledger verify` says."""
    command = [sys.executable, *OMG, "ledger", "verify"]
    done = subprocess.run(
        command, env=gateway.environment, cwd=gateway.folder, capture_output=True, text=True, check=False
    )
    return f"{done.returncode} {done.stdout}{done.stderr}"


def test_an_answer_says_what_is_left_of_the_tightest_budget(gateway: Gateway, upstream: str) -> None:
    price(gateway, upstream, "sim-echo", output="1")
    caller = a_caller(gateway, f"{upstream}/sim-echo", "0.5")

    answer = caller.ask(max_tokens=16)

    assert answer.headers["x-omg-budget-limit-usd"] == "0.50"
    assert 0.49 < float(answer.headers["x-omg-budget-remaining-usd"]) < 0.5


def test_a_stream_that_would_pass_the_budget_ends_with_an_error_event(gateway: Gateway, upstream: str) -> None:
    """R-16."""
    model = "sim-words-4000"
    price(gateway, upstream, model, output="1000")
    caller = a_caller(gateway, f"{upstream}/{model}", "1.00")

    with httpx.stream(
        "POST",
        f"{gateway.url}/v1/chat/completions",
        json={"model": f"{upstream}/{model}", "stream": True} | CHAT,
        headers=caller.headers,
        timeout=60,
    ) as answer:
        text = answer.read().decode()

    assert answer.status_code == 429 or json.loads(text.split("data: ")[-1])["error"]["code"] == "budget_exceeded"
    assert "[DONE]" not in text


def test_a_model_nobody_knows_the_price_of_is_refused_to_a_key_with_a_budget(gateway: Gateway, upstream: str) -> None:
    refusal = a_caller(gateway, f"{upstream}/sim-echo", "1").ask()

    assert (refusal.status_code, refusal.json()["error"]["code"]) == (403, "model_unpriced")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("timezone", "Europe/Atlantis"),
        ("period", "fortnight"),
        ("limit_usd", "-1"),
        ("limit_usd", "0.0000000001"),
        ("on_exceeded", "downgrade"),
        ("models", ["gpt-?"]),
        ("warn_at", [1.5]),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(gateway: Gateway, field: str, value: Any) -> None:
    refused = gateway.admin.post("/keys", json={"budgets": [a_budget("1") | {field: value}]})

    assert refused.status_code == 400, refused.text


def test_killed_under_load_nothing_stays_held_and_the_limit_is_kept(own: Gateway, simulator: Simulator) -> None:
    """P-01, P-06, R-03: what was under way is charged, and the sums are those of the requests."""
    up = upstream_of(own, simulator, "killed", FIVE_TOKENS | {"chunk_delay_ms": 20})
    price(own, up, "m", output="1000")
    caller = a_caller(own, f"{up}/m", "0.5")  # a hundred calls

    def ask(_: int) -> None:
        with httpx.Client() as client:
            try:
                client.post(
                    f"{own.url}/v1/chat/completions",
                    json={"model": f"{up}/m", "max_tokens": 5} | CHAT,
                    headers=caller.headers,
                    timeout=20,
                )
            except httpx.HTTPError:
                return  # it was killed meanwhile

    for _ in range(3):
        with ThreadPoolExecutor(10) as threads:
            first, *_ = [threads.submit(ask, number) for number in range(30)]
            wait_until(first.done)
            own.process.kill()
        own.process.wait()
        own.start_again()
        own.wait_until_answering(f"{own.url}/health/ready")
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(ask, range(120)))

    assert caller.ask(max_tokens=5).status_code == 429
    own.stop()
    assert verified(own).startswith("0 ")
