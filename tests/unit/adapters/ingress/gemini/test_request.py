"""Google's requests as chats."""

import json
from typing import Any

import msgspec
import pytest

from adapters.ingress.gemini.params import CONTENT_OVER_CHAT
from adapters.ingress.gemini.parts import signature_of
from adapters.ingress.gemini.request import as_chat, estimated_input_tokens
from adapters.wire.signatures import Sealed
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.generate_content import GenerateContentRequest
from domain.payload import Payload

HI: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
DECLARED = [{"name": name, "parameters": {"type": "OBJECT"}} for name in ("f", "g")]


def payload(**fields: Any) -> Payload[GenerateContentRequest]:
    body = msgspec.json.encode({"model": "m", **HI, **fields})
    raw = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    return Payload(msgspec.json.decode(body, type=GenerateContentRequest), raw, len(body))


def chat(model: str = "m", *, strict: bool = False, **fields: Any) -> dict[str, Any]:
    made = as_chat(payload(**fields), model, stream=False, strict=strict)
    read: dict[str, Any] = json.loads(msgspec.json.encode(made.payload.fields))
    return read | {"dropped": made.dropped}


def part_of(part: dict[str, Any]) -> Any:
    (message,) = chat(contents=[{"parts": [part]}])["messages"]
    return message["content"] if isinstance(message["content"], str) else message["content"][0]


def test_instructions_turns_calls_and_results_keep_their_order() -> None:
    made = chat(
        systemInstruction={"parts": [{"text": "a"}, {"text": "b"}]},
        contents=[
            {"parts": [{"text": "hi"}]},
            {"role": "model", "parts": [{"text": "hm", "thought": True}, {"text": "Look: "},
                                        {"functionCall": {"name": "f", "args": {"x": [1, "ö"]}}},
                                        {"functionCall": {"name": "f", "id": "own"}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"result": "sunny"}}},
                                       {"functionResponse": {"name": "f", "id": "own", "response": {"a": 1}}},
                                       {"text": "and?"}]},
        ],
    )["messages"]  # fmt: skip

    assert [message["role"] for message in made] == ["system", "user", "assistant", "tool", "tool", "user"]
    assert made[0]["content"] == "a\nb"
    assert (made[2]["content"], made[2]["reasoning_content"]) == ("Look: ", "hm")
    assert [call["id"] for call in made[2]["tool_calls"]] == ["call_1_2", "own"]
    assert json.loads(made[2]["tool_calls"][0]["function"]["arguments"]) == {"x": [1, "ö"]}
    assert [(m["tool_call_id"], m["content"]) for m in made[3:5]] == [("call_1_2", "sunny"), ("own", '{"a":1}')]


