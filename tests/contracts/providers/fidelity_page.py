"""Writes the docs' parameter tables: `uv run python -m tests.contracts.providers.fidelity_page`.

`docs/parameters.md` compares the kinds, endpoint by endpoint; a page under `docs/providers/` has its own kind's tables
between `<!-- fidelity:KIND -->` and `<!-- /fidelity -->`.
"""

import re
from pathlib import Path

from adapters.providers.kinds import KINDS
from adapters.providers.registry import Registry
from domain.fidelity import Cell, Fidelity

DOCS = Path(__file__).parents[3] / "docs"
PAGE = DOCS / "parameters.md"

_SIGNS = {"honored": "✓", "mapped": "→", "dropped": "–", "refused": "✗"}
_PLACE = re.compile(r"(<!-- fidelity:([a-z]+) -->\n).*?(<!-- /fidelity -->)", re.DOTALL)
_INTRO = """# What becomes of each parameter

A request for one API often goes to an upstream of another. What that upstream makes of each parameter is data:
one table an adapter and endpoint, which the code follows, `GET /admin/provider-kinds` shows, a test checks cell by
cell, and this page is written from.

| sign | means |
| --- | --- |
| ✓ | *honored*: sent on as it is |
| → | *mapped*: carried over in another form |
| – | *dropped*: left out, and named in the header `x-omg-dropped-params` |
| ✗ | *refused*: leaving it out would change the meaning, so the next provider is asked |

For a **strict** key (`omg keys create --strict`, or `"strict": true` in the admin API) what would be dropped is refused
too. Where no provider is left that can do it, the answer is a 400 that names the parameter. An OpenAI-compatible
upstream gets what it refuses, and refuses it itself.

`openai` is the table of an unknown OpenAI-compatible server; where a provider differs,
[its row of quirks](providers.md) says so. A kind that is missing from a table does not serve that endpoint. Fields
nobody knows are sent on to OpenAI-compatible upstreams and dropped for the others.
"""


def render() -> str:
    """The whole page of comparisons."""
    described = {kind.kind: kind.fidelity for kind in _registry().kinds() if kind.kind != "simulated"}
    endpoints = dict.fromkeys(endpoint for tables in described.values() for endpoint in tables)
    return "\n".join([_INTRO, *(_comparison(endpoint, described) for endpoint in endpoints)])


def filled(page: str) -> str:
    """A provider's page with its tables brought up to date."""
    described = {kind.kind: kind.fidelity for kind in _registry().kinds()}

    def tables(match: re.Match[str]) -> str:
        found = described.get(match[2])
        assert found is not None, f"There is no kind '{match[2]}'. Known: {', '.join(described)}."
        return match[1] + "\n".join(_own(endpoint, table) for endpoint, table in found.items()) + "\n" + match[3]

    return _PLACE.sub(tables, page)


def pages() -> list[Path]:
    """The pages that hold a table of their own."""
    return sorted(page for page in DOCS.rglob("*.md") if _PLACE.search(page.read_text()))


def _registry() -> Registry:
    def no_transport(*_: object) -> None:
        raise AssertionError("nothing is built here")

    return Registry(no_transport, {}, kinds=KINDS)  # type: ignore[arg-type]  # it is never called


def _comparison(endpoint: str, described: dict[str, dict[str, Fidelity]]) -> str:
    kinds = [kind for kind, tables in described.items() if endpoint in tables]
    names = sorted({name for kind in kinds for name in described[kind][endpoint]})
    lines = [f"## {endpoint}", "", f"| parameter | {' | '.join(kinds)} |", "| --- " * (len(kinds) + 1) + "|"]
    for name in names:
        signs = [_sign(described[kind][endpoint].get(name)) for kind in kinds]
        lines.append(f"| `{name}` | {' | '.join(signs)} |")
    return "\n".join([*lines, ""])


def _own(endpoint: str, table: Fidelity) -> str:
    lines = [f"### {endpoint}", "", "| parameter | here | as | note |", "| --- | --- | --- | --- |"]
    for name, cell in sorted(table.items()):
        to = f"`{cell.to}`" if cell.to else ""
        lines.append(f"| `{name}` | {cell.support} | {to} | {cell.note} |")
    return "\n".join([*lines, ""])


def _sign(cell: Cell | None) -> str:
    return _SIGNS[cell.support] if cell is not None else ""


if __name__ == "__main__":
    PAGE.write_text(render())
    for path in pages():
        path.write_text(filled(path.read_text()))
