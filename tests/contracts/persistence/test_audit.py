"""The audit trail: entries come back as written, none can be changed, and what was touched behind its back is named."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

from adapters.persistence import schema
from adapters.persistence.engine import build_schema_engine, parse_url
from adapters.persistence.repositories.audit import AuditVerification
from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.tables import AuditRow
from adapters.security.secret_box import AesGcmSecretBox, KeyRing
from application.admin.config_write import Change, config_write
from application.snapshot import DeclaredConfig, GatewayState
from domain.actors import Actor
from domain.audit import AuditFilter, AuditRecord, FieldChange
from domain.errors import RequestInvalid, StoreUnavailable
from domain.ports.repositories import Store
from domain.ports.security import SecretBox
from domain.timeouts import Timeouts
from tests.builders import NOW, a_provider
from tests.fakes.providers import FakeRegistry

ACTOR = Actor("admin_token", "platform", "platform admin token", address="203.0.113.7", request_id="req_1")


def a_record(object_id: str = "alpha", **changes: object) -> AuditRecord:
    fields: dict[str, object] = {
        "actor": ACTOR,
        "action": "update",
        "object_kind": "provider",
        "object_id": object_id,
        "tenant_id": "ten_default",
        "changes": (FieldChange("priority", msgspec.Raw(b"1"), msgspec.Raw(b'{"a":[1,"x"]}')),),
    }
    return AuditRecord(**(fields | changes))  # type: ignore[arg-type]  # the fields are what the test says


async def append(store: Store, *records: AuditRecord) -> None:
    for record in records:
        async with store.write() as unit:
            await unit.audit.append(record)


async def execute(store: SqlAlchemyStore, database_url: str, *statements: str) -> None:
    """As someone would who has the database and not the gateway: the triggers are no hindrance to its owner."""
    engine = build_schema_engine(parse_url(database_url), 5)
    async with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            await connection.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            names = (await connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))).scalars()
            for name in names.all():
                await connection.execute(text(f"DROP TRIGGER {name}"))
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()


async def verified(store: SqlAlchemyStore, expected: tuple[int, str] | None = None) -> AuditVerification:
    return await store.verify_audit(20.0, expected)


async def test_an_entry_comes_back_as_it_was_written(store: Store) -> None:
    record = a_record()

    await append(store, record)

    async with store.read() as unit:
        (entry,) = await unit.audit.page(AuditFilter(), 10, None)
    assert (entry.sequence, entry.id, entry.record) == (1, "aud_000000000001", record)
    assert entry.created_at.tzinfo is not None


async def test_entries_are_listed_newest_first_in_pages(store: Store) -> None:
    await append(store, *(a_record(f"p{number}") for number in range(5)))

    async with store.read() as unit:
        first = await unit.audit.page(AuditFilter(), 2, None)
        second = await unit.audit.page(AuditFilter(), 9, first[-1].sequence)

    assert [entry.record.object_id for entry in (*first, *second)] == ["p4", "p3", "p2", "p1", "p0"]


async def test_each_filter_finds_its_entries(store: Store) -> None:
    other = Actor("system", "gateway", "the gateway itself")
    odd = a_record("odd", actor=other, action="end", object_kind="price", tenant_id=None, outcome="refused")
    await append(store, a_record(), odd)

    async with store.read() as unit:
        for name, value in (
            ("actor", "gateway"),
            ("action", "end"),
            ("object_kind", "price"),
            ("object_id", "odd"),
            ("outcome", "refused"),
        ):
            found = await unit.audit.page(msgspec.convert({name: value}, AuditFilter), 10, None)
            assert [entry.record for entry in found] == [odd], name
        of_tenant = await unit.audit.page(AuditFilter(tenant_id="ten_default"), 10, None)
        at = of_tenant[0].created_at
        assert len(await unit.audit.page(AuditFilter(start=at), 10, None)) == 2
        assert await unit.audit.page(AuditFilter(end=at), 10, None) == []
    assert [entry.record.object_id for entry in of_tenant] == ["alpha"]


async def test_what_a_unit_appended_goes_with_it_when_it_fails(store: Store) -> None:
    await append(store, a_record())
    with pytest.raises(RuntimeError):
        async with store.write() as unit:
            await unit.audit.append(a_record("lost"))
            raise RuntimeError

    await append(store, a_record("next"))

    async with store.read() as unit:
        entries = await unit.audit.page(AuditFilter(), 10, None)
    assert [(entry.sequence, entry.record.object_id) for entry in entries] == [(2, "next"), (1, "alpha")]


async def test_entries_that_are_written_at_once_make_one_chain(sql_store: SqlAlchemyStore) -> None:
    await asyncio.gather(*(append(sql_store, a_record(f"p{number}")) for number in range(12)))

    found = await verified(sql_store)

    assert (found.entries, found.differences) == (12, ())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET actor_name = 'someone else'",
        "DELETE FROM audit_entries",
        "DELETE FROM audit_head",
        "TRUNCATE audit_entries",
    ],
)
async def test_the_database_refuses_to_change_an_entry(
    sql_store: SqlAlchemyStore, database_url: str, statement: str
) -> None:
    if statement.startswith("TRUNCATE") and database_url.startswith("sqlite"):
        pytest.skip("SQLite has no TRUNCATE")
    await append(sql_store, a_record())
    engine = build_schema_engine(parse_url(database_url), 5)

    with pytest.raises(Exception, match="append-only"):
        async with engine.begin() as connection:
            await connection.execute(text(statement))

    await engine.dispose()
    assert (await verified(sql_store)).differences == ()


COLUMNS = [column.name for column in AuditRow.__table__.columns if column.name not in {"sequence", "created_at"}]


@pytest.mark.parametrize("column", COLUMNS)
async def test_one_flipped_character_is_named_and_nothing_else(
    sql_store: SqlAlchemyStore, database_url: str, column: str
) -> None:
    await append(sql_store, *(a_record(f"p{number}") for number in range(5)))
    await execute(
        sql_store,
        database_url,
        f"UPDATE audit_entries SET {column} = '!' || substr({column}, 2) WHERE sequence = 3",
    )

    found = await verified(sql_store)

    (difference,) = found.differences
    assert difference.startswith("entry 3 ")


async def test_a_changed_moment_is_named(sql_store: SqlAlchemyStore, database_url: str) -> None:
    await append(sql_store, *(a_record(f"p{number}") for number in range(3)))
    zone = "+00" if database_url.startswith("postgresql") else ".000000"
    await execute(
        sql_store,
        database_url,
        f"UPDATE audit_entries SET created_at = '2026-01-01 00:00:00{zone}' WHERE sequence = 2",
    )

    assert (await verified(sql_store)).differences == ("entry 2 is not as it was written",)


@pytest.mark.parametrize("damage", ["created_at = 'yesterday'", "action = CAST(x'ff' AS TEXT)"])
async def test_an_entry_that_cannot_even_be_read_is_named(tmp_path: Path, box: SecretBox, damage: str) -> None:
    """SQLite takes any bytes for any column."""
    database_url = f"sqlite+aiosqlite:///{tmp_path}/omg.db"
    await schema.upgrade(database_url)
    store = SqlAlchemyStore(database_url, box, unit_seconds=20)
    await append(store, *(a_record(f"p{number}") for number in range(3)))
    await execute(store, database_url, f"UPDATE audit_entries SET {damage} WHERE sequence = 2")

    found = await verified(store)

    assert found.differences[0] == "entry 2 cannot be read"
    await store.aclose()


async def test_entries_taken_out_are_named(sql_store: SqlAlchemyStore, database_url: str) -> None:
    await append(sql_store, *(a_record(f"p{number}") for number in range(6)))
    await execute(sql_store, database_url, "DELETE FROM audit_entries WHERE sequence IN (2, 3)")

    assert (await verified(sql_store)).differences == ("entries 2 to 3 are missing",)


async def test_a_tail_taken_off_is_named(sql_store: SqlAlchemyStore, database_url: str) -> None:
    await append(sql_store, *(a_record(f"p{number}") for number in range(4)))
    await execute(sql_store, database_url, "DELETE FROM audit_entries WHERE sequence > 2")

    assert (await verified(sql_store)).differences == ("entries 3 to 4 are missing at the end",)


async def test_a_tail_taken_off_with_its_head_is_found_by_what_was_written_down(
    sql_store: SqlAlchemyStore, database_url: str
) -> None:
    await append(sql_store, *(a_record(f"p{number}") for number in range(4)))
    before = await verified(sql_store)
    await execute(
        sql_store,
        database_url,
        "DELETE FROM audit_entries WHERE sequence > 2",
        "UPDATE audit_head SET sequence = 2, code = (SELECT code FROM audit_entries WHERE sequence = 2)",
    )

    assert (await verified(sql_store)).differences == ()
    (difference,) = (await verified(sql_store, (before.entries, before.head))).differences
    assert difference.startswith("entry 4 is not the one that was written down")


async def test_what_was_written_down_fits_a_trail_that_grew(sql_store: SqlAlchemyStore) -> None:
    await append(sql_store, a_record(), a_record())
    before = await verified(sql_store)
    await append(sql_store, a_record())

    assert (await verified(sql_store, (before.entries, before.head))).differences == ()


async def test_the_chain_goes_on_under_a_new_master_key(database_url: str, ring: KeyRing) -> None:
    old = SqlAlchemyStore(database_url, AesGcmSecretBox(ring), unit_seconds=20)
    new = SqlAlchemyStore(database_url, AesGcmSecretBox(ring.rotated()), unit_seconds=20)
    stranger = SqlAlchemyStore(database_url, AesGcmSecretBox(KeyRing.generate()), unit_seconds=20)
    await append(old, a_record())
    await append(new, a_record())

    assert (await verified(new)).differences == ()
    assert (await verified(stranger)).differences[0].startswith("entry 1 cannot be verified")
    for store in (old, new, stranger):
        await store.aclose()


async def test_nothing_that_looks_like_a_credential_is_kept(sql_store: SqlAlchemyStore, database_url: str) -> None:
    """S-22: a person pastes a key where a name belongs."""
    key = "sk-omg-0123456789abcdefABCDEF0123456789abcdef"
    pasted = msgspec.Raw(msgspec.json.encode({key: [f"name {key}"]}))
    await append(sql_store, a_record(f"x {key}", changes=(FieldChange("name", pasted, pasted),)))

    async with sql_store.reading(20) as work:
        rows = await work.run(work.session.execute(text("SELECT * FROM audit_entries")))
    assert key[8:] not in str(rows.all())


async def test_a_change_whose_audit_entry_fails_is_undone(sql_store: SqlAlchemyStore, database_url: str) -> None:
    """P-10, S-38."""
    state = GatewayState(sql_store, FakeRegistry(), DeclaredConfig(), Timeouts())
    await execute(sql_store, database_url, "ALTER TABLE audit_head RENAME TO audit_head_away")
    try:
        with pytest.raises(StoreUnavailable):
            async with config_write(sql_store, state, ACTOR, Change("create", "provider", "alpha")) as unit:
                await unit.providers.add(a_provider())
    finally:
        await execute(sql_store, database_url, "ALTER TABLE audit_head_away RENAME TO audit_head")

    async with sql_store.read() as unit:
        assert await unit.providers.get("alpha") is None
        assert await unit.config_versions.load() == {}


async def test_a_change_that_is_refused_leaves_no_entry(sql_store: SqlAlchemyStore) -> None:
    state = GatewayState(sql_store, FakeRegistry(), DeclaredConfig(), Timeouts())
    with pytest.raises(RequestInvalid):
        async with config_write(sql_store, state, ACTOR, Change("create", "provider", "alpha")) as unit:
            await unit.providers.add(a_provider())
            raise RequestInvalid("no")

    async with sql_store.read() as unit:
        assert await unit.audit.page(AuditFilter(), 10, None) == []


async def test_a_change_says_what_was_and_what_is(store: Store) -> None:
    state = GatewayState(store, FakeRegistry(), DeclaredConfig(), Timeouts())
    async with config_write(store, state, ACTOR, Change("create", "provider", "alpha")) as unit:
        await unit.providers.add(a_provider())
    async with config_write(store, state, ACTOR, Change("update", "provider", "alpha")) as unit:
        await unit.providers.update(msgspec.structs.replace(a_provider(), priority=7, version=2, updated_at=NOW))

    async with store.read() as unit:
        entries = await unit.audit.page(AuditFilter(), 10, None)
    assert entries[0].record.actor == ACTOR
    assert entries[0].record.changes == (FieldChange("priority", msgspec.Raw(b"100"), msgspec.Raw(b"7")),)
    created = {change.field: bytes(change.new) for change in entries[1].record.changes}
    assert created["base_url"] == b'"https://alpha.example/v1"'
