"""Brings alerts to their channels, again after a failure, and keeps what became of each."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import msgspec

from application.alerts.book import AlertBook
from application.alerts.digest import is_digest, with_what_was_held
from domain.alerts import Alert, AlertChannel, AlertDelivery, AlertSubject, ChannelKind
from domain.errors import NotFound
from domain.ports.alerts import AlertNotDelivered, AlertSender
from domain.ports.repositories import Store
from domain.ports.runtime import Clock, IdFactory

log = logging.getLogger(__name__)

Senders = Mapping[ChannelKind, AlertSender]

RETRY_SECONDS: Final = (10, 60, 300, 1800, 7200)
"""After each attempt that failed; after the last of these there is one more, and then none."""

CLAIM_SECONDS: Final = 120
"""For which what one process sends is left alone by others; longer than an attempt takes."""

AT_ONCE: Final = 20
LOOK_SECONDS: Final = 5.0
MAX_ERROR_LENGTH: Final = 500


class ChannelCheckResult(msgspec.Struct, frozen=True):
    """Whether the test reached the channel, in words; `delivery_id` is its place among the deliveries."""

    ok: bool
    message: str
    delivery_id: str


class AlertDispatch:
    """`turn` waits for something to send, and sends it."""

    def __init__(self, store: Store, book: AlertBook, senders: Senders, clock: Clock) -> None:
        self._store = store
        self._book = book
        self._senders = senders
        self._clock = clock
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something is on its way: the next turn need not wait."""
        self._woken.set()

    async def turn(self) -> None:
        """Raises `StoreUnavailable`; what was under way is then sent again."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            pass
        self._woken.clear()
        await self.send_due()

    async def send_due(self) -> None:
        """Everything whose time has come, some at once."""
        if not self._book.channels:
            return
        now = self._clock.now()
        async with self._store.write() as unit:
            claimed = list(await unit.alert_log.claim(now, now + timedelta(seconds=CLAIM_SECONDS), AT_ONCE))
            for place, delivery in enumerate(claimed):
                if is_digest(delivery) and delivery.attempts == 1:
                    claimed[place] = await with_what_was_held(unit.alert_log, delivery, now)
        ended = await asyncio.gather(*(self._attempt(delivery) for delivery in claimed))
        if not ended:
            return
        async with self._store.write() as unit:
            for delivery in ended:
                await unit.alert_log.put(delivery)
        if len(claimed) == AT_ONCE:
            self.wake()

    async def aclose(self) -> None:
        for sender in self._senders.values():
            await sender.aclose()

    async def _attempt(self, delivery: AlertDelivery) -> AlertDelivery:
        if is_digest(delivery) and not delivery.alert.alerts:
            return ended(delivery, self._clock, AlertNotDelivered("Nothing was held for it.", final=True))
        channel = self._book.channels.get(delivery.channel_id)
        if channel is None:
            return ended(delivery, self._clock, AlertNotDelivered("The channel is gone or disabled.", final=True))
        return await attempt(self._senders[channel.kind], channel, delivery, self._clock)


class ChannelCheck:
    """Sends a test to a channel at once, also to a disabled one, and keeps it among the deliveries."""

    def __init__(self, store: Store, senders: Senders, clock: Clock, ids: IdFactory) -> None:
        self._store = store
        self._senders = senders
        self._clock = clock
        self._ids = ids

    async def run(self, channel_id: str) -> ChannelCheckResult:
        """One attempt. Raises `NotFound`."""
        async with self._store.read() as unit:
            channel = await unit.alert_config.get_channel(channel_id)
        if channel is None:
            raise NotFound(f"There is no alert channel '{channel_id}'. GET /admin/alerts/channels lists them.")
        now = self._clock.now()
        subject = AlertSubject("channel", channel.id, channel.name or channel.id)
        text = "This is a test: alerts of Open Model Gateway reach this channel."
        alert = Alert(self._ids.new("alt"), "test", now, subject, None, None, None, None, text)
        made = AlertDelivery(self._ids.new("ald"), alert, None, channel.id, "pending", 1, "", now, now)
        delivery = await attempt(self._senders[channel.kind], channel, made, self._clock)
        if delivery.status == "pending":  # nobody waits for another attempt
            delivery = msgspec.structs.replace(delivery, status="failed")
        async with self._store.write() as unit:
            await unit.alert_log.add([delivery])
        ok = delivery.status == "delivered"
        return ChannelCheckResult(ok, "The test was delivered." if ok else delivery.error, delivery.id)


async def attempt(sender: AlertSender, channel: AlertChannel, delivery: AlertDelivery, clock: Clock) -> AlertDelivery:
    """The delivery as it is after one attempt to send it."""
    try:
        await sender.send(channel, delivery)
    except AlertNotDelivered as failure:
        log.warning(
            "alert not delivered",
            extra={"channel": channel.id, "delivery": delivery.id, "reason": failure.message, "final": failure.final},
        )
        return ended(delivery, clock, failure)
    return ended(delivery, clock, None)


def ended(delivery: AlertDelivery, clock: Clock, failure: AlertNotDelivered | None) -> AlertDelivery:
    now = clock.now()
    if failure is None:
        return msgspec.structs.replace(delivery, status="delivered", error="", delivered_at=now)
    error = failure.message[:MAX_ERROR_LENGTH]
    if failure.final or delivery.attempts > len(RETRY_SECONDS):
        return msgspec.structs.replace(delivery, status="failed", error=error)
    wait = timedelta(seconds=RETRY_SECONDS[delivery.attempts - 1])
    return msgspec.structs.replace(delivery, error=error, next_attempt_at=now + wait)
