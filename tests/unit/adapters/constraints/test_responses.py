"""Responses held to a row: what another provider encrypted stays here, and names and ids are made fit."""

import json
from typing import Any

import msgspec
import pytest

from adapters.constraints.changes import Changes
from adapters.constraints.responses import conform_responses, owner_mark
from adapters.constraints.rules import PLAIN, Constraints, Spelling
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.payload import Payload
from domain.responses import ResponsesRequest

USER = {"role": "user", "content": "hi"}


def payload_of(**body: Any) -> Payload[ResponsesRequest]:
    raw = msgspec.json.encode({"model": "m", "input": [USER]} | body)
    fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    return Payload(msgspec.json.decode(raw, type=ResponsesRequest), fields, len(raw))


def edited(row: Constraints, provider_id: str = "b", **body: Any) -> tuple[Any, set[str]]:
    """The body that is sent, and what is reported."""
    lost: set[str] = set()
    fit = conform_responses(payload_of(**body), row, provider_id, Changes(), lost)
    return json.loads(msgspec.json.encode(fit.fields)), lost


def told(provider_id: str, answer: dict[str, Any]) -> Any:
    """An answer as the client gets it."""
    return json.loads(Changes(owner_mark(provider_id)).undone(json.dumps(answer).encode()))


def test_what_a_provider_encrypted_goes_back_to_it_and_to_no_other() -> None:
    made = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAAA"}
    kept = told("a", {"output": [made]})["output"][0]

    assert edited(PLAIN, "a", input=[kept, USER]) == ({"model": "m", "input": [made, USER]}, set())
    assert edited(PLAIN, "b", input=[kept, USER]) == ({"model": "m", "input": [USER]}, {"input.reasoning"})


def test_what_was_sealed_for_a_chat_goes_to_no_upstream() -> None:
    sealed = {"type": "reasoning", "summary": [], "encrypted_content": "omg1.e30="}

    assert edited(PLAIN, "a", input=[sealed, USER]) == ({"model": "m", "input": [USER]}, {"input.reasoning"})


def test_what_came_past_the_gateway_is_sent_as_it_came() -> None:
    payload = payload_of(input=[{"type": "reasoning", "summary": [], "encrypted_content": "gAAAA"}, USER])

    assert conform_responses(payload, PLAIN, "b", Changes(), set()) is payload


def test_a_compacted_conversation_is_not_left_out_but_asked_elsewhere() -> None:
    kept = told("a", {"type": "compaction", "encrypted_content": "gAAAA"})

    with pytest.raises(UpstreamFailure) as raised:
        edited(PLAIN, "b", input=[kept, USER])

    assert raised.value.kind is FailureKind.UNSUPPORTED


@pytest.mark.parametrize("content", ["", None])
def test_nothing_encrypted_gets_no_mark(content: Any) -> None:
    assert told("a", {"encrypted_content": content, "text": '"encrypted_content": "x'}) == {
        "encrypted_content": content,
        "text": '"encrypted_content": "x',
    }


def test_names_and_ids_are_made_fit_wherever_they_stand() -> None:
    row = msgspec.structs.replace(PLAIN, tool_names=Spelling(most=64), response_call_ids=Spelling(most=64))
    name, call_id = "fs.read", "call_" + "y" * 70
    sent, _ = edited(
        row,
        input=[
            USER,
            {"type": "function_call", "call_id": call_id, "name": name, "arguments": "{}"},
            {"type": "function_call_output", "call_id": call_id, "output": "ok"},
        ],
        tools=[
            {"type": "function", "name": name, "parameters": {"type": "object"}},
            {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": name}]},
            {"type": "web_search"},
        ],
        tool_choice={"type": "function", "name": name},
    )

    fitted = sent["input"][1]["name"]
    assert Spelling(most=64).takes(fitted)
    assert fitted == sent["tools"][0]["name"] == sent["tools"][1]["tools"][0]["name"] == sent["tool_choice"]["name"]
    assert sent["input"][1]["call_id"] == sent["input"][2]["call_id"]
    assert len(sent["input"][1]["call_id"]) <= 64


def test_instructions_in_the_middle_are_said_before_everything() -> None:
    row = msgspec.structs.replace(PLAIN, systems="first")
    late = {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "S2"}]}

    sent, _ = edited(row, instructions="S1", input=[USER, late])

    assert sent == {"model": "m", "instructions": "S1\n\nS2", "input": [USER]}


def test_types_of_images_are_written_as_they_are_registered() -> None:
    row = msgspec.structs.replace(PLAIN, image_types="registered")
    part = {"type": "input_image", "image_url": "data:image/jpg;base64,AAAA"}

    sent, _ = edited(row, input=[{"role": "user", "content": [part]}])

    assert sent["input"][0]["content"][0]["image_url"] == "data:image/jpeg;base64,AAAA"
