"""The cases of Open Responses' compliance suite but WebSocket: natively, and over chat for who has only that.

Written anew from its published cases and schema: https://github.com/openresponses/openresponses (read 2026-11). Its two
optional cases (file search, offline web search) want a provider that has these tools, and are skipped there as well.
"""

import base64
import json
from typing import Any, Final

import pytest

from tests.e2e.conftest import AddUpstream
from tests.e2e.open_responses_rules import complaints_about, complaints_about_stream
from tests.e2e.processes import Gateway

pytestmark = pytest.mark.process

Json = dict[str, Any]
PNG: Final = base64.b64encode(bytes.fromhex("89504e470d0a1a0a0000000d49484452")).decode()
PDF: Final = base64.b64encode(b"%PDF-1.1\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF").decode()
WEATHER: Final[Json] = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather at a place",
    "parameters": {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]},
}


def said(role: str, content: object) -> Json:
    return {"type": "message", "role": role, "content": content}


CASES: Final[dict[str, Json]] = {
    "basic text": {"input": [said("user", "Say hello in three words.")]},
    "system prompt": {"input": [said("system", "Speak like a pirate."), said("user", "Say hello.")]},
    "image input": {
        "input": [
            said(
                "user",
                [
                    {"type": "input_text", "text": "What is this?"},
                    {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"},
                ],
            )
        ]
    },
    "file input": {
        "input": [
            said(
                "user",
                [
                    {"type": "input_text", "text": "What is its title?"},
                    {
                        "type": "input_file",
                        "filename": "a.pdf",
                        "file_data": f"data:application/pdf;base64,{PDF}",
                    },
                ],
            )
        ]
    },
    "several turns": {
        "input": [
            said("user", "My name is Alice."),
            said("assistant", "Hello Alice! How can I help you?"),
            said("user", "What is my name?"),
        ]
    },
    "every parameter that is told back": {
        "input": "hello",
        "instructions": "be brief",
        "temperature": 0.3,
        "top_p": 0.9,
        "presence_penalty": 0.5,
        "frequency_penalty": -0.5,
        "max_output_tokens": 50,
        "metadata": {"a": "b"},
        "parallel_tool_calls": False,
        "text": {"format": {"type": "text"}},
        "safety_identifier": "person-1",
        "prompt_cache_key": "key-1",
    },
}


@pytest.fixture(params=["natively", "over chat"])
def provider(request: pytest.FixtureRequest, add_upstream: AddUpstream) -> str:
    """One that has Responses, and one of which nothing is known but chat."""
    return add_upstream(settings={"preset": "openai" if request.param == "natively" else "custom"})


def answer(gateway: Gateway, model: str, **body: Any) -> Json:
    reply = gateway.http.post("/v1/responses", json={"model": model, **body})
    assert reply.status_code == 200, reply.text
    response: Json = reply.json()
    return response


def events(gateway: Gateway, model: str, **body: Any) -> list[Json]:
    reply = gateway.http.post("/v1/responses", json={"model": model, "stream": True, **body})
    assert reply.status_code == 200, reply.text
    blocks = [block for block in reply.text.split("\n\n") if block and not block.startswith(":")]
    found = []
    for block in blocks:
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        if fields["data"] == "[DONE]":
            continue
        event = json.loads(fields["data"])
        assert fields["event"] == event["type"]
        found.append(event)
    return found


@pytest.mark.parametrize("case", CASES)
def test_a_response_is_one_and_is_completed(gateway: Gateway, provider: str, case: str) -> None:
    response = answer(gateway, f"{provider}/sim-echo", **CASES[case])

    assert complaints_about(response) == []
    assert response["status"] == "completed"
    assert [item["type"] for item in response["output"]] == ["message"]


@pytest.mark.parametrize("case", CASES)
def test_a_stream_has_the_events_and_ends_with_the_response(gateway: Gateway, provider: str, case: str) -> None:
    told = events(gateway, f"{provider}/sim-echo", **CASES[case])

    assert complaints_about_stream(told) == []
    assert told[-1]["type"] == "response.completed"
    assert {"response.created", "response.output_text.delta"} <= {event["type"] for event in told}


def test_what_the_request_asked_for_is_told_back(gateway: Gateway, provider: str) -> None:
    asked = CASES["every parameter that is told back"]

    response = answer(gateway, f"{provider}/sim-echo", **asked)

    echoed = {name: response[name] for name in asked if name not in {"input", "text"}}
    assert echoed == {name: value for name, value in asked.items() if name not in {"input", "text"}}


def test_what_it_did_not_ask_for_is_told_as_the_default(gateway: Gateway, provider: str) -> None:
    response = answer(gateway, f"{provider}/sim-echo", input="hello")

    assert (response["presence_penalty"], response["frequency_penalty"]) == (0, 0)
    assert (response["temperature"], response["top_p"], response["tools"]) == (1, 1, [])


def test_a_function_is_called(gateway: Gateway, provider: str) -> None:
    response = answer(gateway, f"{provider}/sim-tools", input=[said("user", "How is the weather?")], tools=[WEATHER])

    assert complaints_about(response) == []
    assert "function_call" in {item["type"] for item in response["output"]}


def test_a_function_that_says_little_of_itself_is_told_back_whole(gateway: Gateway, provider: str) -> None:
    bare = {"type": "function", "name": "now"}

    assert complaints_about(answer(gateway, f"{provider}/sim-echo", input="hello", tools=[bare])) == []


def test_a_stream_tells_a_call_from_its_name_to_its_arguments(gateway: Gateway, provider: str) -> None:
    told = events(gateway, f"{provider}/sim-tools", input="How is the weather?", tools=[WEATHER])

    assert complaints_about_stream(told) == []
    kinds = [event["type"] for event in told]
    calls = {event["type"] for event in told if event.get("item", {}).get("type") == "function_call"}
    assert calls == {"response.output_item.added", "response.output_item.done"}
    assert "response.function_call_arguments.delta" in kinds
    assert "response.function_call_arguments.done" in kinds


def test_a_thought_is_an_item_of_its_own(gateway: Gateway, provider: str) -> None:
    told = events(gateway, f"{provider}/sim-reasoning", input="why?", reasoning={"effort": "low", "summary": "auto"})

    assert complaints_about_stream(told) == []
    assert told[-1]["response"]["output"][0]["type"] == "reasoning"


def test_the_result_of_a_call_is_read_with_the_history(gateway: Gateway, provider: str) -> None:
    question = said("user", "How is the weather?")
    choice = {"type": "function", "name": "get_weather"}
    first = answer(gateway, f"{provider}/sim-echo", input=[question], tools=[WEATHER], tool_choice=choice, store=False)
    call = next(item for item in first["output"] if item["type"] == "function_call")
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "64 degrees and clear"}

    second = answer(gateway, f"{provider}/sim-echo", input=[question, *first["output"], result], store=False)

    assert complaints_about(first) == []
    assert complaints_about(second) == []
    assert second["output"][0]["content"][0]["text"] == "64 degrees and clear"


def test_the_turn_before_is_found_by_its_id_where_the_provider_keeps_it(
    gateway: Gateway, add_upstream: AddUpstream
) -> None:
    """Over chat nothing is kept: who asks for it is told to send the history."""
    native, chat = add_upstream(settings={"preset": "openai"}), add_upstream(settings={"preset": "custom"})
    first = answer(gateway, f"{native}/sim-echo", input="Remember this word: papaya.")
    over_chat = answer(gateway, f"{chat}/sim-echo", input="Remember this word: papaya.")

    second = answer(gateway, f"{native}/sim-echo", input="Which word?", previous_response_id=first["id"])
    refused = gateway.http.post(
        "/v1/responses",
        json={"model": f"{chat}/sim-echo", "input": "Which word?", "previous_response_id": over_chat["id"]},
    )

    assert complaints_about(second) == []
    assert second["previous_response_id"] == first["id"]
    assert over_chat["store"] is False
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "previous_response_id"
