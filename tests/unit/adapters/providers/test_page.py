"""The page people read says what the registry does."""

from tests.unit.adapters.providers.page import PAGE, render


def test_the_page_of_providers_is_in_step_with_the_registry() -> None:
    told = "docs/providers.md is out of step: run `uv run python -m tests.unit.adapters.providers.page`"

    assert PAGE.read_text(encoding="utf-8") == render(), told
