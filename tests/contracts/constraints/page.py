"""Writes docs/constraints.md: which rule is kept, through which API, at which target.

`test_every_target` holds every cell.

`uv run python -m tests.contracts.constraints.page`
"""

from collections.abc import Iterable

from adapters.constraints.rules import EVERYWHERE, PLAIN, RULES, Constraints, Spelling
from tests.architecture.tree import ROOT
from tests.contracts.constraints.asking import Asked, targets
from tests.contracts.constraints.offences import INEXPRESSIBLE, INGRESSES

PAGE = ROOT / "docs" / "constraints.md"
COMMAND = "uv run python -m tests.contracts.constraints.page"

_APIS = {"chat": "`/v1/chat/completions`", "messages": "`/v1/messages`", "responses": "`/v1/responses`"}
_INTRO = """# What a target takes of a conversation

A target is a provider, or a family of models at it. What it refuses in a conversation is data: a row of constraints,
which one step follows before anything is sent ([0044](decisions/0044-constraints-as-data.md)). Names of tools and ids
of calls are made fit and changed back in the answer, whole or streamed. What is left out is named in
`x-omg-dropped-params`, and refused for a strict key.

The page is written from the rows (`uv run python -m tests.contracts.constraints.page`); a test for each cell plays a
conversation that breaks the rule through that API, and holds what is sent to the row.

| rule | what it is about |
| --- | --- |
"""
_SIGNS = """
In the tables, each of one API:

| sign | means |
| --- | --- |
| ✓ | kept: what does not follow is made to |
| · | the target takes anything |
| – | the API has no words for it |

A target is written as a provider with a model's name, which stands for its family; a provider whose families are those
of another has one line.
"""


def render() -> str:
    """The whole page."""
    asked = targets()
    rules = "\n".join(f"| `{rule}` | {about} |" for rule, about in RULES.items())
    tables = [_table(ingress, asked) for ingress in INGRESSES]
    values = ["## The values, and where they were read", "", *(_values(group) for group in _by_row(asked))]
    return "\n".join([_INTRO + rules, _SIGNS, *tables, *values])


def _table(ingress: str, asked: Iterable[Asked]) -> str:
    rules = [rule for rule in RULES if rule != "response_call_ids"]
    lines = [f"## {_APIS[ingress]}", "", f"| target | {' | '.join(f'`{rule}`' for rule in rules)} |"]
    lines.append("| --- " * (len(rules) + 1) + "|")
    for target in asked:
        signs = [_sign(target.row, rule, ingress) for rule in rules]
        lines.append(f"| {target.label} | {' | '.join(signs)} |")
    return "\n".join([*lines, ""])


def _sign(row: Constraints, rule: str, ingress: str) -> str:
    if (rule, ingress) in INEXPRESSIBLE:
        return "–"
    return "·" if getattr(row, rule) == getattr(PLAIN, rule) else "✓"


def _by_row(asked: Iterable[Asked]) -> list[list[Asked]]:
    groups: list[list[Asked]] = []
    for target in asked:
        group = next((group for group in groups if group[0].row == target.row), None)
        if group is None:
            groups.append([target])
        else:
            group.append(target)
    return groups


def _values(group: list[Asked]) -> str:
    row = group[0].row
    lines = [f"### {', '.join(target.label for target in group)}", ""]
    told = [rule for rule in RULES if getattr(row, rule) != getattr(PLAIN, rule)]
    if not told:
        return "\n".join([*lines, "Takes everything.", ""])
    lines += ["| rule | takes | read in |", "| --- | --- | --- |"]
    lines += [f"| `{rule}` | {_value(getattr(row, rule))} | {_cell(row.sources[rule])} |" for rule in told]
    return "\n".join([*lines, ""])


def _value(value: object) -> str:
    if isinstance(value, Spelling):
        letters = "any letters" if value.letters == r"\s\S" else f"`{value.letters}`"
        first = f", the first `{value.first}`" if value.first else ""
        length = f"exactly {value.most}" if value.least == value.most else f"at most {value.most}"
        return f"{letters}{first}" + (f", {length}" if value.most else "")
    if isinstance(value, frozenset):
        places = value & EVERYWHERE
        return ", ".join(f"`{name}`" for name in sorted(places or value)) or "nowhere"
    return str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
