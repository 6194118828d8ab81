"""The limits of a key over the wire: every endpoint that spends, what a client is told, and what nobody leaks."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from entrypoints.http.inference.routes import INFERENCE_ROUTES
from tests.e2e.processes import Gateway, Simulator
from tests.waiting import wait_until

pytestmark = pytest.mark.process

CHAT: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}]}
CONTENTS: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}

SPENDING: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": CHAT,
    "/v1/chat": CHAT,
    "/v1/completions": {"prompt": "hi"},
    "/v1/embeddings": {"input": "hi"},
    "/v1/images/generations": {"prompt": "a cat"},
    "/v1/images/edits": {"prompt": "a cat", "images": [{"image_url": "https://pictures.example/1.png"}]},
    "/v1/audio/speech": {"input": "hi", "voice": "alloy"},
    "/v1/audio/transcriptions": {},  # forms: see `ask`
    "/v1/audio/translations": {},
    "/v1/moderations": {"input": "hi"},
    "/v1/rerank": {"query": "hi", "documents": ["hi"]},
    "/v1/responses": {"input": "hi"},
    "/v1/responses/input_tokens": {"input": "hi"},
    "/v1/messages": CHAT | {"max_tokens": 16},
    "/v1/messages/count_tokens": CHAT,
    "/v1beta/models/{model}:generateContent": CONTENTS,
    "/v1beta/models/{model}:streamGenerateContent": CONTENTS,
    "/v1beta/models/{model}:countTokens": CONTENTS,
    "/v1beta/models/{model}:embedContent": {"content": {"parts": [{"text": "hi"}]}},
    "/v1beta/models/{model}:batchEmbedContents": {"requests": [{"content": {"parts": [{"text": "hi"}]}}]},
}
"""Every endpoint that asks a provider, with a body. One that is not here fails below."""

COUNTING = ("/v1/messages/count_tokens", "/v1beta/models/{model}:countTokens")
"""Of these, what costs nothing."""


AUTHORITIES = httpx.create_ssl_context()
"""Read once: each call of its own would read them for longer than it takes."""


class Caller:
    """A client with a key of its own, which has these fields."""

    def __init__(self, gateway: Gateway, model: str, fields: dict[str, Any] | None = None, **limits: int) -> None:
        made = gateway.admin.post("/keys", json={"limits": limits} | (fields or {}))
        assert made.status_code == 201, made.text
        self.key_id = made.json()["id"]
        self.headers = {"authorization": f"Bearer {made.json()['secret']}"}
        self._url = gateway.url
        self._model = model

    def ask(self, path: str = "/v1/chat/completions", **fields: Any) -> httpx.Response:
        body = {"model": self._model} | SPENDING[path] | fields
        path = path.replace("{model}", self._model)
        if path.endswith(("transcriptions", "translations")):
            files = {"file": ("a.wav", b"RIFF0000WAVE", "audio/wav")}
            form = {"model": self._model}
            return httpx.post(
                self._url + path, headers=self.headers, data=form, files=files, timeout=60, verify=AUTHORITIES
            )
        return httpx.post(self._url + path, headers=self.headers, json=body, timeout=60, verify=AUTHORITIES)


def test_every_endpoint_that_spends_is_in_the_table() -> None:
    posts = {route.path for route in INFERENCE_ROUTES if route.method == "POST"}

    assert posts >= SPENDING.keys()
    assert posts - SPENDING.keys() == {"/v1/responses/{response_id}/cancel"}  # in test_native_responses.py


@pytest.mark.parametrize("path", SPENDING)
def test_the_limits_of_a_key_hold_for_every_endpoint(
    gateway: Gateway, simulator: Simulator, upstream: str, path: str
) -> None:
    caller = Caller(gateway, f"{upstream}/sim-echo", rpm=0)

    refusal = caller.ask(path)

    assert refusal.status_code == 429, refusal.text
    assert caller.key_id in refusal.text
    assert simulator.calls(upstream) == []


def test_an_answer_tells_what_is_left_and_a_refusal_when_there_is_more(gateway: Gateway, upstream: str) -> None:
    caller = Caller(gateway, f"{upstream}/sim-echo", rpm=1, tpm=10_000)

    first = caller.ask(max_tokens=100)
    second = caller.ask(max_tokens=100)

    assert first.status_code == 200
    assert first.headers["x-ratelimit-limit-requests"] == "1"
    assert first.headers["x-ratelimit-remaining-requests"] == "0"
    assert first.headers["x-ratelimit-limit-tokens"] == "10000"
    assert 9_000 < int(first.headers["x-ratelimit-remaining-tokens"]) < 9_900
    error = second.json()["error"]
    assert (second.status_code, error["type"], error["code"]) == (429, "rate_limit_error", "rate_limit_exceeded")
    assert 1 <= int(second.headers["retry-after"]) <= 61
    assert second.headers["x-ratelimit-remaining-requests"] == "0"
    assert caller.key_id in error["message"]


def test_a_refusal_in_anthropics_words_is_a_rate_limit_too(gateway: Gateway, upstream: str) -> None:
    refusal = Caller(gateway, f"{upstream}/sim-echo", rpm=0).ask("/v1/messages")

    assert refusal.json()["error"]["type"] == "rate_limit_error"


def test_a_changed_limit_counts_what_was_used_before(gateway: Gateway, upstream: str) -> None:
    caller = Caller(gateway, f"{upstream}/sim-echo", rpm=10)
    assert [caller.ask().status_code for _ in range(3)] == [200] * 3

    changed = gateway.admin.patch(f"/keys/{caller.key_id}", json={"limits": {"rpm": 4}})

    assert changed.json()["limits"]["rpm"] == 4
    assert [caller.ask().status_code for _ in range(2)] == [200, 429]


def test_of_many_at_once_no_more_reach_the_provider_than_the_limit_says(
    gateway: Gateway, simulator: Simulator, upstream: str
) -> None:
    """P-07."""
    caller = Caller(gateway, f"{upstream}/sim-echo", rpm=10)

    with ThreadPoolExecutor(40) as threads:
        answers = list(threads.map(lambda _: caller.ask().status_code, range(60)))

    assert sorted(answers) == [200] * 10 + [429] * 50
    assert len(simulator.calls(upstream)) == 10


def test_a_slot_is_free_again_when_a_client_leaves_its_stream(gateway: Gateway, upstream: str) -> None:
    """R-03."""
    slow = f"{upstream}/sim-words-2000+chunk-delay-50ms"
    caller = Caller(gateway, slow, parallel=1)
    body = json.dumps({"model": slow, "stream": True} | CHAT)
    for _ in range(3):
        with httpx.stream(
            "POST", f"{gateway.url}/v1/chat/completions", content=body, headers=caller.headers, timeout=60
        ) as answer:
            assert answer.status_code == 200
            blocks = answer.iter_bytes()
            assert next(blocks)
            assert caller.ask().status_code == 429
        wait_until(lambda: caller.ask(model=f"{upstream}/sim-echo").status_code == 200)


@pytest.mark.parametrize("kind", ["key", "tenant", "tag", "model"])
@pytest.mark.parametrize("path", SPENDING)
def test_a_stored_limit_of_each_subject_holds_for_every_endpoint(
    gateway: Gateway, simulator: Simulator, upstream: str, path: str, kind: str
) -> None:
    caller = Caller(gateway, f"{upstream}/sim-echo")
    tenant = gateway.admin.get(f"/keys/{caller.key_id}").json()["tenant_id"]
    gateway.admin.patch(f"/keys/{caller.key_id}", json={"tags": ["batch"]})
    name = {"key": caller.key_id, "tenant": tenant, "tag": "batch", "model": f"{upstream}/*"}[kind]
    made = gateway.admin.post("/limits", json={"subject": {"kind": kind, "id": name}, "rpm": 0})
    assert made.status_code == 201, made.text

    refusal = caller.ask(path)

    assert gateway.admin.delete(f"/limits/{made.json()['id']}").status_code == 204
    assert refusal.status_code == 429, refusal.text
    assert name in refusal.text
    assert simulator.calls(upstream) == []
    assert caller.ask(path).status_code == 200


def test_a_stored_budget_says_how_it_stands(gateway: Gateway, upstream: str) -> None:
    price = {"provider": upstream, "model": "sim-echo", "prices": {"input": "0", "output": "1000"}}
    assert gateway.admin.post("/models", json=price).status_code == 201
    subject = {"kind": "model", "id": f"{upstream}/sim-echo"}
    made = gateway.admin.post("/budgets", json={"subject": subject, "limit_usd": "1", "period": "day"}).json()
    assert (made["spent_usd"], made["remaining_usd"]) == ("0.00", "1.00")

    assert Caller(gateway, f"{upstream}/sim-echo").ask(max_tokens=16).status_code == 200
    (stands,) = [each for each in gateway.admin.get("/budgets").json()["data"] if each["id"] == made["id"]]

    assert 0 < float(stands["spent_usd"]) < 0.016
    assert stands["held_usd"] == "0.00"
    changed = gateway.admin.patch(f"/budgets/{made['id']}", json={"limit_usd": "2"}).json()
    assert (changed["limit_usd"], changed["spent_usd"]) == ("2.00", stands["spent_usd"])
    assert gateway.admin.patch(f"/budgets/{made['id']}", json={"limit": "2"}).status_code == 400
    assert gateway.admin.delete(f"/budgets/{made['id']}").status_code == 204


@pytest.mark.parametrize("path", [path for path in SPENDING if path not in COUNTING])
def test_every_endpoint_that_spends_tells_what_is_left(
    gateway: Gateway, simulator: Simulator, upstream: str, path: str
) -> None:
    model = "sim-echo"
    price = {"provider": upstream, "model": model, "prices": {"input": "0", "output": "0"}, "confirm": True}
    assert gateway.admin.post("/models", json=price).status_code == 201
    caller = Caller(gateway, f"{upstream}/{model}", rpm=100, tpm=100_000)
    budgets = {"budgets": [{"limit_usd": "5", "period": "never", "unpriced": "allow"}]}
    assert gateway.admin.patch(f"/keys/{caller.key_id}", json=budgets).status_code == 200

    answer = caller.ask(path)

    assert answer.status_code == 200, answer.text
    assert answer.headers["x-ratelimit-limit-requests"] == "100"
    assert answer.headers["x-ratelimit-remaining-requests"] == "99"
    assert answer.headers["x-ratelimit-limit-tokens"] == "100000"
    assert int(answer.headers["x-ratelimit-remaining-tokens"]) < 100_000
    assert answer.headers["x-omg-budget-limit-usd"] == "5.00"
    assert answer.headers["x-omg-budget-remaining-usd"] == "5.00"
