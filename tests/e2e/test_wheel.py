"""The built wheel, installed in an environment of its own, away from the source tree."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UV = os.environ.get("UV") or shutil.which("uv")

pytestmark = [pytest.mark.process, pytest.mark.skipif(UV is None, reason="needs uv")]


def _run(*command: str | Path, cwd: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if k not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without the network, by the backend of the development environment."""
    folder = tmp_path_factory.mktemp("dist")
    _run(UV or "", "build", "--wheel", "--offline", "--no-build-isolation", "--python", sys.executable,
         "--out-dir", folder, ROOT, cwd=folder)  # fmt: skip
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; it borrows the dependencies, so that nothing is fetched."""
    folder = tmp_path_factory.mktemp("environment")
    _run(UV or "", "venv", "--offline", "--python", sys.executable, folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    _run(UV or "", "pip", "install", "--offline", "--no-deps", "--python", python, wheel, cwd=folder)
    packages = Path(_run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder


def test_the_wheel_holds_the_four_layers_their_types_and_the_migrations_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {
        "domain", "application", "adapters", "entrypoints",
    }  # fmt: skip
    assert {f"{layer}/py.typed" for layer in ("domain", "application", "adapters", "entrypoints")} <= set(names)
    assert any(name.startswith("adapters/persistence/migrations/versions/") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_installed_command_runs_away_from_the_source_tree(installed: Path) -> None:
    where = _run(installed / "venv/bin/python", "-c", "import domain; print(domain.__file__)", cwd=installed)
    usage = _run(installed / "venv/bin/omg", "--help", cwd=installed)

    assert Path(where).is_relative_to(installed)
    assert "serve" in usage


def test_the_installed_command_lays_out_a_database_from_its_own_migrations(installed: Path, tmp_path: Path) -> None:
    _run("/usr/bin/env", f"OMG_DATA_DIR={tmp_path / 'data'}", installed / "venv/bin/omg", "db", "upgrade", cwd=tmp_path)

    assert (tmp_path / "data" / "omg.db").is_file()
