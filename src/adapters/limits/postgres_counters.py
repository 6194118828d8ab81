"""Limits counted in Postgres, for any number of processes: one statement for the requests of a moment, its clock."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import msgspec
from sqlalchemy import URL
from typing_extensions import override

from adapters.limits.breaker import StoreAway
from adapters.limits.counters import AMOUNT, counter_name
from adapters.limits.link import Link, Reply
from adapters.limits.memory import Amounts
from adapters.limits.shared import LEASE_SECONDS, Answer, CounterGroup, SharedCounters
from adapters.persistence.ledger.postgres import connect_options
from domain.ports.limits import CountersPlace
from domain.subject_limits import Limit

CONNECT_SECONDS: Final = 2.0
REPLY_SECONDS: Final = 2.0
TRIES: Final = 3

_PROCESSES: Final = "processes"
_LEASE_MS: Final = LEASE_SECONDS * 1000
_CONTENDED: Final = ("40001", "40P01")
_CALL: Final = "SELECT omg_limits($1, $2::text::jsonb)::text"
_WRITABLE: Final = "SELECT NOT pg_is_in_recovery()"

_Call = dict[str, object]


class PostgresLink(Link[_Call]):
    """One connection of its own to the database at `url`, whose schema must be up to date."""

    def __init__(self, url: URL, milliseconds: Callable[[], int] | None, reply_seconds: float) -> None:
        super().__init__("postgres", reply_seconds, CONNECT_SECONDS)
        self._options, self._server_settings = connect_options(url, "open-model-gateway-limits")
        self._milliseconds = milliseconds
        self._connection: Any = None  # asyncpg has no types

    @override
    async def exchange(self, commands: Sequence[_Call]) -> Sequence[Reply | Exception]:
        now = None if self._milliseconds is None else self._milliseconds()
        text = msgspec.json.encode(commands).decode()
        for left in reversed(range(TRIES)):
            try:
                return await self._ask(now, text)
            except BaseException as error:
                if left and getattr(error, "sqlstate", None) in _CONTENDED:
                    continue  # lost against another writer, whole: tried again
                self._let_go()  # also where it is cancelled: nobody knows what it would answer next
                if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError):
                    raise StoreAway(str(error)) from error
                raise
        raise StoreAway("The database was never asked.")

    @override
    async def probe(self) -> None:
        """On a connection of its own: that of calls may be in use."""
        async with asyncio.timeout(self.connect_seconds):
            connection = await self._connect()
            try:
                writable = await connection.fetchval(_WRITABLE)
            finally:
                connection.terminate()
        if not writable:
            raise StoreAway("the database takes no writes")

    @override
    async def disconnect(self) -> None:
        self._let_go()

    async def _ask(self, now: int | None, calls: str) -> list[Reply]:
        connection = await self._connected()
        replies: list[Reply] = msgspec.json.decode(await connection.fetchval(_CALL, now, calls))
        return replies

    async def _connected(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
        return self._connection

    async def _connect(self) -> Any:
        return await asyncpg.connect(
            **self._options, timeout=self.connect_seconds, server_settings=self._server_settings
        )

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()


class PostgresCounters(SharedCounters):
    """`SharedCounters` in the database at `url`. `milliseconds` is a clock for tests, in place of the server's."""

    def __init__(
        self, url: URL, milliseconds: Callable[[], int] | None = None, reply_seconds: float = REPLY_SECONDS
    ) -> None:
        self._link = PostgresLink(url, milliseconds, reply_seconds)

    @property
    @override
    def place(self) -> CountersPlace:
        return "postgres"

    @property
    @override
    def away(self) -> bool:
        return self._link.breaker.open

    @override
    async def answers(self) -> bool:
        return await self._link.answers()

    @override
    def when_back(self, call: Callable[[], None]) -> None:
        self._link.breaker.on_back = call

    @override
    def group(self, windows: Sequence[Limit], days: Sequence[Limit], slots: Sequence[Limit]) -> CounterGroup:
        return _PostgresGroup(self._link, windows, days, slots)

    @override
    def take_slot(self, name: str, lease_id: str, most: int, seconds: int) -> Answer:
        call: _Call = {"op": "take", "id": lease_id, "ttl": seconds * 1000, "w": [], "d": [], "l": [(name, most)]}
        return self._link.call(call)  # type: ignore[return-value]  # numbers, of this call

    @override
    def free_slot(self, name: str, lease_id: str) -> Answer:
        call: _Call = {"op": "settle", "id": lease_id, "at": 0, "w": [], "d": [], "l": [(name,)]}
        return self._link.call(call)  # type: ignore[return-value]  # as above

    @override
    async def renew(self, process: str, leases: Sequence[tuple[Limit, str]]) -> Sequence[str]:
        rows = [(_PROCESSES, process), *((counter_name(limit), lease_id) for limit, lease_id in leases)]
        call: _Call = {"op": "renew", "ttl": _LEASE_MS, "processes": _PROCESSES, "leases": rows}
        return [str(each) for each in await self._link.call(call)]

    @override
    async def aclose(self) -> None:
        await self._link.aclose()


class _PostgresGroup(CounterGroup):
    def __init__(
        self, link: PostgresLink, windows: Sequence[Limit], days: Sequence[Limit], slots: Sequence[Limit]
    ) -> None:
        self._link = link
        self._windows = [(counter_name(limit), limit.amount, AMOUNT[limit.dimension]) for limit in windows]
        self._days = [(counter_name(limit), limit.amount, AMOUNT[limit.dimension]) for limit in days]
        self._slots = [(counter_name(limit), limit.amount) for limit in slots]

    @override
    def take(self, lease_id: str, amounts: Amounts, day_starts: Sequence[int]) -> Answer:
        days = zip(self._days, day_starts, strict=True)
        call: _Call = {
            "op": "take",
            "id": lease_id,
            "ttl": _LEASE_MS,
            "w": [(name, limit, amounts[place]) for name, limit, place in self._windows],
            "d": [(name, starts_at, limit, amounts[place]) for (name, limit, place), starts_at in days],
            "l": self._slots,
        }
        return self._link.call(call)  # type: ignore[return-value]  # numbers, of these calls

    @override
    def settle(self, lease_id: str, second: int, windows: Amounts, days: Amounts, day_starts: Sequence[int]) -> Answer:
        of_days = zip(self._days, day_starts, strict=True)
        call: _Call = {
            "op": "settle",
            "id": lease_id,
            "at": second,
            "w": [(name, windows[place]) for name, _, place in self._windows],
            "d": [(name, starts_at, days[place]) for (name, _, place), starts_at in of_days],
            "l": [(name,) for name, _ in self._slots],
        }
        return self._link.call(call)  # type: ignore[return-value]  # numbers, of these calls