@pytest.mark.parametrize(
    ("part", "made"),
    [
        ({"text": "hi"}, "hi"),
        (
            {"inlineData": {"mimeType": "image/png", "data": "-_8"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,+/8="}},
        ),
        (
            {"inlineData": {"mimeType": "audio/mpeg", "data": "AA=="}},
            {"type": "input_audio", "input_audio": {"data": "AA==", "format": "mp3"}},
        ),
        (
            {"inlineData": {"mimeType": "application/pdf", "data": "AA==", "displayName": "a.pdf"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="}},
        ),
        ({"inlineData": {"mimeType": "text/csv", "data": "YSxi"}}, "a,b"),
        (
            {"fileData": {"mimeType": "image/png", "fileUri": "https://p.example/1.png"}},
            {"type": "image_url", "image_url": {"url": "https://p.example/1.png"}},
        ),
    ],
)
def test_each_kind_of_part_is_one_of_a_message(part: dict[str, Any], made: Any) -> None:
    assert part_of(part) == made


@pytest.mark.parametrize("uri", ["gs://b/a", "https://generativelanguage.googleapis.com/v1beta/files/a", "files/a"])
def test_a_file_at_google_is_left_to_google(uri: str) -> None:
    with pytest.raises(UpstreamFailure) as refused:
        part_of({"fileData": {"mimeType": "image/png", "fileUri": uri}})

    assert (refused.value.kind, refused.value.param) == (FailureKind.UNSUPPORTED, "contents")


def test_schemas_of_openapi_become_json_schema() -> None:
    parameters = {
        "type": "OBJECT",
        "properties": {"type": {"type": "STRING", "nullable": True, "maxLength": "9"}},
        "propertyOrdering": ["type"],
    }
    made = chat(tools=[{"functionDeclarations": [{"name": "f", "parameters": parameters}]}, {"googleSearch": {}}])

    (tool,) = made["tools"]
    read = {"type": "object", "properties": {"type": {"type": ["string", "null"], "maxLength": 9}}}
    assert tool["function"]["parameters"] == read
    assert made["dropped"] == ("tools.googleSearch",)


@pytest.mark.parametrize(
    ("calling", "choice", "offered"),
    [
        ({}, None, "fg"),
        ({"mode": "AUTO"}, "auto", "fg"),
        ({"mode": "VALIDATED", "allowedFunctionNames": ["g"]}, "auto", "g"),
        ({"mode": "ANY"}, "required", "fg"),
        ({"mode": "ANY", "allowedFunctionNames": ["f", "g"]}, "required", "fg"),
        ({"mode": "ANY", "allowedFunctionNames": ["f"]}, {"type": "function", "function": {"name": "f"}}, "f"),
        ({"mode": "NONE"}, "none", "fg"),
    ],
)
def test_a_calling_mode_is_a_tool_choice(calling: dict[str, Any], choice: Any, offered: str) -> None:
    made = chat(tools=[{"functionDeclarations": DECLARED}], toolConfig={"functionCallingConfig": calling})

    assert made.get("tool_choice") == choice
    assert "".join(tool["function"]["name"] for tool in made["tools"]) == offered


@pytest.mark.parametrize(
    ("config", "made"),
    [
        ({"maxOutputTokens": 9, "candidateCount": 2, "topP": 0.5}, {"max_tokens": 9, "n": 2, "top_p": 0.5}),
        ({"topK": 5.0, "stopSequences": ["x"], "seed": 1}, {"top_k": 5, "stop": ["x"], "seed": 1}),
        ({"responseLogprobs": True, "logprobs": 3}, {"logprobs": True, "top_logprobs": 3}),
        ({"responseMimeType": "application/json"}, {"response_format": {"type": "json_object"}}),
        ({"responseModalities": ["TEXT"]}, {}),
        ({"responseModalities": ["TEXT", "IMAGE"]}, {"modalities": ["text", "image"]}),
        ({"thinkingConfig": {"thinkingLevel": "LOW"}}, {"reasoning_effort": "low"}),
        ({"thinkingConfig": {"thinkingBudget": 9000}}, {"reasoning_effort": "high"}),
        ({"thinkingConfig": {"thinkingBudget": -1, "includeThoughts": True}}, {}),
        ({"thinkingConfig": {"thinkingBudget": 0}}, {}),
    ],
)
def test_each_field_of_the_configuration_is_one_of_a_chat(config: dict[str, Any], made: dict[str, Any]) -> None:
    found = chat(generationConfig=config)

    assert {name: found[name] for name in found if name not in {"model", "messages", "dropped"}} == made


@pytest.mark.parametrize("name", [name for name, cell in CONTENT_OVER_CHAT.items() if cell.support == "dropped"])
def test_what_the_table_drops_is_told_and_refused_to_a_strict_key(name: str) -> None:
    inner = name.removeprefix("generationConfig.")
    asked: dict[str, Any] = {name: {"a": "b"}} if inner == name else {"generationConfig": {inner: {"a": "b"}}}
    if name == "safetySettings":
        asked = {name: [{"category": "a", "threshold": "b"}]}

    assert chat(**asked)["dropped"] == (name,)
    with pytest.raises(UpstreamFailure) as refused:
        chat(strict=True, **asked)
    assert (refused.value.kind, refused.value.param) == (FailureKind.UNSUPPORTED, name)


@pytest.mark.parametrize("name", ["cachedContent", "continuationToken"])
def test_what_google_alone_knows_is_refused(name: str) -> None:
    with pytest.raises(UpstreamFailure) as refused:
        as_chat(payload(**{name: "cachedContents/x"}), "m", stream=False)

    assert (refused.value.kind, refused.value.param) == (FailureKind.UNSUPPORTED, name)


def test_what_others_signed_goes_back_as_it_was_and_googles_own_to_gemini_alone() -> None:
    thought = {"type": "thinking", "thinking": "t", "signature": "s"}
    sealed = signature_of(Sealed([thought]))
    model = {"role": "model", "parts": [{"functionCall": {"name": "f", "id": "a"}, "thoughtSignature": sealed}]}
    googles = {"role": "model", "parts": [{"functionCall": {"name": "f", "id": "a"}, "thoughtSignature": "AbCd"}]}

    assert chat(contents=[*HI["contents"], model])["messages"][1]["thinking_blocks"] == [thought]
    (own,) = chat("gemini-3-pro", contents=[googles])["messages"][0]["tool_calls"]
    (foreign,) = chat("gpt", contents=[googles])["messages"][0]["tool_calls"]
    assert own["extra_content"] == {"google": {"thought_signature": "AbCd"}}
    assert "extra_content" not in foreign


def test_an_estimate_counts_texts_tools_and_pictures() -> None:
    picture = {"inlineData": {"mimeType": "image/png", "data": "AA=="}}

    alone = estimated_input_tokens(payload(), len)

    assert alone < estimated_input_tokens(payload(tools=[{"functionDeclarations": DECLARED}]), len)
    assert alone + 1_000 < estimated_input_tokens(payload(contents=[{"parts": [{"text": "hi"}, picture]}]), len)
