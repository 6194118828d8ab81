"""The channels and rules in force, in memory."""

from collections.abc import Mapping

from domain.alerts import AlertChannel, AlertEvent, AlertRule
from domain.ports.repositories import UnitOfWork


class AlertBook:
    """`reload` when the section changed; `generation` grows with each. Without a rule nothing is looked at."""

    def __init__(self) -> None:
        self.channels: Mapping[str, AlertChannel] = {}
        self.rules: tuple[AlertRule, ...] = ()
        self.generation = 0

    async def reload(self, unit: UnitOfWork) -> None:
        """Raises `StoreUnavailable` and keeps what it knew."""
        channels = await unit.alert_config.list_channels()
        rules = await unit.alert_config.list_rules()
        self.channels = {channel.id: channel for channel in channels if channel.enabled}
        self.rules = tuple(rule for rule in rules if rule.enabled and self.channels.keys() & set(rule.channels))
        self.generation += 1

    def of(self, event: AlertEvent) -> tuple[AlertRule, ...]:
        """The rules that tell of it."""
        return tuple(rule for rule in self.rules if rule.event == event)
