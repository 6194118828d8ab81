"""Ports of alerts: how they are set up and kept, and how they are sent."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.alerts import AlertChannel, AlertDelivery, AlertMark, AlertRule, ChannelLoad


class AlertConfigRepository(Protocol):
    """Channels and rules. All raise `StoreUnavailable`; `SecretUnreadable` where a channel's secret does not open."""

    async def list_channels(self) -> Sequence[AlertChannel]:
        """Oldest first."""
        ...

    async def get_channel(self, channel_id: str) -> AlertChannel | None: ...

    async def put_channel(self, channel: AlertChannel) -> None:
        """Adds it, or replaces the one of the same id."""
        ...

    async def delete_channel(self, channel_id: str) -> bool: ...

    async def list_rules(self) -> Sequence[AlertRule]:
        """Oldest first."""
        ...

    async def get_rule(self, rule_id: str) -> AlertRule | None: ...

    async def put_rule(self, rule: AlertRule) -> None:
        """Adds it, or replaces the one of the same id."""
        ...

    async def delete_rule(self, rule_id: str) -> bool:
        """What it told is forgotten with it."""
        ...

    async def reencrypt_all(self) -> int:
        """Seal every secret under the newest master key; how many were not."""
        ...


class AlertLogRepository(Protocol):
    """What was told, and on its way. All raise `StoreUnavailable`."""

    async def take(self, mark: AlertMark, now: datetime, cooldown_seconds: int) -> float | None:
        """0 where it is the caller's to tell, who has it now; None where it was told; else in how many seconds its
        cooldown ends. Of several processes that ask at once one gets 0. `now` is when it was read: what another has
        told since is told.
        """
        ...

    async def rearm(self, mark: AlertMark, read_at: datetime) -> None:
        """It may be told again, in the same period too; unless it was told after the reading that says so."""
        ...

    async def load(self, channel_id: str, since: datetime) -> ChannelLoad:
        """What the channel was sent since then. Until the unit of work ends nobody else can ask of this channel."""
        ...

    async def gather(self, channel_id: str) -> Sequence[AlertDelivery]:
        """What is held for the channel, oldest first: for the caller alone, and gathered from now on."""
        ...

    async def add(self, deliveries: Sequence[AlertDelivery]) -> None: ...

    async def claim(self, now: datetime, until: datetime, limit: int) -> Sequence[AlertDelivery]:
        """Those that are due, each for one caller alone until that moment; their attempts are counted."""
        ...

    async def put(self, delivery: AlertDelivery) -> None:
        """How an attempt ended."""
        ...

    async def get(self, delivery_id: str) -> AlertDelivery | None: ...

    async def page(self, limit: int, after: str | None, status: str | None) -> Sequence[AlertDelivery]:
        """Newest first, those after the id `after`."""
        ...

    async def forget_before(self, moment: datetime) -> int:
        """Deletes what was made before, and is not on its way any more; how many."""
        ...


class AlertNotDelivered(Exception):
    """An attempt failed; the text says how. `final`: another one would, too."""

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.final = final


class AlertSender(Protocol):
    """Sends to channels of one kind."""

    async def send(self, channel: AlertChannel, delivery: AlertDelivery) -> None:
        """One attempt, within some seconds. Raises `AlertNotDelivered`."""
        ...

    async def aclose(self) -> None: ...
