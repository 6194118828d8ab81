"""Tables of what the gateway itself remembers: states of provider keys, rests, leases, versions, facts, places."""

from sqlalchemy import BigInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from adapters.persistence.tables.row import Identifier, Moment, Row


class KeyStateRow(Row):
    """Why a provider key may not be asked. Also holds keys that are in no table: the environment's, `keyless:…`.

    A state that holds for one model only has that model behind the key's id and a space.
    """

    __tablename__ = "key_states"

    key_id: Mapped[Identifier] = mapped_column(primary_key=True)
    condition: Mapped[str] = mapped_column(Text)
    until: Mapped[Moment | None]
    since: Mapped[Moment | None]
    reason: Mapped[str] = mapped_column(Text)
    strikes: Mapped[int]


class ProviderRestRow(Row):
    """Why a provider or a model is not asked for a while. A model of `""` is all of the owner's."""

    __tablename__ = "provider_rests"

    cause: Mapped[Identifier] = mapped_column(primary_key=True)
    owner_id: Mapped[Identifier] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(Text, primary_key=True)
    until: Mapped[Moment]
    since: Mapped[Moment]
    count: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)


class LeaseRow(Row):
    """Which process does the work that one of all does, and until when it may. Milliseconds since 1970, of the
    database's own clock.
    """

    __tablename__ = "leases"

    name: Mapped[Identifier] = mapped_column(primary_key=True)
    holder: Mapped[Identifier]
    ends_at: Mapped[int] = mapped_column(BigInteger)


class ConversationPlaceRow(Row):
    """The deployment that served a conversation last: told by who served it, asked by who has not."""

    __tablename__ = "conversation_places"

    conversation: Mapped[Identifier] = mapped_column(primary_key=True)
    provider_id: Mapped[Identifier]
    model: Mapped[str] = mapped_column(Text)
    tokens: Mapped[int] = mapped_column(BigInteger)
    keeps_seconds: Mapped[int]
    served_at: Mapped[Moment] = mapped_column(index=True)


class SchemaStepRow(Row):
    """A migration that was run: the oldest revision whose code may run since (empty: any), and a JSON list of what it
    took away. Older versions read this of newer ones (`schema_history`): columns may be added, nothing else.
    """

    __tablename__ = "schema_history"

    revision: Mapped[Identifier] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    needs: Mapped[str] = mapped_column(Text)
    taken: Mapped[str] = mapped_column(Text)
    applied_at: Mapped[Moment]


class QuotaCountRow(Row):
    """What was used of a quota in one bucket of its window, by all processes. Seconds since 1970."""

    __tablename__ = "quota_counts"

    owner_id: Mapped[Identifier] = mapped_column(primary_key=True)
    name: Mapped[Identifier] = mapped_column(primary_key=True)
    starts_at: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    ends_at: Mapped[int] = mapped_column(BigInteger, index=True)
    used: Mapped[int] = mapped_column(BigInteger)


class QuotaFindingRow(Row):
    """What answers told of a quota: its true limit, or that there is none."""

    __tablename__ = "quota_findings"

    owner_id: Mapped[Identifier] = mapped_column(primary_key=True)
    name: Mapped[Identifier] = mapped_column(primary_key=True)
    amount: Mapped[int | None] = mapped_column(BigInteger)
    found_at: Mapped[Moment]


class FactRow(Row):
    """One named value."""

    __tablename__ = "facts"

    name: Mapped[Identifier] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class ConfigVersionRow(Row):
    """How often one section of the configuration was changed."""

    __tablename__ = "config_versions"

    section: Mapped[Identifier] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
