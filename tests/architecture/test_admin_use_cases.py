"""Every use case of the admin that writes takes the actor and names its change, for the audit."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import ROOT

ADMIN = ROOT / "src" / "application" / "admin"

READS = ("list_", "get", "report", "run", "answers", "answered", "ready")
"""How a public method of a use case begins that changes nothing. Every other one is taken for a write."""

WRITES = {"config_write", "record_change", "write", "retry_key", "retry_provider", "forget_key"}
"""What a use case calls when it changes something."""


def use_cases(folder: Path) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef, set[str]]]:
    """Each public method of a class that holds a port, and the names of all that it calls, also by way of its own."""
    for path in sorted(folder.glob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.ClassDef) or node.name.startswith("_"):
                continue
            methods = {m.name: m for m in node.body if isinstance(m, ast.FunctionDef | ast.AsyncFunctionDef)}
            if "__init__" not in methods:
                continue  # data
            for name, method in methods.items():
                if not name.startswith("_"):
                    yield f"{path.name}: {node.name}.{name}", method, calls_of(method, methods)


def calls_of(
    method: ast.FunctionDef | ast.AsyncFunctionDef, methods: dict[str, ast.FunctionDef | ast.AsyncFunctionDef]
) -> set[str]:
    seen: set[str] = set()
    waiting = [method]
    while waiting:
        for call in ast.walk(waiting.pop()):
            if isinstance(call, ast.Call) and (name := called_name(call.func)) and name not in seen:
                seen.add(name)
                if name in methods:
                    waiting.append(methods[name])
    return seen


def called_name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def takes_actor(method: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    first = method.args.args[1:2]
    return bool(first) and first[0].arg == "actor" and ast.unparse(first[0].annotation or ast.Constant("")) == "Actor"


def test_every_use_case_that_writes_takes_the_actor_first() -> None:
    found = list(use_cases(ADMIN))
    writing = {name: method for name, method, calls in found if calls & WRITES or not method.name.startswith(READS)}

    assert len(writing) >= 15
    assert [name for name, method in writing.items() if not takes_actor(method)] == []


def test_every_use_case_that_writes_names_its_change() -> None:
    unnamed = [
        name
        for name, method, calls in use_cases(ADMIN)
        if takes_actor(method)
        and (calls & WRITES or not method.name.startswith(READS))  # what reads takes the actor too, for what they see
        and not (calls & {"config_write", "record_change"} and "Change" in calls)
    ]

    assert unnamed == []
