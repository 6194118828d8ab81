"""The official clients of OpenAI and of Anthropic work unmodified in front of Anthropic's own API (E1, R-07, R-08)."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from anthropic import Anthropic
from anthropic.types import MessageParam
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam

from tests.e2e.conftest import AddUpstream
from tests.e2e.processes import Gateway, Simulator

pytestmark = pytest.mark.process

SAID = "grüß dich wörld"
HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": SAID}]
GREETING: list[MessageParam] = [{"role": "user", "content": SAID}]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS: list[Any] = [
    {"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in ("weather", "time")
]


@pytest.fixture
def upstream(add_upstream: AddUpstream) -> str:
    """One provider that speaks Anthropic's API and answers by model name."""
    return add_upstream("claude", kind="anthropic")


@pytest.fixture
def chat(gateway: Gateway) -> OpenAI:
    return gateway.openai()


@pytest.fixture
def messages(gateway: Gateway) -> Iterator[Anthropic]:
    with Anthropic(base_url=gateway.url, api_key=gateway.key, max_retries=0, timeout=30) as made:
        yield made


def sent(simulator: Simulator, upstream: str) -> dict[str, Any]:
    """The last request for an answer, as the simulator saw it."""
    entries = [entry for entry in simulator.requests(upstream) if entry["path"].endswith("/messages")]
    found: dict[str, Any] = entries[-1]
    return found


def test_a_chat_is_answered_plain_and_streamed_alike(chat: OpenAI, upstream: str) -> None:
    model = f"{upstream}/sim-echo"
    plain = chat.chat.completions.create(model=model, messages=HELLO)
    stream = [
        *chat.chat.completions.create(model=model, messages=HELLO, stream=True, stream_options={"include_usage": True})
    ]

    assert plain.choices[0].message.content == SAID
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices) == SAID
    assert plain.choices[0].finish_reason == "stop"
    assert [chunk.choices[0].finish_reason for chunk in stream if chunk.choices][-1] == "stop"
    assert plain.usage is not None
    assert stream[-1].usage is not None
    assert plain.usage.total_tokens == stream[-1].usage.total_tokens == 6


@pytest.mark.parametrize(("model", "names"), [("sim-tools", ["weather"]), ("sim-parallel-tools", ["weather", "time"])])
def test_tool_calls_arrive_plain_and_streamed_alike(chat: OpenAI, upstream: str, model: str, names: list[str]) -> None:
    asked: dict[str, Any] = {"model": f"{upstream}/{model}", "messages": HELLO, "tools": TOOLS}
    plain = chat.chat.completions.create(**asked).choices[0]
    with chat.chat.completions.stream(**asked) as stream:
        streamed = stream.get_final_completion().choices[0]

    for choice in (plain, streamed):
        calls: list[Any] = [*(choice.message.tool_calls or [])]
        assert [call.function.name for call in calls] == names
        assert all(json.loads(call.function.arguments) == {"city": SAID} for call in calls)
        assert choice.finish_reason == "tool_calls"


def test_the_whole_loop_of_a_tool_works(chat: OpenAI, upstream: str, simulator: Simulator) -> None:
    model = f"{upstream}/sim-parallel-tools"
    first = chat.chat.completions.create(model=model, messages=HELLO, tools=TOOLS).choices[0].message
    results: list[Any] = [
        {"role": "tool", "tool_call_id": call.id, "content": f"result {place}"}
        for place, call in enumerate(first.tool_calls or [])
    ]

    answer = chat.chat.completions.create(
        model=f"{upstream}/sim-echo",
        messages=[*HELLO, first.model_dump(exclude_none=True), *results],  # type: ignore[list-item]  # what it gave
        tools=TOOLS,
    )

    turns = sent(simulator, upstream)["body"]["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    assert [block["type"] for block in turns[2]["content"]] == ["tool_result", "tool_result"]
    assert answer.choices[0].message.content


def test_a_picture_arrives_as_its_bytes(chat: OpenAI, upstream: str, simulator: Simulator) -> None:
    picture: list[Any] = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
    ]

    chat.chat.completions.create(model=f"{upstream}/sim-echo", messages=[{"role": "user", "content": picture}])

    source = sent(simulator, upstream)["body"]["messages"][0]["content"][1]["source"]
    assert source == {"type": "base64", "media_type": "image/png", "data": PIXEL}


def test_thoughts_come_with_what_the_next_turn_needs(chat: OpenAI, upstream: str) -> None:
    asked: dict[str, Any] = {"model": f"{upstream}/sim-reasoning", "messages": HELLO}
    plain: Any = chat.chat.completions.create(**asked).choices[0].message
    deltas: list[Any] = [chunk.choices[0].delta for chunk in chat.chat.completions.create(**asked, stream=True)]

    assert plain.reasoning_content == "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas)
    assert plain.reasoning_content


