"""Tables of providers, their keys, and the models they offered last."""

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from adapters.persistence.tables.row import Identifier, Json, Moment, Row
from domain.providers import Owner


class ProviderRow(Row):
    """A configured provider."""

    __tablename__ = "providers"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    base_url: Mapped[str | None] = mapped_column(Text)
    priority: Mapped[int]
    enabled: Mapped[bool]
    settings: Mapped[dict[str, object]] = mapped_column(Json)
    owner: Mapped[Owner] = mapped_column(Text)
    version: Mapped[int]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]


class ProviderKeyRow(Row):
    """A credential at a provider, sealed. `provider_id` may name a provider that is declared elsewhere."""

    __tablename__ = "provider_keys"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    provider_id: Mapped[Identifier] = mapped_column(index=True)
    label: Mapped[str] = mapped_column(Text)
    sealed_secret: Mapped[str] = mapped_column(Text)
    weight: Mapped[int]
    owner: Mapped[Owner] = mapped_column(Text)
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    quota: Mapped[list[dict[str, object]] | None] = mapped_column(Json)


class OfferingsRow(Row):
    """The models a provider listed last, as one JSON array."""

    __tablename__ = "offerings"

    provider_id: Mapped[Identifier] = mapped_column(primary_key=True)
    listed_at: Mapped[Moment]
    models: Mapped[list[object]] = mapped_column(Json)
