"""How deep a JSON text nests, found in linear time (R-36)."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entrypoints.http.edge.body import too_deep


def nested(levels: int, opening: str = "[", closing: str = "]") -> bytes:
    return (opening * levels + closing * levels).encode()


@pytest.mark.parametrize(("levels", "deep"), [(1, False), (64, False), (65, True), (1000, True)])
def test_the_limit_is_exact(levels: int, deep: bool) -> None:
    assert too_deep(nested(levels)) is deep
    assert too_deep(b'{"a":' * levels + b"1" + b"}" * levels) is deep


@pytest.mark.parametrize(
    "text",
    [
        b"[" + b"[]," * 5000 + b"1]", b'{"a":"' + b"[" * 1000 + b'"}', b'{"a":"' + b'\\"[{' * 1000 + b'"}',
        b'"' + b"\\" * 999 + b"[" * 100,
    ],
    ids=["many siblings", "brackets in a string", "escaped quotes", "a string without an end"],
)  # fmt: skip
def test_width_and_strings_are_not_depth(text: bytes) -> None:
    assert not too_deep(text)


@pytest.mark.parametrize(
    "text",
    [b"[" * 2_000_000, b'{"a":' * 500_000, b'["' + b'\\"' * 1_000_000 + b"[" * 100, b"[]" * 1_000_000,
     b'"' * 2_000_001 + b"[" * 65],
    ids=["open", "objects", "escapes without an end", "pairs", "quotes"],
)  # fmt: skip
def test_hostile_texts_take_linear_time(text: bytes) -> None:
    began = time.process_time()
    too_deep(text)

    assert time.process_time() - began < 30  # of CPU; in quadratic time it would be hours


@pytest.mark.slow
@settings(max_examples=60)
@given(st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_agrees_with_a_walk_of_the_parsed_value(value: object) -> None:
    text = json.dumps(value).encode()

    for limit in (1, 2, 3):
        assert too_deep(text, limit) is (depth(value) > limit)


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max((depth(inner) for inner in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((depth(inner) for inner in value), default=0)
    return 0
