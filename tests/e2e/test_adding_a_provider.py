"""Who follows docs/adding-a-provider.md, word by word and with its own example, gets a tree that is green."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

GUIDE = ROOT / "docs" / "adding-a-provider.md"
TABLE = Path("src/adapters/providers/openai_compatible/inference_hosts.py")
LEFT_BEHIND = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".hypothesis", ".*_cache", "node_modules", "site")
UV = """#!/bin/sh
# `uv run COMMAND`, without a look at locks and at the network: the environment is there already.
shift
[ "$1" = --quiet ] && shift
exec "$@"
"""
AFTERWARDS = (
    "ruff check -q",
    "ruff format --check -q",
    'python -m pytest -q tests/architecture/test_docs.py tests/unit/application/configuration -k "acme or docs"',
)
"""What else looks at every provider and at every page."""


@pytest.mark.process
@pytest.mark.timeout(600)
def test_following_the_guide_leaves_the_tree_green(tmp_path: Path) -> None:
    tree = tmp_path / "clone"
    shutil.copytree(ROOT, tree, ignore=LEFT_BEHIND)
    before = files_of(tree)
    environment = alone(tree, tmp_path / "bin")

    add_to_table(tree / TABLE, row_of_the_guide())
    for command in (*commands_of_the_guide(), *AFTERWARDS):
        run(command, tree, environment)

    changed = {path for path, content in files_of(tree).items() if before.get(path) != content}
    pages = {"docs/constraints.md", "docs/endpoints.md", "docs/providers.md", "docs/providers/acme.md"}
    assert changed == {TABLE.as_posix(), *pages}
    assert "rocket-1" in (tree / "docs/providers/acme.md").read_text(encoding="utf-8")


def row_of_the_guide() -> str:
    """The guide's first block of Python, and it goes where the guide says."""
    page = GUIDE.read_text(encoding="utf-8")
    assert f"the tuple in `{TABLE.name}`" in page
    return blocks(page, "python")[0]


def commands_of_the_guide() -> list[str]:
    """The lines of its first block of commands."""
    return blocks(GUIDE.read_text(encoding="utf-8"), "sh")[0].splitlines()


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


def add_to_table(table: Path, row: str) -> None:
    """As its last element, with a comma behind it."""
    text = table.read_text(encoding="utf-8").rstrip()
    assert text.endswith("\n)")
    table.write_text(f"{text[:-1]}{textwrap.indent(row.rstrip(), '    ')},\n)\n", encoding="utf-8")


def alone(tree: Path, programs: Path) -> dict[str, str]:
    """The environment of someone who works in `tree`, with the packages that this process has."""
    programs.mkdir()
    (programs / "uv").write_text(UV, encoding="utf-8")
    (programs / "uv").chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "COV_", "PYTEST"))}
    return kept | {
        "PATH": os.pathsep.join((str(programs), str(Path(sys.executable).parent), os.environ["PATH"])),
        "PYTHONPATH": os.pathsep.join((str(tree / "src"), str(tree))),
    }


def run(command: str, tree: Path, environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        ["sh", "-c", command], cwd=tree, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}{done.stderr[-2000:]}"


def files_of(tree: Path) -> dict[str, bytes]:
    """What would be committed."""
    found = (path for part in ("src", "docs", "tests", ".ci") for path in (tree / part).rglob("*"))
    return {
        path.relative_to(tree).as_posix(): path.read_bytes()
        for path in found
        if path.is_file() and "__pycache__" not in path.parts
    }
