"""A stream ends with the key that it was asked for with; an answer in one piece still comes (P-11)."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from application.admission.authentication import Authenticator
from application.admission.last_used import LastUsed
from domain.ports.repositories import UnitOfWork
from entrypoints.background import ending_streams
from tests.builders import NOW, a_tenant, a_virtual_key
from tests.fakes.clock import FakeClock
from tests.fakes.pipeline import DONE, FIRST
from tests.fakes.security import FakeHasher
from tests.fakes.store import MemoryStore
from tests.unit.entrypoints.http.harness import AUTH, CHAT, KEY, Harness

pytestmark = pytest.mark.virtual_time

PATH = "/v1/chat/completions"
STREAM = json.dumps(CHAT | {"stream": True}).encode()
PRESENT = a_virtual_key(digest=FakeHasher().digest(KEY))


@pytest.fixture
async def store() -> MemoryStore:
    store = MemoryStore()
    async with store.write() as unit:
        await unit.tenants.add(a_tenant())
        await unit.virtual_keys.add(PRESENT)
    return store


@pytest.fixture
async def http(store: MemoryStore) -> Harness:
    harness = await Harness.make(authenticator=Authenticator(store, FakeHasher(), FakeClock(), LastUsed(store)))
    harness.pipeline.steps = (FIRST, 60.0, DONE)
    return harness


async def _revoke(unit: UnitOfWork) -> None:
    await unit.virtual_keys.update(msgspec.structs.replace(PRESENT, revoked_at=NOW))


async def _suspend(unit: UnitOfWork) -> None:
    await unit.tenants.update(a_tenant(status="suspended"))


async def _narrow(unit: UnitOfWork) -> None:
    await unit.virtual_keys.update(msgspec.structs.replace(PRESENT, cidrs=("10.0.0.0/8",)))


async def _delete(unit: UnitOfWork) -> None:
    await unit.virtual_keys.delete(PRESENT.id)


async def _rename(unit: UnitOfWork) -> None:
    await unit.virtual_keys.update(msgspec.structs.replace(PRESENT, name="other"))


async def _rotate(unit: UnitOfWork) -> None:
    until = NOW + timedelta(hours=1)
    await unit.virtual_keys.update(
        msgspec.structs.replace(PRESENT, digest=b"new", previous_digest=PRESENT.digest, previous_until=until)
    )


ENDS: dict[Callable[[UnitOfWork], Awaitable[None]], str | None] = {
    _revoke: "invalid_api_key",
    _delete: "invalid_api_key",
    _suspend: "tenant_suspended",
    _narrow: "address_not_allowed",
    _rename: None,
    _rotate: None,
}


@pytest.mark.parametrize("change", ENDS, ids=lambda change: change.__name__)
async def test_a_stream_ends_when_its_next_request_would_be_refused(
    http: Harness, store: MemoryStore, change: Any
) -> None:
    end = ending_streams(http.services)
    client = http.client()
    request = asyncio.create_task(client.request("POST", PATH, (AUTH,), STREAM))
    await client.first_block.wait()

    async with store.write() as unit:
        await change(unit)
    await end()  # nothing was forgotten yet: nothing is looked up
    assert http.services.drain.in_flight == 1
    http.services.authenticator.forget_all()
    await end()
    answer = await request

    if (code := ENDS[change]) is None:
        assert DONE in answer.body
    else:
        assert json.loads(answer.blocks[1][6:])["error"]["code"] == code
    assert answer.complete
    assert http.pipeline.reply
    assert http.pipeline.reply.closed.is_set()


async def test_a_stream_that_has_not_begun_is_answered_with_the_refusal(http: Harness, store: MemoryStore) -> None:
    end = ending_streams(http.services)
    http.pipeline.delay_seconds = 60
    request = asyncio.create_task(http.chat(stream=True))
    plain = asyncio.create_task(http.chat())
    await http.pipeline.called.wait()
    await asyncio.sleep(1)

    async with store.write() as unit:
        await _revoke(unit)
    http.services.authenticator.forget_all()
    await end()

    assert ((await request).status, (await plain).status) == (401, 200)


async def test_while_the_store_is_away_streams_go_on_and_are_asked_later(http: Harness, store: MemoryStore) -> None:
    end = ending_streams(http.services)
    client = http.client()
    request = asyncio.create_task(client.request("POST", PATH, (AUTH,), STREAM))
    await client.first_block.wait()
    async with store.write() as unit:
        await _revoke(unit)
    http.services.authenticator.forget_all()

    store.broken = True
    with pytest.raises(Exception, match="store"):
        await end()
    assert http.services.drain.in_flight == 1
    store.broken = False
    await end()

    assert json.loads((await request).blocks[1][6:])["error"]["code"] == "invalid_api_key"
