"""The docs' parameter tables are the adapters' own."""

from tests.contracts.providers.fidelity_page import PAGE, filled, pages, render

COMMAND = "uv run python -m tests.contracts.providers.fidelity_page"


def test_the_page_of_parameters_is_in_step_with_the_tables() -> None:
    assert PAGE.read_text() == render(), f"docs/parameters.md is out of step: run `{COMMAND}`"


def test_the_pages_of_providers_are_in_step_with_the_tables() -> None:
    for page in pages():
        assert page.read_text() == filled(page.read_text()), f"{page.name} is out of step: run `{COMMAND}`"
