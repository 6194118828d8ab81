"""The project's own files, for the tests that read them as text."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("domain", "application", "adapters", "entrypoints")
CODE = ("src", "tests", "bench")


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
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


@cache
def tree(path: Path) -> ast.Module:
    """The file's syntax tree, parsed once for all tests."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def name_of(path: Path) -> str:
    """The path as a reader would say it: from the project's folder, with slashes."""
    return path.relative_to(ROOT).as_posix()
