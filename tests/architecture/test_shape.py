"""Sizes, names and docstrings: the limits of docs/conventions.md, with teeth."""

import ast
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.architecture.tree import CODE, LAYERS, name_of, python_files, tree

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "manager", "common", "base", "misc"}
OPAQUE_FREE = ("domain", "application")


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files(*CODE)}

    assert {name: lines for name, lines in lengths.items() if lines > MAX_FILE_LINES} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    long_ones = [
        f"{name_of(path)}:{function.lineno} {function.name} has {length} lines"
        for path in python_files(*CODE)
        for function in _functions(path)
        if (length := (function.end_lineno or 0) - function.lineno + 1) > MAX_FUNCTION_LINES
    ]

    assert long_ones == []


def test_no_module_or_package_has_a_name_that_says_nothing() -> None:
    vague = [name for p in python_files(*CODE) if VAGUE_NAMES & {p.stem, *(name := name_of(p)).split("/")}]

    assert vague == []


def test_every_module_opens_by_saying_what_it_is_for() -> None:
    silent = [
        name_of(path)
        for path in python_files(*CODE)
        if path.read_text(encoding="utf-8").strip() and not ast.get_docstring(tree(path))
    ]

    assert silent == []


def test_test_functions_are_not_grouped_in_classes() -> None:
    classes = [
        f"{name_of(path)}: {node.name}"
        for path in python_files("tests")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test")
    ]

    assert classes == []


def test_opaque_types_stay_out_of_the_core() -> None:
    """`Any` in domain or application would let an adapter's shape leak in unseen."""
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in python_files("src")
        if name_of(path).split("/")[1] in OPAQUE_FREE
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom)
        and node.module in {"typing", "typing_extensions"}
        and any(alias.name == "Any" for alias in node.names)
    ]

    assert found == []


def test_annotations_are_real_at_run_time() -> None:
    """Litestar, Dishka and msgspec read annotations when the program runs."""
    found = [
        name_of(path)
        for path in python_files(*CODE)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom)
        and (node.module == "__future__" or any(alias.name == "TYPE_CHECKING" for alias in node.names))
    ]

    assert found == []


@pytest.mark.parametrize("package", LAYERS)
def test_no_other_distribution_claims_our_top_level_names(package: str) -> None:
    """An installed `entrypoints` of somebody else would shadow ours, or ours theirs."""
    assert set(packages_distributions().get(package, [])) <= {"open-model-gateway"}
