"""A message's turns become a chat's messages."""

import json

import pytest

from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from tests.unit.adapters.ingress.messages.samples import blocks, chat, text, turns

PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}
PNG_PART = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}


def test_the_system_prompt_comes_first_as_one_message() -> None:
    found = turns({"role": "user", "content": "hi"}, system=[text("Be brief."), text("Be kind.")])

    assert found == [{"role": "system", "content": "Be brief.\nBe kind."}, {"role": "user", "content": "hi"}]


def test_claude_codes_billing_header_goes_no_further() -> None:
    found = turns({"role": "user", "content": "hi"}, system=[text("x-anthropic-billing-header: cc=1;"), text("Do.")])

    assert found[0] == {"role": "system", "content": "Do."}


def test_a_system_turn_stays_where_it_is() -> None:
    found = turns({"role": "user", "content": "a"}, {"role": "system", "content": "b"}, blocks(text("c")))

    assert [(message["role"], message["content"]) for message in found] == [
        ("user", "a"),
        ("system", "b"),
        ("user", "c"),
    ]


def test_texts_alone_are_one_string_and_pictures_make_parts() -> None:
    assert turns(blocks(text("a"), text("b"))) == [{"role": "user", "content": "a\n\nb"}]
    assert turns(blocks(text("look"), PNG)) == [{"role": "user", "content": [text("look"), PNG_PART]}]
    assert turns(blocks({"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}}))[0][
        "content"
    ] == [{"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}]


def test_documents_become_files_or_text() -> None:
    pdf = {"type": "document", "title": "a.pdf", "source": {"type": "base64", "data": "aGk="}}
    note = {"type": "document", "title": "Note", "context": "Old.", "source": {"type": "text", "data": "words"}}
    found = {"type": "search_result", "source": "https://x.example", "title": "Hit", "content": [text("body")]}
    mixed = {"type": "document", "source": {"type": "content", "content": [text("inner"), PNG]}}

    content = turns(blocks(pdf, note, found, mixed))[0]["content"]

    assert content == [
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,aGk="}},
        text("Note\nOld.\nwords"),
        text("Hit\nbody"),
        text("inner"),
        PNG_PART,
    ]


@pytest.mark.parametrize("kind", ["image", "document"])
@pytest.mark.parametrize("source", [{"type": "file", "file_id": "file_1"}, {"type": "odd"}])
def test_what_only_anthropic_can_fetch_is_left_to_another_provider(kind: str, source: dict[str, str]) -> None:
    with pytest.raises(UpstreamFailure) as refused:
        turns(blocks({"type": kind, "source": source}))

    assert (refused.value.kind, refused.value.param) == (FailureKind.UNSUPPORTED, "messages")


def test_tool_calls_and_results_find_each_other() -> None:
    use = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"q": "ä", "n": 1.0}}
    results: list[dict[str, object]] = [
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": [text("seen"), PNG]},
        {"type": "tool_result", "tool_use_id": "toolu_2", "content": "no such file", "is_error": True},
        {"type": "tool_result", "tool_use_id": "toolu_3"},
    ]
    found = turns(blocks(text("I look."), use, role="assistant"), blocks(*results, text("And?")))

    call = found[0]["tool_calls"][0]
    assert (found[0]["content"], call["id"], call["function"]["name"]) == ("I look.", "toolu_1", "look")
    assert call["function"]["arguments"] == '{"q":"ä","n":1.0}'
    assert found[1:] == [
        {"role": "tool", "tool_call_id": "toolu_1", "content": "seen"},
        {"role": "tool", "tool_call_id": "toolu_2", "content": "Error: no such file"},
        {"role": "tool", "tool_call_id": "toolu_3", "content": ""},
        {"role": "user", "content": [PNG_PART, text("And?")]},
    ]


def test_a_call_without_words_has_no_content_and_an_empty_turn_has() -> None:
    use = {"type": "tool_use", "id": "t", "name": "look", "input": {}}

    assert turns(blocks(use, role="assistant"))[0]["content"] is None
    assert turns(blocks(role="assistant"))[0] == {"role": "assistant", "content": ""}


def test_thoughts_stand_beside_the_text_and_signed_ones_whole() -> None:
    signed = {"type": "thinking", "thinking": "deep", "signature": "sig"}
    ours = {"type": "thinking", "thinking": "light", "signature": ""}
    hidden = {"type": "redacted_thinking", "data": "abc"}

    found = turns(blocks(signed, ours, hidden, text("So."), role="assistant"))[0]

    assert found == {
        "role": "assistant",
        "content": "So.",
        "reasoning_content": "deep\n\nlight",
        "thinking_blocks": [signed, hidden],
    }


def test_blocks_of_anthropics_own_tools_are_told_as_dropped() -> None:
    served = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"source": 1}}
    _, dropped = chat(messages=[blocks(served, role="assistant"), blocks({"type": "container_upload", "file_id": "f"})])

    assert dropped == ("messages.container_upload", "messages.server_tool_use")


def test_a_cache_breakpoint_anywhere_is_told_as_dropped() -> None:
    cached = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [cached]}

    for body in (
        {"system": [cached]},
        {"messages": [blocks(cached)]},
        {"messages": [blocks(result)]},
        {"tools": [{"name": "t", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}]},
    ):
        assert chat(**body)[1] == ("cache_control",), json.dumps(body)
    assert chat(messages=[blocks(cached | {"cache_control": None})])[1] == ()


@pytest.mark.parametrize(
    "block",
    [
        {"text": "no type"},
        {"type": "tool_result", "content": "of nothing"},
        {"type": "image"},
        {"type": "text", "text": 1},
        "words",
    ],
)
def test_a_block_that_is_none_is_the_clients_fault(block: object) -> None:
    with pytest.raises(UpstreamFailure) as refused:
        chat(messages=[{"role": "user", "content": [block]}])

    assert (refused.value.kind, refused.value.status) == (FailureKind.CLIENT_FAULT, 400)
