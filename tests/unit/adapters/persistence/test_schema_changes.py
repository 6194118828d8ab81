"""What a migration does is read without a database, and told apart by whether older code may fail over it (R-31)."""

from pathlib import Path
from types import ModuleType

import pytest

from adapters.persistence.migrations import REVISIONS
from adapters.persistence.schema import OURS
from adapters.persistence.schema_changes import read_folder, read_modules
from adapters.persistence.schema_plan import Migration

BEFORE = """
def upgrade():
    op.create_table(
        "old", sa.Column("id", sa.Integer, primary_key=True), sa.Column("note", sa.String(20), nullable=True),
        sa.Column("count", sa.Integer, nullable=False, server_default="0"), sa.Column("name", sa.Text, nullable=False),
        sa.UniqueConstraint("name", name="uq_old_name"),
    )
    op.create_index("ix_old_note", "old", ["note"])
    op.create_index("ix_old_pair", "old", ["note", "count"], unique=True)
"""
EXPANDS = {
    "a table": 'op.create_table("new", sa.Column("id", sa.Integer, nullable=False))',
    "a column that may be null": 'op.add_column("old", sa.Column("more", sa.Text, nullable=True))',
    "a column with a default": 'op.add_column("old", sa.Column("m", sa.Text, nullable=False, server_default=""))',
    "an index": 'op.create_index("ix_old_count", "old", ["count"])',
    "an index no more": 'op.drop_index("ix_old_note", "old")',
    "a longer text": 'op.alter_column("old", "note", type_=sa.String(40))',
    "a text of any length": 'op.alter_column("old", "note", type_=sa.Text())',
    "a larger number": 'op.alter_column("old", "count", type_=sa.BigInteger)',
    "null allowed": 'op.alter_column("old", "count", nullable=True)',
    "another default": 'op.alter_column("old", "count", server_default="1")',
    "a constraint less": 'op.drop_constraint("ck_old", "old", type_="check")',
    "rows": """op.execute("INSERT INTO old (id, name) SELECT 1, 'x'")""",
    "rows as objects": 'op.bulk_insert(sa.table("old", sa.column("id")), [{"id": 1}])',
    "other values": """op.execute(sa.text("update old set name = 'x' where id = 1"))""",
    "a function": 'op.execute("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1; $$")',
    "a table by SQL": 'op.execute("CREATE TABLE IF NOT EXISTS new (id int)"); op.execute("DELETE FROM new")',
    "a trigger of its own": 'op.create_table("new"); op.execute("CREATE TRIGGER t BEFORE DELETE ON new BEGIN END")',
    "its own dropped": 'op.create_table("n", sa.Column("a", sa.Text)); op.drop_column("n", "a"); op.drop_table("n")',
    "rows that are read": 'op.get_bind().execute(sa.text("SELECT id FROM old")).mappings()',
    "in a batch": 'with op.batch_alter_table("old") as t: t.add_column(sa.Column("more", sa.Text, nullable=True))',
}
CONTRACTS = {
    "a table dropped": ('op.drop_table("old")', "old"),
    "a table renamed": ('op.rename_table("old", "older")', "old"),
    "a column dropped": ('op.drop_column("old", "note")', "old.note"),
    "a column dropped in a batch": ('with op.batch_alter_table("old") as t: t.drop_column("note")', "old.note"),
    "a column renamed": ('op.alter_column("old", "note", new_column_name="remark")', "old.note"),
    "a column without a default": ('op.add_column("old", sa.Column("m", sa.Text, nullable=False))', "old.m"),
    "null forbidden": ('op.alter_column("old", "note", nullable=False)', "old.note"),
    "null forbidden in a batch": (
        'with op.batch_alter_table("old") as t: t.alter_column("note", nullable=False)',
        "old.note",
    ),
    "a shorter text": ('op.alter_column("old", "note", type_=sa.String(10))', "old.note"),
    "a text that gets a length": ('op.alter_column("old", "name", type_=sa.String(10))', "old.name"),
    "a smaller number": ('op.alter_column("old", "count", type_=sa.SmallInteger)', "old.count"),
    "another type": ('op.alter_column("old", "note", type_=sa.JSON())', "old.note"),
    "no default any more": ('op.alter_column("old", "count", server_default=None)', "old.count"),
    "a unique index": ('op.create_index("u", "old", ["note"], unique=True)', "old"),
    "a unique index no more": ('op.drop_index("ix_old_pair", "old")', "old"),
    "a unique constraint": ('op.create_unique_constraint("u", "old", ["note"])', "old"),
    "a unique constraint no more": ('op.drop_constraint("uq_old_name", "old", type_="unique")', "old"),
    "a foreign key": ('op.create_foreign_key("f", "old", "other", ["id"], ["id"])', "old"),
    "a check": ('op.create_check_constraint("c", "old", "id > 0")', "old"),
    "a unique column with a default": (
        'op.add_column("old", sa.Column("m", sa.Text, unique=True, server_default=""))',
        "old.m",
    ),
    "rows deleted": ('op.execute("DELETE FROM old WHERE id = 1")', "old"),
    "rows deleted by a statement": ('op.execute(sa.delete(sa.table("old")))', "old"),
    "rows deleted by the connection": ('op.get_bind().execute(sa.text("DELETE FROM old"))', "old"),
    "a table emptied": ('op.execute("TRUNCATE TABLE old")', "old"),
    "a trigger": ('op.execute("CREATE TRIGGER t BEFORE INSERT ON old BEGIN END")', "old"),
    "a unique index by SQL": ('op.execute("CREATE UNIQUE INDEX u ON old (note)")', "old"),
    "a table dropped by SQL": ('op.execute("drop table if exists old")', "old"),
    "a column dropped by SQL": ('op.execute("ALTER TABLE old DROP COLUMN note")', "old"),
    "a function replaced": ('op.execute("CREATE OR REPLACE FUNCTION f() RETURNS int AS $$ $$")', "f"),
    "two statements in one": ('op.execute("INSERT INTO old (id) VALUES (1); DROP TABLE old")', "?"),
    "SQL that nobody can tell": ('op.execute("VACUUM FULL old")', "?"),
    "an operation that nobody can tell": ("op.invoke(ops.MigrateOperation())", "?"),
}  # fmt: skip


