"""The unit of work of every admin write: other processes are told, and writers wait for each other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from application.snapshot import CONFIG_VERSION
from domain.ports.repositories import Store, UnitOfWork


@asynccontextmanager
async def config_write(store: Store) -> AsyncIterator[UnitOfWork]:
    """Bumps the configuration's version before anything is read.

    The bump holds that row until the unit commits, so of two changes to one object, in whatever processes,
    the second reads what the first wrote: a key revoked by one is not revived by the other's rename.
    """
    async with store.write() as unit:
        await unit.facts.bump(CONFIG_VERSION)
        yield unit
