"""`Idempotency-Key` over the wire: one upstream call, and the same answer, plain or as a stream (P-13, R-19)."""

import json
import socket
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.e2e.processes import Gateway, Simulator
from tests.e2e.test_limits import SPENDING, Caller
from tests.waiting import wait_until

pytestmark = pytest.mark.process

KEPT = ("content-type", "x-omg-provider", "x-omg-model", "x-omg-decision", "x-omg-attempts")
COUNTED_HERE = ("count_tokens", "input_tokens", "countTokens")


class Sender:
    """Sends requests with a key of idempotency of its own."""

    def __init__(self, gateway: Gateway, model: str, **limits: int) -> None:
        self.caller = Caller(gateway, model, None, **limits)
        self.key = uuid.uuid4().hex
        self.headers = self.caller.headers | {"idempotency-key": self.key}
        self.caller.headers = self.headers

    def ask(self, path: str = "/v1/chat/completions", **fields: Any) -> httpx.Response:
        return self.caller.ask(path, **fields)

    def ask_again(self, path: str = "/v1/chat/completions", **fields: Any) -> httpx.Response:
        """As a client does: once more where the answer is not there yet, for the database may be slow."""
        answers: list[httpx.Response] = []

        def answered() -> bool:
            answers.append(self.ask(path, **fields))
            return "idempotency_in_progress" not in answers[-1].text

        wait_until(answered, every_seconds=0.5)
        return answers[-1]


def seen(answer: httpx.Response) -> tuple[int, bytes, list[str | None]]:
    """What must be the same the second time."""
    return answer.status_code, answer.content, [answer.headers.get(name) for name in KEPT]


def calls(simulator: Simulator, persona: str) -> int:
    """How often it was asked for something."""
    return sum(entry["method"] == "POST" for entry in simulator.requests(persona))


def is_replay(answer: httpx.Response) -> bool:
    return "idempotent-replayed" in answer.headers


@pytest.mark.parametrize("path", SPENDING)
def test_a_request_that_is_sent_again_gets_the_same_answer_and_nobody_is_asked_twice(
    gateway: Gateway, simulator: Simulator, upstream: str, path: str
) -> None:
    sender = Sender(gateway, f"{upstream}/sim-echo", rpm=1)

    first, again = sender.ask(path), sender.ask_again(path)

    assert first.status_code == 200, first.text
    assert seen(first) == seen(again), again.text
    assert (is_replay(first), is_replay(again)) == (False, True)
    assert first.headers["x-request-id"] != again.headers["x-request-id"]
    assert calls(simulator, upstream) == (not path.endswith(COUNTED_HERE))
    if "x-omg-cost" in first.headers or "x-omg-cost-usd" in first.headers:
        assert float(again.headers["x-omg-cost-usd"]) == 0


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/v1/chat", "/v1/messages", "/v1/responses", "/v1/completions"]
)
def test_a_stream_is_given_again_as_its_full_text(
    gateway: Gateway, simulator: Simulator, upstream: str, path: str
) -> None:
    sender = Sender(gateway, f"{upstream}/sim-words-20")

    first, again = sender.ask(path, stream=True), sender.ask_again(path, stream=True)

    assert first.status_code == 200, first.text
    assert first.headers["content-type"].startswith("text/event-stream")
    assert seen(first) == seen(again), again.text
    assert is_replay(again)
    assert calls(simulator, upstream) == 1


def test_a_replay_is_charged_nothing_and_counted_apart(gateway: Gateway, upstream: str) -> None:
    sender = Sender(gateway, f"{upstream}/sim-echo")
    before = gateway.admin.get("/health").json()["idempotency"]["replays"]

    for _ in range(3):
        sender.ask_again()

    def requests() -> list[dict[str, Any]]:
        log = gateway.admin.get("/requests", params={"key_id": sender.caller.key_id}).json()
        found: list[dict[str, Any]] = log["data"]
        return found

    wait_until(lambda: bool(requests()))
    assert len(requests()) == 1
    assert gateway.admin.get("/health").json()["idempotency"]["replays"] == before + 2


def test_another_body_under_the_same_key_is_refused(gateway: Gateway, simulator: Simulator, upstream: str) -> None:
    sender = Sender(gateway, f"{upstream}/sim-echo")
    sender.ask()

    refusal = sender.ask_again(max_tokens=3)

    assert (refusal.status_code, refusal.json()["error"]["code"]) == (422, "idempotency_mismatch")
    assert calls(simulator, upstream) == 1


