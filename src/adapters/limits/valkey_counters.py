"""Limits counted in Valkey, for any number of processes and hosts: one script, one round trip, the server's clock."""

import asyncio
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Final

from typing_extensions import override

from adapters.limits.counters import AMOUNT, counter_name
from adapters.limits.link import Reply
from adapters.limits.memory import Amounts
from adapters.limits.shared import LEASE_SECONDS, Answer, CounterGroup, SharedCounters
from adapters.limits.valkey_link import REPLY_SECONDS, Argument, ValkeyLink
from domain.ports.limits import CountersPlace
from domain.secrets import Secret
from domain.subject_limits import Limit

KEEP_DAY_SECONDS: Final = 3 * 86_400
"""How long a day's count is kept after it was last changed: a request may end long after its day."""

_LEASE_MS: Final = LEASE_SECONDS * 1000


class ValkeyCounters(SharedCounters):
    """`SharedCounters` on the server at `url`. `instance` keeps gateways apart that share a server.

    All keys have one hash tag, so that one script may have them all, on a cluster too. `milliseconds` is a clock for
    tests, in place of the server's.
    """

    def __init__(
        self,
        url: Secret,
        instance: str,
        milliseconds: Callable[[], int] | None = None,
        reply_seconds: float = REPLY_SECONDS,
    ) -> None:
        self._prefix = f"{{omg:{instance}}}"
        self.link = ValkeyLink(url, script(), ([f"{self._prefix}:probe"], ["probe", "", "", 0]), reply_seconds)
        self._milliseconds = milliseconds

    @property
    @override
    def place(self) -> CountersPlace:
        return "valkey"

    @property
    @override
    def away(self) -> bool:
        return self.link.breaker.open

    @override
    async def answers(self) -> bool:
        return await self.link.answers()

    @override
    def when_back(self, call: Callable[[], None]) -> None:
        self.link.breaker.on_back = call

    @override
    def group(self, windows: Sequence[Limit], days: Sequence[Limit], slots: Sequence[Limit]) -> CounterGroup:
        return _ValkeyGroup(self, windows, days, slots)

    @override
    def take_slot(self, name: str, lease_id: str, most: int, seconds: int) -> Answer:
        call = ["take", self._now(), lease_id, seconds * 1000, "L", most]
        return self.link.call(([f"{self._prefix}:l:{name}"], call))  # type: ignore[return-value]  # numbers, of this call

    @override
    def free_slot(self, name: str, lease_id: str) -> Answer:
        return self.run("settle", lease_id, [f"{self._prefix}:l:{name}"], ["L"])  # type: ignore[return-value]  # as above

    @override
    async def renew(self, process: str, leases: Sequence[tuple[Limit, str]]) -> Sequence[str]:
        keys = [f"{self._prefix}:processes", *(self.slots_key(limit) for limit, _ in leases)]
        reply = await self.run("renew", process, keys, [lease_id for _, lease_id in leases])
        return [each.decode() if isinstance(each, bytes) else str(each) for each in reply]

    @override
    async def aclose(self) -> None:
        await self.link.aclose()

    def run(
        self, operation: str, lease_id: str, keys: Sequence[str], arguments: Sequence[Argument]
    ) -> asyncio.Future[Reply]:
        return self.link.call((keys, [operation, self._now(), lease_id, _LEASE_MS, *arguments]))

    def _now(self) -> Argument:
        return "" if self._milliseconds is None else self._milliseconds()

    def windows_key(self, limit: Limit) -> str:
        return f"{self._prefix}:w:{counter_name(limit).rpartition(':')[0]}"

    def day_key(self, limit: Limit) -> str:
        return f"{self._prefix}:d:{counter_name(limit)}"

    def slots_key(self, limit: Limit) -> str:
        return f"{self._prefix}:l:{counter_name(limit)}"


class _ValkeyGroup(CounterGroup):
    def __init__(
        self, counters: ValkeyCounters, windows: Sequence[Limit], days: Sequence[Limit], slots: Sequence[Limit]
    ) -> None:
        self._counters = counters
        self._windows = [list(limits) for _, limits in groupby(windows, key=counters.windows_key)]
        self._window_keys = [counters.windows_key(limits[0]) for limits in self._windows]
        self._days = [(counters.day_key(limit), limit) for limit in days]
        self._slots = slots
        self._slot_keys = [counters.slots_key(limit) for limit in slots]

    @override
    def take(self, lease_id: str, amounts: Amounts, day_starts: Sequence[int]) -> Answer:
        arguments: list[Argument] = []
        for limits in self._windows:
            arguments += ["W", len(limits)]
            for limit in limits:
                arguments += [limit.dimension, limit.amount, amounts[AMOUNT[limit.dimension]]]
        for _, limit in self._days:
            arguments += ["D", limit.amount, amounts[AMOUNT[limit.dimension]], KEEP_DAY_SECONDS]
        for limit in self._slots:
            arguments += ["L", limit.amount]
        return self._counters.run("take", lease_id, self._keys(day_starts), arguments)  # type: ignore[return-value]  # numbers, of these calls

    @override
    def settle(self, lease_id: str, second: int, windows: Amounts, days: Amounts, day_starts: Sequence[int]) -> Answer:
        arguments: list[Argument] = []
        for limits in self._windows:
            arguments += ["W", second, len(limits)]
            for limit in limits:
                arguments += [limit.dimension, windows[AMOUNT[limit.dimension]]]
        for _, limit in self._days:
            arguments += ["D", days[AMOUNT[limit.dimension]], KEEP_DAY_SECONDS]
        arguments += ["L"] * len(self._slots)
        return self._counters.run("settle", lease_id, self._keys(day_starts), arguments)  # type: ignore[return-value]  # numbers, of these calls

    def _keys(self, day_starts: Sequence[int]) -> list[str]:
        days = [f"{key}:{starts_at}" for (key, _), starts_at in zip(self._days, day_starts, strict=True)]
        return [*self._window_keys, *days, *self._slot_keys]


@cache
def script() -> str:
    """The text that the server runs."""
    return files("adapters.limits").joinpath("limits.lua").read_text()
