"""What is sent to Converse for OpenAI's chats."""

import base64
from typing import Any

import pytest

from adapters.dialects.bedrock.converse import BedrockConverse
from adapters.dialects.bedrock.params import CONVERSE_PARAMS
from adapters.dialects.openai.params import CHAT_PARAMS
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from tests.unit.adapters.dialects.bedrock.samples import (
    CLAUDE,
    NEW_CLAUDE,
    NOVA,
    OLD_CLAUDE,
    a_call,
    dropped,
    encoded,
)

PNG = base64.b64encode(b"\x89PNG").decode()
TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}
CALLED = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}],
}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "42"}
USER = {"role": "user", "content": "hi"}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
WANTS_SCHEMA = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}


def turns(*messages: dict[str, Any], model: str = CLAUDE) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = encoded(model, messages=list(messages))["messages"]
    return sent


def refusal(**fields: Any) -> UpstreamFailure:
    with pytest.raises(UpstreamFailure) as caught:
        BedrockConverse().encode(a_call(**fields), stream=False)
    return caught.value


def test_every_parameter_has_a_cell() -> None:
    assert {*CHAT_PARAMS} <= {*CONVERSE_PARAMS}


def test_a_whole_request_is_converses() -> None:
    body = encoded(
        messages=[
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is it?"},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                ],
            },
            CALLED,
            RESULT,
        ],
        tools=[TOOL],
        tool_choice="required",
        max_completion_tokens=50,
        top_p=0.9,
        stop="END",
        metadata={"team": "a"},
        service_tier="priority",
        top_k=4,
    )

    assert body == {
        "system": [{"text": "Be brief."}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"text": "What is it?"},
                    {"image": {"format": "png", "source": {"bytes": PNG}}},
                ],
            },
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "call_1", "name": "f", "input": {"a": 1}}}]},
            {"role": "user", "content": [{"toolResult": {"toolUseId": "call_1", "content": [{"text": "42"}]}}]},
        ],
        "inferenceConfig": {"maxTokens": 50, "topP": 0.9, "stopSequences": ["END"]},
        "toolConfig": {
            "tools": [{"toolSpec": {"name": "f", "description": "d", "inputSchema": {"json": {"type": "object"}}}}],
            "toolChoice": {"any": {}},
        },
        "additionalModelRequestFields": {"top_k": 4},
        "requestMetadata": {"team": "a"},
        "serviceTier": {"type": "priority"},
    }


def test_neighbours_of_one_role_are_merged_and_blank_texts_left_out() -> None:
    assert turns(USER, {"role": "user", "content": " "}, {"role": "user", "content": "there"}) == [
        {"role": "user", "content": [{"text": "hi"}, {"text": "there"}]}
    ]


