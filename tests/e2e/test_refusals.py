"""Refusals over the wire: who is asked next, what the client is told, and how a refused key comes back (contract 7)."""

import httpx
import pytest

from tests.e2e.conftest import AddUpstream
from tests.e2e.processes import Gateway, Simulator

pytestmark = pytest.mark.process

MESSAGES = [{"role": "user", "content": "one two three"}]


def ask(gateway: Gateway, model: str, **fields: object) -> httpx.Response:
    return gateway.http.post("/v1/chat/completions", json={"model": model, "messages": MESSAGES, **fields})


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [401, 402, 403, 404, 410, 418, 425, 429, 451, 499, 500, 503, 529])
def test_every_refusal_that_is_not_the_clients_fault_is_answered_by_the_next_provider(
    gateway: Gateway, add_upstream: AddUpstream, status: int, stream: bool
) -> None:
    shared = {"models": [f"m{status}"]}
    add_upstream("refusing", behaviours={"*": f"sim-{status}"}, priority=1, settings=shared)
    second = add_upstream("serving", behaviours={"*": "sim-echo"}, priority=2, settings=shared)

    answer = ask(gateway, f"m{status}", stream=stream)

    assert answer.status_code == 200, answer.text
    assert answer.headers["x-omg-provider"] == second


def test_a_refused_key_serves_again_after_a_good_test(gateway: Gateway, add_upstream: AddUpstream) -> None:
    name = add_upstream("outage", behaviours={"m": [{"like": "sim-401", "times": 1}, "sim-echo"]})
    assert ask(gateway, f"{name}/m").json()["error"]["code"] == "upstream_auth_failed"
    shown = gateway.admin.get(f"/providers/{name}/keys").json()["data"][0]
    assert (shown["status"], shown["available_at"] is not None) == ("invalid_key", True)
    assert ask(gateway, f"{name}/m").status_code == 502

    tested = gateway.admin.post(f"/providers/{name}/test").json()

    assert tested["ok"], tested
    assert ask(gateway, f"{name}/m").status_code == 200


def test_of_five_keys_of_which_four_are_dead_the_fifth_serves_the_first_request(
    gateway: Gateway, simulator: Simulator, add_upstream: AddUpstream
) -> None:
    name = add_upstream("dead", behaviours={"m": [{"like": "sim-401", "times": 4}, "sim-echo"]})
    for number in range(4):
        gateway.add_key(name, f"sk-another-{number}")

    assert ask(gateway, f"{name}/m").status_code == 200
    assert len(simulator.calls(name)) == 5


@pytest.mark.parametrize("stream", [False, True])
def test_an_overload_keeps_its_name_for_each_client(gateway: Gateway, add_upstream: AddUpstream, stream: bool) -> None:
    name = add_upstream("busy", behaviours={"*": "sim-529"})
    body = {"model": f"{name}/m", "messages": MESSAGES, "max_tokens": 9, "stream": stream}

    to_openai = gateway.http.post("/v1/chat/completions", json=body)
    to_anthropic = gateway.http.post("/v1/messages", json=body)

    assert (to_openai.status_code, to_openai.json()["error"]["code"]) == (503, "overloaded")
    assert (to_anthropic.status_code, to_anthropic.json()["error"]["type"]) == (529, "overloaded_error")
