"""Tables of sums: the same usage in four grains, each written with the rows it sums, in one transaction.

`usage_hourly` alone could answer everything; where keys and models are many it has nearly a row a request. The other
three are what the common questions read instead, at a twentieth of the rows: whole days; hours whatever the key; hours
whatever the model. Times are the UTC beginning. What a request does not have (a key, a provider) is an empty string.
"""

from sqlalchemy import BigInteger, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from adapters.persistence.tables.row import Identifier, Moment, Row


class Sums:
    """What is summed. A request counts where its last attempt went, tokens and cost where each attempt went.

    The tokens stand together, as `TokenUsage` has them: they are added place by place.
    """

    requests: Mapped[int] = mapped_column(BigInteger)
    errors: Mapped[int] = mapped_column(BigInteger)
    attempts: Mapped[int] = mapped_column(BigInteger)
    input_tokens: Mapped[int] = mapped_column(BigInteger)
    output_tokens: Mapped[int] = mapped_column(BigInteger)
    cache_read_tokens: Mapped[int] = mapped_column(BigInteger)
    cache_write_tokens: Mapped[int] = mapped_column(BigInteger)
    reasoning_tokens: Mapped[int] = mapped_column(BigInteger)
    audio_input_tokens: Mapped[int] = mapped_column(BigInteger)
    audio_output_tokens: Mapped[int] = mapped_column(BigInteger)
    image_tokens: Mapped[int] = mapped_column(BigInteger)
    cache_write_1h_tokens: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    cost_nano_usd: Mapped[int] = mapped_column(BigInteger)
    estimated_requests: Mapped[int] = mapped_column(BigInteger)
    unpriced_requests: Mapped[int] = mapped_column(BigInteger)


SUMS = tuple(name for name in Sums.__annotations__)


class UsageHourRow(Sums, Row):
    """An hour of one key, provider, model and task."""

    __tablename__ = "usage_hourly"

    starts_at: Mapped[Moment] = mapped_column(primary_key=True)
    tenant_id: Mapped[Identifier] = mapped_column(primary_key=True)
    key_id: Mapped[Identifier] = mapped_column(primary_key=True)
    provider_id: Mapped[Identifier] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(Text, primary_key=True)
    task: Mapped[str] = mapped_column(Text, primary_key=True)

    __table_args__ = (Index("ix_usage_hourly_key_id", "key_id", "starts_at"), {"sqlite_with_rowid": False})


class UsageDayRow(Sums, Row):
    """A UTC day of one key, provider, model and task."""

    __tablename__ = "usage_daily"

    starts_at: Mapped[Moment] = mapped_column(primary_key=True)
    tenant_id: Mapped[Identifier] = mapped_column(primary_key=True)
    key_id: Mapped[Identifier] = mapped_column(primary_key=True)
    provider_id: Mapped[Identifier] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(Text, primary_key=True)
    task: Mapped[str] = mapped_column(Text, primary_key=True)

    __table_args__ = ({"sqlite_with_rowid": False},)


class UsageHourOfModelRow(Sums, Row):
    """An hour of one provider, model and task, whatever the key."""

    __tablename__ = "usage_hourly_by_model"

    starts_at: Mapped[Moment] = mapped_column(primary_key=True)
    tenant_id: Mapped[Identifier] = mapped_column(primary_key=True)
    provider_id: Mapped[Identifier] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(Text, primary_key=True)
    task: Mapped[str] = mapped_column(Text, primary_key=True)

    __table_args__ = ({"sqlite_with_rowid": False},)


class UsageHourOfKeyRow(Sums, Row):
    """An hour of one key, whatever the provider, model and task."""

    __tablename__ = "usage_hourly_by_key"

    starts_at: Mapped[Moment] = mapped_column(primary_key=True)
    tenant_id: Mapped[Identifier] = mapped_column(primary_key=True)
    key_id: Mapped[Identifier] = mapped_column(primary_key=True)

    __table_args__ = ({"sqlite_with_rowid": False},)
