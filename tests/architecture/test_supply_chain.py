"""What gets installed is what the lock files say, and little of it (S-33)."""

import re
import site
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-docs.lock", "requirements-build.lock")
MAX_RUNTIME_PACKAGES = (
    58  # the clouds' own signers among them, and Valkey's client: they load when something needs them
)
KNOWN_PTH = {
    "_editable_impl_open_model_gateway.pth",  # this project, editable
    "a1_coverage.pth",  # coverage: measures child processes
    "_virtualenv.pth",  # virtual environments made by virtualenv or uv
    "distutils-precedence.pth",  # setuptools, where the environment has it
}


def _pins(name: str) -> list[Requirement]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [Requirement(line.removesuffix("\\").strip()) for line in lines if line and line[0] not in "# "]


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _declared() -> list[Requirement]:
    return [Requirement(text) for text in _project()["project"]["dependencies"]]


@pytest.mark.parametrize("name", LOCKS)
def test_lock_files_pin_exactly_and_carry_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\S)", text.split("\n", 1)[1].rstrip())

    assert "://" not in text
    assert [b.splitlines()[0] for b in blocks if not re.match(r"\S+==\S+", b) or "--hash=sha256:" not in b] == []


def test_every_declared_dependency_is_in_the_runtime_lock() -> None:
    pinned = {canonicalize_name(pin.name): next(iter(pin.specifier)).version for pin in _pins("requirements.lock")}
    unmet = [
        str(need)
        for need in _declared()
        if not need.specifier.contains(pinned.get(canonicalize_name(need.name), "0"), prereleases=True)
    ]

    assert unmet == [], "run .ci/lock"


def test_the_environment_has_the_versions_of_the_lock() -> None:
    """`constraint-dependencies` make a fresh resolution find the same versions as the lock file."""
    differing = {}
    for pin in _pins("requirements-dev.lock"):
        if pin.marker is None or pin.marker.evaluate():
            try:
                installed = version(pin.name)
            except PackageNotFoundError:
                installed = "missing"
            if installed not in pin.specifier:
                differing[str(pin)] = installed

    assert differing == {}, "run .ci/lock, then `uv sync`"


def test_a_fresh_resolution_is_held_to_a_date() -> None:
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}T00:00:00Z", _project()["tool"]["uv"]["exclude-newer"])


def test_a_fresh_resolution_is_held_to_the_versions_of_the_locks() -> None:
    """A date alone lets in what a registry shows late."""
    held = {str(Requirement(pin)) for pin in _project()["tool"]["uv"]["constraint-dependencies"]}

    assert held == {f"{pin.name}{pin.specifier}" for lock in LOCKS for pin in _pins(lock)}


def test_few_packages_run_in_production() -> None:
    assert len(_pins("requirements.lock")) <= MAX_RUNTIME_PACKAGES


def test_no_unknown_file_runs_at_interpreter_start() -> None:
    """A `.pth` file executes in every Python of the environment: a favourite of poisoned packages."""
    found = {path.name for folder in site.getsitepackages() for path in Path(folder).glob("*.pth")}

    assert found <= KNOWN_PTH
