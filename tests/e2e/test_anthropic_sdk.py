"""The official anthropic client works unmodified in front of a provider that has only chat (E1, R-07, R-08)."""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic
from anthropic.types import MessageParam, ToolParam

from tests.e2e.conftest import AddUpstream
from tests.e2e.processes import Gateway, Simulator

pytestmark = pytest.mark.process

HELLO: list[MessageParam] = [{"role": "user", "content": "grüß dich wörld"}]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
TOOLS: list[ToolParam] = [
    {
        "name": name,
        "description": "says something",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
    for name in ("weather", "time")
]


@pytest.fixture
def client(gateway: Gateway) -> Iterator[Anthropic]:
    with Anthropic(base_url=gateway.url, api_key=gateway.key, max_retries=0, timeout=30) as made:
        yield made


def test_a_plain_answer_has_text_usage_and_a_request_id(client: Anthropic, upstream: str) -> None:
    answer = client.messages.create(model=f"{upstream}/sim-echo", max_tokens=64, messages=HELLO)

    assert [block.text for block in answer.content if block.type == "text"] == ["grüß dich wörld"]
    assert (answer.stop_reason, answer.role, answer.type) == ("end_turn", "assistant", "message")
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (3, 3)
    assert answer._request_id


def test_a_stream_says_the_same(client: Anthropic, upstream: str) -> None:
    model = f"{upstream}/sim-echo"
    with client.messages.stream(model=model, max_tokens=64, messages=HELLO) as stream:
        text = "".join(stream.text_stream)
        answer = stream.get_final_message()

    assert text == "grüß dich wörld"
    assert (answer.stop_reason, answer.usage.input_tokens, answer.usage.output_tokens) == ("end_turn", 3, 3)


def test_the_last_event_is_the_stop_and_every_event_has_its_name(gateway: Gateway, upstream: str) -> None:
    body = {"model": f"{upstream}/sim-echo", "max_tokens": 9, "messages": HELLO, "stream": True}

    answer = gateway.http.post("/v1/messages?beta=true", json=body, headers={"anthropic-version": "2023-06-01"})

    events = answer.text.removesuffix("\n\n").split("\n\n")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert events[0].startswith("event: message_start\n")
    assert events[-1] == 'event: message_stop\ndata: {"type":"message_stop"}'
    assert all(event.startswith("event: ") for event in events)


@pytest.mark.parametrize(("model", "names"), [("sim-tools", ["weather"]), ("sim-parallel-tools", ["weather", "time"])])
def test_tool_calls_arrive_plain_and_streamed_alike(
    client: Anthropic, upstream: str, model: str, names: list[str]
) -> None:
    asked: dict[str, Any] = {"model": f"{upstream}/{model}", "max_tokens": 64, "messages": HELLO, "tools": TOOLS}
    plain = client.messages.create(**asked)
    with client.messages.stream(**asked) as stream:
        streamed = stream.get_final_message()

    for answer in (plain, streamed):
        calls: list[Any] = [block for block in answer.content if block.type == "tool_use"]
        assert [call.name for call in calls] == names
        assert all(call.input == {"city": "grüß dich wörld"} for call in calls)
        assert len({call.id for call in calls}) == len(names)
        assert answer.stop_reason == "tool_use"


def test_tool_results_go_back_with_their_history(client: Anthropic, upstream: str, simulator: Simulator) -> None:
    history: list[MessageParam] = [
        *HELLO,
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "sunny"}]},
    ]

    answer = client.messages.create(model=f"{upstream}/sim-echo", max_tokens=64, messages=history, tools=TOOLS)

    sent = simulator.calls(upstream)[-1]["body"]["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "tool"]
    assert (sent[1]["tool_calls"][0]["id"], sent[2]["tool_call_id"]) == ("toolu_1", "toolu_1")
    assert [block.text for block in answer.content if block.type == "text"] == ["sunny"]


def test_pictures_and_system_prompts_arrive(client: Anthropic, upstream: str, simulator: Simulator) -> None:
    picture: list[MessageParam] = [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is it?"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
            ],
        }
    ]

    answer = client.messages.create(model=f"{upstream}/sim-echo", max_tokens=64, system="Be brief.", messages=picture)

    system, user = simulator.calls(upstream)[-1]["body"]["messages"]
    assert system == {"role": "system", "content": "Be brief."}
    assert user["content"][1] == {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    assert answer.stop_reason == "end_turn"


def test_thoughts_come_before_the_text(client: Anthropic, upstream: str) -> None:
    asked: dict[str, Any] = {"model": f"{upstream}/sim-reasoning", "max_tokens": 64, "messages": HELLO}
    plain = client.messages.create(**asked)
    with client.messages.stream(**asked) as stream:
        streamed = stream.get_final_message()

    for answer in (plain, streamed):
        thought: Any = answer.content[0]
        assert [block.type for block in answer.content] == ["thinking", "text"]
        assert thought.thinking == "Let me think."


def test_a_cut_answer_says_so(client: Anthropic, upstream: str) -> None:
    answer = client.messages.create(model=f"{upstream}/sim-echo", max_tokens=1, messages=HELLO)

    assert answer.stop_reason == "max_tokens"


def test_what_was_dropped_is_named_in_the_clients_words(client: Anthropic, upstream: str) -> None:
    raw = client.messages.with_raw_response.create(
        model=f"{upstream}/sim-echo",
        max_tokens=64,
        messages=HELLO,
        thinking={"type": "enabled", "budget_tokens": 1024},
        extra_body={"top_k": 5, "context_management": {"edits": []}},
    )

    assert raw.headers["x-omg-dropped-params"] == "context_management, thinking, top_k"


def test_the_answers_headers_carry_the_request_id_twice(client: Anthropic, upstream: str) -> None:
    raw = client.messages.with_raw_response.create(model=f"{upstream}/sim-echo", max_tokens=9, messages=HELLO)

    assert raw.headers["request-id"] == raw.headers["x-request-id"]
    assert raw.headers["x-omg-provider"] == upstream


@pytest.mark.parametrize("version", ["2023-06-01", "2026-10-21"])
@pytest.mark.parametrize("header", ["x-api-key", "authorization"])
def test_both_versions_and_both_headers_are_taken(gateway: Gateway, upstream: str, version: str, header: str) -> None:
    key = gateway.key if header == "x-api-key" else f"Bearer {gateway.key}"
    with Anthropic(base_url=gateway.url, api_key="none", max_retries=0) as client:
        answer = client.messages.create(
            model=f"{upstream}/sim-echo",
            max_tokens=9,
            messages=HELLO,
            extra_headers={"authorization": anthropic.omit, "anthropic-version": version, header: key},
        )

    assert answer.stop_reason == "end_turn"


def test_the_same_at_one_provider_and_below_a_folder(gateway: Gateway, upstream: str) -> None:
    for base in (f"/{upstream}", "/anthropic", "/v1"):
        with Anthropic(base_url=gateway.url + base, api_key=gateway.key, max_retries=0) as client:
            model = "sim-echo" if base == f"/{upstream}" else f"{upstream}/sim-echo"
            assert client.messages.create(model=model, max_tokens=9, messages=HELLO).stop_reason == "end_turn"


def test_tokens_are_counted_and_nothing_is_booked(
    client: Anthropic, gateway: Gateway, upstream: str, simulator: Simulator
) -> None:
    counted = client.messages.count_tokens(
        model=f"{upstream}/sim-echo", messages=HELLO, system="Be brief.", tools=TOOLS
    )

    assert counted.input_tokens > 20
    assert simulator.calls(upstream) == []
    usage = gateway.http.get("/v1/usage", params={"provider": upstream}).json()
    assert [row["input_tokens"] for row in usage["data"]] in ([], [0]), usage


def test_models_are_listed_for_both_clients(client: Anthropic, gateway: Gateway, add_upstream: AddUpstream) -> None:
    upstream = add_upstream(settings={"models": ["claude-like"]})

    listed = {model.id: model for model in client.models.list(limit=1)}
    found = client.models.retrieve(f"{upstream}/claude-like")

    assert listed[f"{upstream}/claude-like"].display_name == f"{upstream}/claude-like"
    assert (found.type, found.created_at.year, found.lifecycle) == ("model", 1970, "active")
    assert f"{upstream}/claude-like" in {model.id for model in gateway.openai().models.list()}


ERRORS = [
    ("sim-400", anthropic.BadRequestError, 400, "invalid_request_error"),
    ("sim-413", anthropic.APIStatusError, 413, "request_too_large"),
    ("sim-429-retry-7s", anthropic.RateLimitError, 429, "rate_limit_error"),
    ("sim-500", anthropic.InternalServerError, 502, "api_error"),
    ("sim-404", anthropic.NotFoundError, 404, "not_found_error"),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("model", "kind", "status", "type_"), ERRORS)
def test_errors_are_anthropics(
    client: Anthropic,
    upstream: str,
    model: str,
    kind: type[anthropic.APIStatusError],
    status: int,
    type_: str,
    stream: bool,
) -> None:
    with pytest.raises(kind) as refused:
        client.messages.create(model=f"{upstream}/{model}", max_tokens=9, messages=HELLO, stream=stream)

    body: Any = refused.value.body
    assert (refused.value.status_code, body["type"], body["error"]["type"]) == (status, "error", type_)
    assert body["request_id"] == refused.value.request_id


def test_a_prompt_too_long_says_so_in_the_words_clients_look_for(client: Anthropic, upstream: str) -> None:
    with pytest.raises(anthropic.BadRequestError) as refused:
        client.messages.create(model=f"{upstream}/sim-400-context", max_tokens=9, messages=HELLO)

    assert "prompt is too long: " in str(refused.value)


def test_errors_before_any_model_have_the_same_shape(gateway: Gateway) -> None:
    asked: list[tuple[str, str, dict[str, Any], int, str]] = [
        ("POST", "/v1/messages", {"headers": {"authorization": "Bearer wrong"}}, 401, "authentication_error"),
        ("POST", "/nobody/v1/messages", {"json": {}}, 404, "not_found_error"),
        ("GET", "/v1/messages", {}, 405, "invalid_request_error"),
        ("POST", "/v1/messages", {"content": b"{"}, 400, "invalid_request_error"),
        ("POST", "/v1/messages?key=sk-omg-0123456789abcdef", {}, 400, "invalid_request_error"),
        ("POST", "/v1/messages/count_tokens", {"json": {"model": "m"}}, 400, "invalid_request_error"),
    ]
    for method, path, facts, status, type_ in asked:
        answer = gateway.http.request(method, path, **facts)
        received = answer.json()
        assert (answer.status_code, received["type"], received["error"]["type"]) == (status, "error", type_), (
            path,
            received,
        )
        assert answer.headers["request-id"] == received["request_id"]


@pytest.mark.parametrize("model", ["sim-cut-after-2", "sim-error-event-after-2", "sim-end-after-2"])
def test_a_stream_that_breaks_ends_with_an_error_and_no_stop(client: Anthropic, upstream: str, model: str) -> None:
    """R-07, R-08."""
    with pytest.raises(anthropic.APIStatusError) as broken:
        list(client.messages.create(model=f"{upstream}/{model}", max_tokens=9, messages=HELLO, stream=True))

    body: Any = broken.value.body
    assert (body["type"], body["error"]["type"]) == ("error", "api_error")


def test_a_failure_before_content_is_answered_by_another_provider(
    client: Anthropic, add_upstream: AddUpstream, gateway: Gateway
) -> None:
    """R-07: one message, one beginning."""
    add_upstream(behaviours={"both": "sim-error-event-after-1"}, settings={"models": ["both"]}, priority=1)
    second = add_upstream(settings={"models": ["both"]}, priority=2)

    raw = client.messages.with_raw_response.create(model="both", max_tokens=9, messages=HELLO, stream=True)
    kinds = [event.type for event in raw.parse()]

    assert raw.headers["x-omg-provider"] == second
    assert (kinds.count("message_start"), kinds[-1]) == (1, "message_stop")


def test_claude_codes_own_request_is_served(gateway: Gateway, upstream: str, simulator: Simulator) -> None:
    """The shape captured of Claude Code 2.1.329."""
    ephemeral = {"type": "ephemeral"}
    body = {
        "model": f"{upstream}/sim-echo",
        "max_tokens": 32000,
        "stream": True,
        "system": [
            {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.329.abc; cc_entrypoint=sdk-cli;"},
            {"type": "text", "text": "You are Claude Code.", "cache_control": ephemeral},
            {"type": "text", "text": "Work here.", "cache_control": ephemeral},
        ],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "hello there", "cache_control": ephemeral}]},
            {"role": "system", "content": [{"type": "text", "text": "The date is known."}]},
        ],
        "tools": [
            {"name": "Bash", "description": "Runs.", "input_schema": {"$schema": "x", "type": "object"}},
            {"name": "DeferredToolPlaceholder", "input_schema": {"type": "object"}, "defer_loading": True},
        ],
        "metadata": {"user_id": json.dumps({"device_id": "d" * 64, "account_uuid": "", "session_id": "s" * 36})},
        "thinking": {"type": "adaptive", "display": "omitted"},
        "output_config": {"effort": "high"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    }
    headers = {"anthropic-version": "2023-06-01", "anthropic-beta": "claude-code-20250219,effort-2025-11-24"}

    answer = gateway.http.post("/v1/messages?beta=true", json=body, headers=headers)

    sent = simulator.calls(upstream)[-1]["body"]
    assert answer.text.endswith('event: message_stop\ndata: {"type":"message_stop"}\n\n')
    assert answer.headers["x-omg-dropped-params"] == "cache_control, context_management, metadata, output_config"
    assert [(message["role"], message["content"]) for message in sent["messages"]] == [
        ("system", "You are Claude Code.\nWork here.\n\nThe date is known."),
        ("user", "hello there"),
    ]
    assert [tool["function"]["name"] for tool in sent["tools"]] == ["Bash"]
    assert (sent["max_tokens"], "thinking" in sent, "reasoning_effort" in sent) == (32000, False, False)
