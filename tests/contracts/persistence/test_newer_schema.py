"""This version on the schema of a newer one: it goes on where that only added, and says why where not (R-31)."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from adapters.persistence import schema
from adapters.persistence.backup import BackupRefused, backup
from adapters.persistence.engine import build_schema_engine, parse_url
from adapters.persistence.migrations import HEAD, REVISIONS
from adapters.persistence.store import SqlAlchemyStore
from domain.ports.security import SecretBox
from entrypoints.app import create_app
from entrypoints.settings.loading import load_settings
from tests.builders import a_provider
from tests.contracts.persistence.postgres import PostgresServer

NEXT = f"{int(HEAD) + 1:04d}"
HEADER = f"""'Made up.'
import sqlalchemy as sa
from alembic import op
revision, down_revision = "{NEXT}", "{HEAD}"
"""
EXPANDS = """
def upgrade():
    op.add_column("providers", sa.Column("colour", sa.Text, nullable=False, server_default="blue"))
    op.create_table("shades", sa.Column("id", sa.Integer, primary_key=True))

def downgrade():
    op.drop_table("shades")
    op.drop_column("providers", "colour")
"""
CONTRACTS = """
unused_since = {"facts": %r}

def upgrade():
    op.drop_table("facts")

def downgrade():
    op.create_table("facts", sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.Text, nullable=False))
"""


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def own_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated database of these tests alone: they change its schema, and change it back."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("newer") / "omg.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite+aiosqlite:///{path}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_migrated_database()


@asynccontextmanager
async def upgraded_by_a_newer_version(database_url: str, folder: Path, source: str) -> AsyncIterator[None]:
    """The database after a made-up migration beyond our own, as the version that has it leaves it; then taken back."""
    scripts = schema.Scripts(folder / "migrations", (*REVISIONS, NEXT))
    shutil.copytree(schema.OURS.folder, scripts.folder, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts.folder / "versions" / f"{NEXT}_made_up.py").write_text(HEADER + source)
    await schema.migrate(database_url, NEXT, scripts)
    yield
    await schema.migrate(database_url, HEAD, scripts)
    assert (await schema.check(database_url)).up_to_date


async def test_it_runs_on_what_a_newer_version_has_only_added_to(own_url: str, box: SecretBox, tmp_path: Path) -> None:
    async with upgraded_by_a_newer_version(own_url, tmp_path, EXPANDS):
        found = await schema.upgrade(own_url)
        store = SqlAlchemyStore(own_url, box, unit_seconds=20)
        async with store.write() as unit:
            await unit.providers.add(a_provider("written"))
        async with store.read() as unit:
            kept = [provider.id for provider in await unit.providers.list_all()]
        await store.aclose()
        left = (await schema.check(own_url)).current

    assert (found.current, found.is_newer, found.up_to_date) == (NEXT, True, False)
    assert (kept, left) == (["written"], NEXT)


async def test_a_gateway_starts_on_it_serves_and_says_so(
    own_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    environ = {"OMG_DATA_DIR": str(tmp_path / "data"), "OMG_DATABASE_URL": own_url, "OMG_DEMO": "true"}
    asked = {"model": "demo", "messages": [{"role": "user", "content": "hi"}]}
    async with upgraded_by_a_newer_version(own_url, tmp_path, EXPANDS):
        app = create_app(load_settings(environ=environ, folder=tmp_path))
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # ASGI
        async with app.running(), httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            made = app.first_start
            assert made is not None
            assert made.virtual_key is not None
            key = {"authorization": f"Bearer {made.virtual_key.reveal()}"}
            answer = await client.post("/v1/chat/completions", headers=key, json=asked)

    assert answer.status_code == 200
    assert "the database is of a newer version" in caplog.messages


async def test_it_says_what_a_newer_version_took_away_that_it_uses(own_url: str, tmp_path: Path) -> None:
    async with upgraded_by_a_newer_version(own_url, tmp_path, CONTRACTS % NEXT):
        assert not (await schema.check(own_url)).is_newer
        with pytest.raises(schema.SchemaUnknown, match=f"uses: facts. Use a version of schema '{NEXT}' or newer"):
            await schema.upgrade(own_url)


async def test_what_it_does_not_use_may_be_taken_away(own_url: str, tmp_path: Path) -> None:
    async with upgraded_by_a_newer_version(own_url, tmp_path, CONTRACTS % HEAD):
        assert (await schema.upgrade(own_url)).is_newer


@pytest.mark.parametrize("own_url", ["sqlite"], indirect=True)
async def test_a_backup_of_a_newer_version_counts_as_its_database_does(own_url: str, tmp_path: Path) -> None:
    async with upgraded_by_a_newer_version(own_url, tmp_path, EXPANDS):
        made = await backup(own_url, tmp_path / "copy.db")
    with sqlite3.connect(made.path) as connection:
        connection.execute("UPDATE schema_history SET needs = revision, taken = '[\"facts\"]'")
    connection.close()

    assert made.revision == NEXT
    with pytest.raises(BackupRefused, match="took away what this one"):
        await backup(f"sqlite+aiosqlite:///{made.path}", tmp_path / "again.db")


@pytest.mark.parametrize("own_url", ["postgres"], indirect=True)
async def test_a_migration_that_waits_for_a_table_lets_others_use_it_meanwhile(own_url: str, tmp_path: Path) -> None:
    """Else a report that takes a minute would hold up every request behind the migration that waits for it."""
    waits = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    engine = build_schema_engine(parse_url(own_url), 60)

    async def migrated() -> None:
        async with upgraded_by_a_newer_version(own_url, tmp_path, EXPANDS):
            pass

    async with engine.connect() as report, engine.connect() as other, asyncio.TaskGroup() as tasks:
        await report.execute(text("SELECT count(*) FROM providers"))  # its transaction goes on
        migration = tasks.create_task(migrated())
        while not (await other.execute(waits)).scalar_one():
            await other.rollback()
        await other.execute(text("SELECT count(*) FROM providers"))
        passed = not migration.done()
        await other.rollback()
        await report.rollback()
    await engine.dispose()

    assert passed
