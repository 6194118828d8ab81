"""Tables of the keys given to clients, of admin tokens, and of model groups."""

from sqlalchemy import ForeignKey, LargeBinary, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from adapters.persistence.tables.row import Identifier, Json, Moment, Row


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
    owner_id: Mapped[Identifier | None] = mapped_column(index=True)
    strict: Mapped[bool] = mapped_column(server_default=false(), default=False)
    limits: Mapped[dict[str, int]] = mapped_column(Json, server_default="{}")
    budgets: Mapped[list[dict[str, object]]] = mapped_column(Json, server_default="[]")
    allowed_endpoints: Mapped[list[str] | None] = mapped_column(Json)
    scopes: Mapped[list[str] | None] = mapped_column(Json)
    cidrs: Mapped[list[str] | None] = mapped_column(Json)
    tags: Mapped[list[str]] = mapped_column(Json, server_default="[]")
    extra: Mapped[dict[str, str]] = mapped_column("metadata", Json, server_default="{}")
    previous_digest: Mapped[bytes | None] = mapped_column(LargeBinary, index=True)
    previous_until: Mapped[Moment | None]
    last_used_at: Mapped[Moment | None]


class AdminTokenRow(Row):
    """A further admin token: its keyed digest, never the token."""

    __tablename__ = "admin_tokens"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    last4: Mapped[str] = mapped_column(Text)
    scopes: Mapped[list[str]] = mapped_column(Json)
    expires_at: Mapped[Moment | None]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    version: Mapped[int]


class ModelGroupRow(Row):
    """Patterns of models under a name that lists can hold as `@name`."""

    __tablename__ = "model_groups"

    name: Mapped[Identifier] = mapped_column(primary_key=True)
    patterns: Mapped[list[str]] = mapped_column(Json)
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