def test_what_was_dropped_is_named(chat: OpenAI, upstream: str) -> None:
    raw = chat.chat.completions.with_raw_response.create(
        model=f"{upstream}/sim-echo", messages=HELLO, seed=7, frequency_penalty=0.5
    )

    assert raw.headers["x-omg-dropped-params"] == "frequency_penalty, seed"


def test_what_claude_cannot_do_is_a_400_that_names_it(chat: OpenAI, upstream: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        chat.chat.completions.create(model=f"{upstream}/sim-echo", messages=HELLO, n=2)

    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "n")


def test_a_native_request_keeps_its_fields_and_its_betas(
    messages: Anthropic, upstream: str, simulator: Simulator
) -> None:
    answer = messages.messages.create(
        model=f"{upstream}/sim-echo",
        max_tokens=64,
        system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        messages=GREETING,
        extra_headers={"anthropic-beta": "context-management-2025-06-27"},
        extra_body={"context_management": {"edits": []}},
    )

    entry = sent(simulator, upstream)
    assert [block.text for block in answer.content if block.type == "text"] == [SAID]
    assert entry["body"]["system"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert entry["body"]["context_management"] == {"edits": []}
    headers = dict(entry["headers"])
    assert headers["anthropic-beta"] == "context-management-2025-06-27"
    assert headers["anthropic-version"] == "2026-10-21"


def test_a_native_stream_is_the_providers_to_the_last_event(
    gateway: Gateway, messages: Anthropic, upstream: str
) -> None:
    model = f"{upstream}/sim-echo"
    with messages.messages.stream(model=model, max_tokens=64, messages=GREETING) as stream:
        answer = stream.get_final_message()
    body = {"model": model, "max_tokens": 64, "messages": GREETING, "stream": True}
    raw = gateway.http.post("/v1/messages", json=body).text

    assert [block.text for block in answer.content if block.type == "text"] == [SAID]
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (3, 3)
    assert raw.endswith("\n\n")
    assert raw.removesuffix("\n\n").split("\n\n")[-1].startswith("event: message_stop\n")


def test_a_native_error_keeps_its_words(gateway: Gateway, upstream: str) -> None:
    body = {"model": f"{upstream}/sim-echo", "max_tokens": 0, "messages": [{"role": "assistant", "content": "a "}]}

    answer = gateway.http.post("/v1/messages", json=body)

    received = answer.json()
    assert answer.status_code == 400
    assert (received["type"], received["error"]["type"]) == ("error", "invalid_request_error")


def test_tokens_are_counted_by_the_provider(messages: Anthropic, upstream: str, simulator: Simulator) -> None:
    counted = messages.messages.count_tokens(model=f"{upstream}/sim-echo", messages=GREETING)

    paths = [entry["path"] for entry in simulator.requests(upstream)]
    assert counted.input_tokens == 3
    assert any(path.endswith("/messages/count_tokens") for path in paths)


@pytest.mark.parametrize("api", ["chat", "messages"])
def test_a_stream_that_breaks_off_is_told_as_broken(gateway: Gateway, upstream: str, api: str) -> None:
    """R-08."""
    path = "/v1/chat/completions" if api == "chat" else "/v1/messages"
    body = {"model": f"{upstream}/sim-words-20+cut-after-3", "max_tokens": 64, "messages": HELLO, "stream": True}

    received = gateway.http.post(path, json=body).text

    assert "error" in received.rstrip().split("\n\n")[-1]
    assert "[DONE]" not in received
    assert "message_stop" not in received


@pytest.mark.parametrize("api", ["chat", "messages"])
def test_before_content_another_provider_answers(
    gateway: Gateway, add_upstream: AddUpstream, upstream: str, api: str
) -> None:
    """R-07."""
    spare = add_upstream("spare")
    path = "/v1/chat/completions" if api == "chat" else "/v1/messages"
    body = {
        "model": f"{upstream}/sim-503",
        "models": [f"{spare}/sim-echo"],
        "max_tokens": 64,
        "messages": HELLO,
        "stream": True,
    }

    answer = gateway.http.post(path, json=body)

    assert answer.status_code == 200
    assert answer.headers["x-omg-provider"] == spare
    assert answer.text.count("message_start") == (2 if api == "messages" else 0)  # its name, and its type


def test_models_are_the_providers(gateway: Gateway, add_upstream: AddUpstream) -> None:
    upstream = add_upstream("claude", kind="anthropic", models=["claude-a", "claude-b"])

    tested = gateway.admin.post(f"/providers/{upstream}/test")

    assert tested.status_code == 200, tested.text
    assert tested.json()["models"] == 2, tested.text
