"""A database file that is removed, moved or replaced while the gateway runs is away, and is used when it is back."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.persistence import schema
from adapters.persistence.ledger.sqlite import SqliteLedgerStore
from adapters.persistence.store import SqlAlchemyStore
from adapters.security.secret_box import AesGcmSecretBox, KeyRing
from domain.errors import StoreUnavailable
from tests.builders import a_request_record


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    await schema.upgrade(f"sqlite+aiosqlite:///{tmp_path / 'data' / 'omg.db'}")
    return tmp_path / "data"


@pytest.fixture
async def store(folder: Path) -> AsyncIterator[SqlAlchemyStore]:
    made = SqlAlchemyStore(f"sqlite+aiosqlite:///{folder / 'omg.db'}", AesGcmSecretBox(KeyRing.generate()))
    yield made
    await made.aclose()


@pytest.fixture
async def ledger(folder: Path) -> AsyncIterator[SqliteLedgerStore]:
    made = SqliteLedgerStore(folder / "omg.db")
    yield made
    await made.aclose()


async def test_a_store_whose_file_has_gone_does_not_answer_until_it_is_back(
    folder: Path, store: SqlAlchemyStore
) -> None:
    await store.ping()
    shutil.move(folder, folder.with_name("moved"))
    with pytest.raises(StoreUnavailable, match="is not there"):
        await store.ping()
    shutil.move(folder.with_name("moved"), folder)
    await store.ping()
    shutil.rmtree(folder)
    with pytest.raises(StoreUnavailable, match="is not there"):
        await store.ping()
    await schema.upgrade(f"sqlite+aiosqlite:///{folder / 'omg.db'}")
    await store.ping()


async def test_no_record_is_booked_into_a_file_that_has_gone(folder: Path, ledger: SqliteLedgerStore) -> None:
    await ledger.apply([a_request_record("req_1")], None)
    shutil.move(folder, folder.with_name("moved"))
    with pytest.raises(StoreUnavailable):
        await ledger.apply([a_request_record("req_2")], None)
    shutil.copytree(folder.with_name("moved"), folder)
    again = await ledger.apply([a_request_record("req_1"), a_request_record("req_2")], None)

    assert (again.inserted, again.duplicates) == (1, 1)
