"""Chat requests as Gemini takes them."""

from typing import Any

import pytest

from adapters.dialects.gemini.chat import GeminiChat
from adapters.dialects.gemini.contents import FOREIGN_SIGNATURE, GeminiSettings
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from tests.unit.adapters.dialects.gemini.samples import a_call, encoded

VERTEX = GeminiSettings(json_schema=False, call_ids=False, typed_files=True)
SCHEMA = {"type": "object", "properties": {"a": {"type": ["string", "null"]}}, "additionalProperties": False}
TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}}
PNG = "data:image/png;base64,aWk="


def user(*parts: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(parts)}]


def asked(call_id: str, name: str = "f", arguments: str = '{"a":1}', **more: Any) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}, **more}


def refused(**fields: Any) -> UpstreamFailure:
    settings = fields.pop("settings", None)
    model = fields.pop("model_name", "gemini-3-flash")
    with pytest.raises(UpstreamFailure) as caught:
        encoded(model, settings, **fields)
    assert caught.value.kind is FailureKind.UNSUPPORTED
    return caught.value


def test_a_conversation_keeps_its_turns() -> None:
    body = encoded(
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "hello", "reasoning_content": "hm"},
            {"role": "user", "content": "bye"},
        ]
    )

    assert body == {
        "systemInstruction": {"parts": [{"text": "Be brief.\nBe kind."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}]},
            {"role": "model", "parts": [{"text": "hello"}]},
            {"role": "user", "parts": [{"text": "bye"}]},
        ],
    }


def test_gemma_is_told_its_instructions_at_the_beginning() -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]

    assert encoded("gemma-3-27b-it", messages=messages) == {
        "contents": [
            {"role": "user", "parts": [{"text": "Be brief."}]},
            {"role": "user", "parts": [{"text": "hi"}]},
        ]
    }


def test_instructions_alone_are_what_is_asked() -> None:
    assert encoded(messages=[{"role": "system", "content": "Say hi."}]) == {
        "contents": [{"role": "user", "parts": [{"text": "Say hi."}]}]
    }


def test_parameters_are_carried_over() -> None:
    config = encoded(
        max_completion_tokens=9,
        max_tokens=7,
        temperature=0,
        top_p=0.5,
        top_k=3,
        seed=1,
        n=2,
        stop="END",
        frequency_penalty=0.5,
        presence_penalty=-0.5,
        logprobs=True,
        top_logprobs=4,
    )["generationConfig"]

    assert config == {
        "maxOutputTokens": 9,
        "temperature": 0.0,
        "topP": 0.5,
        "topK": 3,
        "seed": 1,
        "candidateCount": 2,
        "stopSequences": ["END"],
        "frequencyPenalty": 0.5,
        "presencePenalty": -0.5,
        "responseLogprobs": True,
        "logprobs": 4,
    }


@pytest.mark.parametrize(
    ("model", "effort", "config"),
    [
        ("gemini-2.5-flash", "none", {"thinkingBudget": 0}),
        ("gemini-2.5-pro", "none", {"thinkingBudget": 128}),
        ("gemini-2.5-flash", "low", {"includeThoughts": True, "thinkingBudget": 1024}),
        ("models/gemini-2.5-flash", "medium", {"includeThoughts": True, "thinkingBudget": 8192}),
        ("gemini-2.5-pro", "high", {"includeThoughts": True, "thinkingBudget": 24576}),
        ("gemini-3-flash-preview", "minimal", {"includeThoughts": True, "thinkingLevel": "MINIMAL"}),
        ("gemini-3-pro-preview", "minimal", {"includeThoughts": True, "thinkingLevel": "LOW"}),
        ("gemini-3-pro-preview", "medium", {"includeThoughts": True, "thinkingLevel": "HIGH"}),
        ("gemini-3.1-pro", "medium", {"includeThoughts": True, "thinkingLevel": "MEDIUM"}),
        ("gemini-flash-latest", "xhigh", {"includeThoughts": True, "thinkingLevel": "HIGH"}),
        ("gemini-flash-latest", "none", {"thinkingLevel": "MINIMAL"}),
    ],
)
def test_effort_is_a_budget_or_a_level_by_generation(model: str, effort: str, config: dict[str, Any]) -> None:
    assert encoded(model, reasoning_effort=effort)["generationConfig"]["thinkingConfig"] == config


