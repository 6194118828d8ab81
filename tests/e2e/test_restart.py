"""What was known before a restart is known after it; what was revoked is refused at the next request (A3, S-09)."""

import time
from collections.abc import Iterator

import pytest

from tests.e2e.processes import Gateway, Simulator

pytestmark = pytest.mark.process

ASK = [{"role": "user", "content": "hello"}]


@pytest.fixture
def manual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway on which a rate-limited key stays away until someone retries it."""
    with Gateway(tmp_path_factory.mktemp("manual"), OMG_AVAILABILITY="manual") as running:
        yield running


def status_of_call(gateway: Gateway, provider: str) -> int:
    return gateway.http.post("/v1/chat/completions", json={"model": f"{provider}/m", "messages": ASK}).status_code


def test_in_manual_mode_a_limited_provider_waits_for_a_retry_through_a_restart(
    manual: Gateway, simulator: Simulator
) -> None:
    simulator.script("manual-one", behaviours={"m": ["sim-429-retry-1s", "sim-echo"]})
    manual.add_provider("manual-one", simulator.base_url("manual-one"))
    made = manual.admin.post("/keys", json={"name": "survivor"}).json()
    assert status_of_call(manual, "manual-one") == 429

    time.sleep(1.2)  # past the retry-after, and past the write-behind of states
    manual.restart()

    assert manual.provider("manual-one")["status"] == "rate_limited"
    assert status_of_call(manual, "manual-one") == 429
    assert len(simulator.calls("manual-one")) == 1
    assert manual.admin.post("/providers/manual-one/retry").status_code == 200
    assert status_of_call(manual, "manual-one") == 200
    survivor = manual.http.get("/v1/models", headers={"authorization": f"Bearer {made['secret']}"})
    assert survivor.status_code == 200


def test_a_stop_lets_a_running_stream_end_and_a_wait_survives_it(
    tmp_path_factory: pytest.TempPathFactory, simulator: Simulator
) -> None:
    simulator.script("auto-one", behaviours={"m": ["sim-429-retry-90s", "sim-echo"]})
    with Gateway(tmp_path_factory.mktemp("automatic")) as running:
        running.add_provider("auto-one", simulator.base_url("auto-one"))
        running.add_provider("auto-two", simulator.base_url("auto-two"))
        assert status_of_call(running, "auto-one") == 429
        limited = running.provider("auto-one")
        body = {"model": "auto-two/sim-words-10+chunk-delay-50ms", "messages": ASK, "stream": True}

        with running.http.stream("POST", "/v1/chat/completions", json=body) as answer:
            blocks = answer.iter_raw()
            text = next(blocks)
            running.process.terminate()
            text += b"".join(blocks)
        assert running.process.wait(10) == 0
        running.restart()

        assert text.endswith(b"data: [DONE]\n\n")
        after = running.provider("auto-one")
        assert (after["status"], after["available_at"]) == ("rate_limited", limited["available_at"])
        assert status_of_call(running, "auto-one") == 429
        assert len(simulator.calls("auto-one")) == 1


def test_a_revoked_key_is_refused_at_the_next_request(gateway: Gateway) -> None:
    made = gateway.admin.post("/keys", json={"name": "short-lived"}).json()
    headers = {"authorization": f"Bearer {made['secret']}"}
    assert gateway.http.get("/v1/models", headers=headers).status_code == 200

    assert gateway.admin.post(f"/keys/{made['id']}/revoke").status_code == 200

    assert gateway.http.get("/v1/models", headers=headers).status_code == 401


def test_an_expired_key_is_refused_and_told_so(gateway: Gateway) -> None:
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
    made = gateway.admin.post("/keys", json={"name": "brief", "expires_at": soon})
    assert made.status_code == 201, made.text
    headers = {"authorization": f"Bearer {made.json()['secret']}"}
    assert gateway.http.get("/v1/models", headers=headers).status_code == 200

    time.sleep(2.1)

    refused = gateway.http.get("/v1/models", headers=headers)
    assert refused.status_code == 401
    assert "expired" in refused.json()["error"]["message"].lower()
