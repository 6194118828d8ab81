"""What one provider hung on a call travels through a client, and what others wrote is not read."""

from typing import Any

import msgspec
import pytest

from adapters.wire.signatures import PLACE, Carried, in_order, joined_details, pack, place_of, placed, unpack


def test_what_hangs_on_a_call_comes_back_as_it_was() -> None:
    assert unpack(pack("c", msgspec.Raw(b'{"a":1}'))) == Carried("c", msgspec.Raw(b'{"a":1}'))


def test_data_that_is_not_ours_is_not_read() -> None:
    assert unpack("EmwKAhgB") is None
    assert unpack("omg1.%%") is None
    assert unpack("omg1.e30=") is None


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        ([], []),
        (
            [{"type": "reasoning.text", "text": "a", "index": 0}, {"type": "reasoning.text", "text": "b", "index": 0}],
            [{"type": "reasoning.text", "text": "ab", "index": 0}],
        ),
        (
            [
                {"type": "reasoning.text", "text": "a", "signature": None, "index": 0},
                {"type": "reasoning.text", "text": None, "signature": "S", "index": 0},
            ],
            [{"type": "reasoning.text", "text": "a", "signature": "S", "index": 0}],
        ),
        (
            [{"type": "reasoning.summary", "summary": "a"}, {"type": "reasoning.summary", "summary": "b"}],
            [{"type": "reasoning.summary", "summary": "ab"}],
        ),
        (
            [{"type": "reasoning.text", "text": "a", "index": 0}, {"type": "reasoning.text", "text": "b", "index": 1}],
            [{"type": "reasoning.text", "text": "a", "index": 0}, {"type": "reasoning.text", "text": "b", "index": 1}],
        ),
        (
            [{"type": "reasoning.encrypted", "data": "a"}, {"type": "reasoning.encrypted", "data": "b"}],
            [{"type": "reasoning.encrypted", "data": "a"}, {"type": "reasoning.encrypted", "data": "b"}],
        ),
        ([None, "odd", {}], [None, "odd", {}]),
    ],
)
def test_pieces_of_one_detail_are_joined_and_what_is_encrypted_is_not(pieces: list[Any], whole: list[Any]) -> None:
    assert joined_details(pieces) == whole


def test_a_thought_says_where_it_stood_unless_it_came_first() -> None:
    thought = {"type": "thinking", "thinking": "t", "signature": "S"}

    assert placed(thought, 0, 0) == thought
    assert placed(placed(thought, 3, 1), 0, 0) == thought
    assert place_of(placed(thought, 3, 1)[PLACE]) == (3, 1)


@pytest.mark.parametrize("odd", [None, [], [1], [1, 2, 3], ["1", 2], [-1, 0], {"a": 1}, "1,2", [1.5, 0]])
def test_a_place_that_cannot_be_read_is_the_beginning(odd: object) -> None:
    assert place_of(odd) == (0, 0)


@pytest.mark.parametrize(
    ("text", "calls", "thoughts", "said"),
    [
        ("ab", ["c"], [], ["ab", ("c",)]),
        ("ab", ["c"], [((0, 0), "t")], [["t"], "ab", ("c",)]),
        ("ab", ["c"], [((1, 0), "t"), ((2, 1), "u")], ["a", ["t"], "b", ("c",), ["u"]]),
        ("", ["c", "d"], [((0, 1), "t")], [("c",), ["t"], ("d",)]),
        ("ab", ["c"], [((9, 9), "t"), ((0, 0), "u")], ["ab", ("c",), ["t"], ["u"]]),
    ],
)
def test_texts_thoughts_and_calls_come_in_the_order_they_were_said(
    text: str, calls: list[str], thoughts: list[tuple[tuple[int, int], str]], said: list[object]
) -> None:
    assert list(in_order(text, calls, thoughts)) == said
