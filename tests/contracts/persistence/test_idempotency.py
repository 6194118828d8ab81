"""What every store of answers under clients' keys promises (P-13, R-19)."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from adapters.persistence.idempotency import SqlAlchemyIdempotency
from adapters.persistence.store import SqlAlchemyStore
from domain.ports.idempotency import IdempotencyStore, KeptAnswer
from domain.ports.security import SecretBox
from tests.contracts.persistence.conftest import empty_database
from tests.fakes.clock import FakeClock
from tests.fakes.idempotency import MemoryIdempotency

ANSWER = KeptAnswer(200, (("content-type", "application/json"),), b'{"id": "chatcmpl-1"}' * 3000)

Process = Callable[[], IdempotencyStore]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def another(sql_store: SqlAlchemyStore, box: SecretBox, clock: FakeClock) -> Process:
    """The store as a further process has it."""
    return lambda: SqlAlchemyIdempotency(sql_store, box, clock, max_bytes=10_000)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, box: SecretBox, clock: FakeClock
) -> AsyncIterator[IdempotencyStore]:
    """Every implementation of the port, the fake included."""
    if request.param == "memory":
        yield MemoryIdempotency(clock)
        return
    made = SqlAlchemyStore(await empty_database(request, tmp_path), box, unit_seconds=20.0)
    yield SqlAlchemyIdempotency(made, box, clock)
    await made.aclose()


async def test_of_many_at_once_one_takes_the_key(store: IdempotencyStore) -> None:
    """R-19."""
    claims = await asyncio.gather(*(store.claim("k", "body") for _ in range(20)))

    assert sorted(claim.state for claim in claims) == ["claimed"] + ["running"] * 19


async def test_an_answer_is_given_again_as_it_was_and_counted(store: IdempotencyStore) -> None:
    await store.claim("k", "body")
    await store.keep("k", ANSWER)

    again = await store.claim("k", "another body")
    await store.replayed("k")

    assert (again.state, again.fingerprint, again.answer) == ("done", "body", ANSWER)
    totals = await store.totals()
    assert (totals.answers, totals.replays) == (1, 1)
    assert totals.bytes > 0


async def test_what_cannot_be_given_again_is_not_done_again(store: IdempotencyStore) -> None:
    await store.claim("k", "body")
    await store.keep("k", None)

    assert (await store.claim("k", "body")).state == "lost"


async def test_a_key_that_is_given_back_can_be_claimed_by_another_body(store: IdempotencyStore) -> None:
    await store.claim("k", "body")
    await store.release("k")

    claim = await store.claim("k", "other")

    assert (claim.state, claim.fingerprint) == ("claimed", "other")


async def test_a_claim_lasts_as_long_as_its_process_renews_it(store: IdempotencyStore, clock: FakeClock) -> None:
    await store.claim("k", "body")
    for _ in range(6):
        clock.advance(20)
        await store.renew()
    assert (await store.claim("k", "body")).state == "running"

    clock.advance(31)

    assert (await store.claim("k", "body")).state == "lost"


async def test_a_key_is_free_after_a_day(store: IdempotencyStore, clock: FakeClock) -> None:
    await store.claim("k", "body")
    await store.keep("k", ANSWER)

    clock.advance(86_399)
    assert (await store.claim("k", "body")).state == "done"
    clock.advance(1)

    assert (await store.claim("k", "body")).state == "claimed"


async def test_another_process_has_the_answer_and_does_not_renew_foreign_claims(
    another: Process, clock: FakeClock
) -> None:
    one, other = another(), another()
    await one.claim("done", "body")
    await one.keep("done", ANSWER)
    await one.claim("dead", "body")

    clock.advance(31)
    await other.renew()

    assert (await other.claim("done", "body")).answer == ANSWER
    assert (await other.claim("dead", "body")).state == "lost"


async def test_beyond_the_space_that_is_given_the_oldest_answers_go_and_their_keys_stay(
    another: Process, clock: FakeClock
) -> None:
    store = another()
    for number in range(5):
        await store.claim(f"k{number}", "body")
        await store.keep(f"k{number}", KeptAnswer(200, (), random.Random(number).randbytes(3000)))
        clock.advance(60)

    await store.renew()

    assert (await store.totals()).bytes <= 10_000
    assert (await store.claim("k4", "body")).state == "done"
    clock.advance(86_400)
    await store.renew()
    assert (await store.totals()).answers == 0


async def test_answers_lie_there_sealed(another: Process, sql_store: SqlAlchemyStore) -> None:
    store = another()
    await store.claim("k", "body")
    await store.keep("k", KeptAnswer(200, (), b"a text of a user"))

    async with sql_store.reading(1.0) as work:
        (stored,) = (await work.run(work.session.execute(text("SELECT answer FROM idempotent_answers")))).one()

    assert stored.startswith("v1.")
