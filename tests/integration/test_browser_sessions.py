"""A browser's session cannot be fixed, replayed or used by others (S-29); when it ends, and what it may do."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

import httpx
import pytest

from application.admin.virtual_keys import NewVirtualKey
from domain.audit import AuditFilter
from domain.authority import EVERYWHERE
from domain.sign_in import CONFIRMED_FOR
from tests.fakes.administration import ACTOR
from tests.integration.admin_app import AdminApp
from tests.integration.people_to_sign_in import ADA, BEN, PASSWORD, cookie_of, furnished, refused, sign_in


@pytest.fixture
async def app() -> AdminApp:
    return await furnished(await AdminApp.make())


@pytest.fixture
async def http(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client(None) as client:
        yield client


# A browser session cannot be fixed, replayed after logout, or used across sites (S-29).


async def test_an_attackers_cookie_is_never_taken_over(app: AdminApp, http: httpx.AsyncClient) -> None:
    """F2: fixation. The victim signs in beside a planted cookie and gets a new one; the planted one is nobody's."""
    planted = "a" * 64
    await sign_in(http, cookie=f"{app.cookie.name}={planted}")

    assert cookie_of(http, app) != planted
    async with app.client(None) as attacker:
        answer = await attacker.get("/auth/session", headers={"cookie": f"{app.cookie.name}={planted}"})
    refused(answer, 401, "invalid_api_key")


async def test_signing_in_again_changes_the_cookie(app: AdminApp, http: httpx.AsyncClient) -> None:
    await sign_in(http)
    first = cookie_of(http, app)
    await sign_in(http)

    assert cookie_of(http, app) != first


async def test_a_session_that_was_left_cannot_be_replayed(app: AdminApp, http: httpx.AsyncClient) -> None:
    token = (await sign_in(http))["csrf_token"]
    stolen = cookie_of(http, app)
    left = await http.post("/auth/logout", headers={"x-omg-csrf": token})

    assert left.status_code == 204
    assert "Max-Age=0" in left.headers["set-cookie"]
    async with app.client(None) as thief:
        refused(
            await thief.get("/auth/session", headers={"cookie": f"{app.cookie.name}={stolen}"}), 401, "invalid_api_key"
        )


async def test_refreshing_ends_the_old_cookie_and_the_old_token(app: AdminApp, http: httpx.AsyncClient) -> None:
    token = (await sign_in(http))["csrf_token"]
    old = cookie_of(http, app)
    renewed = await http.post("/auth/refresh", headers={"x-omg-csrf": token})

    assert renewed.status_code == 200
    assert renewed.json()["csrf_token"] != token
    refused(await http.post("/auth/refresh", headers={"x-omg-csrf": token}), 403, "csrf_failed")
    async with app.client(None) as thief:
        refused(
            await thief.get("/auth/session", headers={"cookie": f"{app.cookie.name}={old}"}), 401, "invalid_api_key"
        )


SITES: dict[str, Mapping[str, str]] = {
    "no token": {},
    "an empty token": {"x-omg-csrf": ""},
    "a token made up": {"x-omg-csrf": "0" * 64},
    "the token of another session": {"x-omg-csrf": "OTHER"},
    "cross-site with the token": {"x-omg-csrf": "OWN", "sec-fetch-site": "cross-site"},
    "same-site with the token": {"x-omg-csrf": "OWN", "sec-fetch-site": "same-site"},
    "another origin with the token": {"x-omg-csrf": "OWN", "origin": "https://evil.example"},
    "no origin's with the token": {"x-omg-csrf": "OWN", "origin": "null"},
    "another port with the token": {"x-omg-csrf": "OWN", "origin": "http://localhost:9999"},
    "a form": {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "cross-site"},
    "JSON as plain text": {"content-type": "text/plain", "origin": "https://evil.example"},
    "a planted cookie beside ours": {"x-omg-csrf": "OWN", "cookie": "PLANTED"},
}


