"""The `omg` command from the shell, against a running gateway and against its files (contract section 2)."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import AddUpstream
from tests.e2e.processes import OMG, Gateway, Simulator, clean_environment
from tests.waiting import wait_until

pytestmark = pytest.mark.process


def omg(folder: Path, *arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(
        [sys.executable, *OMG, *arguments],
        cwd=folder,
        env=clean_environment(folder) | variables,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def admin_of(gateway: Gateway) -> dict[str, str]:
    return {"OMG_URL": gateway.url, "OMG_ADMIN_TOKEN": gateway.admin_token}


def test_a_key_made_in_the_shell_works_until_it_is_revoked(gateway: Gateway, tmp_path: Path) -> None:
    made = omg(tmp_path, "keys", "create", "--name", "shell", "--json", **admin_of(gateway))
    assert made.returncode == 0, made.stderr
    key = json.loads(made.stdout)
    headers = {"authorization": f"Bearer {key['secret']}"}
    assert gateway.http.get("/v1/models", headers=headers).status_code == 200

    listed = omg(tmp_path, "keys", "list", "--json", **admin_of(gateway))
    revoked = omg(tmp_path, "keys", "revoke", key["id"], **admin_of(gateway))

    assert key["id"] in listed.stdout
    assert key["secret"] not in listed.stdout
    assert revoked.returncode == 0, revoked.stderr
    assert gateway.http.get("/v1/models", headers=headers).status_code == 401


def test_a_provider_added_in_the_shell_serves_and_can_be_removed(
    gateway: Gateway, simulator: Simulator, tmp_path: Path
) -> None:
    add = ("providers", "add", "shelly", "--base-url", simulator.base_url("shelly"), "--key-stdin")
    added = omg(tmp_path, *add, stdin="up-shelly-0123456789\n", **admin_of(gateway))
    assert added.returncode == 0, added.stderr

    ask = {"model": "shelly/m", "messages": [{"role": "user", "content": "hi"}]}
    assert gateway.http.post("/v1/chat/completions", json=ask).status_code == 200
    listed = omg(tmp_path, "providers", "list", "--json", **admin_of(gateway))
    removed = omg(tmp_path, "providers", "remove", "shelly", **admin_of(gateway))

    rows = {row["id"]: row for row in map(json.loads, listed.stdout.splitlines())}
    assert rows["shelly"]["status"] == "available"
    assert dict(simulator.calls("shelly")[-1]["headers"])["authorization"] == "Bearer up-shelly-0123456789"
    assert removed.returncode == 0, removed.stderr
    assert gateway.http.post("/v1/chat/completions", json=ask).status_code == 404


def test_a_limited_provider_is_brought_back_from_the_shell(
    gateway: Gateway, add_upstream: AddUpstream, tmp_path: Path
) -> None:
    name = add_upstream(behaviours={"m": ["sim-429-retry-60s", "sim-echo"]})
    ask = {"model": f"{name}/m", "messages": [{"role": "user", "content": "hi"}]}
    assert gateway.http.post("/v1/chat/completions", json=ask).status_code == 429

    retried = omg(tmp_path, "providers", "retry", name, **admin_of(gateway))

    assert retried.returncode == 0, retried.stderr
    assert gateway.http.post("/v1/chat/completions", json=ask).status_code == 200


def test_models_are_listed_from_the_shell(gateway: Gateway, add_upstream: AddUpstream, tmp_path: Path) -> None:
    name = add_upstream(settings={"models": ["shell-model"]})

    listed = omg(tmp_path, "models", "list", OMG_URL=gateway.url, OMG_ADMIN_TOKEN=gateway.admin_token)

    assert listed.returncode == 0, listed.stderr
    assert name in listed.stdout
    assert "shell-model" in listed.stdout


def test_a_backup_taken_while_serving_is_a_whole_database(gateway: Gateway, tmp_path: Path) -> None:
    backup = tmp_path / "copy.db"

    done = omg(tmp_path, "db", "backup", str(backup), OMG_DATA_DIR=str(gateway.data))
    checked = omg(tmp_path, "db", "check", OMG_DATA_DIR=str(gateway.data))

    assert done.returncode == 0, done.stderr
    assert checked.returncode == 0, checked.stderr
    with sqlite3.connect(backup) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_the_doctor_says_a_line_for_each_thing_it_looked_at(gateway: Gateway, tmp_path: Path) -> None:
    done = omg(tmp_path, "doctor", OMG_DATA_DIR=str(gateway.data))

    assert done.returncode in {0, 1}, done.stderr
    assert "Traceback" not in done.stderr
    for word in ("settings", "database", "migrations", "clock"):
        assert word in done.stdout.lower()


def test_the_openapi_document_is_printed(tmp_path: Path) -> None:
    done = omg(tmp_path, "openapi")

    assert done.returncode == 0, done.stderr
    paths = json.loads(done.stdout)["paths"]
    assert {"/v1/chat/completions", "/v1/models", "/admin/providers", "/health/ready"} <= paths.keys()


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"OMG_PORT": "eighty"}, "OMG_PORT"),
        ({"OMG_ADMIN_TOKEN": "short"}, "OMG_ADMIN_TOKEN"),
        ({"OMG_AUTH": "open", "OMG_HOST": "0.0.0.0"}, "OMG_AUTH"),
        ({"OMG_WORKERS": "2"}, "OMG_DATABASE_URL"),
        ({"OMG_MASTER_KEYS": "k1:AAAA"}, "OMG_MASTER_KEYS"),
    ],
)
def test_wrong_settings_end_the_start_with_one_line_that_names_them(
    tmp_path: Path, variables: dict[str, str], named: str
) -> None:
    done = omg(tmp_path, "serve", **variables)

    assert done.returncode == 2
    assert named in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2  # a warning may come before
    assert "Traceback" not in done.stderr


def test_a_database_that_does_not_answer_at_the_start_is_one_line_that_names_its_setting(tmp_path: Path) -> None:
    done = omg(tmp_path, "serve", OMG_PORT="0", OMG_DATABASE_URL="postgres://u:hunter2@127.0.0.1:1/d?sslmode=require")

    assert done.returncode == 1
    assert "(OMG_DATABASE_URL, environment)" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr


def test_the_effective_settings_are_shown_with_their_sources_and_no_secret(gateway: Gateway, tmp_path: Path) -> None:
    done = omg(tmp_path, "config", "show", OMG_ADMIN_TOKEN=gateway.admin_token, OMG_PORT="9999")

    assert done.returncode == 0, done.stderr
    assert "9999" in done.stdout
    assert "environment" in done.stdout
    assert gateway.admin_token not in done.stdout


def test_usage_is_shown_by_group_with_the_total_and_the_ledger_adds_up(
    gateway: Gateway, simulator: Simulator, tmp_path: Path
) -> None:
    omg(tmp_path, "providers", "add", "tally", "--base-url", simulator.base_url("tally"), "--key-stdin",
        stdin="up-tally-0123456789\n", **admin_of(gateway))  # fmt: skip
    ask = {"model": "tally/m", "messages": [{"role": "user", "content": "three words here"}]}
    for _ in range(3):
        assert gateway.http.post("/v1/chat/completions", json=ask).status_code == 200

    show = ("usage", "--by", "day,model", "--provider", "tally", "--json")
    rows: list[dict[str, object]] = []

    def all_are_booked() -> bool:
        shown = omg(tmp_path, *show, **admin_of(gateway))
        assert shown.returncode == 0, shown.stderr
        rows[:] = [json.loads(line) for line in shown.stdout.splitlines()]
        return [row.get("requests") for row in rows] == [3, 3]

    wait_until(all_are_booked)
    table = omg(tmp_path, "usage", "--provider", "tally", **admin_of(gateway))
    verified = omg(tmp_path, "ledger", "verify", OMG_DATA_DIR=str(gateway.data))

    assert [(row["model"], row["requests"]) for row in rows] == [("m", 3), ("", 3)]
    assert "total" in table.stdout
    assert (verified.returncode, "adds up" in verified.stdout) == (0, True), verified.stdout + verified.stderr


def test_a_question_about_usage_that_makes_no_sense_is_answered_in_words(gateway: Gateway, tmp_path: Path) -> None:
    asked = omg(tmp_path, "usage", "--timezone", "Europe/Oslu", **admin_of(gateway))

    assert asked.returncode == 1
    assert "Europe/Oslo" in asked.stderr


def test_a_document_goes_to_a_running_gateway_and_comes_back_without_a_difference(
    gateway: Gateway, tmp_path: Path
) -> None:
    """`omg config --url`: the same exit codes as on a database, the secrets of the shell."""
    document = tmp_path / "gateway.yaml"
    secret = "shell-key-0123456789-0123456789-01"
    document.write_text("tenants: [{name: Sent}]\nkeys: [{name: ci, tenant: Sent, secret: 'env:CI_KEY'}]\n")
    there = {"OMG_ADMIN_TOKEN": gateway.admin_token, "CI_KEY": secret}

    def config(*arguments: str) -> subprocess.CompletedProcess[str]:
        return omg(tmp_path, "config", *arguments, "--url", gateway.url, **there)

    planned, made = config("plan", str(document)), config("apply", str(document))
    again, exported = config("plan", str(document)), config("export")

    assert [each.returncode for each in (planned, made, again, exported)] == [3, 0, 0, 0], planned.stderr + made.stderr
    assert again.stdout.splitlines()[-1] == "no changes"
    assert "name: Sent" in exported.stdout
    assert secret not in planned.stdout + made.stdout + exported.stdout
    assert gateway.http.get("/v1/models", headers={"authorization": f"Bearer {secret}"}).status_code == 200