def test_effort_is_dropped_where_the_model_does_not_think() -> None:
    found = GeminiChat().encode(a_call("gemma-3-27b-it", reasoning_effort="low"), stream=False)

    assert found.dropped == ("reasoning_effort",)
    assert b"thinking" not in found.body


def test_googles_own_extras_win() -> None:
    google = {"thinking_config": {"thinking_budget": 5}, "cached_content": "cachedContents/x"}
    body = encoded(extra_body={"google": google}, safety_settings=[{"category": "C", "threshold": "OFF"}])

    assert body["generationConfig"]["thinkingConfig"] == {"thinking_budget": 5}
    assert body["cachedContent"] == "cachedContents/x"
    assert body["safetySettings"] == [{"category": "C", "threshold": "OFF"}]


def test_schemas_go_as_they_are_where_that_works_and_cleaned_elsewhere() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
    cleaned = {"type": "OBJECT", "properties": {"a": {"type": "STRING", "nullable": True}}}

    new, old, vertex = (
        encoded(tools=[TOOL]),
        encoded("gemini-2.0-flash", tools=[TOOL]),
        encoded(settings=VERTEX, tools=[TOOL]),
    )
    answers = encoded(response_format=form), encoded("gemini-2.0-flash", response_format=form)

    assert new["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"] == SCHEMA
    assert old["tools"] == vertex["tools"]
    assert old["tools"][0]["functionDeclarations"] == [{"name": "f", "description": "d", "parameters": cleaned}]
    assert answers[0]["generationConfig"] == {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}
    assert answers[1]["generationConfig"] == {"responseMimeType": "application/json", "responseSchema": cleaned}


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        ("auto", None),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        ({"type": "function", "function": {"name": "f"}}, {"mode": "ANY", "allowedFunctionNames": ["f"]}),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "name": "f"}]}},
            {"mode": "VALIDATED", "allowedFunctionNames": ["f"]},
        ),
    ],
)
def test_the_choice_of_tools_is_carried_over(choice: object, config: object) -> None:
    found = encoded(tools=[TOOL], tool_choice=choice).get("toolConfig")

    assert found == (None if config is None else {"functionCallingConfig": config})