def test_results_of_parallel_calls_stand_in_one_turn_before_its_text() -> None:
    calls = [{"id": f"c{n}", "type": "function", "function": {"name": "f", "arguments": ""}} for n in (1, 2)]
    sent = turns(
        USER,
        {"role": "assistant", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
        {"role": "user", "content": "and?"},
        {"role": "tool", "tool_call_id": "c2", "content": ""},
    )

    assert [block["toolUse"]["input"] for block in sent[1]["content"]] == [{}, {}]
    assert [next(iter(block)) for block in sent[2]["content"]] == ["toolResult", "toolResult", "text"]
    assert sent[2]["content"][1]["toolResult"]["content"] == [{"text": "(empty)"}]


def test_a_conversation_that_the_assistant_begins_gets_a_user_first() -> None:
    sent = turns({"role": "assistant", "content": "Hello."}, USER)

    assert [turn["role"] for turn in sent] == ["user", "assistant", "user"]


def test_an_answer_to_be_continued_loses_its_last_white_space() -> None:
    assert turns(USER, {"role": "assistant", "content": "So \n"})[-1]["content"] == [{"text": "So"}]


@pytest.mark.parametrize("content", ["", "  ", []])
def test_a_chat_of_nothing_still_has_a_turn(content: object) -> None:
    assert turns({"role": "user", "content": content}) == [{"role": "user", "content": [{"text": "(empty)"}]}]


def test_an_id_with_other_characters_is_replaced_alike_in_call_and_result() -> None:
    strange = "call|1/ü" * 10
    calls = [{"id": strange, "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    sent = turns(
        USER,
        {"role": "assistant", "tool_calls": calls},
        {"role": "tool", "tool_call_id": strange, "content": "1"},
    )

    asked = sent[1]["content"][0]["toolUse"]["toolUseId"]
    assert asked == sent[2]["content"][0]["toolResult"]["toolUseId"]
    assert len(asked) <= 64
    assert asked.isascii()


def test_arguments_that_are_no_object_are_kept_under_a_name() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{broken"}}
    sent = turns(USER, {"role": "assistant", "tool_calls": [call]}, {**RESULT, "tool_call_id": "c"})

    assert sent[1]["content"][0]["toolUse"]["input"] == {"arguments": "{broken"}


@pytest.mark.parametrize(
    ("part", "param"),
    [
        ({"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}, "messages.0.content.0.image_url"),
        ({"type": "image_url", "image_url": {"url": "data:image/bmp;base64,AA=="}}, "messages.0.content.0.image_url"),
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,%%"}}, "messages.0.content.0.image_url"),
        ({"type": "file", "file": {"file_id": "file-1"}}, "messages.0.content.0.file"),
        ({"type": "video_url", "video_url": {"url": "https://example.org/a.mp4"}}, "messages.0.content.0"),
    ],
)
def test_what_converse_cannot_read_is_refused_by_its_path(part: dict[str, Any], param: str) -> None:
    failure = refusal(messages=[{"role": "user", "content": [part]}])

    assert (failure.kind, failure.param) == (FailureKind.UNSUPPORTED, param)


def test_documents_have_clean_names_each_once_and_a_text_beside_them() -> None:
    pdf = {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a/b: c.pdf"}}
    sent = turns({"role": "user", "content": [pdf, pdf]})[0]["content"]

    assert [block["document"]["name"] for block in sent[:2]] == ["a b c", "a b c 2"]
    assert sent[0]["document"]["format"] == "pdf"
    assert "text" in sent[2]


def test_cache_marks_become_cache_points_where_they_stand() -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    hour = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    body = encoded(
        messages=[
            {"role": "system", "content": [{"type": "text", "text": "Long.", **hour}]},
            {"role": "user", "content": "hi", **mark},
        ],
        tools=[{**TOOL, **mark}],
    )

    assert body["system"] == [{"text": "Long."}, {"cachePoint": {"type": "default", "ttl": "1h"}}]
    assert body["messages"][0]["content"][1] == {"cachePoint": {"type": "default"}}
    assert body["toolConfig"]["tools"][1] == {"cachePoint": {"type": "default"}}


def test_no_cache_point_stands_behind_a_document_of_text_or_behind_nothing() -> None:
    mark = {"cache_control": {"type": "ephemeral"}}

    def attached(media_type: str, name: str) -> dict[str, Any]:
        data = base64.b64encode(b"text").decode()
        file = {"file_data": f"data:{media_type};base64,{data}", "filename": name}
        return {"type": "file", "file": file, **mark}

    def kinds(*parts: dict[str, Any]) -> list[str]:
        return [next(iter(block)) for block in turns({"role": "user", "content": list(parts)})[0]["content"]]

    text = {"type": "text", "text": "Read."}
    assert kinds(text, attached("text/plain", "a.txt")) == ["text", "cachePoint", "document"]
    assert kinds(attached("text/markdown", "a.md"), text) == ["document", "text"]
    assert kinds(text, attached("application/pdf", "a.pdf")) == ["text", "document", "cachePoint"]
    assert kinds({"type": "text", "text": " ", **mark}, text) == ["text"]


def test_signed_thoughts_go_back_first_and_only_to_claude() -> None:
    blocks = [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "thinking", "thinking": "unsigned"},
        {"type": "redacted_thinking", "data": "AA=="},
    ]
    said = {"role": "assistant", "content": "Yes.", "reasoning_content": "hm", "thinking_blocks": blocks}

    assert turns(USER, said, USER)[1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
        {"reasoningContent": {"redactedContent": "AA=="}},
        {"text": "Yes."},
    ]
    assert turns(USER, said, USER, model=NOVA)[1]["content"] == [{"text": "Yes."}]


def test_tools_are_there_whenever_the_history_used_some() -> None:
    body = encoded(messages=[USER, CALLED, RESULT])

    assert [tool["toolSpec"]["name"] for tool in body["toolConfig"]["tools"]] == ["f"]


def test_none_of_the_tools_leaves_them_out() -> None:
    assert "toolConfig" not in encoded(tools=[TOOL], tool_choice="none")


def test_none_of_the_tools_after_some_were_used_is_said_and_reported() -> None:
    fields: dict[str, Any] = {"messages": [USER, CALLED, RESULT], "tools": [TOOL], "tool_choice": "none"}

    body = encoded(**fields)

    assert "toolChoice" not in body["toolConfig"]
    assert "without calling a tool" in body["system"][-1]["text"]
    assert dropped(**fields) == ("tool_choice",)


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", {"auto": {}}),
        ("required", {"any": {}}),
        ({"type": "function", "function": {"name": "f"}}, {"tool": {"name": "f"}}),
    ],
)
def test_a_choice_of_tools_is_converses(choice: object, sent: object) -> None:
    assert encoded(tools=[TOOL], tool_choice=choice)["toolConfig"]["toolChoice"] == sent


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"tools": [{"type": "web_search"}]}, "tools"),
        ({"tools": [TOOL], "tool_choice": {"type": "allowed_tools"}}, "tool_choice"),
        ({"modalities": ["text", "audio"]}, "modalities"),
    ],
)
def test_what_would_change_the_answer_is_refused(fields: dict[str, Any], param: str) -> None:
    failure = refusal(**fields)

    assert (failure.kind, failure.param) == (FailureKind.UNSUPPORTED, param)


