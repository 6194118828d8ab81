"""What `omg db upgrade` would do to a database, and whether older processes may go on meanwhile and afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.persistence.schema import SchemaState
from adapters.persistence.schema_history import oldest_that_may_run


@dataclass(frozen=True)
class SchemaChange:
    """One thing that a migration does. `contracts` is what it takes away from, `table` or `table.column`, or empty."""

    table: str
    words: str
    contracts: str = ""


@dataclass(frozen=True)
class Migration:
    """A migration with all it does, and since when what it contracts is unused, as it says itself."""

    revision: str
    title: str
    changes: tuple[SchemaChange, ...]
    unused_since: Mapping[str, str]

    @property
    def contracted(self) -> tuple[str, ...]:
        """What it takes away from, each once."""
        return tuple(dict.fromkeys(change.contracts for change in self.changes if change.contracts))

    @property
    def needs(self) -> str:
        """The oldest revision whose code may run once this is done; empty: any that could run before."""
        return oldest_that_may_run({name: self.unused_since.get(name, self.revision) for name in self.contracted})


@dataclass(frozen=True)
class UpgradePlan:
    """The database as it is, and the migrations that would run, oldest first."""

    state: SchemaState
    migrations: tuple[Migration, ...]

    @property
    def needs(self) -> str:
        """The oldest revision whose code may run afterwards; empty: any that may run now."""
        return max((one.needs for one in self.migrations), default="")

    @property
    def running_may_stay(self) -> bool:
        """Whether the version that made the schema as it is may go on. Of an empty database there is none."""
        return self.state.current is None or self.needs <= self.state.current
