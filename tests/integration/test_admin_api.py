"""The admin API over HTTP: contract 8 for providers, their keys, virtual keys, kinds and health."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from tests.builders import a_provider, a_provider_key
from tests.integration.admin_app import AdminApp

CANARY = "canary-upstream-secret-0123456789"


@pytest.fixture
async def app() -> AdminApp:
    groq = a_provider("groq", owner="environment", priority=40)
    return await AdminApp.make([groq], [a_provider_key("pk_env_groq", "groq", owner="environment")])


@pytest.fixture
async def http(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client() as client:
        yield client


ALPHA = {"id": "alpha", "base_url": "https://alpha.example/v1"}


async def created(http: httpx.AsyncClient) -> str:
    """A provider `alpha` with a key; the key's id."""
    assert (await http.post("/admin/providers", json=ALPHA)).status_code == 201
    answer = await http.post("/admin/providers/alpha/keys", json={"secret": CANARY, "label": "main"})
    assert answer.status_code == 201
    return str(answer.json()["id"])


def error(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["error"]["code"] == code, body
    assert body["request_id"] == answer.headers["x-request-id"]
    return dict(body["error"])


async def test_a_provider_is_created_listed_changed_and_deleted(http: httpx.AsyncClient) -> None:
    new = await http.post("/admin/providers", json=ALPHA | {"settings": {"default_model": "m"}})
    listed = await http.get("/admin/providers")
    changed = await http.patch(
        "/admin/providers/alpha", json={"priority": 3, "settings": {"default_model": None, "models": ["a"]}}
    )
    gone = await http.delete("/admin/providers/alpha")
    missing = await http.get("/admin/providers/alpha")

    assert new.status_code == 201
    assert new.json()["status"] == "no_key"
    assert new.json()["keys"] == 0
    assert new.json()["settings"] == {"default_model": "m"}
    assert [provider["id"] for provider in listed.json()["data"]] == ["groq", "alpha"]
    assert listed.json()["next_cursor"] is None
    assert (changed.status_code, changed.json()["priority"]) == (200, 3)
    assert changed.json()["settings"] == {"models": ["a"]}
    assert (gone.status_code, gone.content) == (204, b"")
    error(missing, 404, "provider_not_found")


async def test_a_declared_provider_is_shown_and_says_where_it_is_changed(http: httpx.AsyncClient) -> None:
    shown = (await http.get("/admin/providers/groq")).json()

    assert (shown["owner"], shown["read_only"], shown["keys"]) == ("environment", True, 1)
    assert "environment" in error(await http.patch("/admin/providers/groq", json={}), 409, "read_only")["message"]
    error(await http.delete("/admin/providers/groq"), 409, "read_only")
    error(await http.patch("/admin/providers/groq/keys/pk_env_groq", json={}), 409, "read_only")


async def test_no_answer_contains_a_provider_secret(http: httpx.AsyncClient) -> None:
    """S-25: write-only."""
    key_id = await created(http)
    answers = [
        await http.get("/admin/providers/alpha/keys"),
        await http.get(f"/admin/providers/alpha/keys/{key_id}"),
        await http.patch(f"/admin/providers/alpha/keys/{key_id}", json={"label": "x"}),
        await http.post(f"/admin/providers/alpha/keys/{key_id}/retry"),
        await http.get("/admin/providers"),
        await http.post("/admin/providers/alpha/test"),
        await http.get("/admin/health"),
        await http.post("/admin/providers/alpha/keys", json={"secret": CANARY}),
        await http.post("/admin/providers/alpha/keys", json={"secret": [CANARY]}),
        await http.post("/admin/providers/alpha/keys", json={"secret": CANARY + "x", "unknown": CANARY}),
    ]

    assert [CANARY in answer.text for answer in answers] == [False] * len(answers)
    shown = answers[1].json()
    assert shown["last4"] == CANARY[-4:]
    assert len(shown["fingerprint"]) == 12
    assert "secret" not in shown


async def test_the_api_shows_why_a_key_waits_and_a_retry_brings_it_back(app: AdminApp, http: httpx.AsyncClient) -> None:
    key_id = await created(http)
    failure = UpstreamFailure(FailureKind.RATE_LIMITED, "free tier is busy", retry_after_seconds=30)
    app.fakes.availability.record_failure("alpha", key_id, "m", failure)

    provider = (await http.get("/admin/providers/alpha")).json()
    key = (await http.get("/admin/providers/alpha/keys")).json()["data"][0]
    retried = await http.post(f"/admin/providers/alpha/keys/{key_id}/retry")

    assert (provider["status"], provider["available_at"]) == ("rate_limited", "2026-11-21T12:00:30Z")
    assert (key["status"], key["reason"]) == ("rate_limited", "free tier is busy")
    assert (retried.status_code, retried.json()["status"]) == (200, "available")
    assert (await http.get("/admin/providers/alpha")).json()["status"] == "available"


async def test_a_provider_is_retried_whole(app: AdminApp, http: httpx.AsyncClient) -> None:
    key_id = await created(http)
    for _ in range(5):
        app.fakes.availability.record_failure("alpha", key_id, "m", UpstreamFailure(FailureKind.CONNECT, "no"))
    assert (await http.get("/admin/providers/alpha")).json()["status"] == "unhealthy"

    retried = await http.post("/admin/providers/alpha/retry")

    assert (retried.status_code, retried.json()["status"]) == (200, "available")


async def test_another_origin_removes_the_keys_and_says_so(http: httpx.AsyncClient) -> None:
    """S-07."""
    await created(http)

    changed = (await http.patch("/admin/providers/alpha", json={"base_url": "https://evil.example/v1"})).json()

    assert (changed["keys"], changed["status"]) == (0, "no_key")
    assert "removed" in changed["notice"]


async def test_a_test_says_in_words_how_it_went_and_takes_nothing_from_the_body(http: httpx.AsyncClient) -> None:
    """S-16."""
    await created(http)

    answer = await http.post("/admin/providers/alpha/test", json={"base_url": "https://evil.example", "key": "x"})

    assert answer.status_code == 200
    assert answer.json()["ok"] is True
    assert "lists 1 model." in answer.json()["message"]


async def test_a_virtual_key_shows_its_secret_once(app: AdminApp, http: httpx.AsyncClient) -> None:
    made = await http.post(
        "/admin/keys",
        json={"name": "n", "allowed_models": ["alpha/*"], "expires_at": "2027-01-01T00:00:00+02:00"},
    )
    secret, key_id = made.json()["secret"], made.json()["id"]
    later = [await http.get("/admin/keys"), await http.get(f"/admin/keys/{key_id}")]

    assert made.status_code == 201
    assert secret.startswith("sk-omg-")
    assert made.json()["expires_at"] == "2026-12-31T22:00:00Z"
    assert [secret in answer.text or "secret" in answer.text for answer in later] == [False, False]
    assert later[1].json()["status"] == "active"
    async with app.client(secret) as client:
        assert (await client.get("/v1/models")).status_code == 200


async def test_a_revoked_key_is_refused_at_the_next_request(app: AdminApp, http: httpx.AsyncClient) -> None:
    """P-11."""
    made = (await http.post("/admin/keys", json={})).json()
    async with app.client(made["secret"]) as client:
        before = await client.get("/v1/models")
        revoked = await http.post(f"/admin/keys/{made['id']}/revoke")
        after = await client.get("/v1/models")

    assert (before.status_code, after.status_code) == (200, 401)
    assert (revoked.status_code, revoked.json()["status"]) == (200, "revoked")


async def test_a_rotated_key_has_a_new_secret_and_the_old_one_ends(app: AdminApp, http: httpx.AsyncClient) -> None:
    made = (await http.post("/admin/keys", json={"name": "n"})).json()

    rotated = await http.post(f"/admin/keys/{made['id']}/rotate")

    assert rotated.status_code == 200
    assert rotated.json()["id"] == made["id"]
    assert rotated.json()["fingerprint"] != made["fingerprint"]
    async with app.client(made["secret"]) as old, app.client(rotated.json()["secret"]) as new:
        assert (await old.get("/v1/models")).status_code == 401
        assert (await new.get("/v1/models")).status_code == 200


async def test_null_lifts_a_restriction_and_absence_keeps_it(http: httpx.AsyncClient) -> None:
    made = (await http.post("/admin/keys", json={"allowed_models": ["m"], "allowed_providers": ["alpha"]})).json()

    changed = (await http.patch(f"/admin/keys/{made['id']}", json={"allowed_models": None})).json()

    assert (changed["allowed_models"], changed["allowed_providers"]) == (None, ["alpha"])


@pytest.mark.parametrize("field", ["budget", "created_at", "digest", "id", "revoked_at"])
async def test_fields_that_are_no_ones_to_write_are_refused_by_name(http: httpx.AsyncClient, field: str) -> None:
    """S-02."""
    received = error(await http.post("/admin/keys", json={"name": "n", field: None}), 400, "unknown_parameter")

    assert received["param"] == field
    assert field in received["message"]
    assert (await http.get("/admin/keys")).json()["data"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "param"),
    [
        ("POST", "/admin/providers", {}, "missing_required_parameter", "id"),
        ("POST", "/admin/providers", ALPHA | {"priority": "high"}, "invalid_type", "priority"),
        ("POST", "/admin/providers", ALPHA | {"owner": "file"}, "unknown_parameter", "owner"),
        ("POST", "/admin/providers", ALPHA | {"settings": {"x": 1}}, "unknown_parameter", "settings.x"),
        ("POST", "/admin/providers", ALPHA | {"kind": "unknown"}, "invalid_value", "kind"),
        ("POST", "/admin/providers", ALPHA | {"base_url": "nonsense"}, "invalid_value", "base_url"),
        (
            "POST",
            "/admin/providers",
            ALPHA | {"settings": {"timeouts": {"connect": "soon"}}},
            "invalid_type",
            "settings.timeouts.connect",
        ),
        ("POST", "/admin/providers/groq/keys", {"secret": "x", "weight": 0}, "invalid_value", "weight"),
        ("POST", "/admin/providers/groq/keys", {}, "missing_required_parameter", "secret"),
        ("POST", "/admin/keys", {"expires_at": "2027-01-01T00:00:00"}, "invalid_value", "expires_at"),
        ("POST", "/admin/keys", {"allowed_models": "m"}, "invalid_type", "allowed_models"),
        ("POST", "/admin/keys", {"tenant_id": "ten_x"}, "invalid_value", "tenant_id"),
        ("POST", "/admin/keys", [], "invalid_type", None),
        ("GET", "/admin/providers?limit=0", None, "invalid_value", "limit"),
        ("GET", "/admin/keys?limit=201", None, "invalid_value", "limit"),
        ("GET", "/admin/providers?limit=many", None, "invalid_type", "limit"),
        ("GET", "/admin/providers?cursor=gone", None, "invalid_value", "cursor"),
    ],
)
async def test_a_bad_request_names_what_is_wrong(
    http: httpx.AsyncClient, method: str, path: str, body: object, code: str, param: str | None
) -> None:
    answer = await http.request(method, path, json=body) if body is not None else await http.request(method, path)

    assert error(answer, 400, code)["param"] == param


