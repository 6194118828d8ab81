"""The official openai client's responses work over any provider's chat: plain, streams, tools, schemas, errors (E1)."""

import json
from typing import Any

import openai
import pytest
from openai.types.responses import FunctionToolParam, ResponseInputParam
from pydantic import BaseModel

from tests.e2e.conftest import AddUpstream
from tests.e2e.processes import Gateway, Simulator

pytestmark = pytest.mark.process

TEXT = "grüß dich wörld"
TOOLS: list[FunctionToolParam] = [
    {
        "type": "function",
        "name": name,
        "description": "says something",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
        "strict": True,
    }
    for name in ("weather", "time")
]


class Place(BaseModel):
    """What a structured answer must be."""

    city: str
    population: int


def test_a_plain_response_has_text_usage_and_a_request_id(gateway: Gateway, upstream: str) -> None:
    answer = gateway.openai().responses.create(model=f"{upstream}/sim-echo", input=TEXT, instructions="Repeat.")

    assert answer.output_text == TEXT
    assert answer.status == "completed"
    assert answer.instructions == "Repeat."
    assert answer.usage is not None
    assert answer.usage.output_tokens == 3
    assert answer._request_id


def test_a_streamed_response_has_the_same_text_and_its_events_in_order(gateway: Gateway, upstream: str) -> None:
    events = list(gateway.openai().responses.create(model=f"{upstream}/sim-echo", input=TEXT, stream=True))

    kinds = [event.type for event in events]
    assert kinds[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert kinds[-4:] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert set(kinds[4:-4]) == {"response.output_text.delta"}
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text == TEXT
    assert events[-1].response.usage is not None
    assert events[-1].response.usage.output_tokens == 3


def test_a_stream_has_named_events_and_no_done(gateway: Gateway, upstream: str) -> None:
    body = {"model": f"{upstream}/sim-echo", "input": TEXT, "stream": True}
    answer = gateway.http.post("/v1/responses", json=body)

    events = [event.split("\n") for event in answer.text.split("\n\n")[:-1]]
    assert answer.headers["content-type"].startswith("text/event-stream")
    for name, data in events:
        assert name == f"event: {json.loads(data.removeprefix('data: '))['type']}"
    assert "[DONE]" not in answer.text


@pytest.mark.parametrize("model", ["sim-echo", "sim-reasoning", "sim-tools", "sim-parallel-tools", "sim-words-20"])
def test_the_stream_helper_ends_with_what_a_plain_call_gives(gateway: Gateway, upstream: str, model: str) -> None:
    client = gateway.openai().responses
    plain = client.create(model=f"{upstream}/{model}", input=TEXT, tools=TOOLS)

    with client.stream(model=f"{upstream}/{model}", input=TEXT, tools=TOOLS) as stream:
        streamed = stream.get_final_response()

    assert _comparable(streamed) == _comparable(plain)


@pytest.mark.parametrize(("model", "names"), [("sim-tools", ["weather"]), ("sim-parallel-tools", ["weather", "time"])])
def test_tool_calls_arrive_with_arguments_and_ids(
    gateway: Gateway, upstream: str, model: str, names: list[str]
) -> None:
    answer = gateway.openai().responses.create(model=f"{upstream}/{model}", input=TEXT, tools=TOOLS)

    calls = [item for item in answer.output if item.type == "function_call"]
    assert [call.name for call in calls] == names
    assert all(json.loads(call.arguments) == {"city": TEXT} for call in calls)
    assert len({call.call_id for call in calls}) == len(names)


def test_tool_results_go_back_as_chats_history(gateway: Gateway, upstream: str, simulator: Simulator) -> None:
    client = gateway.openai().responses
    first = client.create(model=f"{upstream}/sim-tools", input=TEXT, tools=TOOLS)
    call = next(item for item in first.output if item.type == "function_call")
    history: ResponseInputParam = [
        {"role": "user", "content": TEXT},
        *[item.to_dict() for item in first.output],  # type: ignore[list-item]  # items go back as they came
        {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"},
    ]

    answer = client.create(model=f"{upstream}/sim-echo", input=history, tools=TOOLS)

    assert answer.output_text == "sunny"
    messages = simulator.calls(upstream)[-1]["body"]["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "tool"]
    assert messages[1]["tool_calls"][0]["id"] == messages[2]["tool_call_id"] == call.call_id


def test_a_schema_is_carried_over_and_its_answer_parsed(gateway: Gateway, upstream: str, simulator: Simulator) -> None:
    answer = gateway.openai().responses.parse(model=f"{upstream}/sim-echo", input="Oslo", text_format=Place)

    assert answer.output_parsed == Place(city="Oslo", population=1)
    sent = simulator.calls(upstream)[-1]["body"]["response_format"]
    assert sent["json_schema"]["name"] == "Place"
    assert sent["json_schema"]["strict"] is True


def test_reasoning_comes_as_a_summary_before_the_text(gateway: Gateway, upstream: str) -> None:
    with gateway.openai().responses.stream(model=f"{upstream}/sim-reasoning", input=TEXT) as stream:
        kinds = [event.type for event in stream]
        answer = stream.get_final_response()

    assert [item.type for item in answer.output] == ["reasoning", "message"]
    assert answer.output[0].type == "reasoning"
    assert answer.output[0].summary[0].text
    assert kinds.index("response.reasoning_summary_text.done") < kinds.index("response.output_text.delta")


def test_a_cut_answer_is_incomplete(gateway: Gateway, upstream: str) -> None:
    client = gateway.openai().responses

    answer = client.create(model=f"{upstream}/sim-words-20", input=TEXT, max_output_tokens=16)
    *_, last = client.create(model=f"{upstream}/sim-words-20", input=TEXT, max_output_tokens=16, stream=True)

    assert answer.status == "incomplete"
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "max_output_tokens"
    assert last.type == "response.incomplete"


def test_what_is_dropped_is_named_in_the_terms_of_responses(gateway: Gateway, upstream: str) -> None:
    raw = gateway.openai().responses.with_raw_response.create(
        model=f"{upstream}/sim-echo",
        input=TEXT,
        store=True,
        truncation="auto",
        tools=[{"type": "web_search"}],
        max_tool_calls=3,
    )

    assert raw.headers["x-omg-dropped-params"] == "max_tool_calls, store, tools.web_search, truncation"


@pytest.mark.parametrize(
    ("more", "code", "param"),
    [
        ({"previous_response_id": "resp_0123"}, "previous_response_not_found", "previous_response_id"),
        ({"previous_response_id": "resp_omg_mruw4zy_resp_1"}, "previous_response_not_found", "previous_response_id"),
        ({"conversation": "conv_1"}, "unsupported_parameter", "conversation"),
        ({"background": True}, "unsupported_parameter", "background"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "unsupported_value", "input.0"),
        ({"input": [{"type": "function_call_output", "call_id": "call_1", "output": ""}]}, "invalid_value", "input"),
        ({"temperature": 3}, "invalid_value", "temperature"),
    ],
)
def test_what_cannot_be_done_is_a_clear_refusal(
    gateway: Gateway, upstream: str, more: dict[str, Any], code: str, param: str
) -> None:
    body = {"model": f"{upstream}/sim-echo", "input": TEXT, **more}
    answer = gateway.http.post("/v1/responses", json=body)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, code, param)


@pytest.mark.parametrize(
    "model", ["sim-cut-after-3", "sim-error-event-after-3", "sim-bad-json-after-3", "sim-end-after-3"]
)
def test_a_stream_that_breaks_raises_and_never_completes(gateway: Gateway, upstream: str, model: str) -> None:
    """R-08."""
    seen: list[str] = []

    with pytest.raises(openai.APIError):
        for event in gateway.openai().responses.create(model=f"{upstream}/{model}", input=TEXT, stream=True):
            seen.append(event.type)

    assert "response.output_text.delta" in seen
    assert "response.completed" not in seen


@pytest.mark.parametrize("settings", [{}, {"preset": "vllm"}])
def test_the_error_event_counts_on(gateway: Gateway, add_upstream: AddUpstream, settings: dict[str, str]) -> None:
    body = {"model": f"{add_upstream(settings=settings)}/sim-cut-after-7", "input": "a b c d e f g h", "stream": True}
    answer = gateway.http.post("/v1/responses", json=body)

    events = [json.loads(text.split("\ndata: ")[1]) for text in answer.text.split("\n\n")[:-1]]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert events[-1]["type"] == "error"
    assert events[-1]["error"]["code"] == events[-1]["code"] == "upstream_truncated"


def test_another_provider_takes_over_before_the_first_word(
    gateway: Gateway, add_upstream: AddUpstream, simulator: Simulator
) -> None:
    """R-07."""
    broken, sound = add_upstream("broken"), add_upstream("sound")
    models = {"models": [f"{sound}/sim-echo"]}

    with gateway.openai().responses.stream(model=f"{broken}/sim-503", input=TEXT, extra_body=models) as stream:
        answer = stream.get_final_response()

    assert answer.output_text == TEXT
    assert simulator.calls(broken)


def test_responses_cannot_be_fetched_afterwards(gateway: Gateway, upstream: str) -> None:
    answer = gateway.openai().responses.create(model=f"{upstream}/sim-echo", input=TEXT)

    with pytest.raises(openai.NotFoundError):
        gateway.openai().responses.retrieve(answer.id)
    with pytest.raises(openai.NotFoundError):
        gateway.openai().responses.delete(answer.id)


def _comparable(answer: Any) -> Any:
    """A response without what is different each time."""
    received = answer.to_dict()
    for name in ("id", "created_at", "completed_at"):
        received.pop(name)
    for item in received["output"]:
        item.pop("id")
        item.pop("call_id", None)
        item.pop("parsed_arguments", None)
        for part in item.get("content") or ():
            part.pop("parsed", None)
    return received


def test_what_cursor_sends_to_the_chat_route_is_answered_as_chat(gateway: Gateway, upstream: str) -> None:
    body = {
        "model": f"{upstream}/sim-tools",
        "input": [{"role": "user", "content": [{"type": "input_text", "text": TEXT}]}],
        "tools": TOOLS,
        "include": ["reasoning.encrypted_content"],
    }

    plain = gateway.http.post("/v1/chat/completions", json=body).json()
    streamed = gateway.http.post("/v1/chat/completions", json={**body, "stream": True}).text

    [call] = plain["choices"][0]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"city": TEXT}
    assert streamed.endswith("data: [DONE]\n\n")
    assert "chat.completion.chunk" in streamed
