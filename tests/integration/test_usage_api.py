"""Usage over HTTP: the same sums for an admin and for a key's owner, who sees only the key's."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from application.admin.virtual_keys import NewVirtualKey
from domain.attribution import Attribution
from domain.records import RequestRecord
from domain.usage import BillingFacts, TokenUsage
from tests.builders import NOW, a_provider, a_request_record, an_attempt_record
from tests.fakes.administration import ACTOR
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
    "inexact_requests": 0,
    "cost_exact": False,
    "cost_missing": ["price"],
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
    assert first == {"day": "2026-11-21", "key": "key_1", "key_name": None, "model": "m", **SUMS}
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
    _, secret = await app.fakes.virtual_keys.create(ACTOR, NewVirtualKey())

    for path, headers in (("/admin/usage", {}), ("/v1/usage", {"authorization": f"Bearer {secret.reveal()}"})):
        answer = await admin.get(f"{path}?{query}", headers=headers)
        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == param


async def test_a_key_sees_its_own_usage_and_no_other(app: AdminApp, admin: httpx.AsyncClient) -> None:
    key, secret = await app.fakes.virtual_keys.create(ACTOR, NewVirtualKey())
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


async def test_drift_tells_the_models_whose_reported_and_computed_costs_part(app: AdminApp) -> None:
    def call(request_id: str, model: str, reported: int, computed: int | None) -> RequestRecord:
        usage = TokenUsage(10, 5, billing=BillingFacts(cost_nano_usd=reported))
        attempt = an_attempt_record(
            1, provider_id="groq", model=model, usage=usage, cost_nano_usd=reported, computed_nano_usd=computed
        )
        return a_request_record(request_id, provider_id="groq", model=model, attempts=(attempt,), usage=usage)

    app.fakes.usage.records += [
        call("req_a", "close", 1_000_000, 1_009_999),
        call("req_b", "apart", 1_000_000, 1_000_000),
        call("req_c", "apart", 1_000_000, 890_000),
        call("req_d", "unpriced", 1_000_000, None),
    ]
    async with app.client() as admin:
        answer = (await admin.get("/admin/usage/drift?provider=groq")).json()

    assert answer == {
        "data": [
            {
                "provider": "groq",
                "model": "apart",
                "calls": 2,
                "calls_apart": 1,
                "reported_cost_usd": "0.002",
                "computed_cost_usd": "0.00189",
                "drift_percent": "-5.50",
            }
        ]
    }


async def test_usage_names_what_had_no_price(app: AdminApp) -> None:
    attempt = an_attempt_record(1, provider_id="groq", model="searching", cost_missing=("web_search", "maps"))
    app.fakes.usage.records += [a_request_record("req_a", provider_id="groq", model="searching", attempts=(attempt,))]
    async with app.client() as admin:
        answer = (await admin.get("/admin/usage?group_by=model&model=searching")).json()

    for found in (answer["data"][0], answer["total"]):
        assert (found["cost_exact"], found["inexact_requests"]) == (False, 1)
        assert found["cost_missing"] == ["maps", "web_search"]


async def test_names_stand_beside_ids(app: AdminApp, admin: httpx.AsyncClient) -> None:
    _, secret = await app.fakes.virtual_keys.create(ACTOR, NewVirtualKey(name="notebook"))
    key = (await admin.get("/admin/keys")).json()["data"][0]
    app.fakes.usage.records.append(a_request_record("req_3", key_id=key["id"], provider_id="groq"))

    row = (await admin.get(f"/admin/usage?group_by=key,tenant&key_id={key['id']}")).json()["data"][0]
    entry = (await admin.get("/admin/requests/req_3")).json()

    assert (row["key"], row["key_name"], row["tenant_name"]) == (key["id"], "notebook", "Default")
    assert (entry["key_name"], entry["tenant_name"], entry["provider_name"]) == ("notebook", "Default", "Groq")
    assert (await admin.get("/admin/requests/req_1")).json()["key_name"] is None
    assert secret.reveal() not in str(entry)


async def test_following_the_log_gives_what_is_newer(app: AdminApp, admin: httpx.AsyncClient) -> None:
    seen = (await admin.get("/admin/requests?limit=1")).json()["previous_cursor"]
    app.fakes.usage.records += [a_request_record(f"req_new{n}", created_at=NOW + timedelta(seconds=n)) for n in (1, 2)]

    newer = (await admin.get("/admin/requests", params={"after": seen})).json()
    none = (await admin.get("/admin/requests", params={"after": newer["previous_cursor"]})).json()

    assert [entry["id"] for entry in newer["data"]] == ["req_new2", "req_new1"]
    assert (none["data"], none["previous_cursor"]) == ([], newer["previous_cursor"])


async def test_the_log_is_a_file_that_no_spreadsheet_runs(app: AdminApp, admin: httpx.AsyncClient) -> None:
    """S-20."""
    hostile = Attribution(end_user="=cmd|' /C calc'!A0", tags=("@a", "b"))
    app.fakes.usage.records.append(a_request_record("req_3", attribution=hostile, requested_model="-2+3"))

    answer = await admin.get("/admin/requests?format=csv")
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(answer.text))}

    assert answer.headers["content-disposition"] == 'attachment; filename="requests.csv"'
    assert list(rows) == ["req_3", "req_2", "req_1"]
    assert (rows["req_3"]["end_user"], rows["req_3"]["tags"]) == ("'=cmd|' /C calc'!A0", "'@a,b")
    assert (rows["req_3"]["requested_model"], rows["req_1"]["attempts"]) == ("'-2+3", "2")
    assert rows["req_1"]["cost_usd"] == ""


async def test_stats_tell_how_long_it_took_and_what_failed(app: AdminApp, admin: httpx.AsyncClient) -> None:
    app.fakes.usage.records.clear()
    app.fakes.usage.records += [
        a_request_record(f"req_{n}", latency_ms=10.0 * n, ttft_ms=float(n) if n <= 50 else None) for n in range(1, 101)
    ]
    app.fakes.usage.records += [
        a_request_record("req_failed", outcome="error", status=502, latency_ms=5.0, model="n", attempts=()),
        a_request_record("req_left", outcome="client_cancelled", status=499, latency_ms=5.0, model="n", attempts=()),
        a_request_record(
            "req_refused", outcome="error", status=429, refused_by="key:key_1", model="n", attempts=(), latency_ms=0.1
        ),
    ]

    answer = (await admin.get("/admin/usage?group_by=model&stats=true")).json()
    plain = (await admin.get("/admin/usage?group_by=model")).json()
    table = (await admin.get("/admin/usage?group_by=model&stats=true&format=csv")).text.splitlines()

    m, n = answer["data"]
    assert (m["latency_ms"], m["ttft_ms"]) == (
        {"p50": 500.0, "p95": 950.0, "p99": 990.0}, {"p50": 25.0, "p95": 48.0, "p99": 50.0},
    )  # fmt: skip
    assert (m["error_requests"], n["error_requests"], n["refused_requests"], n["requests"]) == (0, 1, 1, 3)
    assert n["latency_ms"] == {"p50": 5.0, "p95": 5.0, "p99": 5.0}
    assert n["ttft_ms"] is None
    assert (answer["total"]["error_requests"], answer["sampled_one_in"]) == (1, 1)
    assert answer["total"]["latency_ms"]["p50"] == 490.0
    assert "latency_ms" not in plain["data"][0]
    assert table[0].endswith(
        "refused_requests,latency_ms_p50,latency_ms_p95,latency_ms_p99,ttft_ms_p50,ttft_ms_p95,ttft_ms_p99"
    )
    assert table[1].endswith(",0,0,500.0,950.0,990.0,25.0,48.0,50.0")


async def test_hours_are_moments_also_where_the_clock_goes_back(app: AdminApp, admin: httpx.AsyncClient) -> None:
    for hour in range(3):  # 02:10 comes twice in Oslo
        at = datetime(2026, 10, 25, 0, 10, tzinfo=UTC) + timedelta(hours=hour)
        app.fakes.usage.records.append(a_request_record(f"req_h{hour}", created_at=at))

    asked = "from=2026-10-25&to=2026-10-25&timezone=Europe/Oslo"
    hours = (await admin.get(f"/admin/usage?group_by=hour&{asked}")).json()["data"]
    days = (await admin.get(f"/admin/usage?group_by=day&{asked}")).json()["data"]

    assert [row["hour"] for row in hours] == [f"2026-10-25T0{hour}:00:00Z" for hour in range(3)]
    assert [(row["day"], row["requests"]) for row in days] == [("2026-10-25", 3)]
