"""What is sent to /api/chat for OpenAI's chats."""

import base64
import json
from typing import Any

import pytest

from adapters.dialects.ollama.chat import OllamaChat
from adapters.dialects.ollama.params import OLLAMA_CHAT_PARAMS
from adapters.dialects.openai.params import CHAT_PARAMS
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from tests.unit.adapters.dialects.ollama.samples import a_call, dropped, encoded

PNG = base64.b64encode(b"\x89PNG").decode()
PARAMETERS = {"type": "object", "properties": {"a": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": PARAMETERS}}
CALLED = {
    "role": "assistant",
    "content": None,
    "reasoning_content": "Let me look.",
    "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}],
}


def refusal(**fields: Any) -> UpstreamFailure:
    with pytest.raises(UpstreamFailure) as caught:
        OllamaChat().encode(a_call(**fields), stream=False)
    return caught.value


def test_every_parameter_has_a_cell() -> None:
    assert {*CHAT_PARAMS} <= {*OLLAMA_CHAT_PARAMS}


def test_a_whole_request_is_ollamas() -> None:
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    body = encoded(
        messages=[
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "What is it?"}, image]},
            CALLED,
            {"role": "tool", "tool_call_id": "call_1", "content": "42"},
        ],
        tools=[TOOL],
        tool_choice="auto",
        max_completion_tokens=50,
        temperature=0.5,
        top_p=0.9,
        seed=7,
        stop="END",
        presence_penalty=0.1,
        num_ctx=8192,
        top_k=4,
        keep_alive="10m",
        reasoning_effort="low",
    )

    assert body == {
        "model": "llama3.2:3b",
        "stream": False,
        "truncate": False,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "What is it?", "images": [PNG]},
            {
                "role": "assistant",
                "content": "",
                "thinking": "Let me look.",
                "tool_calls": [{"id": "call_1", "function": {"name": "f", "arguments": {"a": 1}}}],
            },
            {"role": "tool", "content": "42", "tool_name": "f", "tool_call_id": "call_1"},
        ],
        "tools": [TOOL],
        "options": {
            "temperature": 0.5,
            "top_p": 0.9,
            "seed": 7,
            "presence_penalty": 0.1,
            "num_ctx": 8192,
            "top_k": 4,
            "num_predict": 50,
            "stop": ["END"],
        },
        "keep_alive": "10m",
        "think": True,
    }


def test_options_win_over_what_is_derived_and_the_operators_context_comes_last() -> None:
    dialect = OllamaChat(num_ctx=16_384)
    plain = json.loads(dialect.encode(a_call(), stream=True).body)
    own = json.loads(
        dialect.encode(
            a_call(num_ctx=4096, options={"num_ctx": 32_768, "num_predict": 9}, max_tokens=5), stream=True
        ).body
    )

    assert plain["options"] == {"num_ctx": 16_384}
    assert plain["stream"] is True
    assert own["options"] == {"num_ctx": 32_768, "num_predict": 9}


def test_a_prompt_is_cut_only_where_the_client_says_so() -> None:
    assert encoded()["truncate"] is False
    assert encoded(truncate=True)["truncate"] is True


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        ("qwen3:8b", "high", True),
        ("qwen3:8b", "none", False),
        ("gpt-oss:20b", "minimal", "low"),
        ("gpt-oss:20b", "high", "high"),
    ],
)
def test_effort_turns_thinking_on_or_says_how_much(model: str, effort: str, sent: object) -> None:
    assert encoded(model, reasoning_effort=effort)["think"] == sent


def test_formats_are_a_word_or_a_schema() -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "n", "schema": PARAMETERS}}

    assert encoded(response_format=schema)["format"] == PARAMETERS
    assert encoded(response_format={"type": "json_object"})["format"] == "json"
    assert "format" not in encoded(response_format={"type": "text"})


def test_none_of_the_tools_leaves_them_out_and_other_choices_are_reported() -> None:
    assert "tools" not in encoded(tools=[TOOL], tool_choice="none")
    assert dropped(tools=[TOOL], tool_choice="none") == ()
    assert dropped(tools=[TOOL], tool_choice="required") == ("tool_choice",)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"tools": [{"type": "web_search"}]}, "tools"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.b/c"}}]}]},
            "messages.0.content.0.image_url",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:x"}}]}]},
            "messages.0.content.0.image_url",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]},
            "messages.0.content.0",
        ),
        ({"user": "u", "strict": True}, "user"),
    ],
)
def test_what_cannot_be_done_is_refused(fields: dict[str, Any], param: str) -> None:
    failure = refusal(**fields)

    assert (failure.kind, failure.param) == (FailureKind.UNSUPPORTED, param)


def test_what_is_dropped_is_named() -> None:
    assert dropped(logit_bias={"1": 2}, store=True, verbosity="low") == ("logit_bias", "store", "verbosity")
