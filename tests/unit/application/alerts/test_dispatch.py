"""How alerts get to their channels, and what becomes of those that do not."""

from datetime import timedelta

import msgspec
import pytest

from application.admin.alerts import NewAlertRule
from application.alerts.dispatch import RETRY_SECONDS, AlertDispatch
from domain.alerts import Alert, AlertChannel, AlertDelivery, AlertSubject
from domain.ports.alerts import AlertNotDelivered
from tests.builders import NOW
from tests.fakes.administration import ACTOR, FakeAdministration

CHANNEL = AlertChannel("alc_1", "webhook", "", "https://hooks.example", (), None, True, NOW, NOW)
ALERT = Alert("alt_1", "provider_down", NOW, AlertSubject("provider", "a", "A"), None, None, None, None, "…")


@pytest.fixture
async def fakes() -> FakeAdministration:
    fakes = await FakeAdministration().started()
    now = fakes.clock.now()
    async with fakes.store.write() as unit:
        await unit.alert_config.put_channel(CHANNEL)
        await fakes.alert_book.reload(unit)
        await unit.alert_log.add([AlertDelivery("ald_1", ALERT, "alr_1", "alc_1", "pending", 0, "", now, now)])
    return fakes


def dispatch_of(fakes: FakeAdministration) -> AlertDispatch:
    return AlertDispatch(fakes.store, fakes.alert_book, fakes.senders, fakes.clock)


async def delivery_in(fakes: FakeAdministration) -> AlertDelivery:
    async with fakes.store.read() as unit:
        (found,) = await unit.alert_log.page(10, None, None)
    return found


async def test_what_is_due_is_sent_once_and_kept_as_delivered(fakes: FakeAdministration) -> None:
    dispatch = dispatch_of(fakes)

    await dispatch.send_due()
    await dispatch.send_due()

    assert [(channel.id, delivery.alert) for channel, delivery in fakes.sender.sent] == [("alc_1", ALERT)]
    kept = await delivery_in(fakes)
    assert (kept.status, kept.attempts, kept.delivered_at) == ("delivered", 1, fakes.clock.now())


async def test_a_failure_is_tried_again_after_growing_waits_and_then_given_up(fakes: FakeAdministration) -> None:
    dispatch = dispatch_of(fakes)
    fakes.sender.failures = [AlertNotDelivered(f"no {number}") for number in range(99)]

    for wait in RETRY_SECONDS:
        await dispatch.send_due()
        kept = await delivery_in(fakes)
        assert (kept.status, kept.next_attempt_at - fakes.clock.now()) == ("pending", timedelta(seconds=wait))
        await dispatch.send_due()  # not yet
        assert (await delivery_in(fakes)).attempts == kept.attempts
        fakes.clock.advance(wait)
    await dispatch.send_due()

    kept = await delivery_in(fakes)
    assert (kept.status, kept.attempts, kept.error) == ("failed", len(RETRY_SECONDS) + 1, f"no {len(RETRY_SECONDS)}")


async def test_a_failure_that_no_time_cures_is_not_tried_again(fakes: FakeAdministration) -> None:
    fakes.sender.failures = [AlertNotDelivered("The webhook answered 404.", final=True)]

    await dispatch_of(fakes).send_due()

    kept = await delivery_in(fakes)
    assert (kept.status, kept.error) == ("failed", "The webhook answered 404.")


async def test_a_channel_that_is_disabled_gets_nothing(fakes: FakeAdministration) -> None:
    async with fakes.store.write() as unit:
        await unit.alert_config.put_channel(msgspec.structs.replace(CHANNEL, id="alc_2"))
        await unit.alert_config.put_channel(msgspec.structs.replace(CHANNEL, enabled=False))
        await fakes.alert_book.reload(unit)

    await dispatch_of(fakes).send_due()

    assert fakes.sender.sent == []
    assert (await delivery_in(fakes)).status == "failed"


async def test_a_rule_without_a_channel_left_is_not_in_force(fakes: FakeAdministration) -> None:
    rule = await fakes.alerts.create_rule(ACTOR, NewAlertRule(event="provider_down", channels=("alc_1",)))
    before = fakes.alert_book.of("provider_down")

    await fakes.alerts.delete_channel(ACTOR, "alc_1")

    assert before == (rule,)
    assert fakes.alert_book.rules == ()
