"""Decisions as bytes."""

import pytest

from adapters.persistence.ledger.packing import packed, unpacked
from domain.decisions import MAX_NOTED, DecisionNote, Weighed
from tests.other_values import each_field_changed

PROVIDERS = ("openai", "anthropic", "gemini", "cerebras", "groq", "openrouter", "fireworks", "deepinfra")


def a_note(candidates: int) -> DecisionNote:
    weighed = tuple(
        Weighed(
            PROVIDERS[number % len(PROVIDERS)],
            f"vendor-{number}/some-large-model-{number}-2026-11",
            "" if number < candidates - 2 else "capability:structured_outputs",
            0.8 - number / 57,
            (0.7 + number / 91, 0.3 + number / 77, None if number % 3 else 0.512, 1.0, 0.0),
            False,
            123_456 + number * 98_765,
        )
        for number in range(candidates)
    )
    return DecisionNote(
        "auto", "auto", 7, weighed, 3, "coding", 0.931, "heuristic", "openai/gpt-6-luna", False, "stay:tool_loop", 4321,
        "openai/gpt-6-luna", "catalog:0.0.71+3:openai:gpt-6-luna", 98_765_432,
    )  # fmt: skip


@pytest.mark.parametrize("candidates", [1, 2, 5, MAX_NOTED])
def test_a_note_comes_back(candidates: int) -> None:
    assert unpacked(packed(a_note(candidates))) == a_note(candidates)


def test_a_note_has_a_kilobyte_on_average_and_the_largest_hardly_more() -> None:
    sizes = [len(packed(a_note(candidates))) for candidates in (2, 3, 4, 6, 8, MAX_NOTED)]

    assert sum(sizes) / len(sizes) <= 1024
    assert max(sizes) <= 1536


def test_every_field_comes_back() -> None:
    for name, note in each_field_changed(DecisionNote("fast", "priority")):
        assert unpacked(packed(note)) == note, name


def test_a_note_of_an_older_version_is_read() -> None:
    """New fields go last, with a default."""
    assert unpacked(b'0["fast","priority",3,[["alpha","m"]]]') == DecisionNote(
        "fast", "priority", 3, (Weighed("alpha", "m"),)
    )


def test_what_is_kept_in_no_known_way_is_refused() -> None:
    with pytest.raises(ValueError, match="no way in which decisions are kept"):
        unpacked(b"9[]")
