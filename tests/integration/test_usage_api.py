"""Usage over HTTP: the same sums for an admin and for a key's owner, who sees only the key's."""

from collections.abc import AsyncIterator

import httpx
import pytest

from application.admin.virtual_keys import NewVirtualKey
from domain.usage import TokenUsage
from tests.builders import NOW, a_provider, a_request_record, an_attempt_record
from tests.integration.admin_app import AdminApp

SUMS = {
    "requests": 1,
    "input_tokens": 150,
    "output_tokens": 20,
    "cache_read_tokens": 40,
    "cache_write_tokens": 30,
    "cache_write_1h_tokens": 25,
    "reasoning_tokens": 7,
    "cost_usd": "0.0000015",
    "savings_usd": "0.00",
    "estimated_requests": 1,
    "unpriced_requests": 1,
}


@pytest.fixture
async def app() -> AdminApp:
    app = await AdminApp.make([a_provider("groq", owner="environment")])
    failed = an_attempt_record(
        1, provider_id="groq", outcome="timeout", status=None, usage=TokenUsage(50), usage_source="estimated",
        price_id=None, cost_nano_usd=None, message="It took too long.",
    )  # fmt: skip
    answered = an_attempt_record(2, usage=TokenUsage(100, 20, 40, 30, 7, cache_write_1h_tokens=25))
    app.fakes.usage.records += [
        a_request_record("req_1", attempts=(failed, answered)),
        a_request_record(
            "req_2", key_id="key_2", status=502, outcome="error", error_code="upstream_error", attempts=(), model=None
        ),
    ]
    return app


@pytest.fixture
async def admin(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client() as client:
        yield client


async def test_an_admin_sees_sums_by_any_group(admin: httpx.AsyncClient) -> None:
    answer = (await admin.get("/admin/usage?group_by=day,key&group_by=model&timezone=Asia/Tokyo")).json()

    first, second = answer["data"]
    assert first == {"day": "2026-11-21", "key": "key_1", "model": "m", **SUMS}
    assert (second["key"], second["model"], second["requests"]) == ("key_2", None, 1)
    assert answer["total"] == {**SUMS, "requests": 2}


async def test_filters_narrow_what_an_admin_sees(admin: httpx.AsyncClient) -> None:
    answer = (await admin.get("/admin/usage?provider=groq&group_by=provider")).json()

    (row,) = answer["data"]
    assert (row["provider"], row["requests"], row["input_tokens"]) == ("groq", 0, 50)
    assert (await admin.get("/admin/usage?tenant_id=ten_other")).json()["data"] == []


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("timezone=Mars/Base", "timezone"),
        ("group_by=mood", "group_by"),
        ("from=soon", "from"),
        ("from=2026-11-22&to=2026-11-01", "from"),
        ("from=2020-01-01", "from"),
    ],
)
async def test_what_cannot_be_meant_is_refused_with_its_parameter(
    app: AdminApp, admin: httpx.AsyncClient, query: str, param: str
) -> None:
    _, secret = await app.fakes.virtual_keys.create(NewVirtualKey())

    for path, headers in (("/admin/usage", {}), ("/v1/usage", {"authorization": f"Bearer {secret.reveal()}"})):
        answer = await admin.get(f"{path}?{query}", headers=headers)
        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == param


async def test_a_key_sees_its_own_usage_and_no_other(app: AdminApp, admin: httpx.AsyncClient) -> None:
    key, secret = await app.fakes.virtual_keys.create(NewVirtualKey())
    app.fakes.usage.records.append(a_request_record("req_3", key_id=key.id))
    own = {"authorization": f"Bearer {secret.reveal()}"}

    answer = (await admin.get("/v1/usage?group_by=key&key_id=key_1&key=key_1&tenant_id=x", headers=own)).json()

    assert [(row["key"], row["requests"]) for row in answer["data"]] == [(key.id, 1)]
    assert (await admin.get("/v1/usage/?model=other&unknown=1", headers=own)).json()["total"]["requests"] == 0
    assert (await admin.get("/groq/v1/usage", headers=own)).json()["total"]["requests"] == 0
    assert (await admin.get("/nobody/v1/usage", headers=own)).json()["error"]["code"] == "provider_not_found"
    assert (await admin.get("/v1/usage", headers={"authorization": ""})).status_code == 401


async def test_one_request_is_shown_with_every_call_it_took(admin: httpx.AsyncClient) -> None:
    shown = (await admin.get("/admin/requests/req_1")).json()

    assert (shown["id"], shown["status"], shown["outcome"], shown["provider"]) == ("req_1", 200, "ok", "alpha")
    assert shown["created_at"] == "2026-11-21T12:00:00Z"
    assert (shown["input_tokens"], shown["cost_usd"], shown["usage_source"]) == (150, None, "estimated")
    first, second = shown["attempts"]
    assert (first["provider"], first["outcome"], first["message"]) == ("groq", "timeout", "It took too long.")
    assert (shown["cache_write_tokens"], shown["cache_write_1h_tokens"]) == (30, 25)
    assert [each["cache_write_1h_tokens"] for each in shown["attempts"]] == [0, 25]
    assert (first["cost_usd"], second["cost_usd"], second["price_id"]) == (None, "0.0000015", "price_1")


async def test_requests_are_listed_newest_first_in_pages(app: AdminApp, admin: httpx.AsyncClient) -> None:
    first = (await admin.get("/admin/requests?limit=1")).json()
    second = (await admin.get("/admin/requests", params={"limit": 1, "cursor": first["next_cursor"]})).json()

    assert [row["id"] for page in (first, second) for row in page["data"]] == ["req_2", "req_1"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("outcome=error", ["req_2"]),
        ("status=200", ["req_1"]),
        ("key_id=key_1", ["req_1"]),
        ("provider=alpha&model=m", ["req_1"]),
        ("tenant_id=nobody", []),
        ("from=2026-11-21T12:00:00.000001Z", []),
        ("to=2026-11-21T12:00:00Z", []),
        ("from=2026-11-21&to=2026-11-21", ["req_2", "req_1"]),
    ],
)
async def test_the_list_can_be_narrowed(admin: httpx.AsyncClient, query: str, found: list[str]) -> None:
    assert [row["id"] for row in (await admin.get(f"/admin/requests?{query}")).json()["data"]] == found


@pytest.mark.parametrize(
    ("query", "param"),
    [("outcome=great", "outcome"), ("status=7", "status"), ("cursor=x", "cursor"), ("from=x", "from")],
)
async def test_a_wrong_parameter_of_the_list_is_named(admin: httpx.AsyncClient, query: str, param: str) -> None:
    answer = await admin.get(f"/admin/requests?{query}")

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


async def test_an_unknown_request_is_not_found(admin: httpx.AsyncClient) -> None:
    assert (await admin.get("/admin/requests/req_none")).json()["error"]["code"] == "not_found"


async def test_a_database_that_is_away_is_told_as_that(app: AdminApp, admin: httpx.AsyncClient) -> None:
    """R-25."""
    app.fakes.usage.broken = True

    for path in ("/admin/usage", "/admin/requests", "/admin/requests/req_1"):
        answer = await admin.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "store_unavailable")


async def test_usage_is_a_day_of_its_own_timezone(app: AdminApp, admin: httpx.AsyncClient) -> None:
    app.fakes.usage.records = [a_request_record(created_at=NOW.replace(hour=23))]

    answer = (await admin.get("/admin/usage?timezone=Asia/Kathmandu&to=2026-11-22")).json()

    assert [row["day"] for row in answer["data"]] == ["2026-11-22"]
