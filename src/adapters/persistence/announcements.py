"""Hears at once, on Postgres, that another process changed the configuration; elsewhere there is none to hear of."""

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from typing_extensions import override

from adapters.persistence.engine import parse_url, sqlite_path
from adapters.persistence.postgres_url import driver_url, is_pooled
from adapters.persistence.work import store_errors
from domain.ports.runtime import Announcements

CHANNEL = "omg_config"

ALIVE_SECONDS = 15.0
"""How often the connection is asked whether it lives: one that died in silence announces nothing."""


class ConfigAnnouncements(Announcements):
    """One connection that listens. `listen` returns when it is lost, and whoever called it calls it again.

    An announcement says that something changed and not what: the versions of the sections do. Between two connections
    some may be missed, so that the versions are also looked at now and then.
    """

    def __init__(self, database_url: str) -> None:
        url = parse_url(database_url)
        self._engine: AsyncEngine | None = None
        self._pooled = is_pooled(url)
        if sqlite_path(url) is None and not self._pooled:
            self._engine = create_async_engine(driver_url(url), poolclass=NullPool, connect_args={"timeout": 2})

    @property
    @override
    def missed(self) -> bool:
        return self._pooled

    @override
    async def listen(self, on_change: Callable[[], Awaitable[None]]) -> None:
        """Calls `on_change` after each change, one call at a time. Raises `StoreUnavailable`."""
        if self._engine is None:
            await asyncio.Event().wait()  # one process, which knows what it changes; or a pooler, which tells nobody
            return
        changed = asyncio.Event()
        with store_errors():
            async with self._engine.connect() as connection:
                raw = await connection.get_raw_connection()
                driver = raw.driver_connection
                assert driver is not None  # noqa: S101 - a connection that is open
                await driver.add_listener(CHANNEL, lambda *_: changed.set())
                await on_change()  # of what happened before
                while not driver.is_closed():
                    try:
                        await asyncio.wait_for(changed.wait(), ALIVE_SECONDS)
                    except TimeoutError:
                        await driver.execute("SELECT 1")
                        continue
                    changed.clear()
                    await on_change()

    async def aclose(self) -> None:
        if self._engine is not None:
            await self._engine.dispose()