def test_while_the_first_is_under_way_the_second_is_told_to_wait(
    gateway: Gateway, simulator: Simulator, upstream: str
) -> None:
    sender = Sender(gateway, f"{upstream}/sim-delay-5s")
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(sender.ask)
        wait_until(lambda: calls(simulator, upstream) > 0)
        same, other = sender.ask(), sender.ask(max_tokens=3)

    for second in (same, other):
        assert (second.status_code, second.json()["error"]["code"]) == (409, "idempotency_in_progress")
        assert second.headers["retry-after"] == "1"
    assert first.result().status_code == 200
    assert is_replay(sender.ask_again())
    assert calls(simulator, upstream) == 1


def test_a_key_is_one_callers_and_one_routes(gateway: Gateway, simulator: Simulator, upstream: str) -> None:
    one, other = (Sender(gateway, f"{upstream}/sim-echo") for _ in range(2))
    other.headers["idempotency-key"] = one.key

    answers = [one.ask(), other.ask(), one.ask("/v1/embeddings")]

    assert not any(map(is_replay, answers))
    assert calls(simulator, upstream) == 3


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"messages": "none"}, 400), ({"model": "no-such/model"}, 404)],
)
def test_what_nobody_was_asked_for_is_not_kept(
    gateway: Gateway, simulator: Simulator, upstream: str, fields: dict[str, Any], status: int
) -> None:
    sender = Sender(gateway, f"{upstream}/sim-echo")

    refusals = [sender.ask(**fields) for _ in range(2)]
    answer = sender.ask()

    assert [(each.status_code, is_replay(each)) for each in refusals] == [(status, False)] * 2
    assert answer.status_code == 200
    assert calls(simulator, upstream) == 1


def test_a_refusal_by_a_limit_is_not_kept(gateway: Gateway, upstream: str) -> None:
    sender = Sender(gateway, f"{upstream}/sim-echo", rpm=0)
    assert sender.ask().status_code == 429

    gateway.admin.patch(f"/keys/{sender.caller.key_id}", json={"limits": {"rpm": 5}})

    assert sender.ask().status_code == 200


@pytest.mark.parametrize(("directive", "status"), [("sim-400", 400), ("sim-500", 502)])
def test_an_error_of_a_provider_is_kept(
    gateway: Gateway, simulator: Simulator, upstream: str, directive: str, status: int
) -> None:
    sender = Sender(gateway, f"{upstream}/{directive}")
    first = sender.ask()
    asked = calls(simulator, upstream)

    again = sender.ask_again()

    assert (first.status_code, again.status_code) == (status, status)
    assert first.json()["error"] == again.json()["error"]
    assert is_replay(again)
    assert calls(simulator, upstream) == asked


def test_a_stream_that_broke_is_given_again_broken(gateway: Gateway, simulator: Simulator, upstream: str) -> None:
    sender = Sender(gateway, f"{upstream}/sim-cut-after-3")

    first, again = sender.ask(stream=True), sender.ask_again(stream=True)

    assert first.content == again.content
    assert b'"error"' in again.content
    assert b"[DONE]" not in again.content
    assert calls(simulator, upstream) == 1


def as_sent(sender: Sender, body: dict[str, Any]) -> bytes:
    """The bytes of a chat completion's request."""
    request = httpx.Request("POST", "http://127.0.0.1/v1/chat/completions", headers=sender.headers, json=body)
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    return f"POST /v1/chat/completions HTTP/1.1\r\n{head}\r\n".encode() + request.read()


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_gave_up_gets_the_answer_when_it_asks_again(
    gateway: Gateway, simulator: Simulator, upstream: str, *, stream: bool
) -> None:
    """R-19: a retry after a timeout is what the header is for."""
    sender = Sender(gateway, f"{upstream}/sim-slow-first-1s")
    body = {"model": f"{upstream}/sim-slow-first-1s", "stream": stream} | SPENDING["/v1/chat/completions"]
    with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
        connection.sendall(as_sent(sender, body))
        wait_until(lambda: calls(simulator, upstream) > 0)

    answers: list[httpx.Response] = []

    def answered() -> bool:
        answers.append(httpx.post(f"{gateway.url}/v1/chat/completions", json=body, headers=sender.headers, timeout=60))
        return answers[-1].status_code != 409

    wait_until(answered, every_seconds=0.2)

    answer = answers[-1]
    assert answer.status_code == 200
    assert is_replay(answer)
    assert calls(simulator, upstream) == 1


@pytest.mark.parametrize("key", ["k" * 256, "", "schlüssel".encode("latin-1")])
def test_a_key_that_is_none_is_refused(gateway: Gateway, simulator: Simulator, upstream: str, key: Any) -> None:
    sender = Sender(gateway, f"{upstream}/sim-echo")
    sender.headers["idempotency-key"] = key

    refusal = sender.ask()

    assert (refusal.status_code, json.loads(refusal.content)["error"]["param"]) == (400, "Idempotency-Key")
    assert calls(simulator, upstream) == 0
