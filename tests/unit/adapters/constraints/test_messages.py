"""Anthropic's own requests held to a row: what never was signed, what is blank, and fields of beta names go."""

import json
from typing import Any

import msgspec
import pytest

from adapters.constraints.changes import Changes
from adapters.constraints.conform import Conformer
from adapters.constraints.messages import conform_messages, known_betas
from adapters.constraints.rules import PLAIN, Constraints, Spelling
from adapters.providers.targets import ANTHROPIC_TARGET, BEDROCK_TARGET
from adapters.wire.signatures import pack
from domain.messages import MessagesRequest
from domain.payload import Payload

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NEW_CLAUDE = "us.anthropic.claude-opus-4-7"
OURS = {"type": "thinking", "thinking": "light", "signature": ""}
THEIRS = {"type": "thinking", "thinking": "deep", "signature": "sig"}
TEXT = {"type": "text", "text": 'say "signature": ""'}
USER = {"role": "user", "content": "hi"}
ANTHROPIC = ANTHROPIC_TARGET.row
BEDROCK = Conformer(BEDROCK_TARGET, "aws")


def payload_of(**body: Any) -> Payload[MessagesRequest]:
    raw = msgspec.json.encode({"model": "claude", "max_tokens": 9, "messages": [USER]} | body)
    fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    return Payload(msgspec.json.decode(raw, type=MessagesRequest), fields, len(raw))


def edited(row: Constraints, headers: tuple[tuple[str, str], ...] = (), **body: Any) -> tuple[Any, set[str]]:
    """The body that is sent, and what is reported."""
    lost: set[str] = set()
    fit = conform_messages(payload_of(**body), row, known_betas(row, headers), Changes(), lost)
    sent = json.loads(msgspec.json.encode(fit.fields))
    assert [turn.role for turn in fit.value.messages] == [turn["role"] for turn in sent["messages"]]
    return sent, lost


def turns(*given: Any) -> Any:
    sent, lost = edited(ANTHROPIC, messages=list(given))
    assert lost <= {"messages.thinking"}
    return sent["messages"]


@pytest.mark.parametrize("signature", ["", None, "omg1.e30=", ...])
def test_only_unsigned_thoughts_are_taken_out(signature: Any) -> None:
    unsigned = {"type": "thinking", "thinking": "light"} | ({} if signature is ... else {"signature": signature})

    assert turns(USER, {"role": "assistant", "content": [unsigned, THEIRS, TEXT]}) == [
        USER,
        {"role": "assistant", "content": [THEIRS, TEXT]},
    ]


def test_a_turn_of_unsigned_thoughts_alone_is_left_out() -> None:
    assert turns({"role": "assistant", "content": [OURS]}, USER) == [USER]


def test_what_was_carried_for_another_provider_is_taken_out() -> None:
    ours = {"type": "redacted_thinking", "data": pack("c", msgspec.Raw(b"{}"))}
    theirs = {"type": "redacted_thinking", "data": "EmwKAhgB"}

    assert turns({"role": "assistant", "content": [ours, theirs]}) == [{"role": "assistant", "content": [theirs]}]


def test_a_conversation_that_follows_its_row_stays_the_bytes_it_came_in() -> None:
    payload = payload_of(messages=[USER, {"role": "assistant", "content": [THEIRS, TEXT]}, USER], system="S")

    assert conform_messages(payload, ANTHROPIC, (), Changes(), set()) is payload


@pytest.mark.parametrize("content", [[1, {"signature": ""}], {"signature": ""}])
def test_what_is_no_conversation_is_left_to_anthropic(content: Any) -> None:
    payload = payload_of()
    odd = msgspec.structs.replace(
        payload, fields=payload.fields | {"messages": msgspec.Raw(msgspec.json.encode([{"content": content}]))}
    )

    assert conform_messages(odd, ANTHROPIC, (), Changes(), set()) is odd


def test_blank_texts_go_and_a_turn_directive_stays_as_it_came() -> None:
    directive = {"role": "system", "content": [], "output_config": {"effort": "low"}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": ""}]}

    assert turns({"role": "user", "content": " "}, directive, {"role": "user", "content": [result]}) == [
        {"role": "user", "content": "(empty)"},
        directive,
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]},
    ]


