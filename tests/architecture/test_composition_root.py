"""The composition root wires and decides nothing: which class stands for a setting is looked up in a table."""

import ast
from collections.abc import Iterator

from tests.architecture.tree import ROOT

IOC = ROOT / "src" / "entrypoints" / "ioc"


def branches() -> Iterator[str]:
    for path in sorted(IOC.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.If | ast.IfExp | ast.For | ast.AsyncFor | ast.While | ast.Match):
                yield f"{path.name}:{node.lineno} {type(node).__name__}"
            elif isinstance(node, ast.comprehension):
                yield from (f"{path.name}:{condition.lineno} a filter" for condition in node.ifs)


def test_the_composition_root_has_no_branch_on_data() -> None:
    assert list(branches()) == []
