"""A real PgBouncer in transaction mode before the tests' Postgres, where the machine has one."""

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import URL

from tests.e2e.processes import free_port
from tests.waiting import HANG_SECONDS

PROGRAM: Final = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")

_CONFIGURATION = """
[databases]
* = host={socket} port={server_port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
logfile = {folder}/log
"""


@asynccontextmanager
async def pgbouncer_before(server: URL) -> AsyncIterator[str]:
    """The address of the pooler, while it runs. It gives four connections of the server to whoever asks."""
    if PROGRAM is None:
        pytest.skip("no PgBouncer on this machine: install `pgbouncer` to run it")
    port, user = free_port(), server.username or "postgres"
    with tempfile.TemporaryDirectory(prefix="omg-pooler-") as folder:
        running = _begun(PROGRAM, server, user, port, Path(folder))
        try:
            await _until_it_listens(port, running)
            yield f"postgresql://{user}@127.0.0.1:{port}/{server.database}?sslmode=disable"
        finally:
            running.terminate()
            running.communicate()


def _begun(program: str, server: URL, user: str, port: int, folder: Path) -> "subprocess.Popen[bytes]":
    host = server.query["host"]
    socket = Path(host if isinstance(host, str) else host[0])
    configuration = folder / "pgbouncer.ini"
    text = _CONFIGURATION.format(socket=socket, server_port=server.port or 5432, user=user, port=port, folder=folder)
    configuration.write_text(text, encoding="utf-8")
    command = [program, str(configuration)]
    if os.geteuid() == 0:  # it refuses to be root: it runs as who owns the server's socket
        owner = socket.stat().st_uid or pwd.getpwnam("nobody").pw_uid
        os.chown(folder, owner, -1)
        command[1:1] = ["--user", pwd.getpwuid(owner).pw_name]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


async def _until_it_listens(port: int, running: "subprocess.Popen[bytes]") -> None:
    async with asyncio.timeout(HANG_SECONDS):
        while True:
            assert running.poll() is None, running.communicate()[1].decode()
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            await writer.wait_closed()
            return
