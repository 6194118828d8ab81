"""What is used of limits. By the day on every database; the rest where several processes meet in Postgres alone."""

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from adapters.persistence.tables.row import Identifier, Row


class LimitDayRow(Row):
    """What was used of a limit in the day that began at `starts_at`, in seconds since 1970."""

    __tablename__ = "limit_days"

    counter: Mapped[Identifier] = mapped_column(primary_key=True)
    starts_at: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    used: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = ({"sqlite_with_rowid": False},)


class LimitWindowRow(Row):
    """What was taken of a limit in one second: those of the last minute count."""

    __tablename__ = "limit_windows"

    counter: Mapped[Identifier] = mapped_column(primary_key=True)
    second: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = ({"sqlite_with_rowid": False},)


class LimitSlotRow(Row):
    """A request under way: a lease, which ends in the given millisecond unless it is renewed."""

    __tablename__ = "limit_slots"

    counter: Mapped[Identifier] = mapped_column(primary_key=True)
    lease_id: Mapped[Identifier] = mapped_column(primary_key=True)
    ends_at_ms: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = ({"sqlite_with_rowid": False},)