def test_results_find_their_function_and_follow_together() -> None:
    messages = [
        {"role": "user", "content": "go"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                asked("c1", extra_content={"google": {"thought_signature": "c2ln"}}),
                asked("c2", "g", "not json"),
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": '{"ok": true}'},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "fine"}]},
    ]

    new, vertex = encoded(messages=messages)["contents"], encoded(settings=VERTEX, messages=messages)["contents"]

    assert new[1]["parts"] == [
        {"functionCall": {"name": "f", "args": {"a": 1}, "id": "c1"}, "thoughtSignature": "c2ln"},
        {"functionCall": {"name": "g", "args": {"arguments": "not json"}, "id": "c2"}},
    ]
    assert new[2] == {
        "role": "user",
        "parts": [
            {"functionResponse": {"name": "f", "response": {"ok": True}, "id": "c1"}},
            {"functionResponse": {"name": "g", "response": {"result": "fine"}, "id": "c2"}},
        ],
    }
    assert vertex[2]["parts"][0] == {"functionResponse": {"name": "f", "response": {"ok": True}}}


def test_calls_of_other_models_are_marked_so_from_gemini_3_on() -> None:
    messages = [{"role": "user", "content": "go"}, {"role": "assistant", "tool_calls": [asked("c1"), asked("c2")]}]

    new, old = (
        encoded(model, messages=messages)["contents"][1]["parts"] for model in ("gemini-3-pro", "gemini-2.5-pro")
    )

    assert [part.get("thoughtSignature") for part in new] == [FOREIGN_SIGNATURE, None]
    assert [part.get("thoughtSignature") for part in old] == [None, None]


@pytest.mark.parametrize(
    ("part", "received"),
    [
        ({"type": "image_url", "image_url": {"url": PNG}}, {"inlineData": {"mimeType": "image/png", "data": "aWk="}}),
        (
            {"type": "image_url", "image_url": {"url": "https://a.example/b.jpg?x=1"}},
            {"fileData": {"fileUri": "https://a.example/b.jpg?x=1", "mimeType": "image/jpeg"}},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "aWk=", "format": "wav"}},
            {"inlineData": {"mimeType": "audio/wav", "data": "aWk="}},
        ),
        (
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,aWk=", "filename": "a.pdf"}},
            {"inlineData": {"mimeType": "application/pdf", "data": "aWk="}},
        ),
        (
            {"type": "file", "file": {"file_id": "https://generativelanguage.googleapis.com/v1beta/files/x"}},
            {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/x"}},
        ),
        (
            {"type": "video_url", "video_url": {"url": "gs://bucket/a.mp4"}},
            {"fileData": {"fileUri": "gs://bucket/a.mp4", "mimeType": "video/mp4"}},
        ),
    ],
)
def test_media_are_inline_or_by_address(part: dict[str, Any], received: dict[str, Any]) -> None:
    assert encoded(messages=user(part))["contents"][0]["parts"] == [received]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 9}, "n"),
        ({"modalities": ["smell"]}, "modalities"),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools"),
        ({"tools": [TOOL], "tool_choice": {"type": "custom", "custom": {"name": "x"}}}, "tool_choice"),
        (
            {"tools": [TOOL], "response_format": {"type": "json_object"}, "model_name": "gemini-2.5-pro"},
            "response_format",
        ),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"messages": user({"type": "file", "file": {"file_id": "file-1"}})}, "messages.0.content.0.file.file_id"),
        ({"messages": user({"type": "hologram"})}, "messages.0.content.0.type"),
        (
            {"messages": user({"type": "image_url", "image_url": {"url": "https://a.example/b"}}), "settings": VERTEX},
            "messages.0.content.0.image_url",
        ),
        ({"modalities": ["audio"], "audio": {"voice": "Kore", "format": "mp3"}}, "audio.format"),
    ],
)
def test_what_it_cannot_do_is_said_by_name(fields: dict[str, Any], param: str) -> None:
    assert refused(**fields).param == param


def test_what_is_dropped_is_told_and_refused_to_a_strict_key() -> None:
    received: dict[str, Any] = {"user": "u", "logit_bias": {"1": 1}, "acme": 1, "parallel_tool_calls": True}

    assert GeminiChat().encode(a_call(**received), stream=False).dropped == ("acme", "logit_bias", "user")
    with pytest.raises(UpstreamFailure, match="'acme'"):
        GeminiChat().encode(a_call(strict=True, **received), stream=False)


def test_an_operator_drops_more() -> None:
    found = GeminiChat(GeminiSettings(drop=("seed",))).encode(a_call(seed=4, temperature=1), stream=False)

    assert found.dropped == ("seed",)
    assert b"seed" not in found.body


def test_a_broken_picture_is_the_clients_fault() -> None:
    with pytest.raises(UpstreamFailure) as caught:
        encoded(messages=user({"type": "image_url", "image_url": {"url": "data:image/png;base64,?"}}))

    assert caught.value.kind is FailureKind.CLIENT_FAULT


@pytest.mark.parametrize("name", ["top_k", "safety_settings", "extra_body"])
def test_a_field_of_its_own_that_is_null_is_absent(name: str) -> None:
    asked: dict[str, Any] = {"messages": user({"type": "text", "text": "hi"})}

    assert encoded(**asked, **{name: None}) == encoded(**asked)  # type: ignore[arg-type]  # which of its names it is
