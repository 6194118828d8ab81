"""What was spent of budgets."""

from sqlalchemy import BigInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from adapters.persistence.tables.row import Identifier, Row


class BudgetPeriodRow(Row):
    """One bucket of one account: what the requests charged in it cost. Written with their rows, by the ledger."""

    __tablename__ = "budget_periods"

    account: Mapped[Identifier] = mapped_column(primary_key=True)
    starts_at: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    spent_nano_usd: Mapped[int] = mapped_column(BigInteger)
    held_nano_usd: Mapped[int] = mapped_column(BigInteger, server_default=text("0"), default=0)  # with Postgres alone
    opening_nano_usd: Mapped[int] = mapped_column(BigInteger, server_default=text("0"), default=0)
    """What of `spent_nano_usd` was spent before there was a budget: no request was charged for it."""

    __table_args__ = ({"sqlite_with_rowid": False},)


class BudgetHoldRow(Row):
    """What is held of an account for one request, by its decision's id. Seconds since 1970."""

    __tablename__ = "budget_holds"

    hold_id: Mapped[Identifier] = mapped_column(primary_key=True)
    account: Mapped[Identifier] = mapped_column(primary_key=True)
    starts_at: Mapped[int] = mapped_column(BigInteger)
    nano_usd: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger)
