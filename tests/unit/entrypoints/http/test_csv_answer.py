"""A file for spreadsheets holds numbers as numbers, and nothing that one would run (S-20)."""

import pytest

from entrypoints.http.csv_answer import csv_lines


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("-0.0000025", "-0.0000025"),
        ("-12", "-12"),
        ("-1+1", "'-1+1"),
        ("-1\n=1", '"\'-1\n=1"'),
        ("-", "'-"),
        ("+1", "'+1"),
        ("=1", "'=1"),
        (None, ""),
        (-3, "-3"),
    ],
)
def test_what_a_spreadsheet_would_run_is_text_and_a_number_is_none(value: object, cell: str) -> None:
    assert csv_lines(("a", "b"), [{"a": value, "b": "x"}], head=False).decode() == f"{cell},x\r\n"
