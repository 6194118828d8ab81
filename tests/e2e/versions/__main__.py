"""Runs an older version while its database is migrated by this one, and again on the migrated one (R-31).

On SQLite and on Postgres: `python -m tests.e2e.versions FOLDER`, where FOLDER holds the older version's `src`. What is
asked of it is small: chat, a stream, keys, limits, usage, and objects that are listed and changed. At the end this
version reads what it wrote. Exits with 1 and says what differs where it does not hold.
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx

from adapters.persistence import schema
from tests.contracts.persistence.postgres import PostgresServer
from tests.e2e.processes import OMG, Gateway, clean_environment
from tests.waiting import wait_until

LISTS = ("providers", "keys", "tenants", "users", "models", "routes", "budgets", "limits", "alerts/rules", "requests")


def main() -> int:
    older = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        postgres = PostgresServer(folder)
        try:
            try_on(older, folder / "sqlite", f"sqlite+aiosqlite:///{folder}/sqlite/older.db")
            try_on(older, folder / "postgres", postgres.new_database())
        finally:
            postgres.close()
    return 0


def try_on(older: Path, folder: Path, database_url: str) -> None:
    source = older / "src"
    settings = {"OMG_DATABASE_URL": database_url, "PYTHONPATH": str(source)}
    with Gateway(folder, "--demo", **settings) as gateway:
        expect("the older version's code runs", str(source) in where_from(folder, str(source)), True)
        gateway.add_provider("stored", "http://127.0.0.1:9/v1")
        before = asyncio.run(schema.check(database_url))
        said = f"{database_url.partition(':')[0]}, schema {before.current} -> {before.head}"
        sys.stdout.write(f"{said}: before, ")
        use(gateway)
        asyncio.run(schema.upgrade(database_url))
        sys.stdout.write("while it runs, ")
        use(gateway)
        if (source / "adapters/persistence/schema_history.py").exists() or before.up_to_date:
            gateway.restart()
            sys.stdout.write("after a restart, ")
            use(gateway)
        else:
            sys.stdout.write("(no restart: it knows nothing of newer schemas) ")
        gateway.stop()
        verified = omg(folder, gateway.environment | {"PYTHONPATH": ""}, "ledger", "verify")
        expect(f"this version finds its books in order: {verified.stdout}{verified.stderr}", verified.returncode, 0)
    sys.stdout.write("and its books read by this one: all well\n")


def use(gateway: Gateway) -> None:
    """What clients and admins do."""
    asked = {"model": "demo-a/sim-words-3", "messages": [{"role": "user", "content": "hi"}]}
    records = requests_of(gateway)
    chat = gateway.http.post("/v1/chat/completions", json=asked)
    expect("a chat is answered", chat.status_code, 200)
    stream = gateway.http.post("/v1/chat/completions", json=asked | {"stream": True})
    expect("a stream ends", stream.text.rstrip().endswith("data: [DONE]"), True)

    made = gateway.admin.post("/keys", json={"name": "limited", "limits": {"rpm": 1}}).json()
    key = {"authorization": f"Bearer {made['secret']}"}
    statuses = [gateway.http.post("/v1/chat/completions", json=asked, headers=key).status_code for _ in range(2)]
    expect("a limit holds", statuses, [200, 429])
    raised = gateway.admin.patch(f"/keys/{made['id']}", json={"limits": {"rpm": 9}, "tags": ["older"]})
    expect("a key is changed", (raised.status_code, raised.json()["limits"]["rpm"]), (200, 9))
    expect("a key is revoked", gateway.admin.post(f"/keys/{made['id']}/revoke").status_code, 200)
    expect("and refused", gateway.http.get("/v1/models", headers=key).status_code, 401)
    expect("a provider is changed", gateway.admin.patch("/providers/stored", json={"name": "older"}).status_code, 200)
    for name in LISTS:
        expect(f"{name} are listed", gateway.admin.get(f"/{name}").status_code, 200)

    wait_until(lambda: requests_of(gateway) >= records + 3, every_seconds=0.1)


def requests_of(gateway: Gateway) -> int:
    """Answered ones, by the sums."""
    total: dict[str, Any] = gateway.admin.get("/usage", params={"group_by": "day"}).json()
    return sum(int(row["requests"]) for row in total["data"])


def where_from(folder: Path, source: str) -> str:
    program = "import entrypoints; print(entrypoints.__file__)"
    command = [sys.executable, "-c", program]
    environment = clean_environment(folder) | {"PYTHONPATH": source}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def omg(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *OMG, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def expect(what: str, found: object, wanted: object) -> None:
    """Raises `SystemExit` where it is otherwise."""
    if found != wanted:
        raise SystemExit(f"\n{what}: expected {wanted}, found {found}")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except httpx.HTTPError as error:
        raise SystemExit(f"\nthe older version gave no answer: {error!r}") from error
