"""What all tables share: the registry and the column types that mean the same on both databases."""

from datetime import UTC, datetime
from typing import Annotated

from advanced_alchemy.base import AdvancedDeclarativeBase, CommonTableAttributes, create_registry
from advanced_alchemy.types import DateTimeUTC
from sqlalchemy import JSON, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import mapped_column

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""Any JSON; None is SQL's NULL."""

_Sortable = String(128).with_variant(String(128, collation="C"), "postgresql")

Identifier = Annotated[str, mapped_column(_Sortable)]
"""An id, compared byte by byte on both databases, so that both sort alike."""

Moment = Annotated[datetime, mapped_column(DateTimeUTC(timezone=True))]
"""An aware moment, kept in UTC."""


class Row(CommonTableAttributes, AdvancedDeclarativeBase):
    """The root of every table. Rows never leave the repositories: callers get domain entities."""

    __abstract__ = True
    registry = create_registry()


def as_stored(moment: datetime) -> str:
    """As SQLAlchemy writes moments into SQLite: UTC, without saying so."""
    return moment.astimezone(UTC).isoformat(" ", "microseconds")[:26]
