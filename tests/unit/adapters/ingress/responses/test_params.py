"""Each cell of the tables of Responses says what happens (the table drives the code)."""

import json
from typing import Any

import pytest

from adapters.dialects.responses.params import RESPONSES_NATIVE, RESPONSES_PARAMS, native_fidelity
from adapters.dialects.responses.pass_through import ResponsesPassThrough
from adapters.ingress.responses.params import RESPONSES_OVER_CHAT, of_chat
from adapters.wire.call import DialectCall
from adapters.wire.errors import Refusals
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.fidelity import dropped
from domain.response_ids import kept_id
from tests.unit.adapters.ingress.responses.samples import NOW, chat_body, payload, translated, whole

TOOL = {"type": "function", "name": "f"}
VALUES: dict[str, Any] = {
    "background": True,
    "context_management": [{"type": "compaction"}],
    "conversation": "conv_1",
    "include": ["message.output_text.logprobs"],
    "input": "something else",
    "instructions": "Be brief.",
    "max_output_tokens": 16,
    "max_tool_calls": 1,
    "metadata": {"a": "b"},
    "moderation": {"model": "m"},
    "parallel_tool_calls": False,
    "previous_response_id": kept_id("alpha", "resp_1"),
    "prompt": {"id": "p"},
    "prompt_cache_key": "k",
    "prompt_cache_options": {"mode": "implicit"},
    "prompt_cache_retention": "24h",
    "reasoning": {"effort": "low"},
    "safety_identifier": "s",
    "service_tier": "flex",
    "store": True,
    "stream": True,
    "stream_options": {"include_obfuscation": False},
    "temperature": 0.5,
    "text": {"verbosity": "low", "format": {"type": "json_object"}},
    "tool_choice": "required",
    "tools": [TOOL],
    "top_logprobs": 2,
    "top_p": 0.9,
    "truncation": "auto",
    "user": "u",
}
NEEDS = {name: {"tools": [TOOL]} for name in ("tool_choice", "parallel_tool_calls")}


def test_every_parameter_has_a_cell_and_a_value_here() -> None:
    assert RESPONSES_OVER_CHAT.keys() == RESPONSES_NATIVE.keys() == VALUES.keys() == set(RESPONSES_PARAMS)


@pytest.mark.parametrize("name", RESPONSES_PARAMS)
def test_a_cell_says_what_happens_over_chat(name: str) -> None:
    cell, asked = RESPONSES_OVER_CHAT[name], {**NEEDS.get(name, {}), name: VALUES[name]}
    if cell.support == "refused":
        with pytest.raises(UpstreamFailure) as refused:
            translated(**asked)
        assert refused.value.kind is FailureKind.UNSUPPORTED
        assert refused.value.param == name
        return
    without, sent = chat_body(**NEEDS.get(name, {})), chat_body(**asked)
    changed = {field for field in sent if without.get(field) != sent[field]}
    assert translated(**asked).dropped == ([name] if cell.support == "dropped" else [])
    if cell.support == "honored":
        assert changed == {name}
        assert sent[name] == VALUES[name]
    elif cell.support == "mapped":
        assert changed == {field for field in cell.to.split(", ") if field}
    else:
        assert changed == set()


@pytest.mark.parametrize("name", RESPONSES_PARAMS)
def test_a_cell_says_what_happens_natively(name: str) -> None:
    dialect = ResponsesPassThrough("alpha", Refusals())
    call = DialectCall(payload({"input": "hi", name: VALUES[name]}), "m", None, lambda: float(NOW), strict=True)

    sent = json.loads(dialect.encode(call, stream=name == "stream").body)

    assert sent[name] == ("resp_1" if name == "previous_response_id" else VALUES[name])


def test_metadata_is_told_back() -> None:
    message = {"role": "assistant", "content": "A"}

    assert whole(message, metadata=VALUES["metadata"])["metadata"] == VALUES["metadata"]


def test_what_a_row_drops_is_in_its_table() -> None:
    table = native_fidelity(frozenset({"truncation", "logit_bias"}))

    assert table["truncation"] == dropped()
    assert table.keys() == RESPONSES_NATIVE.keys()


@pytest.mark.parametrize(
    ("chat", "received"),
    [
        ("reasoning_effort", "reasoning"),
        ("response_format", "text"),
        ("max_completion_tokens", "max_output_tokens"),
        ("messages.reasoning_content", "input.reasoning"),
        ("messages.0.content", "input.0.content"),
        ("temperature", "temperature"),
    ],
)
def test_chats_names_are_told_as_those_of_responses(chat: str, received: str) -> None:
    assert of_chat(chat) == received
