"""The docs' table of constraints is the rows' own."""

from tests.contracts.constraints.page import COMMAND, PAGE, render


def test_the_page_of_constraints_is_in_step_with_the_rows() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), f"docs/constraints.md is out of step: run `{COMMAND}`"
