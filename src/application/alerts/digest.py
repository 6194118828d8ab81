"""More than five alerts in ten minutes at one channel become one message.

The first five go out at once, what follows is held and told together when the ten minutes are over. Of several
processes all count the same deliveries.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from domain.alerts import Alert, AlertDelivery, AlertSubject, DeliveryStatus
from domain.ports.alerts import AlertLogRepository
from domain.ports.runtime import IdFactory

MOST: Final = 5
WINDOW: Final = timedelta(minutes=10)
MOST_LISTED: Final = 100
"""Alerts that a digest has whole; of more it says how many."""


async def send_or_hold(
    log: AlertLogRepository, ids: IdFactory, alert: Alert, rule_id: str, channels: Sequence[str], now: datetime
) -> None:
    """Put the alert on its way to each channel, or into the channel's digest. Raises `StoreUnavailable`."""
    made: list[AlertDelivery] = []
    for channel_id in sorted(channels):  # in one order: each is locked
        load = await log.load(channel_id, now - WINDOW)
        alone = load.sent < MOST and not load.digest_waits
        status: DeliveryStatus = "pending" if alone else "held"
        due = now if alone else (load.oldest or now) + WINDOW
        made.append(AlertDelivery(ids.new("ald"), alert, rule_id, channel_id, status, 0, "", now, due))
        if not alone and not load.digest_waits:
            empty = composed(ids.new("alt"), channel_id, (), now)
            made.append(AlertDelivery(ids.new("ald"), empty, rule_id, channel_id, "pending", 0, "", now, due))
    await log.add(made)


async def with_what_was_held(log: AlertLogRepository, digest: AlertDelivery, now: datetime) -> AlertDelivery:
    """A digest that is about to be sent for the first time, with all that its channel's alerts have waited for.

    From here on it stays as it is, with however many attempts. Raises `StoreUnavailable`.
    """
    held = await log.gather(digest.channel_id)
    alert = composed(digest.alert.id, digest.channel_id, [delivery.alert for delivery in held], now)
    whole = msgspec.structs.replace(digest, alert=alert)
    await log.put(whole)
    return whole


def is_digest(delivery: AlertDelivery) -> bool:
    return delivery.alert.event == "digest"


def composed(alert_id: str, channel_id: str, alerts: Sequence[Alert], now: datetime) -> Alert:
    listed = tuple(alerts[:MOST_LISTED])
    more = len(alerts) - len(listed)
    lines = [
        f"{len(alerts)} more {'alert' if len(alerts) == 1 else 'alerts'}:",
        *(f"- {alert.text}" for alert in listed),
    ]
    if more:
        lines.append(f"- and {more} more, in GET /admin/alerts/deliveries")
    subject = AlertSubject("channel", channel_id, channel_id)
    return Alert(alert_id, "digest", now, subject, None, len(alerts), None, None, "\n".join(lines), listed)
