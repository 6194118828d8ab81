"""The project's own files, for the tests that read them as text."""

import ast
import gc
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("domain", "application", "adapters", "entrypoints")
CODE = ("src", "tests", "bench")
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
"""The fields of a node that hold statements, or what holds them."""


@cache
def files() -> tuple[Path, ...]:
    """Everything that is or would be committed; without git (an unpacked archive), the known folders."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, check=True, capture_output=True, text=True,
        ).stdout.split("\0")  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        folders = (*CODE, "docs", "deploy", ".ci")
        return tuple(path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file())
    return tuple(path for name in listed if name and (path := ROOT / name).is_file())


def python_files(*folders: str) -> tuple[Path, ...]:
    """The Python files under these top-level folders."""
    return tuple(f for f in files() if f.suffix == ".py" and f.relative_to(ROOT).parts[0] in folders)


def texts(*suffixes: str) -> Iterator[tuple[Path, str]]:
    """Every file that is text, with what it says; all suffixes where none is named."""
    for path in files():
        if suffixes and path.suffix not in suffixes:
            continue
        text = text_of(path)
        if text is not None:
            yield path, text


@cache
def text_of(path: Path) -> str | None:
    """What the file says, read once for all tests; None where it is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def lines_with(pattern: str, text: str) -> Iterator[tuple[int, str]]:
    """Number and content of each line in which the pattern is found. Most files have none: those cost one search."""
    if not re.search(pattern, text, re.MULTILINE):
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if re.search(pattern, line):
            yield number, line


@cache
def tree(path: Path) -> ast.Module:
    """The file's syntax tree, parsed once for all tests.

    With the garbage collector at rest: a tree is all new objects and no garbage, and collecting doubles the cost.
    """
    gc.disable()
    try:
        return ast.parse(text_of(path) or "", filename=str(path))
    finally:
        gc.enable()


@cache
def statements(path: Path) -> tuple[ast.stmt, ...]:
    """Every statement of the file at any depth: all definitions and imports, without the walk through expressions."""
    found: list[ast.stmt] = []
    waiting: list[ast.AST] = [tree(path)]
    while waiting:
        node = waiting.pop()
        for block in BLOCKS:
            for inner in getattr(node, block, ()):
                waiting.append(inner)
                if isinstance(inner, ast.stmt):
                    found.append(inner)
    return tuple(found)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of the file, nested ones too."""
    return (node for node in statements(path) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def name_of(path: Path) -> str:
    """The path as a reader would say it: from the project's folder, with slashes."""
    return path.relative_to(ROOT).as_posix()
