"""Tables of sums: the same usage in six grains, each written with the rows it sums, in one transaction.

`usage_hourly` alone could answer everything; where keys and models are many it has nearly a row a request. The others
are what the common questions read instead, at a twentieth of the rows and less: whole days; hours and days whatever the
key; hours and days whatever the model. Times are the UTC beginning. What a request does not have (a key, a provider) is
an empty string.
"""

from sqlalchemy import BigInteger, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from adapters.persistence.tables.row import Identifier, Moment, Row


class Sums:
    """What is summed. A request counts where its last attempt went, tokens and cost where each attempt went. `errors`
    are all that did not end well: among them those that a limit refused, and those whose client left.

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
    inexact_requests: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    refused_requests: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    cancelled_requests: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    savings_nano_usd: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


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


class UsageDayOfModelRow(Sums, Row):
    """A UTC day of one provider, model and task, whatever the key."""

    __tablename__ = "usage_daily_by_model"

    starts_at: Mapped[Moment] = mapped_column(primary_key=True)
    tenant_id: Mapped[Identifier] = mapped_column(primary_key=True)
    provider_id: Mapped[Identifier] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(Text, primary_key=True)
    task: Mapped[str] = mapped_column(Text, primary_key=True)

    __table_args__ = ({"sqlite_with_rowid": False},)


class UsageDayOfKeyRow(Sums, Row):
    """A UTC day of one key, whatever the provider, model and task."""

    __tablename__ = "usage_daily_by_key"

    starts_at: Mapped[Moment] = mapped_column(primary_key=True)
    tenant_id: Mapped[Identifier] = mapped_column(primary_key=True)
    key_id: Mapped[Identifier] = mapped_column(primary_key=True)

    __table_args__ = ({"sqlite_with_rowid": False},)


class UsageDayVersionRow(Row):
    """How often requests of a UTC day were written: what was made of an earlier version is no longer true."""

    __tablename__ = "usage_days"

    starts_at: Mapped[Moment] = mapped_column(primary_key=True)
    ends_at: Mapped[Moment]
    version: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = ({"sqlite_with_rowid": False},)


class UsageRollUpRow(Row):
    """Sums of a UTC day by an attribute of its requests, and by what `breakdown` tells apart; else an empty string.

    Numbered within their day: what the attribute's values are together with the rest may be longer than a key.
    """

    __tablename__ = "usage_roll_ups"

    attribute: Mapped[str] = mapped_column(Text, primary_key=True)
    breakdown: Mapped[str] = mapped_column(Text, primary_key=True)
    starts_at: Mapped[Moment] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[str] = mapped_column(Text)
    tenant_id: Mapped[Identifier] = mapped_column(server_default="")
    key_id: Mapped[Identifier] = mapped_column(server_default="")
    provider_id: Mapped[Identifier] = mapped_column(server_default="")
    model: Mapped[str] = mapped_column(Text, server_default="")
    task: Mapped[str] = mapped_column(Text, server_default="")
    requests: Mapped[int] = mapped_column(BigInteger)
    input_tokens: Mapped[int] = mapped_column(BigInteger)
    output_tokens: Mapped[int] = mapped_column(BigInteger)
    cache_read_tokens: Mapped[int] = mapped_column(BigInteger)
    cache_write_tokens: Mapped[int] = mapped_column(BigInteger)
    cache_write_1h_tokens: Mapped[int] = mapped_column(BigInteger)
    reasoning_tokens: Mapped[int] = mapped_column(BigInteger)
    cost_nano_usd: Mapped[int] = mapped_column(BigInteger)
    estimated_requests: Mapped[int] = mapped_column(BigInteger)
    unpriced_requests: Mapped[int] = mapped_column(BigInteger)
    inexact_requests: Mapped[int] = mapped_column(BigInteger)
    failed_requests: Mapped[int] = mapped_column(BigInteger)
    refused_requests: Mapped[int] = mapped_column(BigInteger)
    savings_nano_usd: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))

    __table_args__ = ({"sqlite_with_rowid": False},)


class UsageRolledDayRow(Row):
    """A day whose roll-up by an attribute was made, of which version of the day; not `kept` where it has so many rows
    that the requests are read as soon.
    """

    __tablename__ = "usage_rolled_days"

    starts_at: Mapped[Moment] = mapped_column(primary_key=True)
    attribute: Mapped[str] = mapped_column(Text, primary_key=True)
    breakdown: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    kept: Mapped[bool]

    __table_args__ = ({"sqlite_with_rowid": False},)
