"""Sampling parameters held to a range: what is cut, what goes as it came, what says nothing."""

import msgspec
import pytest

from adapters.wire.sift import stop_sequences, top_k, within


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.5, (0.5, False)), (0, (0, False)), (1, (1, False)), (1.5, (1, True)), (-2, (0, True))],
)
def test_a_value_outside_the_range_becomes_the_nearest_inside(value: float, expected: tuple[float, bool]) -> None:
    assert within(value, 0, 1) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"40", (msgspec.Raw(b"40"), False)),
        (b"500", (msgspec.Raw(b"500"), False)),
        (b"501", (500, True)),
        (b"0", (None, False)),
        (b"-1", (None, False)),
        (b'"many"', (msgspec.Raw(b'"many"'), False)),
        (b"true", (msgspec.Raw(b"true"), False)),
        (b"[", (msgspec.Raw(b"["), False)),
    ],
)
def test_top_k_is_cut_to_the_most_and_left_out_where_it_is_no_limit(raw: bytes, expected: object) -> None:
    assert top_k(msgspec.Raw(raw), most=500) == expected


@pytest.mark.parametrize(
    ("stop", "blank", "expected"),
    [
        (None, True, ([], False)),
        ("END", True, (["END"], False)),
        (["a", "b"], True, (["a", "b"], False)),
        (["a", "b", "c"], True, (["a", "b"], True)),
        (["", "a", "b"], True, (["a", "b"], True)),
        (["\n"], True, (["\n"], False)),
        (["\n", "a"], False, (["a"], True)),
    ],
)
def test_the_first_stop_sequences_that_are_allowed_are_kept(stop: object, blank: bool, expected: object) -> None:
    assert stop_sequences(stop, most=2, blank=blank) == expected  # type: ignore[arg-type]  # a table of both forms
