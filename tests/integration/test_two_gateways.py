"""Two gateways on one Postgres: what one revokes, the other refuses, busy with that key or not (S-09, P-11)."""

import asyncio
import base64
import secrets
from collections.abc import Iterator

import httpx
import pytest

from tests.contracts.persistence.postgres import PostgresServer
from tests.e2e.processes import Gateway
from tests.waiting import HANG_SECONDS

pytestmark = pytest.mark.process

IN_FLIGHT = 50
ENDLESS = {"model": "demo-a/sim-endless", "stream": True, "messages": [{"role": "user", "content": "go on"}]}


@pytest.fixture(scope="module")
def pair(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Gateway]]:
    ring = f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}"
    shared = {"OMG_DATABASE_URL": postgres.new_database(), "OMG_MASTER_KEYS": ring}
    with (
        Gateway(tmp_path_factory.mktemp("one"), "--demo", **shared) as one,
        Gateway(tmp_path_factory.mktemp("other"), "--demo", **shared) as other,
    ):
        yield one, other


async def test_a_key_revoked_in_one_is_refused_in_the_other_with_fifty_requests_in_flight(
    pair: tuple[Gateway, Gateway],
) -> None:
    one, other = pair
    made = one.admin.post("/keys", json={"name": "shared"}).json()
    key = {"authorization": f"Bearer {made['secret']}"}
    limits = httpx.Limits(max_connections=IN_FLIGHT + 1)
    begun = asyncio.Semaphore(0)

    async with httpx.AsyncClient(base_url=other.url, headers=key, timeout=HANG_SECONDS, limits=limits) as client:

        async def last_event() -> str:
            last = ""
            async with client.stream("POST", "/v1/chat/completions", json=ENDLESS) as answer:
                assert answer.status_code == 200
                async for line in answer.aiter_lines():
                    if not last:
                        begun.release()
                    last = line or last
            return last

        async with asyncio.TaskGroup() as streams, asyncio.timeout(HANG_SECONDS):
            ends = [streams.create_task(last_event()) for _ in range(IN_FLIGHT)]
            for _ in ends:
                await begun.acquire()
            assert (await client.get("/v1/models")).status_code == 200

            revoked = await asyncio.to_thread(one.admin.post, f"/keys/{made['id']}/revoke")
            assert revoked.status_code == 200
            assert (await asyncio.to_thread(httpx.get, f"{one.url}/v1/models", headers=key)).status_code == 401
            while (await client.get("/v1/models")).status_code == 200:
                continue
            refused = [(await client.get("/v1/models")).status_code for _ in range(20)]

        assert refused == [401] * 20  # and none of those under way has brought it back
        assert all('"code":"invalid_api_key"' in end.result() for end in ends)


def test_an_admin_token_ends_in_the_other_at_once(pair: tuple[Gateway, Gateway]) -> None:
    one, other = pair
    made = one.admin.post("/tokens", json={"scopes": ["read"]}).json()
    token = {"authorization": f"Bearer {made['secret']}"}
    before = httpx.get(f"{other.url}/admin/keys", headers=token).status_code

    one.admin.delete(f"/tokens/{made['id']}")

    assert (before, httpx.get(f"{other.url}/admin/keys", headers=token).status_code) == (200, 401)