@pytest.mark.parametrize("content", [b"{", b"\xff", b'{"name": "x"} trailing', b"[" * 200 + b"]" * 200])
async def test_a_body_that_is_no_json_is_refused(http: httpx.AsyncClient, content: bytes) -> None:
    answer = await http.post("/admin/keys", content=content)

    error(answer, 400, "invalid_json")


async def test_a_body_that_is_missing_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.post("/admin/keys")

    assert "needs a JSON body" in error(answer, 400, "missing_required_parameter")["message"]


async def test_a_body_of_more_than_256_kib_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.post("/admin/keys", json={"name": "x" * (257 * 1024)})

    error(answer, 413, "request_too_large")


async def test_lists_come_in_pages(http: httpx.AsyncClient) -> None:
    for name in ("a", "b", "c"):
        await http.post("/admin/keys", json={"name": name})

    first = (await http.get("/admin/keys?limit=2")).json()
    second = (await http.get(f"/admin/keys?limit=2&cursor={first['next_cursor']}")).json()

    assert [key["name"] for key in first["data"] + second["data"]] == ["c", "b", "a"]
    assert second["next_cursor"] is None


async def test_the_kinds_are_listed_with_their_parameters(http: httpx.AsyncClient) -> None:
    kinds = (await http.get("/admin/provider-kinds")).json()

    assert kinds["data"][0]["kind"] == "openai"
    assert kinds["data"][0]["params"] == {"model": "honored"}


