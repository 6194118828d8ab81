"""Every OpenAI-compatible provider has a page, and it says what the registry does."""

import pytest

from adapters.providers.kind import Entry
from tests.unit.adapters.providers.own_pages import FOLDER, entries, page_of


@pytest.mark.parametrize("entry", [pytest.param(entry, id=entry.id) for entry in entries()])
def test_a_providers_page_is_in_step_with_its_row(entry: Entry) -> None:
    page = FOLDER / f"{entry.id}.md"
    received = f"{page.name} is out of step: run `uv run python -m tests.unit.adapters.providers.own_pages`"

    assert page.exists(), received
    assert page.read_text(encoding="utf-8") == page_of(entry), received