def read(body: str, dialect: str) -> Migration:
    """Of the second of two migrations."""
    both = [migration("0001", BEFORE), migration("0002", f"def upgrade():\n    {body}\n")]
    return read_modules(both, dialect)[1]


def migration(revision: str, source: str) -> ModuleType:
    module = ModuleType(f"migration_{revision}", "Try something.")
    exec(
        f"import sqlalchemy as sa\nfrom alembic.operations import ops\nrevision = {revision!r}\n{source}", vars(module)
    )
    return module


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
@pytest.mark.parametrize("body", EXPANDS.values(), ids=EXPANDS)
def test_what_only_adds_expands(body: str, dialect: str) -> None:
    found = read(body, dialect)

    assert (found.contracted, found.needs) == ((), "")


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
@pytest.mark.parametrize(("body", "name"), CONTRACTS.values(), ids=CONTRACTS)
def test_what_older_code_may_miss_contracts(body: str, name: str, dialect: str) -> None:
    found = read(body, dialect)

    assert (found.contracted, found.needs) == ((name,), "0002")
    assert all(change.words for change in found.changes)


def test_a_mark_says_which_code_may_run_on_it() -> None:
    body = 'op.drop_column("old", "note")\nunused_since = {"old.note": "0001"}'

    assert read(body, "sqlite").needs == "0001"


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_each_of_our_own_is_read_and_only_those_from_before_any_release_contract_unmarked(dialect: str) -> None:
    found = read_folder(OURS.folder, dialect)

    assert tuple(one.revision for one in found) == REVISIONS
    assert [one.revision for one in found if one.needs == one.revision] == ["0006", "0009"]
    assert all(one.changes or one.revision == "0019" for one in found)


def test_a_folder_elsewhere_is_read_too(tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    source = '"""First."""\nfrom alembic import op\nrevision = "0001"\ndown_revision = None\n'
    (tmp_path / "versions" / "0001.py").write_text(source + 'def upgrade() -> None:\n    op.drop_table("gone")\n')

    (found,) = read_folder(tmp_path, "sqlite")

    assert (found.title, found.contracted) == ("First.", ("gone",))
