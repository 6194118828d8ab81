"""Every store there is, fresh for each test: in memory, on SQLite, on a real Postgres."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from shutil import copyfile

import pytest
import uvloop

from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.tables import Row
from adapters.security.secret_box import AesGcmSecretBox, KeyRing
from domain.ports.repositories import Store
from domain.ports.security import SecretBox
from tests.contracts.persistence.postgres import PostgresServer
from tests.fakes.store import MemoryStore
from tests.migrated import migrated_sqlite

_TRUNCATE = f"""DO $$ BEGIN
SET LOCAL session_replication_role = replica;  -- without the triggers that keep the audit trail
TRUNCATE {", ".join(table.name for table in Row.metadata.sorted_tables)};
END $$"""


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.path.name == "test_leaving_callers.py":  # what depends on how a loop cancels
        return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}


@pytest.fixture(scope="session")
def sqlite_template() -> Path:
    """A migrated SQLite file to copy: migrating one for every test would be most of the tests' time."""
    return migrated_sqlite()


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing.generate()


@pytest.fixture
def box(ring: KeyRing) -> SecretBox:
    return AesGcmSecretBox(ring)


@pytest.fixture(params=["sqlite", "postgres"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database with nothing in it."""
    return await empty_database(request, tmp_path)


async def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        path = tmp_path / "omg.db"
        copyfile(template, path)
        return f"sqlite+aiosqlite:///{path}"
    server: PostgresServer = request.getfixturevalue("postgres")
    await server.fetch(server.migrated_url, _TRUNCATE)
    return server.migrated_url


@pytest.fixture
async def sql_store(database_url: str, box: SecretBox) -> AsyncIterator[SqlAlchemyStore]:
    """The store on each real database. The longer deadline is for a machine that is busy with other tests."""
    store = SqlAlchemyStore(database_url, box, unit_seconds=20.0)
    yield store
    await store.aclose()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path, box: SecretBox) -> AsyncIterator[Store]:
    """Every implementation of the port, the fake included."""
    if request.param == "memory":
        yield MemoryStore()
        return
    url = await empty_database(request, tmp_path)
    made = SqlAlchemyStore(url, box, unit_seconds=20.0)
    yield made
    await made.aclose()