def test_a_schema_stands_in_the_output_configuration() -> None:
    wanted = encoded(response_format=WANTS_SCHEMA)["outputConfig"]["textFormat"]

    assert wanted["type"] == "json_schema"
    assert wanted["structure"]["jsonSchema"]["name"] == "answer"
    assert isinstance(wanted["structure"]["jsonSchema"]["schema"], str)


@pytest.mark.parametrize("model", [OLD_CLAUDE, NOVA])
def test_a_schema_is_a_forced_tool_for_models_that_know_no_other_way(model: str) -> None:
    body = encoded(model, response_format=WANTS_SCHEMA)

    assert "outputConfig" not in body
    assert body["toolConfig"]["toolChoice"] == {"tool": {"name": "json_answer"}}
    assert body["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"] == {"json": SCHEMA}


def test_a_schema_beside_tools_is_one_of_them() -> None:
    body = encoded(NOVA, response_format=WANTS_SCHEMA, tools=[TOOL])

    assert [tool["toolSpec"]["name"] for tool in body["toolConfig"]["tools"]] == ["f", "json_answer"]
    assert body["toolConfig"]["toolChoice"] == {"any": {}}


def test_any_json_is_asked_for_in_words() -> None:
    assert "JSON" in encoded(response_format={"type": "json_object"})["system"][0]["text"]


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        (CLAUDE, "low", {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
        (CLAUDE, "high", {"thinking": {"type": "enabled", "budget_tokens": 16384}}),
        (CLAUDE, "none", None),
        (NEW_CLAUDE, "xhigh", {"thinking": {"type": "adaptive"}}),
        (NEW_CLAUDE, "none", {"thinking": {"type": "disabled"}}),
        (
            "us.amazon.nova-2-lite-v1:0",
            "medium",
            {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}},
        ),
        ("openai.gpt-oss-120b-1:0", "minimal", {"reasoning_effort": "low"}),
        (NOVA, "low", None),
    ],
)
def test_effort_is_told_in_each_familys_way(model: str, effort: str, sent: object) -> None:
    assert encoded(model, reasoning_effort=effort).get("additionalModelRequestFields") == sent


def test_effort_of_new_models_stands_in_the_output_configuration() -> None:
    assert encoded(NEW_CLAUDE, reasoning_effort="xhigh")["outputConfig"] == {"effort": "xhigh"}


def test_a_budget_fits_below_the_limit_and_leaves_sampling_alone() -> None:
    fields: dict[str, Any] = {"reasoning_effort": "low", "max_tokens": 1000, "temperature": 0.3, "top_p": 0.9}

    assert encoded(**fields)["inferenceConfig"] == {"maxTokens": 2024}
    assert dropped(**fields) == ("temperature", "top_p")


def test_newer_claudes_take_one_way_of_sampling() -> None:
    both: dict[str, Any] = {"temperature": 0.5, "top_p": 0.9}

    assert encoded(OLD_CLAUDE, **both)["inferenceConfig"] == {"temperature": 0.5, "topP": 0.9}
    assert encoded(CLAUDE, **both)["inferenceConfig"] == {"temperature": 0.5}
    assert dropped(CLAUDE, **both) == ("top_p",)
    assert dropped(NEW_CLAUDE, **both) == ("temperature", "top_p")


def test_a_turn_whose_thoughts_were_not_sent_back_does_not_think() -> None:
    fields: dict[str, Any] = {"reasoning_effort": "low", "messages": [USER, CALLED, RESULT]}

    assert "additionalModelRequestFields" not in encoded(**fields)
    assert dropped(**fields) == ("reasoning_effort",)


def test_what_is_dropped_is_named_and_strict_keys_refuse_it() -> None:
    fields: dict[str, Any] = {"seed": 7, "temperature": 1.5, "logit_bias": {"1": 2}, "frequency_penalty": 0}

    assert dropped(**fields) == ("logit_bias", "seed", "temperature")
    assert encoded(**fields)["inferenceConfig"] == {"temperature": 1}
    failure = refusal(strict=True, seed=7)
    assert (failure.kind, failure.param) == (FailureKind.UNSUPPORTED, "seed")


def test_what_an_operator_drops_is_not_sent() -> None:
    sent = BedrockConverse(("temperature",)).encode(a_call(temperature=0.5), stream=False)

    assert b"temperature" not in sent.body
    assert sent.dropped == ("temperature",)


def test_metadata_that_does_not_fit_is_left_out() -> None:
    assert encoded(metadata={"a": "b", "c": "{}"})["requestMetadata"] == {"a": "b"}
    assert dropped(metadata={"a": "b", "c": "{}"}) == ("metadata",)


def test_a_part_in_a_wrong_shape_is_the_clients_fault() -> None:
    failure = refusal(messages=[{"role": "user", "content": [{"type": "file", "file": {"file_data": 1}}]}])

    assert (failure.kind, failure.param) == (FailureKind.CLIENT_FAULT, "messages")


def test_bedrocks_own_fields_go_through() -> None:
    body = encoded(guardrailConfig={"guardrailIdentifier": "g"}, additionalModelRequestFields={"x": 1}, top_k=3)

    assert body["guardrailConfig"] == {"guardrailIdentifier": "g"}
    assert body["additionalModelRequestFields"] == {"top_k": 3, "x": 1}
