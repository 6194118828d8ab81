"""The page people read says what the registry does."""

from tests.unit.adapters.providers import endpoints_page
from tests.unit.adapters.providers.page import PAGE, render


def test_the_page_of_providers_is_in_step_with_the_registry() -> None:
    received = "docs/providers.md is out of step: run `uv run python -m tests.unit.adapters.providers.page`"

    assert PAGE.read_text(encoding="utf-8") == render(), received


def test_the_table_of_endpoints_is_in_step_with_the_registry() -> None:
    received = "docs/endpoints.md is out of step: run `uv run python -m tests.unit.adapters.providers.endpoints_page`"
    page = endpoints_page.PAGE.read_text(encoding="utf-8")

    assert endpoints_page.filled(page) == page, received
