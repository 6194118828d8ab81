"""Contract 9, `/me/usage` and `/me/requests`: one's own rows; a tenant's for its owner, admin and viewer."""

from collections.abc import AsyncIterator

import httpx
import pytest

from domain.attribution import Attribution
from domain.tenants import Membership, Role
from tests.builders import NOW, a_request_record
from tests.integration.admin_app import AdminApp
from tests.integration.people_to_sign_in import ADA, BEN, furnished, refused, sign_in


@pytest.fixture
async def app() -> AdminApp:
    """Requests of Ben and of Ada in the tenant of both, of a service key there, and of somebody elsewhere."""
    app = await furnished(await AdminApp.make())
    app.fakes.usage.records += [
        a_request_record("req_ben", attribution=Attribution(BEN.id)),
        a_request_record("req_ada", attribution=Attribution(ADA.id)),
        a_request_record("req_service"),
        a_request_record("req_elsewhere", tenant_id="ten_other", attribution=Attribution("usr_none")),
    ]
    return app


@pytest.fixture
async def ben(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client(None) as client:
        await sign_in(client, "ben@example.com")
        yield client


async def becomes(app: AdminApp, role: Role) -> None:
    async with app.fakes.store.write() as unit:
        await unit.memberships.update(Membership("ten_default", BEN.id, role, NOW, NOW))


async def seen(client: httpx.AsyncClient, **query: str) -> tuple[set[str], int]:
    """Which requests the log shows, and how many the sums count."""
    log = (await client.get("/me/requests", params=query)).json()
    sums = (await client.get("/me/usage", params=query)).json()
    return {entry["id"] for entry in log["data"]}, sums["total"]["requests"]


@pytest.mark.parametrize("role", ["viewer", "member", "admin", "owner"])
async def test_one_sees_ones_own_where_no_tenant_is_named(app: AdminApp, ben: httpx.AsyncClient, role: Role) -> None:
    await becomes(app, role)

    assert await seen(ben) == ({"req_ben"}, 1)


@pytest.mark.parametrize("role", ["viewer", "admin", "owner"])
async def test_who_may_see_a_tenant_sees_all_of_it_when_naming_it(
    app: AdminApp, ben: httpx.AsyncClient, role: Role
) -> None:
    await becomes(app, role)

    assert await seen(ben, tenant_id="ten_default") == ({"req_ben", "req_ada", "req_service"}, 3)
    assert (await ben.get("/me/requests/req_ada")).status_code == 200


async def test_a_member_sees_their_own_in_a_tenant(ben: httpx.AsyncClient) -> None:
    assert await seen(ben, tenant_id="ten_default") == ({"req_ben"}, 1)


@pytest.mark.parametrize("tenant", ["ten_other", "ten_none"])
async def test_a_foreign_tenant_is_as_empty_as_none(app: AdminApp, ben: httpx.AsyncClient, tenant: str) -> None:
    """S-04; not for the platform's admin either, who has `/admin` for that."""
    assert await seen(ben, tenant_id=tenant) == (set(), 0)
    async with app.client(None) as ada:
        await sign_in(ada)
        assert await seen(ada, tenant_id=tenant) == (set(), 0)
        assert await seen(ada) == ({"req_ada"}, 1)


@pytest.mark.parametrize("narrowed", ["user_id", "key_id"])
async def test_naming_somebody_else_shows_nothing_of_theirs(ben: httpx.AsyncClient, narrowed: str) -> None:
    """S-06: what is asked narrows, and never widens."""
    found, count = await seen(ben, **{narrowed: {"user_id": ADA.id, "key_id": "key_2"}[narrowed]})

    assert found <= {"req_ben"}
    assert count <= 1


@pytest.mark.parametrize("request_id", ["req_ada", "req_service", "req_elsewhere"])
async def test_another_request_answers_as_one_that_is_not_there(ben: httpx.AsyncClient, request_id: str) -> None:
    foreign, unknown = await ben.get(f"/me/requests/{request_id}"), await ben.get("/me/requests/req_none")

    refused(foreign, 404, "not_found")
    assert foreign.json()["error"]["message"].replace(request_id, "req_none") == unknown.json()["error"]["message"]
    assert (await ben.get("/me/requests/req_ben")).status_code == 200


@pytest.mark.parametrize("request_id", ["req_ada", "req_service", "req_elsewhere"])
async def test_anothers_decision_answers_as_one_that_is_not_there(ben: httpx.AsyncClient, request_id: str) -> None:
    """S-04."""
    foreign, unknown = await ben.get(f"/me/decisions/dec_{request_id}"), await ben.get("/me/decisions/dec_none")

    refused(foreign, 404, "not_found")
    assert (
        foreign.json()["error"]["message"].replace(f"dec_{request_id}", "dec_none")
        == (unknown.json()["error"]["message"])
    )
    assert (await ben.get("/me/decisions/dec_req_ben")).json()["request_id"] == "req_ben"


async def test_ones_usage_is_a_file_too(ben: httpx.AsyncClient) -> None:
    answer = await ben.get("/me/usage?format=csv&group_by=model")

    assert answer.headers["content-type"].startswith("text/csv")
    assert len(answer.text.splitlines()) == 2