@pytest.mark.parametrize("case", SITES)
@pytest.mark.parametrize(("method", "path"), [("POST", "/admin/keys"), ("POST", "/auth/logout")])
async def test_no_other_site_acts_in_the_name_of_who_is_signed_in(
    app: AdminApp, http: httpx.AsyncClient, case: str, method: str, path: str
) -> None:
    """S-29: twelve cases."""
    own = (await sign_in(http))["csrf_token"]
    async with app.client(None) as attacker:
        other = (await sign_in(attacker, "ben@example.com"))["csrf_token"]
        planted = cookie_of(attacker, app)
    words = {
        "OWN": own,
        "OTHER": other,
        "PLANTED": f"{app.cookie.name}={cookie_of(http, app)}; {app.cookie.name}={planted}",
    }
    headers = {name: words.get(value, value) for name, value in SITES[case].items()}

    answer = await http.request(method, path, content=b"{}", headers=headers)

    assert (answer.status_code, answer.json()["error"]["code"]) in {(403, "csrf_failed"), (401, "invalid_api_key")}
    if case != "a planted cookie beside ours":
        refused(answer, 403, "csrf_failed")
    async with app.fakes.store.read() as unit:
        assert await unit.virtual_keys.list_page(EVERYWHERE, 10, None) == []
    assert len(await app.fakes.sessions.list_of(ADA.id)) == 1


@pytest.mark.parametrize("path", ["/auth/login", "/auth/link", "/auth/invites/x"])
@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.example"}]
)
async def test_no_other_site_signs_anybody_in(http: httpx.AsyncClient, path: str, headers: dict[str, str]) -> None:
    body = {"email": "ben@example.com", "password": PASSWORD}

    refused(await http.post(path, json=body, headers=headers), 403, "csrf_failed")


@pytest.mark.parametrize("origin", ["http://localhost", "https://gateway.example", None])
async def test_our_own_page_acts(http: httpx.AsyncClient, origin: str | None) -> None:
    """By the host it asked, or by the public URL where a proxy says another host."""
    token = (await sign_in(http))["csrf_token"]
    headers = {"x-omg-csrf": token, "sec-fetch-site": "same-origin"} | ({"origin": origin} if origin else {})

    assert (await http.post("/admin/keys", json={}, headers=headers)).status_code == 201


async def test_an_old_cookie_does_not_keep_anybody_from_signing_in(app: AdminApp, http: httpx.AsyncClient) -> None:
    await sign_in(http, cookie=f"{app.cookie.name}={'f' * 64}")

    assert (await http.get("/auth/session")).status_code == 200


async def test_a_cookie_never_opens_inference_and_a_key_never_the_administration(
    app: AdminApp, http: httpx.AsyncClient
) -> None:
    await sign_in(http)
    refused(await http.get("/v1/models"), 401, "invalid_api_key")

    made = await app.fakes.virtual_keys.create(ACTOR, NewVirtualKey())
    async with app.client(made[1].reveal()) as client:
        for path in ("/auth/session", "/admin/keys"):
            refused(await client.get(path), 401, "invalid_api_key")


# Sessions end.


async def test_a_session_ends_when_it_is_not_used_and_at_the_latest_at_its_end(
    app: AdminApp, http: httpx.AsyncClient
) -> None:
    await sign_in(http)
    for _ in range(9):
        app.fakes.clock.advance(timedelta(days=9.9).total_seconds())
        assert (await http.get("/auth/session")).status_code == 200
    app.fakes.clock.advance(timedelta(days=1).total_seconds())
    refused(await http.get("/auth/session"), 401, "invalid_api_key")

    await sign_in(http)
    app.fakes.clock.advance(timedelta(days=14).total_seconds())
    refused(await http.get("/auth/session"), 401, "invalid_api_key")


@pytest.mark.parametrize("change", [{"status": "disabled"}, {"platform_role": "none"}])
async def test_whoever_is_disabled_or_gets_another_role_is_signed_out(
    app: AdminApp, http: httpx.AsyncClient, change: dict[str, str]
) -> None:
    """P-24."""
    await sign_in(http)
    async with app.client() as admin:
        assert (await admin.patch(f"/admin/users/{ADA.id}", json=change)).status_code == 200

    refused(await http.get("/auth/session"), 401, "invalid_api_key")
    assert await app.fakes.sessions.list_of(ADA.id) == []


