"""What was used of quotas, kept by every store alike: added up, and gone when its window is over."""

from domain.ports.repositories import Store
from domain.quotas import QuotaChanges, QuotaCount, QuotaFinding
from tests.builders import NOW, a_provider, a_provider_key

NOON = int(NOW.timestamp())


def used(amount: int, owner_id: str = "pk_1", ends_at: int = NOON + 60) -> QuotaCount:
    return QuotaCount(owner_id, "requests/day/", NOON - 60, ends_at, amount)


async def test_what_several_processes_used_adds_up(store: Store) -> None:
    for amount in (3, 4, -1):
        async with store.write() as unit:
            await unit.availability.save_quotas(QuotaChanges(used=(used(amount), used(1, "pk_2"))), NOON)

    async with store.read() as unit:
        counts, _ = await unit.availability.load_quotas(NOON)

    assert sorted(counts, key=lambda count: count.owner_id) == [used(6), used(3, "pk_2")]


async def test_what_counts_no_more_is_not_loaded_and_not_kept(store: Store) -> None:
    async with store.write() as unit:
        await unit.availability.save_quotas(QuotaChanges(used=(used(3),)), NOON)
    async with store.read() as unit:
        assert await unit.availability.load_quotas(NOON + 60) == ([], [])
    async with store.write() as unit:
        await unit.availability.save_quotas(QuotaChanges(), NOON + 60)

    async with store.read() as unit:
        assert await unit.availability.load_quotas(NOON) == ([], [])


async def test_of_findings_the_last_one_holds(store: Store) -> None:
    last = QuotaFinding("pk_1", "requests/day/", None, NOW)
    for finding in (QuotaFinding("pk_1", "requests/day/", 50, NOW), last):
        async with store.write() as unit:
            await unit.availability.save_quotas(QuotaChanges(findings=(finding,)), NOON)

    async with store.read() as unit:
        assert (await unit.availability.load_quotas(NOON))[1] == [last]


async def test_what_is_forgotten_is_forgotten_before_what_came_after_it(store: Store) -> None:
    finding = QuotaFinding("pk_1", "registry", None, NOW)
    async with store.write() as unit:
        await unit.availability.save_quotas(QuotaChanges(used=(used(3),), findings=(finding,)), NOON)
    async with store.write() as unit:
        changes = QuotaChanges(used=(used(1),), forgotten=frozenset({"pk_1"}))
        await unit.availability.save_quotas(changes, NOON)

    async with store.read() as unit:
        assert await unit.availability.load_quotas(NOON) == ([used(1)], [])


async def test_a_key_takes_its_counts_with_it(store: Store) -> None:
    async with store.write() as unit:
        await unit.providers.add(a_provider())
        await unit.keys.add(a_provider_key())
        await unit.availability.save_quotas(QuotaChanges(used=(used(3), used(2, "provider:alpha"))), NOON)
    async with store.write() as unit:
        await unit.keys.delete("pk_1")
    async with store.read() as unit:
        assert (await unit.availability.load_quotas(NOON))[0] == [used(2, "provider:alpha")]

    async with store.write() as unit:
        await unit.providers.delete("alpha")

    async with store.read() as unit:
        assert (await unit.availability.load_quotas(NOON))[0] == []
