"""Writes `docs/refusals.md` from the table of refusals: `python -m tests.unit.adapters.wire.refusals_page`."""

from pathlib import Path

from adapters.wire.error_body import read_error
from tests.unit.adapters.wire.refusals import REFUSALS, Refusal

PAGE = Path(__file__).parents[4] / "docs" / "refusals.md"

HEAD = """# What a refusal means

Every row is a real body, and a test: the lines of `tests/unit/adapters/wire/refusals.jsonl`, read by the rules in
`src/adapters/wire/refusal_rules.py`. A new case is one more line there, and `.ci/pages` writes this page anew. *Scope*
is what the failure holds for, *wait* the seconds that the answer names or implies (the rows were answered on 2026-11-21
at 01:00 UTC). What follows from each kind: [failover](failover.md).

| provider | status | it says | kind | scope | wait |
| --- | --- | --- | --- | --- | --- |
"""

MAX_WORDS = 110


def page() -> str:
    """The whole page."""
    return HEAD + "".join(_row(row) for row in sorted(REFUSALS, key=lambda row: (row.provider, row.status)))


def _row(row: Refusal) -> str:
    facts = read_error(row.raw)
    says = facts.message or ("an HTML page" if facts.page else " ".join(facts.words) or "nothing")
    code = facts.code if facts.code and not facts.code.isdigit() else facts.type
    words = " ".join((f"{code}: {says}" if code else says).split())
    if len(words) > MAX_WORDS:
        words = words[: MAX_WORDS - 1] + "…"
    for mark in ("|", "<", "`", "*", "[", "]", "_", "$"):
        words = words.replace(mark, f"\\{mark}" if mark != "`" else "'")
    wait = "" if row.wait is None else f"{row.wait:g}"
    return f"| {row.provider} | {row.status} | {words} | `{row.kind}` | {row.scope} | {wait} |\n"


if __name__ == "__main__":
    PAGE.write_text(page())
