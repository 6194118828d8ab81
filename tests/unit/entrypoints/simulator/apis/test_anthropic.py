"""Anthropic's messages, as the official client's strict types have them; what the API would refuse is a 400."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import httpx
import pytest
import pytest_asyncio
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

from entrypoints.simulator.apis.anthropic_checks import signature_of
from tests.unit.entrypoints.simulator.in_process import events_of, sdk_transport, simulator

OLD = {"anthropic-version": "2023-06-01", "x-api-key": "k"}
NEW = {"anthropic-version": "2026-10-21", "authorization": "Bearer k"}
WEATHER: dict[str, Any] = {
    "name": "weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}
CALL = {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}]}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "sunny"}


def ask(*messages: Any, **fields: Any) -> dict[str, Any]:
    said = list(messages) or [{"role": "user", "content": "Oslo today"}]
    return {"model": "m", "max_tokens": 100, "messages": said} | fields


@pytest_asyncio.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with simulator() as client:
        yield client


@pytest_asyncio.fixture
async def client() -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(
        base_url="http://simulator/p", api_key="k", http_client=sdk_transport(), max_retries=0
    ) as client:
        yield client


@pytest.mark.parametrize("model", ["m", "sim-reasoning", "sim-parallel-tools", "sim-refusal", "sim-cached"])
async def test_a_message_and_its_stream_fit_the_types_and_say_the_same(http: httpx.AsyncClient, model: str) -> None:
    plain = await http.post("/v1/messages", json=ask(model=model, tools=[WEATHER]), headers=OLD)
    stream = await http.post("/v1/messages", json=ask(model=model, tools=[WEATHER], stream=True), headers=OLD)

    message = Message.model_validate(plain.json())
    events = [(name, json.loads(data)) for name, data in events_of(stream.text)]
    for name, value in events:
        assert name == value["type"]
        if name != "ping":
            TypeAdapter(RawMessageStreamEvent).validate_python(value)
    [delta] = [value for name, value in events if name == "message_delta"]
    assert delta["delta"]["stop_reason"] == message.stop_reason
    assert delta["usage"]["output_tokens"] == message.usage.output_tokens
    assert events[-1][0] == "message_stop"


async def test_the_stream_helper_assembles_thoughts_and_parallel_calls(client: anthropic.AsyncAnthropic) -> None:
    async with client.messages.stream(**ask(model="sim-parallel-tools+reasoning", tools=[WEATHER])) as stream:
        message = await stream.get_final_message()

    thought, *calls = message.content
    assert thought.type == "thinking"
    assert thought.signature == signature_of(thought.thinking)
    assert [call.input for call in calls if call.type == "tool_use"] == [{"city": "Oslo today"}] * 2
    assert message.stop_reason == "tool_use"


async def test_a_call_without_arguments_streams_an_empty_delta_alone(client: anthropic.AsyncAnthropic) -> None:
    clock: Any = {"name": "clock", "input_schema": {"type": "object", "properties": {}}}
    async with client.messages.stream(**ask(model="sim-tools", tools=[clock])) as stream:
        message = await stream.get_final_message()

    assert message.content[0].type == "tool_use"
    assert message.content[0].input == {}


async def test_cached_tokens_are_not_among_the_input_tokens(client: anthropic.AsyncAnthropic) -> None:
    usage = (await client.messages.create(**ask(model="sim-cached"))).usage

    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (20, 60, 20)


async def test_limits_stop_sequences_and_refusals_have_reasons_of_their_own(client: anthropic.AsyncAnthropic) -> None:
    cut = await client.messages.create(**ask(model="sim-words-9", max_tokens=3))
    stopped = await client.messages.create(**ask(model="sim-words-9", stop_sequences=["word3"]))
    refused = await client.messages.create(**ask(model="sim-refusal"))

    assert cut.stop_reason == "max_tokens"
    assert (stopped.stop_reason, stopped.stop_sequence) == ("stop_sequence", "word3")
    assert stopped.content[0].type == "text"
    assert stopped.content[0].text == "word1 word2 "
    assert (refused.stop_reason, refused.content) == ("refusal", [])


async def test_the_result_of_a_tool_is_what_is_repeated(client: anthropic.AsyncAnthropic) -> None:
    user = {"role": "user", "content": "weather?"}
    answer = await client.messages.create(**ask(user, CALL, {"role": "user", "content": [RESULT]}, tools=[WEATHER]))

    assert answer.content[0].type == "text"
    assert answer.content[0].text == "sunny"


async def test_tokens_are_counted_without_a_limit(client: anthropic.AsyncAnthropic) -> None:
    counted = await client.messages.count_tokens(model="m", system="be kind", messages=ask()["messages"])

    assert counted.input_tokens == 4


async def test_models_come_a_page_at_a_time(client: anthropic.AsyncAnthropic) -> None:
    found = [model.id async for model in client.models.list(limit=5)]

    assert len(found) == len(set(found)) > 5


USER = {"role": "user", "content": "a"}


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ("max_tokens: Field required", {"max_tokens": None, "messages": [USER]}),
        ("non-empty", ask({"role": "user", "content": [{"type": "text", "text": ""}]})),
        ("non-empty", ask({"role": "user", "content": ""})),
        ("first message", ask({"role": "assistant", "content": "a"}, USER)),
        ("role", ask({"role": "tool", "content": "a"})),
        ("without `tool_result`", ask(USER, CALL, USER, tools=[WEATHER])),
        ("unexpected `tool_use_id`", ask(USER, {"role": "user", "content": [RESULT]}, tools=[WEATHER])),
        (
            "come first",
            ask(USER, CALL, {"role": "user", "content": [{"type": "text", "text": "b"}, RESULT]}, tools=[WEATHER]),
        ),
        ("must define tools", ask(USER, CALL, {"role": "user", "content": [RESULT]})),
        ("prefill", ask(USER, {"role": "assistant", "content": "a"}, model="claude-opus-4-6")),
        ("trailing whitespace", ask(USER, {"role": "assistant", "content": "a "})),
        ("temperature", ask(temperature=1.5)),
        ("n: Extra inputs", ask(n=1)),
        ("input_schema", ask(tools=[{"name": "f"}])),
        ("tool_choice", ask(tool_choice={"type": "auto"})),
        (
            "adaptive",
            ask(thinking={"type": "enabled", "budget_tokens": 1024}, model="claude-sonnet-5", max_tokens=4096),
        ),
        ("adaptive", ask(thinking={"type": "adaptive"}, model="claude-sonnet-4-5")),
        ("greater than", ask(thinking={"type": "enabled", "budget_tokens": 2048}, max_tokens=2048)),
        ("stop_sequences", ask(stop_sequences=[" "])),
        ("signature", ask(USER, {"role": "assistant", "content": [{"type": "thinking", "thinking": "x"}]}, USER)),
        ("additionalProperties", ask(output_config={"format": {"type": "json_schema", "schema": {"type": "object"}}})),
    ],
)
async def test_what_anthropic_refuses_is_a_400_in_its_words(
    http: httpx.AsyncClient, said: str, fields: dict[str, Any]
) -> None:
    answer = await http.post("/v1/messages", json={"model": "m"} | fields, headers=OLD)

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert said in answer.json()["error"]["message"]
    assert answer.headers["request-id"] == answer.json()["request_id"]


async def test_the_newest_version_has_no_sampling_parameters(http: httpx.AsyncClient) -> None:
    old = await http.post("/v1/messages", json=ask(temperature=1), headers=OLD)
    new = await http.post("/v1/messages", json=ask(temperature=1), headers=NEW)

    assert (old.status_code, new.status_code) == (200, 400)


async def test_a_thought_comes_back_as_it_was_signed(http: httpx.AsyncClient) -> None:
    first = await http.post("/v1/messages", json=ask(model="sim-reasoning"), headers=OLD)
    history = (USER, {"role": "assistant", "content": first.json()["content"]}, USER)
    second = await http.post("/v1/messages", json=ask(*history), headers=OLD)

    assert second.status_code == 200


@pytest.mark.parametrize(
    ("model", "status", "kind"),
    [
        ("sim-529", 529, "overloaded_error"),
        ("sim-429-retry-3s", 429, "rate_limit_error"),
        ("sim-500", 500, "api_error"),
        ("sim-400-context", 400, "invalid_request_error"),
    ],
)
async def test_errors_have_anthropics_types(http: httpx.AsyncClient, model: str, status: int, kind: str) -> None:
    answer = await http.post("/v1/messages", json=ask(model=model), headers=OLD)

    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)
    if status == 429:
        assert answer.headers["retry-after"] == "3"
        assert answer.headers["anthropic-ratelimit-requests-remaining"] == "0"


async def test_an_error_inside_a_stream_has_an_event_of_its_own(client: anthropic.AsyncAnthropic) -> None:
    async with client.messages.stream(**ask(model="sim-error-event-after-4")) as stream:
        with pytest.raises(anthropic.APIStatusError, match="overloaded_error"):
            await stream.get_final_message()


async def test_a_stream_without_its_last_event_has_all_the_others(http: httpx.AsyncClient) -> None:
    stream = await http.post("/v1/messages", json=ask(model="sim-no-done", stream=True), headers=OLD)

    assert events_of(stream.text)[-1][0] == "message_delta"


async def test_without_a_key_or_a_version_nothing_is_answered(http: httpx.AsyncClient) -> None:
    keyless = await http.post("/v1/messages", json=ask(), headers={"anthropic-version": "2023-06-01"})
    versionless = await http.post("/v1/messages", json=ask(), headers={"x-api-key": "k"})

    assert (keyless.status_code, versionless.status_code) == (401, 400)
