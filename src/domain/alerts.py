"""Alerts: whom they are told (channels), what of (rules), what is told, and what became of telling it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from domain.secrets import Secret

AlertEvent = Literal[
    "budget_threshold", "provider_down", "quota_low", "error_rate", "key_expiring", "model_retiring", "cost_drift"
]
ChannelKind = Literal["webhook", "email"]
DeliveryStatus = Literal["pending", "delivered", "failed", "held", "gathered"]
"""`held` waits for its channel's digest; `gathered` has become part of one."""

THRESHOLDS: Final[Mapping[AlertEvent, float | None]] = {
    "budget_threshold": None,  # the budget's own
    "provider_down": None,  # it is, or it is not
    "quota_low": 0.9,
    "error_rate": 0.5,
    "key_expiring": 7.0,
    "model_retiring": 30.0,
    "cost_drift": 0.05,
}
"""Where a rule says none: shares; of what ends, days."""

REARM_SHARE: Final = 0.1
"""What was told is told again only after it was this share away from its threshold, or in another period."""


class AlertChannel(msgspec.Struct, frozen=True):
    """Where alerts go: `url` of a webhook, with the secret that signs; or the addresses `to` of an e-mail."""

    id: str  # `alc_…`
    kind: ChannelKind
    name: str
    url: str | None
    to: tuple[str, ...]
    secret: Secret | None
    enabled: bool
    created_at: datetime
    updated_at: datetime


class AlertRule(msgspec.Struct, frozen=True):
    """What is told to which channels. After one alert of a subject it is silent about it for `cooldown_seconds`.

    `threshold` is a share, of `key_expiring` and `model_retiring` days; None is the event's own. Of budgets only their
    thresholds at or above it are told.
    """

    id: str  # `alr_…`
    event: AlertEvent
    threshold: float | None
    cooldown_seconds: int
    channels: tuple[str, ...]
    enabled: bool
    created_at: datetime
    updated_at: datetime


class AlertSubject(msgspec.Struct, frozen=True):
    """What an alert is about: a budget's subject, a provider, a key, a model. `name` is for people."""

    kind: str
    id: str
    name: str


class Alert(msgspec.Struct, frozen=True):
    """What is sent, as JSON. `value` and `limit` are USD as text where they are money; `text` says it all in words.

    `alerts` are those of a `digest`; no other has the field.
    """

    id: str  # `alt_…`: the same at every channel and with every attempt
    event: AlertEvent | Literal["test", "digest"]
    fired_at: datetime
    subject: AlertSubject
    threshold: float | None
    value: float | str | None
    limit: float | str | None
    period_end: datetime | None
    text: str
    alerts: "tuple[Alert, ...] | UnsetType" = UNSET


class Reading(msgspec.Struct, frozen=True):
    """How something stands that rules look at. It is told where `level` has reached a threshold.

    `thresholds` are its own; empty: those of the rule. `falling` levels count down: days that are left. In another
    `period` it is told anew.
    """

    event: AlertEvent
    subject: AlertSubject
    level: float
    text: str
    thresholds: tuple[float, ...] = ()
    falling: bool = False
    value: float | str | None = None
    limit: float | str | None = None
    period: str = ""
    period_end: datetime | None = None
    scope: str = ""  # tells apart what one subject has several of: its budgets

    @property
    def about(self) -> str:
        """What tells it from all others of the same event."""
        return ":".join((self.subject.kind, self.subject.id, self.scope)) if self.scope else self._plain

    @property
    def _plain(self) -> str:
        return f"{self.subject.kind}:{self.subject.id}"

    def reached(self, threshold: float) -> bool:
        return self.level <= threshold if self.falling else self.level >= threshold

    def rearmed(self, threshold: float) -> bool:
        """Whether it is so far away again that it may be told once more."""
        if self.falling:
            return self.level > threshold * (1 + REARM_SHARE)
        return self.level <= threshold * (1 - REARM_SHARE)


class AlertMark(msgspec.Struct, frozen=True):
    """What is told once: a threshold of a subject, in a period, by a rule."""

    rule_id: str
    about: str
    threshold: float
    period: str


class ChannelLoad(msgspec.Struct, frozen=True):
    """What went to a channel since a moment: alerts and digests, not what was held, nor tests. `oldest` is when the
    first of these was made; `digest_waits`: one is not composed yet, and takes more."""

    sent: int
    oldest: datetime | None
    digest_waits: bool


class AlertDelivery(msgspec.Struct, frozen=True):
    """One alert on its way to one channel. `rule_id` is None for a test."""

    id: str  # `ald_…`
    alert: Alert
    rule_id: str | None
    channel_id: str
    status: DeliveryStatus
    attempts: int
    error: str
    created_at: datetime
    next_attempt_at: datetime
    delivered_at: datetime | None = None
