"""Tables of tenants and of the keys given to clients."""

from typing import Literal

from sqlalchemy import ForeignKey, LargeBinary, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from adapters.persistence.tables.row import Identifier, Json, Moment, Row


class TenantRow(Row):
    """Whose keys belong together."""

    __tablename__ = "tenants"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[Literal["shared", "personal"]] = mapped_column(Text)
    created_at: Mapped[Moment]


class VirtualKeyRow(Row):
    """A client's key: its keyed digest, never the key."""

    __tablename__ = "virtual_keys"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    tenant_id: Mapped[Identifier] = mapped_column(ForeignKey("tenants.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    last4: Mapped[str] = mapped_column(Text)
    allowed_models: Mapped[list[str] | None] = mapped_column(Json)
    allowed_providers: Mapped[list[str] | None] = mapped_column(Json)
    expires_at: Mapped[Moment | None]
    revoked_at: Mapped[Moment | None]
    version: Mapped[int]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    strict: Mapped[bool] = mapped_column(server_default=false(), default=False)
