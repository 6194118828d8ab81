"""The tables of models: every price that was ever used, and what else was set of them."""

from sqlalchemy import Index, LargeBinary, Text, text
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


class PriceCatalogRow(Row):
    """A catalog of list prices that was taken in after the release; `content` is compressed by zlib."""

    __tablename__ = "price_catalogs"

    version: Mapped[Identifier] = mapped_column(primary_key=True)
    sha256: Mapped[Identifier]
    origin: Mapped[str] = mapped_column(Text)
    models: Mapped[int]
    stored_at: Mapped[Moment]
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ModelFactsRow(Row):
    """What an admin has set of a model beside its price, as `ModelFacts`."""

    __tablename__ = "model_facts"

    provider_id: Mapped[Identifier] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(Text, primary_key=True)
    facts: Mapped[dict[str, object]] = mapped_column(Json)
