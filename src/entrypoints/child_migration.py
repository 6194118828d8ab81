"""Brings a SQLite database up to date in a child process: the migration tools it takes, 10 MB, go with the child."""

import asyncio
import os
from contextlib import suppress

from domain.errors import StoreUnavailable
from entrypoints.data_folder import prepare_data_folder
from entrypoints.ioc.persistence import is_sqlite_behind, upgrade_schema
from entrypoints.settings.model import Settings, SettingsError


def migrate_in_child(settings: Settings) -> None:
    """Do nothing unless the file is missing or of an older version. Call it before any thread or event loop is started.

    A child that fails says nothing: the start that follows meets the same trouble and reports it.
    """
    if not hasattr(os, "fork") or not is_sqlite_behind(settings):
        return
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        with suppress(SettingsError, StoreUnavailable):
            prepare_data_folder(settings)
            asyncio.run(_upgrade(settings))
    finally:
        os._exit(0)


async def _upgrade(settings: Settings) -> None:
    await upgrade_schema(settings)
