"""Every store there is, fresh for each test: in memory, on SQLite, on a real Postgres."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

import pytest
import uvloop

from adapters.persistence import schema
from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.tables import Row
from adapters.security.secret_box import AesGcmSecretBox, KeyRing
from domain.ports.repositories import Store
from domain.ports.security import SecretBox
from tests.contracts.persistence.postgres import PostgresServer, run_apart
from tests.fakes.store import MemoryStore

_TRUNCATE = f"TRUNCATE {', '.join(table.name for table in Row.metadata.sorted_tables)}"


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.path.name == "test_leaving_callers.py":  # what depends on how a loop cancels
        return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    # Not below pytest's own folder: a second pytest closes that to the user that Postgres runs as.
    with TemporaryDirectory(prefix="omg-postgres-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder))
        yield server
        server.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy: migrating one for every test would be most of the tests' time."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    run_apart(schema.upgrade(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing.generate()


@pytest.fixture
def box(ring: KeyRing) -> SecretBox:
    return AesGcmSecretBox(ring)


@pytest.fixture(params=["sqlite", "postgres"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database with nothing in it."""
    return await _empty_database(request, tmp_path)


async def _empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
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
    url = await _empty_database(request, tmp_path)
    made = SqlAlchemyStore(url, box, unit_seconds=20.0)
    yield made
    await made.aclose()
