"""Every OpenAI-compatible provider has a page, and it says what the registry does."""

import pytest

from adapters.providers.entry import Entry
from tests.unit.adapters.providers.own_pages import FOLDER, entries, page_of, source_of


@pytest.mark.parametrize("entry", [pytest.param(entry, id=entry.preset.id) for entry in entries()])
def test_a_providers_page_is_in_step_with_its_row(entry: Entry) -> None:
    page = FOLDER / f"{entry.preset.id}.md"
    told = f"{page.name} is out of step: run `uv run python -m tests.unit.adapters.providers.own_pages`"

    assert page.exists(), told
    assert page.read_text(encoding="utf-8") == page_of(entry), told
    assert (FOLDER.parents[1] / source_of(entry)).is_file()
