"""Chat requests as Anthropic gets them: golden pairs, and what the table says of each parameter."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.dialects.anthropic.chat import AnthropicChat
from adapters.dialects.anthropic.params import chat_fidelity
from adapters.dialects.openai.params import CHAT_PARAMS
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from tests.unit.adapters.dialects.anthropic.samples import (
    BEDROCK,
    NATIVE,
    REQUESTS,
    VERTEX,
    Fields,
    chat_call,
    encoded,
    validator,
)

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}

SAMPLES: dict[str, Any] = {
    "audio": {"voice": "alloy", "format": "wav"},
    "frequency_penalty": 0.5,
    "function_call": "auto",
    "functions": [{"name": "f"}],
    "logit_bias": {"1": 5},
    "logprobs": True,
    "max_completion_tokens": 77,
    "max_tokens": 77,
    "metadata": {"a": "b"},
    "modalities": ["audio"],
    "moderation": {"model": "m"},
    "n": 2,
    "parallel_tool_calls": False,
    "prediction": {"type": "content", "content": "x"},
    "presence_penalty": 0.5,
    "prompt_cache_key": "k",
    "prompt_cache_options": {"mode": "implicit"},
    "prompt_cache_retention": "24h",
    "reasoning_effort": "low",
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "a", "schema": {"type": "object", "properties": {}}},
    },
    "safety_identifier": "u",
    "seed": 1,
    "service_tier": "flex",
    "stop": ["x"],
    "store": True,
    "stream": True,
    "stream_options": {"include_usage": True},
    "temperature": 0.5,
    "tool_choice": "auto",
    "tools": [TOOL],
    "top_logprobs": 2,
    "top_p": 0.5,
    "user": "u",
    "verbosity": "low",
    "web_search_options": {},
}
NEEDS: dict[str, Fields] = {
    "parallel_tool_calls": {"tools": [TOOL]},
    "tool_choice": {"tools": [TOOL], "tool_choice": "required"},
}


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.stem)
def test_a_chat_becomes_the_golden_request(path: Path) -> None:
    golden = json.loads(path.read_text())

    made = AnthropicChat(NATIVE).encode(chat_call(golden["model"], **golden["openai"]), stream=False)

    body = json.loads(made.body)
    assert body == {"model": golden["model"], **golden["anthropic"]}
    assert list(made.dropped) == golden["dropped"]
    validator("anthropic.messages.request").validate(body)


def test_every_parameter_has_a_cell() -> None:
    for settings in (NATIVE, VERTEX, BEDROCK):
        assert sorted(chat_fidelity(settings)) == sorted(CHAT_PARAMS)


@pytest.mark.parametrize("settings", [NATIVE, VERTEX, BEDROCK], ids=["native", "vertex", "bedrock"])
@pytest.mark.parametrize("name", CHAT_PARAMS)
def test_every_cell_does_what_it_says(name: str, settings: Any) -> None:
    cell = chat_fidelity(settings)[name]
    call = chat_call("claude-opus-4-5", **({name: SAMPLES[name]} | NEEDS.get(name, {})))
    dialect = AnthropicChat(settings)

    if cell.support == "refused":
        with pytest.raises(UpstreamFailure) as caught:
            dialect.encode(call, stream=False)
        assert (caught.value.kind, caught.value.param) == (FailureKind.UNSUPPORTED, name)
        return
    made = dialect.encode(call, stream=bool(call.payload.value.stream))
    body = json.loads(made.body)
    assert (name in made.dropped) is (cell.support == "dropped")
    if cell.support == "dropped":
        assert body.keys().isdisjoint({name})
    elif cell.support == "honored" and name != "stream":
        assert name in body
    elif cell.support == "mapped" and cell.to:
        assert at(body, cell.to) is not None


def at(body: Fields, path: str) -> Any:
    value: Any = body
    for step in path.split("."):
        value = value[step]
    return value


def test_a_strict_key_refuses_what_would_be_dropped() -> None:
    with pytest.raises(UpstreamFailure, match="temperature") as caught:
        AnthropicChat(NATIVE).encode(chat_call("claude-opus-4-7", strict=True, temperature=0.5), stream=False)

    assert (caught.value.kind, caught.value.param) == (FailureKind.UNSUPPORTED, "temperature")


def test_what_an_operator_drops_is_dropped_and_reported() -> None:
    made = AnthropicChat(NATIVE, ("temperature", "tools")).encode(
        chat_call(temperature=0.5, tools=[TOOL], stop="x"), stream=False
    )

    assert json.loads(made.body).keys() == {"model", "max_tokens", "messages", "stop_sequences"}
    assert made.dropped == ("temperature", "tools")


def test_the_version_that_takes_temperature_is_asked_for() -> None:
    made = AnthropicChat(NATIVE).encode(chat_call(temperature=0.5), stream=True)

    assert made.headers == (("anthropic-version", "2023-06-01"),)
    assert json.loads(made.body)["stream"] is True


def test_vertex_has_version_in_the_body_and_the_model_in_the_address() -> None:
    made = AnthropicChat(VERTEX).encode(chat_call(service_tier="priority"), stream=True)

    body = json.loads(made.body)
    assert body["anthropic_version"] == "vertex-2023-10-16"
    assert body["stream"] is True
    assert "model" not in body
    assert made.headers == ()
    assert made.dropped == ("service_tier",)


def test_bedrock_says_in_the_address_whether_it_streams() -> None:
    body = encoded("anthropic.claude-opus-4-1-20250805-v1:0", BEDROCK, stream=True)

    assert body["anthropic_version"] == "bedrock-2023-05-31"
    assert body.keys().isdisjoint({"model", "stream"})


def test_system_turns_in_the_middle_are_for_anthropics_own_api() -> None:
    messages = [{"role": "user", "content": "a"}, {"role": "system", "content": "b"}]

    assert [turn["role"] for turn in encoded("claude-opus-5", messages=messages)["messages"]] == ["user", "system"]
    assert encoded("claude-opus-5", VERTEX, messages=messages)["system"] == [{"type": "text", "text": "b"}]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "video_url", "video_url": {"url": "https://v.example/a.mp4"}},
        {"type": "image_url", "image_url": {"url": "data:image/svg+xml;base64,AAAA"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "file", "file": {"file_data": "data:application/zip;base64,AAAA"}},
    ],
)
def test_what_claude_cannot_see_is_for_another_provider(part: Fields) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        encoded(messages=[{"role": "user", "content": [{"type": "text", "text": "a"}, part]}])

    assert (caught.value.kind, caught.value.param) == (FailureKind.UNSUPPORTED, "messages.0.content.1")


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,%%%"}},
        {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}},
        {"type": "file", "file": {"file_data": "data:text/plain;base64,/w=="}},
    ],
)
def test_what_nobody_can_read_is_the_clients_fault(part: Fields) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        encoded(messages=[{"role": "user", "content": [part]}])

    assert (caught.value.kind, caught.value.param) == (FailureKind.CLIENT_FAULT, "messages.0.content.0")


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "https://pictures.example/a.png"}},
        {"type": "file", "file": {"file_url": "https://papers.example/a.pdf"}},
    ],
)
def test_media_by_url_go_where_urls_are_taken(part: Fields) -> None:
    messages = [{"role": "user", "content": [part]}]

    assert encoded(messages=messages)["messages"][0]["content"][0]["source"]["type"] == "url"
    with pytest.raises(UpstreamFailure) as caught:
        encoded("claude-opus-4-1", VERTEX, messages=messages)
    assert caught.value.kind is FailureKind.UNSUPPORTED


def test_anthropics_own_blocks_pass_as_they_are() -> None:
    document = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a"}, "title": "t"}
    messages = [{"role": "user", "content": [document, {"type": "text", "text": "b"}]}]

    assert encoded(messages=messages)["messages"][0]["content"][0] == document


@pytest.mark.parametrize(
    "tool",
    [{"type": "custom", "custom": {"name": "patch"}}, {"type": "web_search"}],
)
def test_tools_that_claude_has_not_are_for_another_provider(tool: Fields) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        encoded(tools=[tool])

    assert (caught.value.kind, caught.value.param) == (FailureKind.UNSUPPORTED, "tools.0")


@pytest.mark.parametrize(
    ("choice", "kind"),
    [
        ("sometimes", FailureKind.CLIENT_FAULT),
        ({"kind": "function"}, FailureKind.CLIENT_FAULT),
        ({"type": "custom", "custom": {"name": "f"}}, FailureKind.UNSUPPORTED),
    ],
)
def test_an_odd_tool_choice_is_refused(choice: object, kind: FailureKind) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        encoded(tools=[TOOL], tool_choice=choice)

    assert (caught.value.kind, caught.value.param) == (kind, "tool_choice")


def test_a_tool_the_client_insists_on_comes_before_the_format() -> None:
    body = encoded(
        "claude-3-5-haiku-20241022",
        tools=[TOOL],
        tool_choice={"type": "function", "function": {"name": "f"}},
        response_format=SAMPLES["response_format"],
    )

    assert [tool["name"] for tool in body["tools"]] == ["f"]
    assert body["tool_choice"] == {"type": "tool", "name": "f"}


def test_custom_calls_of_the_history_are_told_as_calls() -> None:
    call = {"id": "c1", "type": "custom", "custom": {"name": "patch", "input": "*** Begin"}}
    messages = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
    ]

    made = encoded(messages=messages)["messages"][1]["content"]

    assert made == [{"type": "tool_use", "id": "c1", "name": "patch", "input": {"input": "*** Begin"}}]


@pytest.mark.parametrize("fields", [{"response_format": {"type": "grammar"}}, {"n": 3}])
def test_what_would_change_the_answers_shape_is_refused(fields: Fields) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        encoded(**fields)

    assert (caught.value.kind, caught.value.param) == (FailureKind.UNSUPPORTED, next(iter(fields)))
