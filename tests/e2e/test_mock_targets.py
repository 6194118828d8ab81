"""A route whose target is a mock answers every API without a provider, at no cost."""

from collections.abc import Iterator

import pytest

from tests.e2e.processes import Gateway
from tests.waiting import wait_until

pytestmark = pytest.mark.process

TEXT = "Nobody was asked."
HI = [{"role": "user", "content": "hi"}]
BODIES: dict[str, dict[str, object]] = {
    "/v1/chat/completions": {"messages": HI},
    "/v1/messages": {"messages": HI, "max_tokens": 64},
    "/v1/responses": {"input": "hi"},
    "/v1/completions": {"prompt": "hi"},
}


@pytest.fixture
def route(gateway: Gateway) -> Iterator[str]:
    targets = [{"model": "greeting", "mock": {"text": TEXT}}]
    assert gateway.admin.post("/routes", json={"alias": "mocked", "targets": targets}).status_code == 201
    yield "mocked"
    assert gateway.admin.delete("/routes/mocked").status_code == 204


def test_every_api_answers_what_the_mock_says_whole_and_streamed(gateway: Gateway, route: str) -> None:
    for path, body in BODIES.items():
        whole = gateway.http.post(path, json={"model": route, **body})
        streamed = gateway.http.post(path, json={"model": route, "stream": True, **body})

        assert whole.status_code == streamed.status_code == 200, (path, whole.text, streamed.text)
        assert TEXT in whole.text, path
        assert whole.headers["x-omg-provider"] == "mock"
        assert whole.headers["x-omg-cost-usd"] == "0.00"
        assert "was " in streamed.text, path


def test_it_is_booked_at_nothing_and_listed(gateway: Gateway, route: str) -> None:
    answer = gateway.http.post("/v1/chat/completions", json={"model": route, "messages": HI})
    listed = {model["id"]: model for model in gateway.http.get("/v1/models").json()["data"]}
    decision = f"/decisions/{answer.headers['x-omg-decision']}"

    wait_until(lambda: gateway.admin.get(decision).status_code == 200)

    assert listed[route]["owned_by"] == "route"
    found = gateway.admin.get(decision).json()
    [attempt] = found["attempts"]
    assert (attempt["provider"], attempt["model"], attempt["cost_usd"]) == ("mock", "greeting", "0.00")


def test_no_provider_can_be_called_so(gateway: Gateway) -> None:
    refused = gateway.admin.post("/providers", json={"id": "mock", "base_url": "http://127.0.0.1:9/v1"})

    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "id")
