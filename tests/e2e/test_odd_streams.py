"""Whatever the upstream's stream looks like, every client reads the right text from ours (R-08, E1)."""

import json

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolUnionParam

from tests.e2e.processes import Gateway

pytestmark = pytest.mark.process

TEXT = "häl lo 日本 語"
ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": TEXT}]
TOOLS: list[ChatCompletionToolUnionParam] = [
    {"type": "function", "function": {"name": "f", "parameters": {"properties": {"a": {"type": "string"}}}}}
]

HARMLESS = (
    "echo",
    "comment",
    "id-field",
    "event-only",
    "event-message",
    "no-done",
    "crlf",
    "no-space",
    "multi-line",
    "bom",
    "error-null",
    "usage-then-more",
    "usage-every-chunk",
    "role-repeat",
    "no-role",
    "empty-choices-first",
    "content-null",
    "finish-twice",
    "one-write",
    "byte-by-byte",
    "split-utf8",
    "reasoning",
    "no-usage",
)
ODD_TOOLS = ("tool-repeat", "tool-no-index", "tool-index-1", "tool-dict-args")
BROKEN = (
    "no-finish",
    "end-after-2",
    "cut-after-2",
    "reset-after-2",
    "error-event-after-2",
    "error-string",
    "bad-json-after-2",
)


@pytest.mark.parametrize("oddity", HARMLESS)
def test_an_odd_stream_is_read_by_the_raw_iterator_and_the_helper(gateway: Gateway, upstream: str, oddity: str) -> None:
    client, model = gateway.openai().chat.completions, f"{upstream}/sim-{oddity}"

    chunks = list(client.create(model=model, messages=ASK, stream=True, stream_options={"include_usage": True}))
    with client.stream(model=model, messages=ASK, stream_options={"include_usage": True}) as stream:
        helped = stream.get_final_completion()

    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == TEXT
    finishes = {choice.finish_reason for chunk in chunks for choice in chunk.choices}
    assert finishes == {None, "stop"}
    assert helped.choices[0].message.content == TEXT
    assert helped.choices[0].message.role == "assistant"
    assert helped.choices[0].finish_reason == "stop"
    if oddity != "no-usage":
        assert helped.usage is not None
        assert helped.usage.prompt_tokens == 4


@pytest.mark.parametrize("oddity", HARMLESS)
def test_what_leaves_the_gateway_is_safe_for_strict_clients(gateway: Gateway, upstream: str, oddity: str) -> None:
    """The union of what any client of the reaction table trips over."""
    body = {"model": f"{upstream}/sim-{oddity}", "messages": ASK, "stream": True}
    answer = gateway.http.post("/v1/chat/completions", json=body)

    assert answer.headers["content-type"].startswith("text/event-stream")
    events = answer.text.replace(": ping\n\n", "").split("\n\n")
    assert events[-1] == ""
    assert events[-2] == "data: [DONE]"
    assert all(event.startswith("data: ") and "\n" not in event and "\r" not in event for event in events[:-1])
    chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
    assert all("error" not in chunk for chunk in chunks)
    assert len({chunk["id"] for chunk in chunks}) == 1
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    assert choices[0]["delta"]["role"] == "assistant"
    assert sum("role" in choice["delta"] for choice in choices) == 1
    assert all(choice["index"] == 0 for choice in choices)
    assert [choice["finish_reason"] for choice in choices if choice.get("finish_reason")] == ["stop"]


@pytest.mark.parametrize("oddity", ODD_TOOLS)
def test_odd_tool_calls_are_read_by_the_helper(gateway: Gateway, upstream: str, oddity: str) -> None:
    with gateway.openai().chat.completions.stream(
        model=f"{upstream}/sim-{oddity}+tools", messages=ASK, tools=TOOLS
    ) as stream:
        answer = stream.get_final_completion().choices[0]

    calls = answer.message.tool_calls or []
    assert [call.function.name for call in calls] == ["f"]
    assert json.loads(calls[0].function.arguments) == {"a": TEXT}
    assert calls[0].id.count("call_") == 1
    assert answer.finish_reason == "tool_calls"


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_stream_is_never_reported_complete(gateway: Gateway, upstream: str, fault: str) -> None:
    """After content there is one error event and no [DONE] (R-07, R-08)."""
    body = {"model": f"{upstream}/sim-{fault}", "messages": ASK, "stream": True}

    answer = gateway.http.post("/v1/chat/completions", json=body)

    assert answer.status_code == 200
    *_, last, end = answer.text.split("\n\n")
    assert end == ""
    assert json.loads(last.removeprefix("data: "))["error"]["type"] == "api_error"
    assert "[DONE]" not in answer.text
    assert answer.text.count('"error"') == 1


@pytest.mark.parametrize("fault", BROKEN)
def test_the_official_client_raises_on_a_broken_stream(gateway: Gateway, upstream: str, fault: str) -> None:
    stream = gateway.openai().chat.completions.create(model=f"{upstream}/sim-{fault}", messages=ASK, stream=True)

    with pytest.raises(openai.APIError):
        list(stream)


@pytest.mark.parametrize("plain", ["json-200", "html-200", "empty-200"])
def test_a_200_that_is_no_stream_is_either_read_or_refused(gateway: Gateway, upstream: str, plain: str) -> None:
    body = {"model": f"{upstream}/sim-{plain}", "messages": ASK, "stream": True}

    answer = gateway.http.post("/v1/chat/completions", json=body)

    if plain == "json-200" and answer.status_code == 200:
        assert answer.text.endswith("data: [DONE]\n\n")
        assert TEXT[:3] in answer.text
    else:
        assert answer.status_code == 502
        assert answer.json()["error"]["code"] in {"upstream_invalid_response", "upstream_truncated"}
