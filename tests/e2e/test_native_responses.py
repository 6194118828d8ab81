"""Responses at a provider that has the API: passed through, kept there, and followed up there (E1)."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest

from tests.e2e.conftest import AddUpstream
from tests.e2e.processes import Gateway, Simulator
from tests.e2e.test_responses import TEXT, TOOLS
from tests.waiting import wait_until

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


@pytest.fixture
def clients(gateway: Gateway) -> Iterator[Callable[..., openai.OpenAI]]:
    """Clients with keys of their own, in the default tenant or in another."""
    made: list[openai.OpenAI] = []

    def client(**fields: Any) -> openai.OpenAI:
        key = gateway.admin.post("/keys", json={"name": "k", **fields})
        assert key.status_code == 201, key.text
        client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key.json()["secret"], max_retries=0)
        made.append(client)
        return client

    yield client
    for each in made:
        each.close()


def test_what_is_made_in_the_background_can_be_fetched_listed_cancelled_and_deleted(
    native: str, clients: Callable[..., openai.OpenAI]
) -> None:
    responses = clients().responses

    begun = responses.create(model=f"{native}/sim-echo", input=TEXT, background=True)
    answer = clients().responses.retrieve(begun.id)
    items = responses.input_items.list(begun.id, limit=1)
    stopped = responses.cancel(begun.id)
    responses.delete(begun.id)

    assert (begun.status, answer.status, stopped.status) == ("queued", "completed", "cancelled")
    assert {begun.id, answer.id, stopped.id} == {begun.id}
    assert answer.output_text == TEXT
    assert [item.type for item in items.data] == ["message"]
    with pytest.raises(openai.NotFoundError, match="not found"):
        responses.retrieve(begun.id)


def test_events_of_a_response_come_again_from_the_one_that_was_asked_for(
    native: str, clients: Callable[..., openai.OpenAI]
) -> None:
    responses = clients().responses
    begun = responses.create(model=f"{native}/sim-echo", input=TEXT, background=True)

    whole = list(responses.retrieve(begun.id, stream=True))
    [rest] = responses.retrieve(begun.id, stream=True, starting_after=0)

    assert [event.type for event in whole] == ["response.created", "response.completed"]
    assert rest.type == "response.completed"
    assert rest.response.id == begun.id


def test_a_response_of_another_tenant_is_as_unknown_as_one_that_never_was(
    gateway: Gateway, native: str, clients: Callable[..., openai.OpenAI], simulator: Simulator
) -> None:
    tenant = gateway.admin.post("/tenants", json={"name": f"Other {native}"}).json()["id"]
    theirs = clients().responses.create(model=f"{native}/sim-echo", input=TEXT).id
    stranger = clients(tenant_id=tenant).responses
    asked = len(simulator.requests(native))
    calls: list[Callable[[str], object]] = [
        stranger.retrieve, stranger.delete, stranger.cancel, stranger.input_items.list,
    ]  # fmt: skip

    for call in calls:
        unknown = theirs.replace("_resp_", "_resp_0")
        messages = []
        for response_id in (theirs, unknown):
            with pytest.raises(openai.NotFoundError) as caught:
                call(response_id)
            messages.append(caught.value.message.replace(response_id, "ID").partition("request_id")[0])
        assert messages[0] == messages[1]
    with pytest.raises(openai.BadRequestError) as refused:
        stranger.create(model=f"{native}/sim-echo", input=TEXT, previous_response_id=theirs)

    assert refused.value.code == "previous_response_not_found"
    assert len(simulator.requests(native)) == asked


def test_lookups_cost_nothing_and_meet_the_limits_and_rights_of_their_key(
    native: str, clients: Callable[..., openai.OpenAI]
) -> None:
    made = clients().responses.create(model=f"{native}/sim-echo", input=TEXT).id
    narrow = clients(allowed_models=["no-such-model"], budgets=[{"limit_usd": "1", "period": "day"}]).responses

    raw = narrow.with_raw_response.retrieve(made)

    assert raw.parse().usage is not None
    assert raw.headers["x-omg-provider"] == native
    for fields, refused in (
        ({"limits": {"rpm": 0}}, openai.RateLimitError),
        ({"allowed_endpoints": ["chat.completions"]}, openai.PermissionDeniedError),
        ({"allowed_providers": ["elsewhere"]}, openai.PermissionDeniedError),
    ):
        with pytest.raises(refused):
            clients(**fields).responses.cancel(made)


def test_tokens_are_counted_by_estimate_where_the_provider_does_not_and_said_so(
    native: str, add_upstream: AddUpstream, clients: Callable[..., openai.OpenAI]
) -> None:
    openais = add_upstream("openais", settings={"preset": "openai"})
    responses = clients().responses

    counted = responses.input_tokens.count(model=f"{openais}/sim-echo", input=TEXT)
    estimated = responses.input_tokens.count(model=f"{native}/sim-echo", input=TEXT, instructions="Be brief.")

    assert counted.to_dict().keys() == {"object", "input_tokens"}
    assert estimated.to_dict()["estimated"] is True
    assert 0 < counted.input_tokens < estimated.input_tokens < 100


def test_what_a_background_response_used_is_booked_once_for_the_key_that_made_it(
    gateway: Gateway, native: str, clients: Callable[..., openai.OpenAI]
) -> None:
    """P-01: by events, by several fetches at once, and by another key of the tenant."""
    maker, other = clients(tags=["team"]), clients()
    whole = maker.responses.create(model=f"{native}/sim-echo", input=TEXT)
    begun = [maker.responses.create(model=f"{native}/sim-echo", input=TEXT, background=True).id for _ in range(2)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(other.responses.retrieve, [begun[0]] * 4))
    list(other.responses.retrieve(begun[1], stream=True))
    other.responses.delete(begun[1])

    def logged() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = gateway.admin.get("/requests", params={"provider": native}).json()["data"]
        return found

    wait_until(lambda: len(logged()) == 11, every_seconds=0.2)
    booked = [entry for entry in logged() if entry["output_tokens"]]
    assert whole.usage is not None
    assert [entry["output_tokens"] for entry in booked] == [whole.usage.output_tokens] * 3
    assert len({entry["key_id"] for entry in booked}) == 1
    assert {entry["model"] for entry in logged()} == {"sim-echo"}
    assert [entry["tags"] for entry in booked] == [["team"]] * 3
