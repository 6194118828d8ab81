"""Estimates without a vocabulary, held against `o200k_base` itself, in every script and on code and data."""

from statistics import median

import pytest

from adapters.tokens.character_classes import MAX_CHARACTERS, SAMPLE_CHARACTERS, SAMPLES, CharacterClassCounter
from adapters.tokens.vocabulary import CountTokens, load_o200k
from tests.unit.adapters.tokens.texts import DATA, PROSE

SIX = ("Latin", "Cyrillic", "Arabic", "Devanagari", "Chinese", "Japanese")


@pytest.fixture(scope="module")
def true_count() -> CountTokens:
    return load_o200k()


@pytest.fixture
def estimate() -> CountTokens:
    return CharacterClassCounter().count


@pytest.mark.slow
@pytest.mark.parametrize("script", PROSE)
def test_the_median_error_of_prose_is_at_most_a_fifth(
    script: str, estimate: CountTokens, true_count: CountTokens
) -> None:
    errors = [abs(estimate(text) / true_count(text) - 1) for text in PROSE[script]]

    assert median(errors) <= 0.2


@pytest.mark.slow
@pytest.mark.parametrize("kind", DATA)
def test_code_and_data_are_never_estimated_below_two_thirds(
    kind: str, estimate: CountTokens, true_count: CountTokens
) -> None:
    assert estimate(DATA[kind]) >= true_count(DATA[kind]) * 2 / 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*PROSE, *DATA])
def test_a_long_text_is_estimated_by_samples_of_it(kind: str, estimate: CountTokens, true_count: CountTokens) -> None:
    text = " ".join(PROSE[kind]) if kind in PROSE else DATA[kind]
    long = (text + "\n") * (20 * MAX_CHARACTERS // len(text))

    assert 0.66 < estimate(long) / true_count(long) < 1.5


def test_all_six_scripts_have_several_texts() -> None:
    assert {script for script in SIX if len(PROSE[script]) >= 4} == set(SIX)


def test_a_text_that_changes_half_way_is_estimated_by_both_halves(estimate: CountTokens) -> None:
    prose, dense = "the quick brown fox " * 4_000, "aB3xZ9qK" * 10_000
    apart = estimate(prose) + estimate(dense)

    assert estimate(prose + dense) == pytest.approx(apart, rel=0.1)
    assert SAMPLES * SAMPLE_CHARACTERS <= MAX_CHARACTERS


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("four", 1), (" ", 1), ("\ud800", 1)])
def test_short_texts_have_a_token_at_least(text: str, tokens: int, estimate: CountTokens) -> None:
    assert estimate(text) == tokens
