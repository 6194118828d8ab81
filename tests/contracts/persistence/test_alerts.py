"""Channels, rules, what was told and what is on its way: asked of the fake, SQLite and Postgres alike."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from adapters.persistence.store import SqlAlchemyStore
from adapters.security.secret_box import AesGcmSecretBox, KeyRing
from domain.alerts import Alert, AlertChannel, AlertDelivery, AlertMark, AlertRule, AlertSubject, ChannelLoad
from domain.ports.repositories import Store
from domain.secrets import Secret
from tests.builders import NOW

WEBHOOK = AlertChannel(
    "alc_1", "webhook", "on call", "https://hooks.example/a", (), Secret("canary-5f1d0c9e"), True, NOW, NOW
)
EMAIL = AlertChannel("alc_2", "email", "", None, ("a@example.org", "b@example.org"), None, False, NOW, NOW)
RULE = AlertRule("alr_1", "budget_threshold", 0.8, 300, ("alc_1", "alc_2"), True, NOW, NOW)
MARK = AlertMark("alr_1", "key:key_1:account", 0.8, "1764547200")
ALERT = Alert(
    "alt_1", "budget_threshold", NOW, AlertSubject("key", "key_1", "one"), 0.8, "20.50", "25.00", NOW, "Mostly used."
)


def a_delivery(number: int, **changes: object) -> AlertDelivery:
    made = AlertDelivery(f"ald_{number}", ALERT, "alr_1", "alc_1", "pending", 0, "", NOW, NOW)
    return msgspec.structs.replace(made, **changes)


async def test_channels_and_rules_are_kept_changed_and_deleted(store: Store) -> None:
    changed = msgspec.structs.replace(WEBHOOK, url="https://hooks.example/b", secret=Secret("another"), enabled=False)
    silenced = msgspec.structs.replace(RULE, threshold=None, channels=("alc_1",), enabled=False)
    async with store.write() as unit:
        await unit.alert_config.put_channel(WEBHOOK)
        await unit.alert_config.put_channel(EMAIL)
        await unit.alert_config.put_rule(RULE)
        assert list(await unit.alert_config.list_channels()) == [WEBHOOK, EMAIL]
        assert list(await unit.alert_config.list_rules()) == [RULE]
    async with store.write() as unit:
        await unit.alert_config.put_channel(changed)
        await unit.alert_config.put_rule(silenced)
        assert await unit.alert_config.get_channel("alc_1") == changed
        assert await unit.alert_config.get_rule("alr_1") == silenced
    async with store.write() as unit:
        assert await unit.alert_config.delete_channel("alc_2")
        assert not await unit.alert_config.delete_channel("alc_2")
        assert await unit.alert_config.delete_rule("alr_1")
        assert not await unit.alert_config.delete_rule("alr_1")
        assert await unit.alert_config.get_rule("alr_1") is None


async def test_what_is_told_is_told_once_until_another_period_or_until_it_is_armed(store: Store) -> None:
    async with store.write() as unit:
        log = unit.alert_log
        assert await log.take(MARK, NOW, 60) == 0
        assert await log.take(MARK, NOW + timedelta(hours=1), 60) is None
        next_period = msgspec.structs.replace(MARK, period="1767225600")
        assert await log.take(next_period, NOW + timedelta(seconds=20), 60) == pytest.approx(40)
        assert await log.take(next_period, NOW + timedelta(seconds=60), 60) == 0
        assert await log.take(next_period, NOW + timedelta(hours=1), 60) is None
        await log.rearm(next_period, NOW + timedelta(seconds=60))
        assert await log.take(next_period, NOW + timedelta(hours=1), 60) is None, "it was told after that was read"
        await log.rearm(next_period, NOW + timedelta(seconds=61))
        assert await log.take(next_period, NOW + timedelta(hours=1), 60) == 0
        assert await log.take(msgspec.structs.replace(MARK, threshold=1.0), NOW, 60) == 0


async def test_of_several_that_ask_at_once_one_tells(store: Store) -> None:
    async def ask() -> float | None:
        async with store.write() as unit:
            return await unit.alert_log.take(MARK, NOW, 60)

    assert sorted(str(answer) for answer in await asyncio.gather(*(ask() for _ in range(4)))) == ["0.0", *["None"] * 3]


async def test_a_rule_that_is_deleted_takes_what_it_told_with_it(store: Store) -> None:
    async with store.write() as unit:
        await unit.alert_config.put_rule(RULE)
        await unit.alert_log.take(MARK, NOW, 60)
        await unit.alert_config.delete_rule("alr_1")
        assert await unit.alert_log.take(MARK, NOW, 60) == 0


async def test_deliveries_that_are_due_are_claimed_by_one_alone(store: Store) -> None:
    later, until = NOW + timedelta(hours=1), NOW + timedelta(minutes=2)
    waiting = a_delivery(3, next_attempt_at=later)
    async with store.write() as unit:
        await unit.alert_log.add([a_delivery(1), a_delivery(2), waiting, a_delivery(4, status="failed")])

    async def claim(limit: int) -> list[AlertDelivery]:
        async with store.write() as unit:
            return list(await unit.alert_log.claim(NOW, until, limit))

    claims = await asyncio.gather(claim(1), claim(1), claim(5))
    async with store.write() as unit:
        again = await unit.alert_log.claim(until, later, 5)

    claimed = sorted((each for found in claims for each in found), key=lambda each: each.id)
    assert claimed == [a_delivery(number, attempts=1, next_attempt_at=until) for number in (1, 2)]
    assert [(each.id, each.attempts) for each in again] == [("ald_1", 2), ("ald_2", 2)]


async def test_of_several_that_tell_at_once_each_knows_what_the_others_sent_to_the_channel(store: Store) -> None:
    async with store.write() as unit:
        await unit.alert_config.put_channel(WEBHOOK)

    async def tell(number: int) -> None:
        async with store.write() as unit:
            sent = (await unit.alert_log.load("alc_1", NOW - timedelta(minutes=10))).sent
            await unit.alert_log.add([a_delivery(number, status="pending" if sent < 3 else "held")])

    await asyncio.gather(*(tell(number) for number in range(1, 7)))
    async with store.write() as unit:
        await unit.alert_log.add([a_delivery(7, alert=msgspec.structs.replace(ALERT, event="digest"), created_at=NOW)])
        load = await unit.alert_log.load("alc_1", NOW - timedelta(minutes=10))
        later = await unit.alert_log.load("alc_1", NOW)
        elsewhere = await unit.alert_log.load("alc_2", NOW - timedelta(minutes=10))
        gathered = await unit.alert_log.gather("alc_1")
        again = await unit.alert_log.gather("alc_1")

    assert load == ChannelLoad(4, NOW, digest_waits=True)
    assert later == ChannelLoad(0, None, digest_waits=True)
    assert elsewhere == ChannelLoad(0, None, digest_waits=False)
    assert [each.status for each in gathered] == ["gathered"] * 3
    assert list(again) == []


async def test_deliveries_are_paged_newest_first_and_forgotten_when_they_are_old(store: Store) -> None:
    delivered = a_delivery(2, status="delivered", delivered_at=NOW, attempts=1)
    async with store.write() as unit:
        log = unit.alert_log
        await log.add([a_delivery(number) for number in (1, 2, 3)])
        await log.put(delivered)
        assert [each.id for each in await log.page(2, None, None)] == ["ald_3", "ald_2"]
        assert list(await log.page(2, "ald_2", None)) == [a_delivery(1)]
        assert list(await log.page(9, None, "delivered")) == [delivered]
        assert [await log.get(id_) for id_ in ("ald_2", "ald_9")] == [delivered, None]
        assert await log.forget_before(NOW) == 0
        assert await log.forget_before(NOW + timedelta(seconds=1)) == 1
        assert [each.id for each in await log.page(9, None, None)] == ["ald_3", "ald_1"]  # those are on their way


async def test_a_channels_secret_is_sealed_to_its_row_and_anew_under_a_new_master_key(
    sql_store: SqlAlchemyStore, database_url: str, ring: KeyRing
) -> None:
    async with sql_store.write() as unit:
        await unit.alert_config.put_channel(WEBHOOK)
        await unit.alert_config.put_channel(EMAIL)
    rotated = SqlAlchemyStore(database_url, AesGcmSecretBox(ring.rotated()), unit_seconds=20)
    try:
        async with rotated.write() as unit:
            assert await unit.alert_config.reencrypt_all() == 1
            assert await unit.alert_config.reencrypt_all() == 0
            assert list(await unit.alert_config.list_channels()) == [WEBHOOK, EMAIL]
    finally:
        await rotated.aclose()
