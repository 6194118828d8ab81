"""What a thief of the database finds (P-20, S-25)."""

from pathlib import Path
from shutil import copyfile

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.persistence.store import SqlAlchemyStore
from adapters.security.secret_box import AesGcmSecretBox, KeyRing
from domain.ports.security import SecretUnreadable
from domain.providers import ProviderSettings
from domain.secrets import Secret
from tests.builders import a_provider, a_provider_key, a_tenant, a_virtual_key

CANARY = "sk-canary-5f1d0c9e8b7a"


async def execute(database_url: str, statement: str) -> None:
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


def contents_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


async def test_the_ciphertext_of_another_row_does_not_open(sql_store: SqlAlchemyStore, database_url: str) -> None:
    async with sql_store.write() as unit:
        await unit.keys.add(a_provider_key("pk_1"))
        await unit.keys.add(a_provider_key("pk_2"))

    await execute(
        database_url,
        "UPDATE provider_keys SET sealed_secret = (SELECT sealed_secret FROM provider_keys WHERE id = 'pk_1') "
        "WHERE id = 'pk_2'",
    )

    async with sql_store.read() as unit:
        assert await unit.keys.get("pk_1") == a_provider_key("pk_1")
        with pytest.raises(SecretUnreadable, match="provider_keys/secret/pk_2/alpha"):
            await unit.keys.get("pk_2")


async def test_a_key_moved_to_another_provider_does_not_open(sql_store: SqlAlchemyStore, database_url: str) -> None:
    """Else a thief who can write the table sends the key to a URL of his own."""
    async with sql_store.write() as unit:
        await unit.keys.add(a_provider_key("pk_1", "alpha"))
    await execute(database_url, "UPDATE provider_keys SET provider_id = 'evil'")
    with pytest.raises(SecretUnreadable):
        async with sql_store.read() as unit:
            await unit.keys.list_for("evil")


async def test_secrets_are_sealed_again_under_a_new_master_key(
    sql_store: SqlAlchemyStore, database_url: str, ring: KeyRing
) -> None:
    keys = [a_provider_key(f"pk_{number}") for number in range(3)]
    async with sql_store.write() as unit:
        for key in keys:
            await unit.keys.add(key)
    rotated = ring.rotated()
    both = SqlAlchemyStore(database_url, AesGcmSecretBox(rotated), unit_seconds=20)
    async with both.write() as unit:
        assert await unit.keys.list_all() == keys
        assert await unit.keys.reencrypt_all() == 3
        assert await unit.keys.reencrypt_all() == 0
    await both.aclose()

    newest = KeyRing.parse(rotated.reveal().split(",")[0])
    alone = SqlAlchemyStore(database_url, AesGcmSecretBox(newest), unit_seconds=20)
    async with alone.read() as unit:
        assert await unit.keys.list_all() == keys
    await alone.aclose()


async def test_sqlite_and_its_wal_hold_no_secret_in_the_clear(tmp_path: Path, sqlite_template: Path) -> None:
    path = tmp_path / "omg.db"
    copyfile(sqlite_template, path)
    store = SqlAlchemyStore(f"sqlite+aiosqlite:///{path}", AesGcmSecretBox(KeyRing.generate()), unit_seconds=20)
    async with store.write() as unit:
        await unit.tenants.add(a_tenant())
        await unit.keys.add(a_provider_key(secret=Secret(CANARY)))
        await unit.keys.update(a_provider_key(secret=Secret(CANARY + "-2")))
        await unit.virtual_keys.add(a_virtual_key())

    open_files = contents_of(tmp_path)
    await store.aclose()
    closed_files = contents_of(tmp_path)

    assert sorted(open_files) == ["omg.db", "omg.db-shm", "omg.db-wal"]
    assert sorted(closed_files) == ["omg.db"]
    assert b"pk_1" in open_files["omg.db-wal"]
    assert not [name for name, content in (open_files | closed_files).items() if CANARY.encode() in content]


async def test_a_store_error_shows_neither_statement_nor_parameters(
    sql_store: SqlAlchemyStore, database_url: str
) -> None:
    await execute(database_url, "ALTER TABLE provider_keys RENAME TO hidden")
    try:
        with pytest.raises(Exception, match="could not be asked") as caught:
            async with sql_store.write() as unit:
                await unit.keys.add(a_provider_key(label=CANARY))
    finally:
        await execute(database_url, "ALTER TABLE hidden RENAME TO provider_keys")
    assert CANARY not in str(caught.value)
    assert "INSERT" not in str(caught.value)


async def test_a_proxys_password_and_headers_are_sealed_to_their_provider_and_sealed_again(
    sql_store: SqlAlchemyStore, database_url: str, ring: KeyRing
) -> None:
    provider = a_provider(
        settings=ProviderSettings(proxy=f"http://user:{CANARY}@proxy.example:3128", headers={"x-client-secret": CANARY})
    )
    async with sql_store.write() as unit:
        await unit.providers.add(a_provider("beta"))
        await unit.providers.add(provider)
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        kept = str((await connection.execute(text("SELECT settings FROM providers"))).all())
    await engine.dispose()
    assert CANARY not in kept
    assert "proxy.example" not in kept

    rotated = ring.rotated()
    both = SqlAlchemyStore(database_url, AesGcmSecretBox(rotated), unit_seconds=20)
    async with both.write() as unit:
        assert await unit.keys.reencrypt_all() == 2
        assert await unit.keys.reencrypt_all() == 0
        assert await unit.providers.get(provider.id) == provider
        await unit.providers.update(msgspec.structs.replace(provider, settings=ProviderSettings(), version=2))
    async with both.read() as unit:
        assert (await unit.providers.list_all())[0].settings.proxy is None
    await both.aclose()