async def test_free_tiers_come_with_day_and_source_and_say_when_they_are_old(
    app: AdminApp, http: httpx.AsyncClient
) -> None:
    async def shown() -> tuple[bool, list[bool]]:
        preset = (await http.get("/admin/provider-kinds")).json()["data"][0]["presets"][0]
        tier = preset["free_tier"]
        assert (tier["as_of"], tier["source"]) == ("2026-11-21", "https://free.example/limits")
        assert tier["summary"] == "30 requests a minute for each model; 1,000 requests a day"
        return tier["outdated"], [quota["outdated"] for quota in tier["quotas"]]

    app.fakes.clock.set_wall_clock(datetime(2026, 11, 30, tzinfo=UTC))
    assert await shown() == (True, [False, True])

    app.fakes.clock.set_wall_clock(datetime(2027, 2, 20, tzinfo=UTC))
    assert await shown() == (True, [True, True])


async def test_a_provider_shows_what_its_registry_row_gives_away(app: AdminApp, http: httpx.AsyncClient) -> None:
    provider = (await http.post("/admin/providers", json={"id": "openrouter"})).json()
    other = (await http.get("/admin/providers/groq")).json()

    assert provider["free_tier"]["kind"] == "renewing"
    assert [quota["pool"] for quota in provider["free_tier"]["quotas"]] == [None, "all"]
    assert other["free_tier"] is None


