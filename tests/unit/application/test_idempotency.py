"""What becomes of a request's key when its answer is there (P-13)."""

import asyncio

import pytest
from typing_extensions import override

from application.idempotency import IdempotentRequests
from domain.errors import StoreUnavailable
from domain.keys import Principal
from domain.ports.idempotency import KeptAnswer
from tests.fakes.clock import FakeClock
from tests.fakes.idempotency import MemoryIdempotency

CALLER = Principal("virtual_key", "key_1", "ten_default")
ANSWER = KeptAnswer(200, (), b"{}")


class Away(MemoryIdempotency):
    """Cannot be written to so many times."""

    times = 3

    @override
    async def keep(self, key: str, answer: KeptAnswer | None) -> None:
        if self.times:
            self.times -= 1
            raise StoreUnavailable("away for the test")
        await super().keep(key, answer)


@pytest.mark.virtual_time
async def test_an_answer_that_cannot_be_kept_at_once_is_kept_a_little_later() -> None:
    requests = IdempotentRequests(Away(FakeClock()))
    name, _ = await requests.begin(CALLER, "chat", "k", b"body")

    await requests.end(name, ANSWER, dispatched=True)
    await asyncio.sleep(10)

    assert (await requests.begin(CALLER, "chat", "k", b"body"))[1] == ANSWER


async def test_a_form_is_the_same_whatever_its_boundary_is() -> None:
    requests = IdempotentRequests(MemoryIdempotency(FakeClock()))
    name, _ = await requests.begin(CALLER, "audio", "k", b"--one\r\nfile\r\n--one--", b"one")
    await requests.end(name, ANSWER, dispatched=True)

    again = await requests.begin(CALLER, "audio", "k", b"--other\r\nfile\r\n--other--", b"other")

    assert again[1] == ANSWER
