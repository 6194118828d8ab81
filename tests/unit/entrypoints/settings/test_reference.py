"""The settings' page says what the code does."""

from pathlib import Path

from entrypoints.settings.loading import field_types
from entrypoints.settings.reference import reference

PAGE = Path(__file__).parents[4] / "docs" / "configuration.md"


def test_the_page_holds_the_table_made_from_the_settings() -> None:
    assert reference() in PAGE.read_text(encoding="utf-8"), "run 'uv run omg config reference' and paste it"


def test_the_table_names_every_setting() -> None:
    table = reference()

    assert all(f"`OMG_{name.upper()}`" in table for name in field_types())