async def test_the_health_report_names_database_and_providers(http: httpx.AsyncClient) -> None:
    report = (await http.get("/admin/health")).json()

    assert (report["status"], report["database"]) == ("ok", {"status": "ok"})
    assert report["providers"][0]["id"] == "groq"
    assert report["version"]


async def test_without_the_database_reads_go_on_and_writes_say_so(app: AdminApp, http: httpx.AsyncClient) -> None:
    await http.get("/admin/providers")
    app.fakes.store.broken = True

    assert (await http.get("/admin/providers")).status_code == 200
    error(await http.post("/admin/providers", json=ALPHA), 503, "store_unavailable")


async def test_readiness_says_one_word_and_no_more(app: AdminApp) -> None:
    """S-26, R-40."""
    async with app.client(None) as anyone:
        live = await anyone.get("/health/live")
        ready = await anyone.get("/health/ready")
        app.drain.begin()
        draining = await anyone.get("/health/ready")
        still_alive = await anyone.get("/health/live")

    assert (live.status_code, live.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    assert (draining.status_code, draining.json()) == (503, {"status": "draining"})
    assert still_alive.status_code == 200


async def test_a_database_away_for_a_minute_makes_the_gateway_unready(app: AdminApp) -> None:
    async with app.client(None) as anyone:
        await anyone.get("/health/ready")
        app.fakes.store.broken = True
        app.fakes.clock.advance(61)
        away = await anyone.get("/health/ready")

    assert (away.status_code, away.json()) == (503, {"status": "database_away"})


async def test_usage_that_cannot_be_written_down_makes_the_gateway_unready_until_it_can(app: AdminApp) -> None:
    """R-30."""
    async with app.client(None) as anyone:
        app.fakes.ledger.can_write = False
        full = await anyone.get("/health/ready")
        app.fakes.ledger.can_write = True
        again = await anyone.get("/health/ready")

    assert (full.status_code, full.json()) == (503, {"status": "usage_unwritable"})
    assert again.status_code == 200


async def test_what_an_admin_changes_is_logged_with_who_did_it(
    app: AdminApp, http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "application.admin")
    key_id = await created(http)
    await http.patch("/admin/providers/nobody", json={"priority": 1})
    await http.post(f"/admin/providers/alpha/keys/{key_id}/retry")

    logged = [vars(record) for record in caplog.records if record.getMessage() == "changed by an admin"]
    assert [(line["action"], line["object_kind"], line["object_id"]) for line in logged] == [
        ("create", "provider", "alpha"),
        ("create", "provider_key", key_id),
        ("retry", "provider_key", key_id),
    ]
    assert {(line["actor_kind"], line["actor_id"]) for line in logged} == {("admin_token", "platform")}
    assert CANARY not in str(logged)
