"""Tables of alerts: channels, rules, what was told, and what is on its way."""

from sqlalchemy import Float, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from adapters.persistence.tables.row import Identifier, Json, Moment, Row
from domain.alerts import AlertEvent, ChannelKind, DeliveryStatus


class AlertChannelRow(Row):
    """Where alerts go. The secret that signs is sealed."""

    __tablename__ = "alert_channels"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    kind: Mapped[ChannelKind] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(Text)
    recipients: Mapped[list[str]] = mapped_column(Json)
    sealed_secret: Mapped[str | None] = mapped_column(Text)
    enabled: Mapped[bool]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]


class AlertRuleRow(Row):
    """What is told to which channels."""

    __tablename__ = "alert_rules"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    event: Mapped[AlertEvent] = mapped_column(Text)
    threshold: Mapped[float | None] = mapped_column(Float)
    cooldown_seconds: Mapped[int]
    channels: Mapped[list[str]] = mapped_column(Json)
    enabled: Mapped[bool]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]


class AlertMarkRow(Row):
    """What a rule told last of a threshold of a subject. While `armed` it may be told again."""

    __tablename__ = "alert_marks"

    rule_id: Mapped[Identifier] = mapped_column(primary_key=True)
    about: Mapped[str] = mapped_column(Text, primary_key=True)
    threshold: Mapped[float] = mapped_column(Float, primary_key=True)
    period: Mapped[str] = mapped_column(Text)
    armed: Mapped[bool]
    told_at: Mapped[Moment]


class AlertDeliveryRow(Row):
    """One alert on its way to one channel, or there."""

    __tablename__ = "alert_deliveries"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    alert: Mapped[dict[str, object]] = mapped_column(Json)
    rule_id: Mapped[Identifier | None]
    channel_id: Mapped[Identifier]
    status: Mapped[DeliveryStatus] = mapped_column(Text)
    attempts: Mapped[int]
    error: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Moment]
    next_attempt_at: Mapped[Moment]
    delivered_at: Mapped[Moment | None]

    __table_args__ = (Index("ix_alert_deliveries_due", "status", "next_attempt_at"),)
