"""When the pages are built, when not, and what a failure leaves behind."""

import json
import platform
import shutil
import sys
from pathlib import Path

import pytest

from entrypoints.web import building

LOCK = Path(building.FRONT) / "package-lock.json"


def a_front(folder: Path) -> Path:
    front = folder / "front"
    (front / "src").mkdir(parents=True)
    (front / "src" / "main.ts").write_text("export {};\n", encoding="utf-8")
    (front / "package-lock.json").write_text("{}\n", encoding="utf-8")
    return front


def test_the_digest_follows_names_and_contents_but_not_what_npm_installed(tmp_path: Path) -> None:
    front = a_front(tmp_path)
    first = building.digest(front)

    (front / "node_modules").mkdir()
    (front / "node_modules" / "x.js").write_text("x", encoding="utf-8")
    assert building.digest(front) == first

    (front / "src" / "main.ts").write_text("export const a = 1;\n", encoding="utf-8")
    second = building.digest(front)
    (front / "src" / "main.ts").rename(front / "src" / "other.ts")

    assert len({first, second, building.digest(front)}) == 3


def test_an_installed_wheel_has_no_sources_and_builds_nothing(tmp_path: Path) -> None:
    assert building.build(tmp_path / "none", tmp_path / "static") == ""
    assert not (tmp_path / "static").exists()


def test_the_same_sources_are_not_built_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    front, static = a_front(tmp_path), tmp_path / "static"
    static.mkdir()
    (static / "build.json").write_text(json.dumps({"digest": building.digest(front)}), encoding="utf-8")
    monkeypatch.setattr(shutil, "which", lambda _: pytest.fail("nothing has to be found"))

    assert building.build(front, static) == building.digest(front)


def test_without_node_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "node_command", lambda: None)

    with pytest.raises(building.PagesNotBuilt, match=r"no Node \(20.19 or newer\)"):
        building.build(a_front(tmp_path), tmp_path / "static")


@pytest.mark.slow
def test_a_build_that_fails_leaves_the_old_pages_and_tells_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    front, static = a_front(tmp_path), tmp_path / "static"
    static.mkdir()
    (static / "chat.html").write_text("old", encoding="utf-8")
    (static / "build.json").write_text('{"digest": "old"}', encoding="utf-8")
    fails = tmp_path / "npm"
    fails.write_text("#!/bin/sh\necho 'no registry at https://registry.example/' >&2\nexit 1\n", encoding="utf-8")
    fails.chmod(0o755)
    monkeypatch.setattr(building, "node_command", lambda: (str(fails), [str(fails)]))

    with pytest.raises(building.PagesNotBuilt, match="npm ci --omit=dev: no registry at") as failure:
        building.build(front, static)
    building.note_failure(str(failure.value), static)

    assert "example" not in str(failure.value)
    assert (static / "chat.html").read_text(encoding="utf-8") == "old"
    assert building.state(static)["digest"] == "old"
    assert "no registry" in building.state(static)["reason"]


@pytest.mark.parametrize(
    ("system", "machine", "libc", "brings"),
    [
        ("linux", "x86_64", ("glibc", "2.36"), True),
        ("linux", "aarch64", ("glibc", "2.28"), True),
        ("linux", "x86_64", ("glibc", "2.27"), False),
        ("linux", "riscv64", ("glibc", "2.36"), False),
        ("freebsd14", "amd64", ("", ""), False),
        ("win32", "AMD64", ("", ""), True),
    ],
)
def test_node_is_asked_for_as_a_wheel_only_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, libc: tuple[str, str], brings: bool
) -> None:
    """Elsewhere its source distribution would begin to compile Node."""
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(platform, "libc_ver", lambda: libc)

    assert (building.node_wheel() is not None) is brings


def test_npms_lock_names_no_address_and_pins_every_package() -> None:
    packages = json.loads(LOCK.read_text(encoding="utf-8"))["packages"]

    assert "://" not in LOCK.read_text(encoding="utf-8")
    assert [name for name, fields in packages.items() if name and "integrity" not in fields] == []


def test_packages_are_named_by_exact_versions() -> None:
    wanted = json.loads((building.FRONT / "package.json").read_text(encoding="utf-8"))
    versions = [*wanted["dependencies"].values(), *wanted["devDependencies"].values()]

    assert [one for one in versions if not one.replace(".", "").isdigit()] == []
