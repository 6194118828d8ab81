"""Tables of what the gateway itself remembers: states of provider keys, and named facts."""

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from adapters.persistence.tables.row import Identifier, Moment, Row


class KeyStateRow(Row):
    """Why a provider key may not be asked. Also holds keys that are in no table: the environment's, `keyless:…`."""

    __tablename__ = "key_states"

    key_id: Mapped[Identifier] = mapped_column(primary_key=True)
    condition: Mapped[str] = mapped_column(Text)
    until: Mapped[Moment | None]
    since: Mapped[Moment | None]
    reason: Mapped[str] = mapped_column(Text)
    strikes: Mapped[int]


class FactRow(Row):
    """One named value."""

    __tablename__ = "facts"

    name: Mapped[Identifier] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(Text)
