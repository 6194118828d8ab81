"""What each migration took away, written down in the database: by it an older version knows whether it may still run.

A version knows the revisions up to its own. Of newer ones it reads here, which is why this table stays as it is for
good: columns may be added to it, and that is all.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import ModuleType

from sqlalchemy import Connection, insert, inspect, text

from adapters.persistence.migrations import HEAD
from adapters.persistence.tables.state import SchemaStepRow

FIRST_WRITTEN = "0033"
"""The migration that makes the table; of those before nothing is written."""

STEPS = f"SELECT revision, needs, taken FROM schema_history WHERE revision > '{HEAD}'"  # noqa: S608 - our own number
"""What newer versions did: the rows that `trouble_with` takes."""


def unused_since(migration: ModuleType) -> dict[str, str]:
    """What a migration says it takes away, `table` or `table.column`, and since which revision no code uses that."""
    return dict(getattr(migration, "unused_since", {}))


def oldest_that_may_run(taken: Mapping[str, str]) -> str:
    """The revision whose code does without all that a migration takes away; empty where it only adds."""
    return max(taken.values(), default="")


def write_step(connection: Connection, revision: str, title: str, migration: ModuleType) -> None:
    """In the transaction of the migration, after it."""
    if revision >= FIRST_WRITTEN:
        taken = unused_since(migration)
        row = {"revision": revision, "title": title, "needs": oldest_that_may_run(taken), "taken": json.dumps([*taken])}
        connection.execute(insert(SchemaStepRow).values(**row, applied_at=datetime.now(UTC)))


def forget_step(connection: Connection, revision: str) -> None:
    """Where a migration was taken back."""
    if revision > FIRST_WRITTEN:
        connection.execute(text("DELETE FROM schema_history WHERE revision = :revision"), {"revision": revision})


def trouble_of_newer(connection: Connection, current: str) -> str:
    """Why this version may not run on a schema of revision `current`, which it does not know; empty: it may."""
    there = inspect(connection).has_table("schema_history")
    rows = connection.execute(text(STEPS)).all() if there else []
    return trouble_with(current, [(row[0], row[1], row[2]) for row in rows])


def trouble_with(current: str, steps: Iterable[tuple[str, str, str]]) -> str:
    """The same of rows that were read: revision, the oldest that may run, a JSON list of what was taken."""
    steps = list(steps)
    if current not in {revision for revision, _, _ in steps}:
        return (
            f"The database is at schema revision '{current}', which this version does not know (it knows up to "
            f"'{HEAD}'): use the version that wrote it, or restore a backup made by this one."
        )
    needs = max(needs for _, needs, _ in steps)
    if needs <= HEAD:
        return ""
    taken = sorted({name for _, needed, names in steps if needed > HEAD for name in json.loads(names)})
    return (
        f"The database is at schema revision '{current}' of a newer version, which took away what this one (schema "
        f"'{HEAD}') uses: {', '.join(taken)}. Use a version of schema '{needs}' or newer, or restore a backup made by "
        "this one."
    )
