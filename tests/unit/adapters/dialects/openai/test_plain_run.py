"""Chunks that are recognised without being decoded are those that decode to the same but for their text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.dialects.openai.chunk import PlainRun


def chunk(text: str, *, finish: str | None = None, ascii_only: bool = False) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return json.dumps({"id": "c", "choices": [choice], "usage": None}, ensure_ascii=ascii_only).encode()


def framed(*chunks: bytes) -> bytes:
    return b"".join(b"data: " + data + b"\n\n" for data in chunks)


@pytest.fixture
def run() -> PlainRun:
    return learned()


def learned() -> PlainRun:
    run = PlainRun()
    for word in ("one", "two"):
        run.learn(chunk(word), word)
    return run


def test_a_run_is_recognised_at_once_wherever_it_begins(run: PlainRun) -> None:
    role = framed(b'{"role":1}')
    block = role + framed(chunk("Hel"), chunk("lo"), chunk(""), chunk(" wörld")) + framed(chunk("", finish="stop"))

    assert run.find(block, 0) is None
    assert run.find(block, len(role)) == ("Hello wörld".encode(), block.rindex(b"data: "))


def test_one_different_chunk_in_the_middle_leaves_the_others_to_be_told_one_by_one(run: PlainRun) -> None:
    parts = [framed(chunk("a")), framed(chunk('say "b"')), framed(chunk("c"))]
    block = b"".join(parts)

    assert run.find(block, 0) == (b"a", len(parts[0]))
    assert run.find(block, len(parts[0])) is None
    assert run.find(block, len(parts[0] + parts[1])) == (b"c", len(block))


@pytest.mark.parametrize(
    "data",
    [
        chunk("x", finish="stop"),
        chunk("line\n"),
        chunk("é", ascii_only=True),
        chunk("x").replace(b"x", b"\xff"),
        chunk("x").replace(b"x", b"\x01"),
        chunk("x").replace(b'"x"', b'"x", "content": "y"'),
        chunk("x").replace(b'"x"', b'["x"]'),
        chunk("x").replace(b'"usage": null', b'"usage": {}'),
        chunk("x")[:-1],
        b"[DONE]",
    ],
)
def test_what_may_be_something_else_is_not_recognised(run: PlainRun, data: bytes) -> None:
    assert run.find(framed(data), 0) is None


def test_halves_of_a_character_in_two_chunks_are_no_character(run: PlainRun) -> None:
    halves = [chunk("x").replace(b"x", half) for half in (b"\xc3", b"\xa9")]
    assert run.find(framed(*halves), 0) is None


def test_nothing_is_learned_from_the_first_chunk_nor_from_one_with_two_contents() -> None:
    run = PlainRun()
    run.learn(chunk("one"), "one")
    assert run.find(framed(chunk("two")), 0) is None
    twice = chunk("two").replace(b'"usage"', b'"content": "two", "usage"')
    run.learn(twice, "two")
    assert run.find(framed(twice), 0) is None


def test_a_stream_whose_chunks_are_all_different_is_given_up() -> None:
    run = PlainRun()
    for number in range(20):
        run.learn(chunk("word").replace(b'"c"', b'"%d"' % number), "word")

    assert run.find(framed(chunk("word").replace(b'"c"', b'"19"')), 0) is None


@pytest.mark.slow
@given(st.lists(st.text(), min_size=1, max_size=5))
def test_what_is_recognised_decodes_to_the_text_that_was_told(words: list[str]) -> None:
    run = learned()
    block = framed(*[chunk(word) for word in words])
    at, received = 0, b""
    while (found := run.find(block, at)) is not None:
        received += found.text
        at = found.end
    events = block[:at].split(b"\n\n")[:-1]
    decoded = [json.loads(event[6:])["choices"][0]["delta"]["content"] for event in events]

    assert received.decode() == "".join(decoded)
    assert decoded == words[: len(decoded)]
