"""Slows down who guesses: by account and by address, never for good (S-13)."""

import ipaddress
from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Final

from domain.errors import StoreUnavailable, TooManyAttempts
from domain.ports.runtime import Clock
from domain.ports.sign_in import AttemptCounter

OF_ADDRESS: Final = (60, 300.0)
OF_ACCOUNT: Final = (10, 900.0)
"""How many attempts in how many seconds reach the verifier."""

FREE_FAILURES: Final = 3
LONGEST_DELAY_SECONDS: Final = 30.0
UNKNOWN_WAIT_SECONDS: Final = 30.0
"""Told where other processes know how long it takes."""

MAX_REMEMBERED: Final = 20_000


class AttemptThrottle:
    """Counts attempts before they are verified, so that many at once count too. What succeeded counts no more.

    `counter` counts for all processes, where they share one; else, and while it is away, each of them lets its part
    through: `share` is their number. That an account waits longer with each failure is every process's own.
    """

    def __init__(self, clock: Clock, share: int = 1, counter: AttemptCounter | None = None) -> None:
        self._clock = clock
        self._share = max(share, 1)
        self._counter = counter
        self._addresses: OrderedDict[str, deque[float]] = OrderedDict()
        self._accounts: OrderedDict[str, deque[float]] = OrderedDict()
        self._counted: OrderedDict[str, list[str]] = OrderedDict()  # attempts of a name that the counter has

    async def begin(self, address: str, account: str | None = None) -> None:
        """Take an attempt. Raises `TooManyAttempts`, which takes none. Unknown accounts count as known ones do."""
        now, network = self._clock.monotonic(), network_of(address)
        by_address = self._known(self._addresses, network, now, OF_ADDRESS[1])
        by_account = None if account is None else self._known(self._accounts, account, now, OF_ACCOUNT[1])
        if by_account is not None and (wait := _delay(by_account, now)) > 0:
            raise _too_many(wait)
        names = [(f"address/{network}", by_address, OF_ADDRESS)]
        if by_account is not None:
            names.append((f"account/{account}", by_account, OF_ACCOUNT))
        share = self._share if self._counter is None else 1
        wait = max(_wait(times, now, *most, share) for _, times, most in names)
        if wait > 0:
            raise _too_many(wait)
        for _, times, _ in names:
            times.append(now)
        try:
            if not await self._count([(name, *most) for name, _, most in names]):
                wait = UNKNOWN_WAIT_SECONDS
        except StoreUnavailable:
            wait = max(_wait(times, now, *_one_more(most, self._share), 1) for _, times, most in names)
        if wait > 0:
            for _, times, _ in names:
                if times:
                    times.pop()
            raise _too_many(wait)

    async def _count(self, names: Sequence[tuple[str, int, float]]) -> bool:
        """For all processes. Where one name had too many, and where it raises `StoreUnavailable`, none is counted."""
        counter = self._counter
        if counter is None:
            return True
        counted: list[tuple[str, str]] = []
        whole = False
        try:
            for name, most, seconds in names:
                attempt_id = await counter.take(name, most, int(seconds))
                if attempt_id is None:
                    return False
                counted.append((name, attempt_id))
            whole = True
        finally:
            for name, attempt_id in counted:
                if whole:
                    self._remember(name, attempt_id)
                else:
                    counter.give_back(name, attempt_id)
        return True

    def _remember(self, name: str, attempt_id: str) -> None:
        known = self._counted.setdefault(name, [])
        known.append(attempt_id)
        del known[: -OF_ADDRESS[0]]
        self._counted.move_to_end(name)
        while len(self._counted) > MAX_REMEMBERED:
            self._counted.popitem(last=False)

    def succeeded(self, address: str, account: str | None = None) -> None:
        """The attempt that was begun last from there was a good one."""
        network = network_of(address)
        by_address = self._addresses.get(network)
        if by_address:
            by_address.pop()
        self._give_back(f"address/{network}", 1)
        if account is not None:
            self._accounts.pop(account, None)
            self._give_back(f"account/{account}", OF_ADDRESS[0])

    def _give_back(self, name: str, most: int) -> None:
        known = self._counted.get(name)
        if self._counter is None or not known:
            return
        for attempt_id in known[-most:]:
            self._counter.give_back(name, attempt_id)
        del known[-most:]
        if not known:
            del self._counted[name]

    @staticmethod
    def _known(entries: OrderedDict[str, deque[float]], name: str, now: float, window: float) -> deque[float]:
        found = entries.setdefault(name, deque())
        entries.move_to_end(name)
        while found and now - found[0] >= window:
            found.popleft()
        while len(entries) > MAX_REMEMBERED:
            entries.popitem(last=False)
        return found


def _too_many(wait: float) -> TooManyAttempts:
    return TooManyAttempts("Too many attempts to sign in; try again later.", retry_after_seconds=wait)


def _one_more(most: tuple[int, float], share: int) -> tuple[int, float]:
    """A part of what is allowed, after the attempt itself was added."""
    return max(most[0] // share, 1) + 1, most[1]


def network_of(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 of an IPv6 one, which one household has whole."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _wait(times: deque[float], now: float, most: int, window: float, share: int) -> float:
    allowed = max(most // share, 1)
    return times[-allowed] + window - now if len(times) >= allowed else 0.0


def _delay(times: deque[float], now: float) -> float:
    """After a few failures twice as long with each further one."""
    if len(times) < FREE_FAILURES:
        return 0.0
    return times[-1] + min(2.0 ** (len(times) - FREE_FAILURES + 1), LONGEST_DELAY_SECONDS) - now
