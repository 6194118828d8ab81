"""Responses at a provider that has the API: passed through, kept there, and followed up there (E1)."""

from typing import Any

import openai
import pytest

from tests.e2e.conftest import AddUpstream
from tests.e2e.processes import Gateway, Simulator
from tests.e2e.test_responses import TEXT, TOOLS

pytestmark = pytest.mark.process


@pytest.fixture
def native(add_upstream: AddUpstream) -> str:
    """A provider with a Responses API of its own."""
    return add_upstream("native", settings={"preset": "vllm"})


def _at(simulator: Simulator, persona: str) -> list[dict[str, Any]]:
    """What the persona was asked at its own Responses API."""
    return [entry["body"] for entry in simulator.requests(persona) if entry["path"].endswith("/responses")]


def test_an_upstream_with_responses_of_its_own_gets_them_as_they_came(
    gateway: Gateway, native: str, simulator: Simulator
) -> None:
    extra = {"vendor": {"deep": [1, None]}, "client_metadata": {"session": "1"}}
    asked: dict[str, Any] = {"input": TEXT, "text": {"verbosity": "low"}, "truncation": "auto", "max_tool_calls": 2}

    gateway.openai().responses.create(model=f"{native}/sim-echo", extra_body=extra, **asked)

    [body] = _at(simulator, native)
    assert body == {"model": "sim-echo", "vendor": extra["vendor"], **asked}


@pytest.mark.parametrize("model", ["sim-echo", "sim-tools", "sim-parallel-tools", "sim-reasoning"])
def test_native_streams_are_read_by_the_helper(gateway: Gateway, native: str, model: str) -> None:
    client = gateway.openai().responses

    with client.stream(model=f"{native}/{model}", input=TEXT, tools=TOOLS) as stream:
        events = list(stream)
        answer = stream.get_final_response()

    plain = client.create(model=f"{native}/{model}", input=TEXT, tools=TOOLS)
    assert [item.type for item in answer.output] == [item.type for item in plain.output]
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    assert answer.id.startswith("resp_omg_")
    assert answer.usage is not None


@pytest.mark.parametrize("stream", [False, True])
def test_a_follow_up_goes_to_the_provider_that_keeps_the_response(
    gateway: Gateway, native: str, add_upstream: AddUpstream, simulator: Simulator, *, stream: bool
) -> None:
    other = add_upstream("other", settings={"preset": "vllm"})
    client = gateway.openai().responses
    if stream:
        *_, last = client.create(model=f"{native}/sim-echo", input="one", stream=True)
        assert last.type == "response.completed"
        first = last.response
    else:
        first = client.create(model=f"{native}/sim-echo", input="one")

    second = client.create(
        model="sim-echo", input="two", previous_response_id=first.id, extra_body={"models": [f"{other}/sim-echo"]}
    )

    assert second.output_text == "two"
    assert second.previous_response_id == first.id
    assert _at(simulator, native)[-1]["previous_response_id"].startswith("resp_sim")
    assert _at(simulator, other) == []


def test_a_follow_up_at_another_providers_address_is_refused(gateway: Gateway, native: str, upstream: str) -> None:
    first = gateway.openai().responses.create(model=f"{native}/sim-echo", input="one")
    body = {"model": "sim-echo", "input": "two", "previous_response_id": first.id}

    by_path = gateway.http.post(f"/{upstream}/v1/responses", json=body)
    by_model = gateway.http.post("/v1/responses", json={**body, "model": f"{upstream}/sim-echo"})
    taken = gateway.http.post(f"/{native}/v1/responses", json=body)

    for refused in (by_path, by_model):
        assert refused.status_code == 400
        assert refused.json()["error"]["code"] == "previous_response_not_found"
        assert native in refused.json()["error"]["message"]
    assert taken.status_code == 200


def test_what_the_upstream_forgot_is_told_in_its_words(gateway: Gateway, native: str) -> None:
    client = gateway.openai().responses
    first = client.create(model=f"{native}/sim-echo", input="one", store=False)

    with pytest.raises(openai.BadRequestError) as refused:
        client.create(model=f"{native}/sim-echo", input="two", previous_response_id=first.id)

    assert refused.value.code == "previous_response_not_found"


@pytest.mark.parametrize("model", ["sim-cut-after-6", "sim-reset-after-6", "sim-end-after-6"])
def test_a_native_stream_that_breaks_raises_and_never_completes(gateway: Gateway, native: str, model: str) -> None:
    """R-08."""
    seen: list[str] = []

    with pytest.raises(openai.APIError):
        for event in gateway.openai().responses.create(model=f"{native}/{model}", input=TEXT, stream=True):
            seen.append(event.type)

    assert "response.output_text.delta" in seen
    assert "response.completed" not in seen


def test_history_made_over_chat_goes_on_at_a_native_upstream(
    gateway: Gateway, upstream: str, native: str, simulator: Simulator
) -> None:
    client = gateway.openai().responses
    first = client.create(model=f"{upstream}/sim-reasoning", input=TEXT)
    history: Any = [{"role": "user", "content": TEXT}, *[item.to_dict() for item in first.output]]

    client.create(model=f"{native}/sim-echo", input=[*history, {"role": "user", "content": "more"}])

    [body] = _at(simulator, native)
    assert [item.get("type") for item in body["input"]] == [None, "message", None]


def test_an_upstream_that_fails_right_after_it_began_is_replaced(
    gateway: Gateway, native: str, upstream: str, simulator: Simulator
) -> None:
    """R-07: events that only open a response are no content; and chat goes on where a native one fails."""
    with gateway.openai().responses.stream(
        model=f"{native}/sim-error-event-after-2", input=TEXT, extra_body={"models": [f"{upstream}/sim-echo"]}
    ) as stream:
        answer = stream.get_final_response()

    assert answer.output_text == TEXT
    assert not answer.id.startswith("resp_omg_")
    assert _at(simulator, native)
    assert simulator.calls(upstream)
