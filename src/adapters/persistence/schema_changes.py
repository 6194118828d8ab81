"""What each migration does, read without a database: whether it only expands the schema, or contracts it too.

A change contracts where a version that was written before it may fail over it: it would miss what was dropped or
renamed, or be refused what it writes. Everything else expands, and older versions go on (R-31).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import BatchOperations, MigrateOperation, Operations, ops
from alembic.script import ScriptDirectory
from typing_extensions import override

from adapters.persistence.engine import parse_url, sqlite_path
from adapters.persistence.schema import OURS, SchemaUnknown, check
from adapters.persistence.schema_history import unused_since
from adapters.persistence.schema_plan import Migration, SchemaChange, UpgradePlan
from adapters.persistence.sql_statements import read_statement


async def plan(database_url: str) -> UpgradePlan:
    """Look, and change nothing. Raises `SchemaUnknown` and `StoreUnavailable`."""
    state = await check(database_url)
    if state.trouble:
        raise SchemaUnknown(state.trouble)
    if state.up_to_date or state.is_newer:
        return UpgradePlan(state, ())
    dialect = "postgresql" if sqlite_path(parse_url(database_url)) is None else "sqlite"
    known = read_folder(OURS.folder, dialect)
    return UpgradePlan(state, tuple(one for one in known if state.current is None or one.revision > state.current))


def read_folder(folder: Path, dialect: str) -> tuple[Migration, ...]:
    """All migrations of an Alembic folder, oldest first, as they are on `sqlite` or `postgresql`."""
    scripts = list(ScriptDirectory(str(folder)).walk_revisions())[::-1]
    return read_modules([script.module for script in scripts], dialect)


def read_modules(modules: Iterable[ModuleType], dialect: str) -> tuple[Migration, ...]:
    """The same of modules, oldest first. Their name `op` is bound to what takes down what they do."""
    known = _Schema()
    return tuple(_read(module, dialect, known) for module in modules)


def _read(module: ModuleType, dialect: str, known: "_Schema") -> Migration:
    known.new.clear()
    recorder = _Recorder(MigrationContext.configure(dialect_name=dialect, opts={"as_sql": True}), known)
    vars(module)["op"] = recorder  # of this copy alone: Alembic loads a script's module anew for each directory
    module.upgrade()
    title = (module.__doc__ or "").strip().partition("\n")[0]
    return Migration(module.revision, title, tuple(recorder.changes), unused_since(module))


@dataclass
class _Schema:
    """The tables as the migrations so far have left them, as far as it matters for what follows."""

    columns: dict[tuple[str, str], sa.Column[Any]] = field(default_factory=dict)
    unique: set[str] = field(default_factory=set)
    new: set[str] = field(default_factory=set)

    def is_new(self, table: str) -> bool:
        """Whether this migration has made the table: nobody older can know it."""
        return table in self.new


class _Recorder(Operations):
    """Takes down what a migration would do, and does nothing."""

    def __init__(self, context: MigrationContext, known: _Schema) -> None:
        super().__init__(context)
        self._known = known
        self.changes: list[SchemaChange] = []

    @override
    def invoke(self, operation: MigrateOperation) -> Any:
        read = _READERS.get(type(operation))
        if read is None:
            self.changes.append(SchemaChange("", f"does what nobody can tell: {type(operation).__name__}", "?"))
            return
        for change in read(operation, self._known):
            of_new = change.contracts and self._known.is_new(change.table)
            self.changes.append(SchemaChange(change.table, change.words) if of_new else change)

    @override
    def get_bind(self) -> Any:
        return _Bind(self)

    @override
    @contextmanager
    def batch_alter_table(self, table_name: str, *args: Any, **more: Any) -> Iterator[BatchOperations]:
        yield _Batch(self, table_name)


class _Batch(BatchOperations):
    """Operations on one table, taken down as the others are."""

    def __init__(self, recorder: _Recorder, table: str) -> None:
        super().__init__(recorder.migration_context, impl=_Named(table))  # type: ignore[arg-type]  # all that is read of it
        self._recorder = recorder

    @override
    def invoke(self, operation: MigrateOperation) -> Any:
        self._recorder.invoke(operation)


@dataclass(frozen=True)
class _Named:
    """What operations in a batch ask of its implementation."""

    table_name: str
    schema: None = None


@dataclass(frozen=True)
class _Bind:
    """The connection of a migration that reads rows: it finds none, and what it would write is taken down."""

    recorder: _Recorder

    @property
    def dialect(self) -> sa.Dialect:
        return self.recorder.migration_context.dialect

    def execute(self, statement: sa.Executable, _: object = None) -> "_NoRows":
        if not str(statement).lstrip().upper().startswith("SELECT"):
            self.recorder.invoke(ops.ExecuteSQLOp(statement))
        return _NoRows()


class _NoRows(tuple[sa.Row[Any], ...]):
    """A result without rows."""

    __slots__ = ()

    def mappings(self) -> "_NoRows":
        return self


_Read = Callable[[Any, _Schema], Iterator[SchemaChange]]


def _create_table(operation: ops.CreateTableOp, known: _Schema) -> Iterator[SchemaChange]:
    table = operation.table_name
    columns = [item for item in operation.columns if isinstance(item, sa.Column)]
    known.new.add(table)
    known.columns |= {(table, column.name): column for column in columns}
    kinds = (sa.UniqueConstraint, sa.PrimaryKeyConstraint)
    known.unique |= {str(item.name) for item in operation.columns if isinstance(item, kinds)}
    yield SchemaChange(table, f"new table {table}")


def _drop_table(operation: ops.DropTableOp, _: _Schema) -> Iterator[SchemaChange]:
    table = operation.table_name
    yield SchemaChange(table, f"drops table {table}", table)


def _rename_table(operation: ops.RenameTableOp, _: _Schema) -> Iterator[SchemaChange]:
    table = operation.table_name
    yield SchemaChange(table, f"renames table {table} to {operation.new_table_name}", table)


def _add_column(operation: ops.AddColumnOp, known: _Schema) -> Iterator[SchemaChange]:
    table, column = operation.table_name, operation.column
    name = f"{table}.{column.name}"
    known.columns[table, column.name] = column
    if column.unique and column.server_default is not None:
        yield SchemaChange(table, f"new column {name}, unique though it has a default", name)
    elif column.nullable or column.server_default is not None or column.computed is not None:
        yield SchemaChange(table, f"new column {name}")
    else:
        yield SchemaChange(table, f"new column {name}, NOT NULL and without a default", name)


def _drop_column(operation: ops.DropColumnOp, known: _Schema) -> Iterator[SchemaChange]:
    name = f"{operation.table_name}.{operation.column_name}"
    known.columns.pop((operation.table_name, operation.column_name), None)
    yield SchemaChange(operation.table_name, f"drops column {name}", name)


def _alter_column(operation: ops.AlterColumnOp, known: _Schema) -> Iterator[SchemaChange]:
    table, column = operation.table_name, operation.column_name
    name = f"{table}.{column}"
    before = known.columns.get((table, column))
    if operation.modify_name is not None:
        yield SchemaChange(table, f"renames column {name} to {operation.modify_name}", name)
    if operation.modify_nullable is not None:
        forbids = not operation.modify_nullable and (before is None or bool(before.nullable))
        words = "becomes NOT NULL" if forbids else "may be NULL"
        yield SchemaChange(table, f"column {name} {words}", name if forbids else "")
    if operation.modify_type is not None:
        wider = before is not None and _is_wider(before.type, operation.modify_type)
        words = f"column {name} becomes {operation.modify_type!r}"
        yield SchemaChange(table, words, "" if wider else name)
    if operation.modify_server_default is not False:
        lost = operation.modify_server_default is None and not (before is not None and before.nullable)
        words = "loses its default" if operation.modify_server_default is None else "has another default"
        yield SchemaChange(table, f"column {name} {words}", name if lost else "")
    if operation.modify_comment is not False:
        yield SchemaChange(table, f"column {name} has another comment")


def _is_wider(
    before: sa.types.TypeEngine[Any], after: "sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]]"
) -> bool:
    """Whether all that could be written and read by the type before can be by the one after."""
    after = after() if isinstance(after, type) else after
    if isinstance(before, sa.String) and isinstance(after, sa.String):
        return after.length is None or (before.length is not None and before.length <= after.length)
    if isinstance(before, sa.Integer) and isinstance(after, sa.Integer):
        return _rank(before) <= _rank(after)
    return False


def _rank(kind: sa.Integer) -> int:
    return 0 if isinstance(kind, sa.SmallInteger) else 2 if isinstance(kind, sa.BigInteger) else 1


def _create_index(operation: ops.CreateIndexOp, known: _Schema) -> Iterator[SchemaChange]:
    table, name = operation.table_name, str(operation.index_name)
    if operation.unique:
        known.unique.add(name)
        yield SchemaChange(table, f"no two rows of {table} alike ({name})", table)
    else:
        known.unique.discard(name)
        wait = "" if known.is_new(table) else "; who writes to it waits while it is built"
        yield SchemaChange(table, f"new index {name} on {table}{wait}")


def _drop_index(operation: ops.DropIndexOp, known: _Schema) -> Iterator[SchemaChange]:
    """An index that keeps rows unlike is named by an upsert of older code; another only makes it slower."""
    name, table = str(operation.index_name), operation.table_name or ""
    yield SchemaChange(table, f"drops index {name}", (table or name) if name in known.unique else "")


def _drop_constraint(operation: ops.DropConstraintOp, _: _Schema) -> Iterator[SchemaChange]:
    table, name = operation.table_name, str(operation.constraint_name)
    loosens = operation.constraint_type in {"check", "foreignkey"}
    yield SchemaChange(table, f"drops constraint {name} of {table}", "" if loosens else table)


def _add_constraint(operation: Any, _: _Schema) -> Iterator[SchemaChange]:
    table = operation.source_table if isinstance(operation, ops.CreateForeignKeyOp) else operation.table_name
    yield SchemaChange(table, f"new constraint {operation.constraint_name} of {table}", table)


def _execute(operation: ops.ExecuteSQLOp, known: _Schema) -> Iterator[SchemaChange]:
    statement = read_statement(str(operation.sqltext), known.is_new)
    if statement.words.startswith("new table"):
        known.new.add(statement.table)
    yield SchemaChange(statement.table, statement.words, (statement.table or "?") if statement.contracts else "")


def _insert(operation: ops.BulkInsertOp, _: _Schema) -> Iterator[SchemaChange]:
    yield SchemaChange(operation.table.name, f"adds rows to {operation.table.name}")


def _comment(operation: Any, _: _Schema) -> Iterator[SchemaChange]:
    yield SchemaChange(operation.table_name, f"another comment at {operation.table_name}")


_READERS: Final[Mapping[type[MigrateOperation], _Read]] = {
    ops.CreateTableOp: _create_table,
    ops.DropTableOp: _drop_table,
    ops.RenameTableOp: _rename_table,
    ops.AddColumnOp: _add_column,
    ops.DropColumnOp: _drop_column,
    ops.AlterColumnOp: _alter_column,
    ops.CreateIndexOp: _create_index,
    ops.DropIndexOp: _drop_index,
    ops.DropConstraintOp: _drop_constraint,
    ops.CreateForeignKeyOp: _add_constraint,
    ops.CreateUniqueConstraintOp: _add_constraint,
    ops.CreateCheckConstraintOp: _add_constraint,
    ops.CreatePrimaryKeyOp: _add_constraint,
    ops.ExecuteSQLOp: _execute,
    ops.BulkInsertOp: _insert,
    ops.CreateTableCommentOp: _comment,
    ops.DropTableCommentOp: _comment,
}
