"""The table of routes."""

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from adapters.persistence.tables.row import Identifier, Json, Moment, Row


class RouteRow(Row):
    """An alias, and what it does as `RoutePolicy`: it is read and written whole."""

    __tablename__ = "routes"

    alias: Mapped[Identifier] = mapped_column(primary_key=True)
    policy: Mapped[dict[str, object]] = mapped_column(Json)
    owner: Mapped[str] = mapped_column(Text)
    version: Mapped[int]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
