"""What processes find out of keys and providers: kept together, and none undoes what it did not know of."""

from datetime import datetime, timedelta

import msgspec
import pytest

from domain.availability import KeyCondition, KeyState, ProviderRest
from domain.ports.repositories import FORGET_RESTS_SECONDS, Store
from tests.builders import NOW


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


REST = ProviderRest("breaker", "alpha", "m", at(30), NOW, 2, "Location is not supported.")


async def saved(store: Store, *rests: ProviderRest, now: datetime = NOW) -> list[ProviderRest]:
    async with store.write() as unit:
        await unit.availability.save_rests(rests, now)
    async with store.read() as unit:
        return list(await unit.availability.load_rests(now))


async def test_rests_are_read_back_and_replaced_by_longer_ones(store: Store) -> None:
    longer = msgspec.structs.replace(REST, until=at(90), since=at(30), count=3, reason="")
    other = ProviderRest("checks", "alpha", "", at(300), NOW)

    assert await saved(store, REST) == [REST]
    assert await saved(store, longer) == [longer]
    assert await saved(store, REST) == [longer]
    assert sorted(await saved(store, other), key=lambda rest: rest.cause) == [longer, other]


async def test_one_that_is_over_ends_what_began_no_later(store: Store) -> None:
    await saved(store, REST)

    over = msgspec.structs.replace(REST, until=None)
    assert await saved(store, msgspec.structs.replace(over, since=at(-1))) == [REST]
    assert await saved(store, over) == []


async def test_rests_are_remembered_for_a_while_after_their_end(store: Store) -> None:
    await saved(store, REST)
    assert await saved(store, now=at(31)) == [REST]
    assert await saved(store, now=at(31 + FORGET_RESTS_SECONDS)) == []


LIMITED = KeyState("pk_1", KeyCondition.RATE_LIMITED, at(60), NOW, "slow down", 1)
EXHAUSTED = KeyState("pk_1", KeyCondition.EXHAUSTED, at(600), NOW, "no credit")
FOREVER = KeyState("pk_1", KeyCondition.RATE_LIMITED, None, NOW, "until someone retries", 1)


@pytest.mark.parametrize(
    ("stored", "change", "kept"),
    [
        pytest.param(LIMITED, EXHAUSTED, "change", id="a graver one replaces a milder"),
        pytest.param(EXHAUSTED, LIMITED, "stored", id="a milder one does not replace a graver it did not know of"),
        pytest.param(
            EXHAUSTED, msgspec.structs.replace(LIMITED, replaces=NOW), "change", id="one that it knew of is replaced"
        ),
        pytest.param(LIMITED, msgspec.structs.replace(LIMITED, until=at(30)), "stored", id="the longer wait stays"),
        pytest.param(LIMITED, msgspec.structs.replace(LIMITED, until=at(90)), "change", id="the longer wait comes"),
        pytest.param(FOREVER, LIMITED, "stored", id="a wait without an end stays"),
        pytest.param(LIMITED, FOREVER, "change", id="a wait without an end comes"),
        pytest.param(LIMITED, KeyState("pk_1"), "stored", id="a success that knew nothing ends nothing"),
        pytest.param(LIMITED, KeyState("pk_1", replaces=at(-1)), "stored", id="nor one that knew an older one"),
        pytest.param(LIMITED, KeyState("pk_1", replaces=NOW), "nothing", id="a success after the wait ends it"),
        pytest.param(
            msgspec.structs.replace(EXHAUSTED, until=at(-1)), LIMITED, "change", id="a graver one that has passed goes"
        ),
    ],
)
async def test_a_change_never_undoes_what_its_process_did_not_know(
    store: Store, stored: KeyState, change: KeyState, kept: str
) -> None:
    async with store.write() as unit:
        await unit.availability.save([stored], NOW)
    async with store.write() as unit:
        await unit.availability.save([change], NOW)
    async with store.read() as unit:
        found = list(await unit.availability.load())

    expected = {"stored": [stored], "change": [msgspec.structs.replace(change, replaces=None)], "nothing": []}
    assert found == expected[kept]
