"""Who guesses is slowed down, by account and by address, and nobody is locked out for good (S-13, S-28)."""

import itertools

import pytest
from typing_extensions import override

from application.sign_in.throttle import (
    LONGEST_DELAY_SECONDS,
    MAX_REMEMBERED,
    OF_ACCOUNT,
    OF_ADDRESS,
    AttemptThrottle,
    network_of,
)
from domain.errors import StoreUnavailable, TooManyAttempts
from domain.ports.sign_in import AttemptCounter
from tests.fakes.clock import FakeClock


async def tries(throttle: AttemptThrottle, address: str, account: str | None = None) -> bool:
    try:
        await throttle.begin(address, account)
    except TooManyAttempts:
        return False
    return True


async def test_an_address_has_sixty_attempts_in_five_minutes() -> None:
    clock = FakeClock()
    throttle = AttemptThrottle(clock)

    let_through = [await tries(throttle, "203.0.113.7", f"account {number}") for number in range(1000)]
    clock.advance(OF_ADDRESS[1])

    assert sum(let_through) == OF_ADDRESS[0]
    assert await tries(throttle, "203.0.113.7", "account")


async def test_an_account_waits_longer_with_each_failure_and_never_for_good() -> None:
    clock = FakeClock()
    throttle = AttemptThrottle(clock)
    waited = []
    for number in range(OF_ACCOUNT[0]):
        seconds = 0
        while not await tries(throttle, f"203.0.113.{number}", "ada"):
            clock.advance(1.0)
            seconds += 1
        waited.append(seconds)

    assert waited == [0, 0, 0, 2, 4, 8, 16, 30, 30, 30]
    assert max(waited) == LONGEST_DELAY_SECONDS
    assert not await tries(throttle, "203.0.113.99", "ada")
    clock.advance(OF_ACCOUNT[1])
    assert await tries(throttle, "203.0.113.99", "ada")


async def test_the_right_password_makes_the_account_free_again() -> None:
    throttle = AttemptThrottle(FakeClock())
    for _ in range(3):
        await throttle.begin("203.0.113.7", "ada")
    throttle.succeeded("203.0.113.7", "ada")

    assert await tries(throttle, "203.0.113.7", "ada")


async def test_good_sign_ins_do_not_use_an_office_up() -> None:
    throttle = AttemptThrottle(FakeClock())
    for number in range(500):
        await throttle.begin("203.0.113.7", f"person {number}")
        throttle.succeeded("203.0.113.7", f"person {number}")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("203.0.113.7", "203.0.113.8", False),
        ("203.0.113.7", "::ffff:203.0.113.7", True),
        ("unix", "unix", True),
    ],
)
def test_what_one_household_has_counts_as_one(one: str, other: str, same: bool) -> None:
    assert (network_of(one) == network_of(other)) == same


async def test_each_of_several_processes_lets_its_share_through() -> None:
    throttle = AttemptThrottle(FakeClock(), share=4)

    assert sum([await tries(throttle, "203.0.113.7", str(number)) for number in range(100)]) == OF_ADDRESS[0] // 4


async def test_what_is_remembered_is_bounded() -> None:
    throttle = AttemptThrottle(FakeClock())
    for number in range(MAX_REMEMBERED + 100):
        await throttle.begin(f"10.{number >> 16}.{(number >> 8) & 255}.{number & 255}", f"account {number}")

    assert len(throttle._addresses) == len(throttle._accounts) == MAX_REMEMBERED


class SharedCounter(AttemptCounter):
    """Counts for several throttles, while it is there."""

    def __init__(self) -> None:
        self.counted: dict[str, set[str]] = {}
        self.away = False
        self._ids = itertools.count()

    @override
    async def take(self, name: str, most: int, seconds: int) -> str | None:
        if self.away:
            raise StoreUnavailable("It is away.")
        known = self.counted.setdefault(name, set())
        if len(known) >= most:
            return None
        known.add(attempt_id := str(next(self._ids)))
        return attempt_id

    @override
    def give_back(self, name: str, attempt_id: str) -> None:
        self.counted[name].discard(attempt_id)


async def test_processes_that_share_a_counter_let_through_as_much_as_one() -> None:
    """S-13, S-29."""
    counter, clock = SharedCounter(), FakeClock()
    processes = [AttemptThrottle(clock, 4, counter) for _ in range(4)]

    of_address = [await tries(processes[number % 4], "203.0.113.7", f"account {number}") for number in range(200)]
    of_account = [await tries(processes[number % 4], f"203.0.114.{number}", "ada") for number in range(200)]

    assert sum(of_address) == OF_ADDRESS[0]
    assert sum(of_account) == OF_ACCOUNT[0]
    assert len(counter.counted["address/203.0.114.150"]) == 0


async def test_what_succeeded_counts_no_more_for_any_process() -> None:
    counter, clock = SharedCounter(), FakeClock()
    one, other = (AttemptThrottle(clock, 2, counter) for _ in range(2))
    for number in range(500):
        await one.begin("203.0.113.7", f"person {number}")
        one.succeeded("203.0.113.7", f"person {number}")

    assert await tries(other, "203.0.113.7", "person 1")
    assert sum(map(len, counter.counted.values())) == 2


async def test_while_the_counter_is_away_each_process_lets_its_share_through() -> None:
    """R-27."""
    counter = SharedCounter()
    counter.away = True
    throttle = AttemptThrottle(FakeClock(), 4, counter)

    let_through = sum([await tries(throttle, "203.0.113.7", str(number)) for number in range(100)])

    assert let_through == OF_ADDRESS[0] // 4