def test_ids_that_claude_refuses_are_made_fit_in_pairs() -> None:
    bad = "functions.get_weather:0"

    sent = turns(
        {"role": "assistant", "content": [{"type": "tool_use", "id": bad, "name": "get_weather", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": bad, "content": "sunny"}]},
    )

    made = sent[0]["content"][0]["id"]
    assert Spelling().takes(made)
    assert sent[1]["content"][0]["tool_use_id"] == made


def test_beta_names_bedrock_refuses_are_left_out() -> None:
    sent = (("anthropic-beta", "claude-code-20250219, context-management-2025-06-27,oauth-2025-04-20"),)

    assert known_betas(BEDROCK.row_of(CLAUDE), sent) == (("anthropic-beta", "context-management-2025-06-27"),)


def test_newer_models_take_one_beta_name_alone() -> None:
    sent = (("anthropic-beta", "interleaved-thinking-2025-05-14,effort-2025-11-24"), ("user-agent", "x"))
    row = BEDROCK.row_of(NEW_CLAUDE)

    assert known_betas(row, sent) == (("anthropic-beta", "interleaved-thinking-2025-05-14"), ("user-agent", "x"))
    assert known_betas(row, (("anthropic-beta", "effort-2025-11-24"),)) == ()


_SCOPED = {"cache_control": {"type": "ephemeral", "scope": "global"}}
_UNSCOPED = {"cache_control": {"type": "ephemeral"}}


def test_fields_go_with_the_beta_names_that_make_them_known() -> None:
    tool = {"name": "f", "input_schema": {"type": "object"}}
    body: dict[str, Any] = {
        "system": [{"type": "text", "text": "S", **_SCOPED}],
        "tools": [{**tool, **_SCOPED, "eager_input_streaming": True}, {**tool, "name": "g", "defer_loading": True}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "u", **_SCOPED}], "output_config": {}}],
        "context_management": {"edits": []},
    }

    sent, lost = edited(BEDROCK.row_of(CLAUDE), (("anthropic-beta", "effort-2025-11-24"),), **body)

    assert sent["system"] == [{"type": "text", "text": "S", **_UNSCOPED}]
    assert sent["tools"] == [{**tool, **_UNSCOPED}, {**tool, "name": "g"}]
    assert sent["messages"] == [{"role": "user", "content": [{"type": "text", "text": "u", **_UNSCOPED}]}]
    assert "context_management" not in sent
    assert lost == {
        "cache_control.scope",
        "context_management",
        "messages.output_config",
        "tools.defer_loading",
        "tools.eager_input_streaming",
    }
    betas = "tool-search-tool-2025-10-19,context-management-2025-06-27"
    kept, _ = edited(BEDROCK.row_of(CLAUDE), (("anthropic-beta", betas),), **body)
    assert kept["tools"][1]["defer_loading"] is True
    assert kept["context_management"] == {"edits": []}
    assert edited(ANTHROPIC, **body) == (payload_body(body), set())


def payload_body(body: dict[str, Any]) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(msgspec.json.encode(payload_of(**body).fields))
    return whole


@pytest.mark.parametrize(
    ("system", "rest"),
    [
        ("x-anthropic-billing-header: cch=1;\nBe brief.", "Be brief."),
        (
            [{"type": "text", "text": "x-anthropic-billing-header: cch=1;"}, {"type": "text", "text": "Be brief."}],
            [{"type": "text", "text": "Be brief."}],
        ),
        (
            [{"type": "text", "text": "x-anthropic-billing-header: cch=1;\nBe brief.", **_UNSCOPED}],
            [{"type": "text", "text": "Be brief.", **_UNSCOPED}],
        ),
    ],
)
def test_only_the_billing_line_is_taken_out_and_anthropic_gets_it(system: Any, rest: Any) -> None:
    assert edited(BEDROCK.row_of(CLAUDE), system=system)[0]["system"] == rest
    assert edited(ANTHROPIC, system=system)[0]["system"] == system


def test_names_schemas_and_images_are_made_fit() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/JPG", "data": "AAAA"}}
    sent, _ = edited(
        PLAIN_WITH_ALL,
        tools=[{"name": "fs.read", "input_schema": {"oneOf": [{"type": "object"}]}}],
        tool_choice={"type": "tool", "name": "fs.read"},
        messages=[{"role": "user", "content": [image]}],
    )

    name = sent["tools"][0]["name"]
    assert Spelling(most=64).takes(name)
    assert sent["tool_choice"]["name"] == name
    assert sent["tools"][0]["input_schema"] == {"type": "object", "properties": {}}
    assert sent["messages"][0]["content"][0]["source"]["media_type"] == "image/jpeg"


PLAIN_WITH_ALL = msgspec.structs.replace(
    PLAIN, tool_names=Spelling(most=64), tool_schemas="object", image_types="registered"
)


def test_system_turns_are_said_before_everything_where_they_may_not_stand() -> None:
    change = {"type": "tool_removal", "tool": {"type": "tool", "name": "f"}}
    turns = [USER, {"role": "system", "content": [{"type": "text", "text": "S2"}, change]}, USER]

    sent, lost = edited(BEDROCK.row_of(CLAUDE), system="S1", messages=[*turns, {"role": "system", "content": "S3"}])

    assert [block["text"] for block in sent["system"]] == ["S1", "S2", "S3"]
    assert sent["messages"] == [USER, USER]
    assert lost == {"messages.tool_removal"}
    assert edited(ANTHROPIC, messages=turns)[0]["messages"] == turns


def test_an_image_gets_the_type_that_its_first_bytes_tell() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "/9j/4AAQSkZJRg=="}}

    sent, _ = edited(ANTHROPIC, messages=[{"role": "user", "content": [image]}])

    assert sent["messages"][0]["content"][0]["source"]["media_type"] == "image/jpeg"
