"""How many requests are served at once, and the way down (R-11)."""

import pytest

from domain.errors import ServiceUnavailable
from entrypoints.http.edge.drain import DrainState


class Running:
    def __init__(self) -> None:
        self.interrupted = False
        self.checked = 0

    def interrupt(self) -> None:
        self.interrupted = True

    async def check_again(self) -> None:
        self.checked += 1


def test_more_than_the_limit_are_told_to_wait() -> None:
    drain = DrainState(max_in_flight=2)
    drain.enter()
    drain.enter()

    with pytest.raises(ServiceUnavailable) as caught:
        drain.enter()

    assert (caught.value.code, caught.value.retry_after_seconds, drain.in_flight) == ("overloaded", 1, 2)
    drain.leave()
    drain.enter()


def test_the_way_down_begins_with_readiness_and_goes_on_to_refusal() -> None:
    drain = DrainState()

    drain.begin()
    drain.enter()
    drain.refuse()

    assert drain.draining
    with pytest.raises(ServiceUnavailable) as caught:
        drain.enter()
    assert caught.value.code == "shutting_down"


def test_interrupting_tells_every_long_request_and_no_one_that_has_ended() -> None:
    drain, running, ended = DrainState(), Running(), Running()
    drain.started(running)
    drain.started(ended)
    drain.ended(ended)

    assert drain.interrupt_all() == 1
    assert (running.interrupted, ended.interrupted) == (True, False)


async def test_every_long_request_can_be_asked_whether_it_may_go_on() -> None:
    drain, running, ended = DrainState(), Running(), Running()
    drain.started(running)
    drain.started(ended)
    drain.ended(ended)

    await drain.check_all_again()

    assert (running.checked, running.interrupted, ended.checked) == (1, False, 0)


async def test_waiting_for_idleness_ends_with_the_last_request_or_the_time() -> None:
    drain = DrainState()
    assert await drain.wait_idle(0.01)
    drain.enter()

    assert not await drain.wait_idle(0.01)
    drain.leave()
    assert await drain.wait_idle(0.01)