async def test_a_right_that_was_taken_is_gone_with_the_next_request(app: AdminApp, http: httpx.AsyncClient) -> None:
    await sign_in(http, "ben@example.com")
    assert [tenant["role"] for tenant in (await http.get("/auth/session")).json()["tenants"]] == ["member"]

    async with app.fakes.store.write() as unit:
        await unit.memberships.delete("ten_default", BEN.id)

    assert (await http.get("/auth/session")).json()["tenants"] == []


# What a session may do under /admin.


async def test_an_admin_who_is_signed_in_administers_and_is_named_in_the_audit(
    app: AdminApp, http: httpx.AsyncClient
) -> None:
    token = (await sign_in(http))["csrf_token"]
    made = await http.post("/admin/keys", json={"name": "by hand"}, headers={"x-omg-csrf": token})

    assert made.status_code == 201
    async with app.fakes.store.read() as unit:
        (entry, *_) = await unit.audit.page(AuditFilter(object_kind="virtual_key"), 10, None)
    assert (entry.record.actor.kind, entry.record.actor.id, entry.record.actor.name) == ("user", ADA.id, "Ada")
    assert entry.record.actor.request_id == made.headers["x-request-id"]


async def test_a_member_who_is_signed_in_administers_nothing_of_the_platform(http: httpx.AsyncClient) -> None:
    token = (await sign_in(http, "ben@example.com"))["csrf_token"]

    refused(await http.get("/admin/providers"), 403, "permission_denied")
    answer = await http.post("/admin/providers", json={"id": "x"}, headers={"x-omg-csrf": token})
    refused(answer, 403, "permission_denied")


async def test_a_write_long_after_the_sign_in_asks_for_a_confirmation(app: AdminApp, http: httpx.AsyncClient) -> None:
    token = (await sign_in(http))["csrf_token"]
    headers = {"x-omg-csrf": token}
    app.fakes.clock.advance(CONFIRMED_FOR.total_seconds())

    refused(await http.post("/admin/keys", json={}, headers=headers), 401, "confirmation_needed")
    assert (await http.get("/admin/keys")).status_code == 200
    refused(
        await http.post("/auth/confirm", json={"password": "wrong horse battery"}, headers=headers),
        401,
        "invalid_credentials",
    )
    assert (await http.post("/auth/confirm", json={"password": PASSWORD}, headers=headers)).status_code == 200
    assert (await http.post("/admin/keys", json={}, headers=headers)).status_code == 201


async def test_a_request_of_another_site_is_in_the_audit_trail(app: AdminApp, http: httpx.AsyncClient) -> None:
    """S-38; that somebody is no longer signed in is not."""
    await http.get("/auth/session")
    await sign_in(http)
    await http.post("/auth/logout", headers={"sec-fetch-site": "cross-site"})
    await app.fakes.refusals.write_down()

    async with app.fakes.store.read() as unit:
        (entry,) = await unit.audit.page(AuditFilter(outcome="refused"), 10, None)
    assert entry.record.object_id == "POST /auth/logout"
    assert [bytes(change.new) for change in entry.record.changes] == [b'"csrf_failed"']


async def test_no_failure_of_finding_the_person_lets_anybody_in(app: AdminApp, http: httpx.AsyncClient) -> None:
    """S-06."""
    token = (await sign_in(http))["csrf_token"]
    app.fakes.store.broken = True
    away = await http.post("/auth/refresh", headers={"x-omg-csrf": token})
    app.fakes.store.broken = False

    def digests(key: str) -> tuple[bytes, ...]:
        raise RuntimeError("the hasher is broken")

    app.fakes.hasher.digests = digests  # type: ignore[method-assign]  # a fault no fake of its own is worth
    for answer in (away, await http.get("/auth/session"), await http.get("/admin/keys")):
        refused(answer, 503, "store_unavailable")
