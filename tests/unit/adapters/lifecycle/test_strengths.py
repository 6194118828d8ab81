"""The shipped table of what families of models are good at."""

import pytest

from adapters.lifecycle.strengths import FamilyStrengths
from domain.tasks import Task

SHIPPED = FamilyStrengths()


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("gpt-6-luna", "gpt-6-luna"),
        ("openai/gpt-6.1-sol", "gpt-6-1-sol"),
        ("gpt-6-sol-2026-09-22", "gpt-6-sol"),
        ("openai/gpt-oss-120b:free", "gpt-oss-120b"),
        ("@cf/openai/gpt-oss-120b", "gpt-oss-120b"),
        ("global.anthropic.claude-sonnet-5-5", "claude-sonnet-5-5"),
        ("claude-haiku-5.5@20261001", "claude-haiku-5-5"),
        ("meta-llama/Llama-3.3-70B-Instruct-Turbo", "llama-3-3-70b"),
        ("llama-3.3-70b-versatile", "llama-3-3-70b"),
        ("gpt-6-luna-codex", None),
        ("my-own-model", None),
        ("", None),
    ],
)
def test_a_family_is_known_by_any_providers_name(name: str, family: str | None) -> None:
    assert SHIPPED.family_of(name) == family


def test_each_value_has_its_source_and_its_day() -> None:
    found = SHIPPED.of("claude-sonnet-5-5")

    assert found[Task.AGENT_STEP].value == 0.99
    assert set(found) == set(Task) - {Task.IMAGE}
    for strength in found.values():
        assert 0 < strength.value <= 1
        assert strength.source.startswith("https://")
        assert strength.as_of.isoformat() == "2026-11-30"


def test_what_nobody_compared_says_that_it_stands_for_something_else() -> None:
    assert "for want of" in SHIPPED.of("gpt-6-sol")[Task.TRANSLATION].source


def test_of_an_unknown_model_nothing_is_said_and_the_median_is_at_hand() -> None:
    assert SHIPPED.of("my-own-model") == {}
    assert set(SHIPPED.medians()) == set(Task)
    assert all(0.3 < value < 0.95 for value in SHIPPED.medians().values())
