"""Tables of tenants, users, and who is a member of what."""

from typing import Literal

from sqlalchemy import ForeignKey, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from adapters.persistence.tables.row import Identifier, Json, Moment, Row
from domain.tenants import Role, TenantKind, TenantStatus
from domain.users import PlatformRole, UserStatus


class TenantRow(Row):
    """Whose keys belong together. A null list allows all."""

    __tablename__ = "tenants"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[TenantKind] = mapped_column(Text, index=True)
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    status: Mapped[TenantStatus] = mapped_column(Text, server_default=text("'active'"))
    allowed_models: Mapped[list[str] | None] = mapped_column(Json)
    allowed_providers: Mapped[list[str] | None] = mapped_column(Json)
    cidrs: Mapped[list[str] | None] = mapped_column(Json)
    limits: Mapped[dict[str, int]] = mapped_column(Json, server_default=text("'{}'"))
    budgets: Mapped[list[dict[str, object]]] = mapped_column(Json, server_default=text("'[]'"))
    tags: Mapped[list[str]] = mapped_column(Json, server_default=text("'[]'"))
    external_id: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(server_default=text("1"))


class UserRow(Row):
    """A person. Addresses are in lower case; how they sign in is elsewhere."""

    __tablename__ = "users"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    email: Mapped[str | None] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    platform_role: Mapped[PlatformRole] = mapped_column(Text)
    status: Mapped[UserStatus] = mapped_column(Text)
    personal_tenant_id: Mapped[Identifier | None]
    last_seen_at: Mapped[Moment | None]
    limits: Mapped[dict[str, int]] = mapped_column(Json)
    budgets: Mapped[list[dict[str, object]]] = mapped_column(Json)
    version: Mapped[int]


class MembershipRow(Row):
    """A user in a tenant."""

    __tablename__ = "memberships"

    tenant_id: Mapped[Identifier] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    user_id: Mapped[Identifier] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
    role: Mapped[Role] = mapped_column(Text)
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    limits: Mapped[dict[str, int]] = mapped_column(Json)
    budgets: Mapped[list[dict[str, object]]] = mapped_column(Json)
    managed_by: Mapped[Literal["hand", "idp"]] = mapped_column(Text)
