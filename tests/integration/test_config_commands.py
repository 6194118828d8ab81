"""`omg config plan`, `apply` and `export` on a database, with the settings of the shell."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from domain.keys import VIRTUAL_KEY_PREFIX, generate_key
from entrypoints.cli.config import command
from entrypoints.settings.model import SettingsError

CI_KEY = generate_key(VIRTUAL_KEY_PREFIX).reveal()
DOCUMENT = """
providers:
  - id: own
    base_url: http://127.0.0.1:9/v1
    keys: [{label: main, secret: "file:upstream.txt"}]
tenants: [{name: Research, limits: {rpm: 5}}]
users: [{email: ann@example.org}]
members: [{tenant: Research, email: ann@example.org}]
keys: [{name: ci, tenant: Research, secret: "env:CI_KEY"}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMG_ADMIN_TOKEN", "")
    monkeypatch.setenv("CI_KEY", CI_KEY)
    (tmp_path / "upstream.txt").write_text("up-0123456789\n", encoding="utf-8")
    (tmp_path / "gateway.yaml").write_text(DOCUMENT, encoding="utf-8")
    return tmp_path


def config(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def test_a_file_is_planned_applied_exported_and_then_no_change(folder: Path) -> None:
    first = config("plan", "gateway.yaml")
    assert (first.exit_code, first.stdout.splitlines()[-1]) == (3, "6 to create"), first.output
    assert "shown once" in first.stderr  # it is a new database

    applied = config("apply", "gateway.yaml")
    assert applied.exit_code == 0, applied.output
    assert [line.split()[0] for line in applied.stdout.splitlines()] == ["+"] * 6

    again = config("apply", "gateway.yaml")
    exported = config("export")
    (folder / "exported.yaml").write_text(exported.stdout, encoding="utf-8")
    planned = config("plan", "exported.yaml", "--prune")
    assert again.stdout == "no changes\n"
    assert (planned.exit_code, planned.stdout) == (0, "no changes\n")
    assert CI_KEY not in exported.output + applied.output + first.output
    assert "up-0123456789" not in exported.output + applied.output


def test_a_drift_is_named_and_a_wrong_file_changes_nothing(folder: Path) -> None:
    assert config("apply", "gateway.yaml").exit_code == 0
    document = yaml.safe_load(DOCUMENT)
    document["tenants"][0]["limits"]["rpm"] = 6
    (folder / "drift.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    document["keys"][0]["secret"] = "env:NOT_SET"
    (folder / "wrong.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")

    drift, wrong = config("plan", "drift.yaml", "--json"), config("apply", "wrong.yaml")

    steps = [json.loads(line) for line in drift.stdout.splitlines()]
    changed = [(step["key"], step["changes"][0]["field"]) for step in steps if step["action"] == "update"]
    assert (drift.exit_code, changed) == (3, [("Research", "limits")])
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert "NOT_SET" in wrong.stderr
    assert config("plan", "drift.yaml").exit_code == 3


def test_a_file_that_is_no_document_is_one_line(folder: Path) -> None:
    (folder / "list.yaml").write_text("- a\n- b\n", encoding="utf-8")
    (folder / "other.yaml").write_text("tennants: []\n", encoding="utf-8")

    assert isinstance(config("plan", "list.yaml").exception, SettingsError)
    refused = config("plan", "other.yaml")
    assert refused.exit_code == 1
    assert "tennants" in refused.stderr
