"""Many alerts in a short time become one message (contract 8)."""

from datetime import timedelta

from application.alerts.digest import MOST, MOST_LISTED, WINDOW, composed, send_or_hold
from application.alerts.dispatch import AlertDispatch
from domain.alerts import Alert, AlertChannel, AlertSubject
from domain.ports.alerts import AlertNotDelivered
from tests.builders import NOW
from tests.fakes.administration import FakeAdministration

CHANNELS = [AlertChannel(f"alc_{n}", "webhook", "", "https://hooks.example", (), None, True, NOW, NOW) for n in (1, 2)]


async def started() -> FakeAdministration:
    fakes = await FakeAdministration().started()
    async with fakes.store.write() as unit:
        for channel in CHANNELS:
            await unit.alert_config.put_channel(channel)
        await fakes.alert_book.reload(unit)
    return fakes


async def tell(fakes: FakeAdministration, *numbers: int, channels: tuple[str, ...] = ("alc_1",)) -> None:
    now = fakes.clock.now()
    for number in numbers:
        subject = AlertSubject("key", f"key_{number}", "")
        alert = Alert(f"alt_{number}", "key_expiring", now, subject, None, None, None, None, f"Key {number} ends.")
        async with fakes.store.write() as unit:
            await send_or_hold(unit.alert_log, fakes.ids, alert, "alr_1", channels, now)


async def sent(fakes: FakeAdministration) -> list[tuple[str, str]]:
    """What arrives now, at which channel."""
    before = len(fakes.sender.sent)
    await AlertDispatch(fakes.store, fakes.alert_book, fakes.senders, fakes.clock).send_due()
    return [(channel.id, delivery.alert.text) for channel, delivery in fakes.sender.sent[before:]]


async def statuses(fakes: FakeAdministration) -> list[str]:
    async with fakes.store.read() as unit:
        return sorted(delivery.status for delivery in await unit.alert_log.page(100, None, None))


async def test_five_go_out_at_once_and_the_rest_of_ten_minutes_together_when_these_are_over() -> None:
    fakes = await started()

    await tell(fakes, 1, 2, 3, 4, 5)
    fakes.clock.advance(60)
    await tell(fakes, 6, 7)
    at_once = await sent(fakes)
    fakes.clock.advance(400)
    await tell(fakes, 8)
    meanwhile = await sent(fakes)
    fakes.clock.advance(140)
    after = await sent(fakes)

    assert [text for _, text in at_once] == [f"Key {n} ends." for n in range(1, 6)]
    assert meanwhile == []
    assert after == [("alc_1", "3 more alerts:\n- Key 6 ends.\n- Key 7 ends.\n- Key 8 ends.")]
    digest = fakes.sender.sent[-1][1].alert
    assert (digest.event, digest.value) == ("digest", 3)
    assert isinstance(digest.alerts, tuple)
    assert [alert.id for alert in digest.alerts] == ["alt_6", "alt_7", "alt_8"]
    assert await statuses(fakes) == ["delivered"] * 6 + ["gathered"] * 3


async def test_after_the_ten_minutes_alerts_go_out_at_once_again() -> None:
    fakes = await started()
    await tell(fakes, *range(1, 8))
    fakes.clock.advance(WINDOW.total_seconds())
    await sent(fakes)
    fakes.clock.advance(1)

    await tell(fakes, 8)

    assert await sent(fakes) == [("alc_1", "Key 8 ends.")]


async def test_each_channel_has_a_count_of_its_own() -> None:
    fakes = await started()
    await tell(fakes, *range(1, MOST + 1))

    await tell(fakes, 9, channels=("alc_1", "alc_2"))

    assert ("alc_2", "Key 9 ends.") in await sent(fakes)
    assert (await statuses(fakes)).count("held") == 1


async def test_a_digest_that_fails_is_sent_again_as_it_was_and_what_comes_then_is_no_part_of_it() -> None:
    fakes = await started()
    await tell(fakes, *range(1, 7))
    await sent(fakes)
    fakes.clock.advance(WINDOW.total_seconds())
    fakes.sender.failures = [AlertNotDelivered("busy")]
    await sent(fakes)
    await tell(fakes, 7)
    fakes.clock.advance(10)

    arrived = await sent(fakes)

    assert sorted(arrived) == [("alc_1", "1 more alert:\n- Key 6 ends."), ("alc_1", "Key 7 ends.")]


async def test_what_is_held_is_not_forgotten_before_it_was_told() -> None:
    fakes = await started()
    await tell(fakes, *range(1, 7))

    async with fakes.store.write() as unit:
        await unit.alert_log.forget_before(fakes.clock.now() + timedelta(days=1))

    assert (await statuses(fakes)).count("held") == 1


def test_of_very_many_alerts_a_digest_lists_some_and_says_how_many_there_are() -> None:
    subject = AlertSubject("key", "key_1", "")
    alert = Alert("alt_1", "key_expiring", NOW, subject, None, None, None, None, "A key ends.")

    digest = composed("alt_2", "alc_1", [alert] * (MOST_LISTED + 23), NOW)

    assert digest.value == MOST_LISTED + 23
    assert digest.text.endswith("\n- and 23 more, in GET /admin/alerts/deliveries")
    assert isinstance(digest.alerts, tuple)
    assert len(digest.alerts) == MOST_LISTED
