"""Alerts in memory, as the repositories over a database keep them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec
from typing_extensions import override

from domain.alerts import AlertChannel, AlertDelivery, AlertMark, AlertRule, ChannelLoad
from domain.ports.alerts import AlertConfigRepository, AlertLogRepository, AlertNotDelivered, AlertSender


class Told(msgspec.Struct, frozen=True):
    """What a rule told last of one threshold."""

    period: str
    armed: bool
    told_at: datetime


class AlertRows(Protocol):
    """The part of the store's rows that these need."""

    alert_channels: dict[str, AlertChannel]
    alert_rules: dict[str, AlertRule]
    alert_marks: dict[tuple[str, str, float], Told]
    alert_deliveries: dict[str, AlertDelivery]


class MemoryAlertConfig(AlertConfigRepository):
    def __init__(self, rows: AlertRows) -> None:
        self._rows = rows

    @override
    async def list_channels(self) -> Sequence[AlertChannel]:
        return sorted(self._rows.alert_channels.values(), key=lambda channel: (channel.created_at, channel.id))

    @override
    async def get_channel(self, channel_id: str) -> AlertChannel | None:
        return self._rows.alert_channels.get(channel_id)

    @override
    async def put_channel(self, channel: AlertChannel) -> None:
        self._rows.alert_channels[channel.id] = channel

    @override
    async def delete_channel(self, channel_id: str) -> bool:
        return self._rows.alert_channels.pop(channel_id, None) is not None

    @override
    async def list_rules(self) -> Sequence[AlertRule]:
        return sorted(self._rows.alert_rules.values(), key=lambda rule: (rule.created_at, rule.id))

    @override
    async def get_rule(self, rule_id: str) -> AlertRule | None:
        return self._rows.alert_rules.get(rule_id)

    @override
    async def put_rule(self, rule: AlertRule) -> None:
        self._rows.alert_rules[rule.id] = rule

    @override
    async def delete_rule(self, rule_id: str) -> bool:
        for key in [key for key in self._rows.alert_marks if key[0] == rule_id]:
            del self._rows.alert_marks[key]
        return self._rows.alert_rules.pop(rule_id, None) is not None

    @override
    async def reencrypt_all(self) -> int:
        return 0  # nothing is encrypted here


class MemoryAlertLog(AlertLogRepository):
    def __init__(self, rows: AlertRows) -> None:
        self._rows = rows

    @override
    async def take(self, mark: AlertMark, now: datetime, cooldown_seconds: int) -> float | None:
        told = self._rows.alert_marks.get(_key(mark))
        if told is not None:
            if told.period == mark.period and not told.armed:
                return None
            wait = cooldown_seconds - (now - told.told_at).total_seconds()
            if wait > 0:
                return wait
        self._rows.alert_marks[_key(mark)] = Told(mark.period, False, now)
        return 0.0

    @override
    async def rearm(self, mark: AlertMark, read_at: datetime) -> None:
        told = self._rows.alert_marks.get(_key(mark))
        if told is not None and told.told_at < read_at:
            self._rows.alert_marks[_key(mark)] = msgspec.structs.replace(told, armed=True)

    @override
    async def load(self, channel_id: str, since: datetime) -> ChannelLoad:
        ours = [delivery for delivery in self._rows.alert_deliveries.values() if delivery.channel_id == channel_id]
        alone = [
            delivery.created_at
            for delivery in ours
            if delivery.created_at > since and delivery.rule_id and delivery.status not in {"held", "gathered"}
        ]
        waits = any(d.alert.event == "digest" and d.status == "pending" and not d.attempts for d in ours)
        return ChannelLoad(len(alone), min(alone, default=None), waits)

    @override
    async def gather(self, channel_id: str) -> Sequence[AlertDelivery]:
        deliveries = self._rows.alert_deliveries.values()
        held = [d for d in deliveries if d.channel_id == channel_id and d.status == "held"]
        gathered = [msgspec.structs.replace(delivery, status="gathered") for delivery in held]
        await self.add(gathered)
        return sorted(gathered, key=lambda delivery: delivery.id)

    @override
    async def add(self, deliveries: Sequence[AlertDelivery]) -> None:
        self._rows.alert_deliveries.update({delivery.id: delivery for delivery in deliveries})

    @override
    async def claim(self, now: datetime, until: datetime, limit: int) -> Sequence[AlertDelivery]:
        waiting = [
            d for d in self._rows.alert_deliveries.values() if d.status == "pending" and d.next_attempt_at <= now
        ]
        first = sorted(waiting, key=lambda delivery: delivery.next_attempt_at)[:limit]
        claimed = [
            msgspec.structs.replace(delivery, next_attempt_at=until, attempts=delivery.attempts + 1)
            for delivery in first
        ]
        await self.add(claimed)
        return sorted(claimed, key=lambda delivery: delivery.id)

    @override
    async def put(self, delivery: AlertDelivery) -> None:
        await self.add([delivery])

    @override
    async def get(self, delivery_id: str) -> AlertDelivery | None:
        return self._rows.alert_deliveries.get(delivery_id)

    @override
    async def page(self, limit: int, after: str | None, status: str | None) -> Sequence[AlertDelivery]:
        newest_first = sorted(self._rows.alert_deliveries.values(), key=lambda delivery: delivery.id, reverse=True)
        found = [d for d in newest_first if (after is None or d.id < after) and status in {None, d.status}]
        return found[:limit]

    @override
    async def forget_before(self, moment: datetime) -> int:
        old = [
            d.id
            for d in self._rows.alert_deliveries.values()
            if d.created_at < moment and d.status not in {"pending", "held"}
        ]
        for delivery_id in old:
            del self._rows.alert_deliveries[delivery_id]
        return len(old)


def _key(mark: AlertMark) -> tuple[str, str, float]:
    return mark.rule_id, mark.about, mark.threshold


class RememberingSender(AlertSender):
    """Remembers what it was given; fails as often as `failures` says, each time with the next of them."""

    def __init__(self) -> None:
        self.sent: list[tuple[AlertChannel, AlertDelivery]] = []
        self.failures: list[AlertNotDelivered] = []

    @override
    async def send(self, channel: AlertChannel, delivery: AlertDelivery) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append((channel, delivery))

    @override
    async def aclose(self) -> None:
        """Nothing is open."""
