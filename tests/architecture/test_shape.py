"""Sizes, names and docstrings: the limits of docs/conventions.md, with teeth."""

import ast
import re
from collections.abc import Mapping
from importlib.metadata import packages_distributions

import pytest

from tests.architecture.tree import CODE, LAYERS, functions, name_of, python_files, statements, text_of, texts, tree

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "manager", "common", "base", "misc"}
OPAQUE_FREE = ("domain", "application")


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {name_of(path): len((text_of(path) or "").splitlines()) for path in python_files(*CODE)}

    assert {name: lines for name, lines in lengths.items() if lines > MAX_FILE_LINES} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    long_ones = [
        f"{name_of(path)}:{function.lineno} {function.name} has {length} lines"
        for path in python_files(*CODE)
        for function in functions(path)
        if (length := (function.end_lineno or 0) - function.lineno + 1) > MAX_FUNCTION_LINES
    ]

    assert long_ones == []


def test_the_pages_sources_keep_the_same_limits() -> None:
    """A function of TypeScript is told by how it is set: from its first line to the brace below that."""
    opens = re.compile(r"(?P<indent> *)(?:export )?(?:default )?(?:async )?(?:function\b|const \w+ = .*=> [{(]$)")
    long_ones = []
    for path, text in texts(".ts", ".tsx", ".css"):
        lines = text.splitlines()
        if len(lines) > MAX_FILE_LINES:
            long_ones.append(f"{name_of(path)} has {len(lines)} lines")
        for number, line in enumerate(lines):
            if path.suffix != ".css" and (found := opens.match(line)):
                end = next((n for n in range(number, len(lines)) if lines[n].startswith(found["indent"] + "}")), number)
                if end - number + 1 > MAX_FUNCTION_LINES:
                    long_ones.append(f"{name_of(path)}:{number + 1} has {end - number + 1} lines")

    assert long_ones == []


def test_no_module_or_package_has_a_name_that_says_nothing() -> None:
    vague = [name for p in python_files(*CODE) if VAGUE_NAMES & {p.stem, *(name := name_of(p)).split("/")}]

    assert vague == []


def test_every_module_opens_by_saying_what_it_is_for() -> None:
    silent = [
        name_of(path)
        for path in python_files(*CODE)
        if (text_of(path) or "").strip() and not ast.get_docstring(tree(path))
    ]

    assert silent == []


def test_test_functions_are_not_grouped_in_classes() -> None:
    classes = [
        f"{name_of(path)}: {node.name}"
        for path in python_files("tests")
        for node in statements(path)
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test")
    ]

    assert classes == []


def test_opaque_types_stay_out_of_the_core() -> None:
    """`Any` in domain or application would let an adapter's shape leak in unseen."""
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in python_files("src")
        if name_of(path).split("/")[1] in OPAQUE_FREE
        for node in statements(path)
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
        for node in statements(path)
        if isinstance(node, ast.ImportFrom)
        and (node.module == "__future__" or any(alias.name == "TYPE_CHECKING" for alias in node.names))
    ]

    assert found == []


@pytest.fixture(scope="module")
def installed() -> Mapping[str, list[str]]:
    """The distributions that bring each top-level name."""
    return packages_distributions()


@pytest.mark.parametrize("package", LAYERS)
def test_no_other_distribution_claims_our_top_level_names(package: str, installed: Mapping[str, list[str]]) -> None:
    """An installed `entrypoints` of somebody else would shadow ours, or ours theirs."""
    assert set(installed.get(package, [])) <= {"open-model-gateway"}
