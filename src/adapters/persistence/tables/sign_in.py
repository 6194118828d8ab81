"""Tables of sign-in: sessions, one-time tokens, hashes of passwords, and what people chose for themselves."""

from sqlalchemy import ForeignKey, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from adapters.persistence.tables.row import Identifier, Json, Moment, Row
from domain.sign_in import SignInMethod, TokenPurpose
from domain.tenants import Role


class SessionRow(Row):
    """A browser that is signed in: the digest of its cookie's secret, never the secret."""

    __tablename__ = "sessions"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    user_id: Mapped[Identifier] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    method: Mapped[SignInMethod] = mapped_column(Text)
    created_at: Mapped[Moment]
    last_seen_at: Mapped[Moment]
    confirmed_at: Mapped[Moment]
    ends_at: Mapped[Moment]
    address: Mapped[str] = mapped_column(Text)
    user_agent: Mapped[str] = mapped_column(Text)
    issuer: Mapped[str] = mapped_column(Text, server_default=text("''"))
    subject: Mapped[str] = mapped_column(Text, server_default=text("''"))
    refresh_token: Mapped[str] = mapped_column(Text, server_default=text("''"))


class IdentityRow(Row):
    """A person's account at an issuer, and the roles that it gives here, by tenant."""

    __tablename__ = "identities"

    issuer: Mapped[str] = mapped_column(Text, primary_key=True)
    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[Identifier] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[Moment]
    last_seen_at: Mapped[Moment]
    granted: Mapped[dict[str, Role]] = mapped_column(Json)


class OneTimeTokenRow(Row):
    """A link that works once."""

    __tablename__ = "one_time_tokens"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    purpose: Mapped[TokenPurpose] = mapped_column(Text)
    user_id: Mapped[Identifier] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[Moment]
    ends_at: Mapped[Moment]


class PasswordRow(Row):
    """The hash of a person's password."""

    __tablename__ = "passwords"

    user_id: Mapped[Identifier] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    hash: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[Moment]


class PreferencesRow(Row):
    """What a person chose for themselves."""

    __tablename__ = "preferences"

    user_id: Mapped[Identifier] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    timezone: Mapped[str] = mapped_column(Text)
    locale: Mapped[str] = mapped_column(Text)
    theme: Mapped[str] = mapped_column(Text)
