"""The import contracts of pyproject.toml are kept."""

import subprocess
import sys

from tests.architecture.tree import ROOT


def test_import_contracts_are_kept() -> None:
    result = subprocess.run(
        [sys.executable, "-c", "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"],
        cwd=ROOT, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip

    assert result.returncode == 0, result.stdout + result.stderr
