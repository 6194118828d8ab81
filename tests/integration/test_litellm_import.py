"""`omg import litellm` on a database that LiteLLM's own migrations made."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from entrypoints.app import create_app
from entrypoints.cli.importing import command
from entrypoints.settings.loading import load_settings
from tests.apart import run_apart
from tests.contracts.persistence.postgres import PostgresServer
from tests.integration.litellm_database import KEYS, SALT, make_litellm_database, sha256

ADMIN_TOKEN = "omg-admin-0aZ9bY8cX7dW6eV5fU4gT3hS2iR1jQ0k"


def omg(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    url = postgres.new_database()
    run_apart(make_litellm_database(url))
    return url


@pytest.fixture(scope="module")
def runs(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[Result], list[bytes]]]:
    """A plan, the import, and the import again; with the digest of all objects after each."""
    folder = tmp_path_factory.mktemp("import")
    before, home = dict(os.environ), Path.cwd()
    os.environ |= {"OMG_DATA_DIR": str(folder / "data"), "LITELLM_SALT_KEY": SALT, "OMG_ADMIN_TOKEN": ADMIN_TOKEN}
    os.chdir(folder)
    try:
        results, states = [], []
        for more in ((), ("--apply",), ("--apply",)):
            results.append(omg("litellm", "--database-url", database, *more))
            states.append(_objects(folder / "data" / "omg.db"))
        yield folder, results, states
    finally:
        os.chdir(home)
        os.environ.clear()
        os.environ |= before


def _objects(path: Path) -> bytes:
    with sqlite3.connect(path) as connection:
        tables = (
            "tenants",
            "users",
            "memberships",
            "virtual_keys",
            "providers",
            "provider_keys",
            "prices",
            "audit_log",
        )
        there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        found = [connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables if table in there]
    connection.close()
    return repr(found).encode()


def test_the_plan_changes_nothing_and_the_second_import_neither(
    runs: tuple[Path, list[Result], list[bytes]],
) -> None:
    _, (plan, first, second), (empty, filled, again) = runs

    assert [result.exit_code for result in (plan, first, second)] == [0, 0, 0], first.output
    assert "29 to create" in plan.stdout
    assert "Nothing was changed" in plan.stdout
    assert b"ann@example.org" not in empty
    assert b"ann@example.org" in filled
    assert second.stdout.startswith("no changes\n")
    assert again == filled


def test_what_is_not_carried_is_listed_and_no_secret_is_shown(runs: tuple[Path, list[Result], list[bytes]]) -> None:
    _, (plan, first, _), _ = runs

    for said in (
        "key blocked", "key managing", "organization Acme", "project Search", "budget of team ML for 1h", "u-noemail",
        "blocked customers: customer-7", "key of provider openai", "alias hid", "auto_rotate",
    ):  # fmt: skip
        assert said in plan.stdout, said
    for secret in (*KEYS.values(), "sk-ant-real-0123", "azure-secret-0123", "gsk-real-0123", SALT):
        assert secret not in plan.output + first.output


async def test_the_keys_of_its_clients_work_here_and_what_was_stored_of_them_does_not(
    runs: tuple[Path, list[Result], list[bytes]],
) -> None:
    folder, _, _ = runs
    settings = load_settings(environ=dict(os.environ), folder=folder)

    async with create_app(settings).running() as app:
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # ASGI
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:

            async def status(token: str) -> int:
                return (await client.get("/v1/models", headers={"authorization": f"Bearer {token}"})).status_code

            with_keys = {name: await status(key) for name, key in KEYS.items()}
            with_digests = [
                await status(shown) for key in KEYS.values() for shown in (sha256(key), "sk-" + sha256(key))
            ]
            admin = {"authorization": f"Bearer {ADMIN_TOKEN}"}
            tenants = (await client.get("/admin/tenants", headers=admin)).json()["data"]
            keys = (await client.get("/admin/keys", headers=admin)).json()["data"]
            routes = (await client.get("/admin/routes", headers=admin)).json()["data"]
            users = (await client.get("/admin/users", headers=admin)).json()["data"]

    assert {name for name, found in with_keys.items() if found == 200} == {"ci", "ann", "wild", "free"}
    assert set(with_digests) == {401}
    team = next(tenant for tenant in tenants if tenant["external_id"] == "team-1")
    assert (team["name"], team["limits"]["rpm"], team["tags"]) == ("ML", 600, ["ml"])
    assert [budget["limit_usd"] for budget in team["budgets"]] == ["300", "90", "50"]
    assert next(tenant for tenant in tenants if tenant["external_id"] == "team-2")["status"] == "suspended"
    assert {key["name"] for key in keys} >= {"key ci", "key ann", "key wild", "key free", "key old"}
    assert {route["alias"] for route in routes} == {"smart", "fast", "gpt-mini", "hid", "gpt-alias", "gpt-of-ann"}
    assert {user["email"]: user["platform_role"] for user in users if user["email"]} == {
        "ann@example.org": "none",
        "bob@example.org": "none",
        "root@example.org": "admin",
        "aud@example.org": "auditor",
    }


def test_a_key_that_was_used_is_left_alone_by_another_import(
    runs: tuple[Path, list[Result], list[bytes]], database: str
) -> None:
    assert omg("litellm", "--database-url", database, "--apply").stdout.startswith("no changes\n")


def test_what_is_no_database_of_litellm_is_one_line(
    runs: tuple[Path, list[Result], list[bytes]], postgres: PostgresServer
) -> None:
    for url in (postgres.new_database(), "mysql://host/db", "postgresql://127.0.0.1:1/litellm"):
        refused = omg("litellm", "--database-url", url)
        assert refused.exception is not None
        assert "database" in str(refused.exception)
        assert "\n" not in str(refused.exception)
