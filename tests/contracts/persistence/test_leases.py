"""A lease is one holder's until it ends, by the database's own clock."""

import asyncio

from adapters.persistence.leases import SqlAlchemyLeases
from adapters.persistence.store import SqlAlchemyStore


async def test_one_of_many_holders_takes_a_lease_and_renews_it(sql_store: SqlAlchemyStore) -> None:
    leases = SqlAlchemyLeases(sql_store)
    names = [f"proc_{number}" for number in range(4)]

    taken = await asyncio.gather(*(leases.take("work", name, 600) for name in names))
    holder = names[taken.index(True)]

    assert sum(taken) == 1
    assert await leases.take("work", holder, 600)
    assert not await leases.take("work", "proc_9", 600)
    assert await leases.take("other work", "proc_9", 600)


async def test_a_lease_that_ended_or_was_given_back_is_free(sql_store: SqlAlchemyStore) -> None:
    leases = SqlAlchemyLeases(sql_store)
    assert await leases.take("work", "one", -1)  # ended already
    assert await leases.take("work", "other", 600)

    await leases.give_back("work", "one")  # no more its own
    assert not await leases.take("work", "one", 600)
    await leases.give_back("work", "other")
    assert await leases.take("work", "one", 600)
