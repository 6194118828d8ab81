"""A system that lacks what the gateway needs is told in words."""

import sys

import pytest

from entrypoints.cli import main as main_module
from entrypoints.cli.systems import POSIX_MODULES, lacking_module, refuse_other_systems
from entrypoints.settings.model import SettingsError


@pytest.mark.parametrize("module", POSIX_MODULES)
def test_an_import_that_the_system_lacks_is_words(module: str) -> None:
    words = lacking_module(ModuleNotFoundError(f"No module named '{module}'", name=module))

    assert words is not None
    assert module in words
    assert "WSL" in words
    assert "Windows" in words


def test_another_import_that_fails_is_a_fault_of_its_own() -> None:
    assert lacking_module(ModuleNotFoundError("No module named 'nothing'", name="nothing")) is None


def test_without_locks_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with pytest.raises(SettingsError, match="lacks fcntl"):
        refuse_other_systems()


def test_serving_where_it_cannot_ends_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setattr("sys.argv", ["omg", "serve"])
    with pytest.raises(SystemExit) as ended:
        main_module.main()

    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "Windows" in line
