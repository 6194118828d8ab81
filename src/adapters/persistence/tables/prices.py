"""The table of every price that was ever used."""

from sqlalchemy import Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from adapters.persistence.tables.row import Identifier, Json, Moment, Row

_IN_FORCE = text("superseded_at IS NULL AND source = 'admin'")


class PriceTableRow(Row):
    """One price of one model for a stretch of time, in nano-USD per million tokens by meter.

    An admin's price in force is the only one of its model: end it before its successor is inserted.
    """

    __tablename__ = "prices"
    __table_args__ = (
        Index(
            "uq_prices_in_force",
            "provider_id",
            "model",
            unique=True,
            sqlite_where=_IN_FORCE,
            postgresql_where=_IN_FORCE,
        ),
    )

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    provider_id: Mapped[Identifier]
    model: Mapped[str] = mapped_column(Text)
    prices: Mapped[dict[str, int]] = mapped_column(Json)
    source: Mapped[str] = mapped_column(Text)
    effective_from: Mapped[Moment]
    superseded_at: Mapped[Moment | None]
