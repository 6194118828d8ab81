"""The way to a Valkey server: one script, on one connection, in one write for all calls of a tick."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha1
from typing import Any, Final

from typing_extensions import override
from valkey.asyncio import ConnectionPool
from valkey.asyncio.retry import Retry
from valkey.backoff import NoBackoff
from valkey.exceptions import NoScriptError, ResponseError, ValkeyError
from valkey.exceptions import TimeoutError as ValkeyTimeoutError

from adapters.limits.breaker import StoreAway
from adapters.limits.link import Link, Reply, patience
from domain.secrets import Secret

CONNECT_SECONDS: Final = 0.2
REPLY_SECONDS: Final = 0.1

Argument = str | int
ScriptCall = tuple[Sequence[str], Sequence[Argument]]
"""The keys, then the arguments."""


class ValkeyLink(Link[ScriptCall]):
    """Runs a script on the server at `url`. `probe` is a call of it that writes: what may not write is of no use.

    Connections are used without their pool: one that was cancelled while it connected is never closed by that.
    """

    def __init__(self, url: Secret, script: str, probe: ScriptCall, reply_seconds: float = REPLY_SECONDS) -> None:
        super().__init__("valkey", reply_seconds, CONNECT_SECONDS)
        self._pool = ConnectionPool.from_url(  # understands addresses, and makes connections
            url.reveal(),
            socket_connect_timeout=self.connect_seconds,
            retry=Retry(NoBackoff(), 0),
        )
        self._connection: Any = None  # its commands have no types
        self._script = script
        self._patience = self.connect_seconds + reply_seconds
        self._probing = probe
        self._sha = sha1(script.encode(), usedforsecurity=False).hexdigest()

    @override
    async def exchange(self, commands: Sequence[ScriptCall]) -> Sequence[Reply | Exception]:
        """A server that does not know the script (it was restarted, or forgot it) gets it, and is asked once again."""
        try:
            if self._connection is None:
                self._connection = await self._connected()
            return await self._run(self._connection, commands)
        except BaseException as error:
            await self.disconnect()  # nobody knows what it would answer next
            if isinstance(error, ValkeyTimeoutError):
                raise TimeoutError(str(error)) from error
            if isinstance(error, ValkeyError):
                raise StoreAway(str(error)) from error
            raise

    @override
    async def probe(self) -> None:
        """On a connection of its own: that of calls may be in use."""
        async with patience(self._patience), self.connection() as connection:
            (reply,) = await self._run(connection, [self._probing])
        if isinstance(reply, Exception):
            raise StoreAway(str(reply))

    @override
    async def disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """One that is closed again. Raises `ValkeyError` and `OSError`."""
        connection = await self._connected()
        try:
            yield connection
        finally:
            await connection.disconnect(nowait=True)

    async def ask(self, connection: Any, *command: Argument) -> Any:
        """What the server replies. Raises `ValkeyError`, also where it refuses."""
        await connection.send_command(*command)
        return await connection.read_response()

    async def _connected(self) -> Any:
        connection: Any = self._pool.make_connection()  # type: ignore[no-untyped-call]  # as its commands
        try:
            await connection.connect()
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return connection

    async def _run(self, connection: Any, commands: Sequence[ScriptCall]) -> list[Reply | Exception]:
        replies = await self._replies(connection, commands)
        unknown = [place for place, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:
            await self.ask(connection, "SCRIPT", "LOAD", self._script)
            again = await self._replies(connection, [commands[place] for place in unknown])
            for place, reply in zip(unknown, again, strict=True):
                replies[place] = reply
        return replies

    async def _replies(self, connection: Any, commands: Sequence[ScriptCall]) -> list[Reply | Exception]:
        calls = [("EVALSHA", self._sha, len(keys), *keys, *arguments) for keys, arguments in commands]
        await connection.send_packed_command(connection.pack_commands(calls))
        replies: list[Reply | Exception] = []
        for _ in commands:
            try:
                replies.append(await connection.read_response())
            except ResponseError as error:
                replies.append(error)
        return replies
