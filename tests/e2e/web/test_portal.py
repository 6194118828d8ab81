"""The portal in a real browser: one's own keys and what they used, and a tenant for those who manage it."""

import json
import re
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.processes import Gateway
from tests.e2e.web.conftest import Visitor, link
from tests.waiting import wait_until


@pytest.fixture
def visitor(browser: Browser, closed_gateway: Gateway) -> Iterator[Visitor]:
    """Somebody who is signed in."""
    visiting = Visitor(browser, closed_gateway.url)
    visiting.context.grant_permissions(["clipboard-read", "clipboard-write"])
    with visiting.page.expect_response(lambda answer: answer.url.endswith("/auth/link")) as answered:
        visiting.go("/app" + link(closed_gateway))
    assert answered.value.ok
    yield visiting
    assert visiting.dialogs == []
    assert visiting.outside() == []
    assert visiting.complaints == []
    visiting.close()


def ask(gateway: Gateway, secret: str) -> httpx.Response:
    return httpx.post(
        f"{gateway.url}/v1/chat/completions",
        headers={"authorization": f"Bearer {secret}"},
        json={"model": "demo", "messages": [{"role": "user", "content": "hello"}]},
    )


def status(gateway: Gateway, secret: str) -> int:
    return ask(gateway, secret).status_code


def make_key(page: Page, name: str) -> str:
    page.get_by_role("button", name="Make a key").click()
    page.locator("input[name=name]").fill(name)
    page.get_by_role("button", name="Make key").click()
    secret = page.locator(".secret").inner_text()
    assert secret in page.locator(".snippet").inner_text()
    page.get_by_role("button", name="Close").click()
    return secret


def test_a_key_of_ones_own_is_made_used_seen_in_the_requests_rotated_and_revoked(
    visitor: Visitor, closed_gateway: Gateway
) -> None:
    page = visitor.go("/app/me/keys")
    secret = make_key(page, "workshop")
    assert status(closed_gateway, secret) == 200
    assert secret not in page.content()

    page.get_by_role("button", name="workshop").click()
    page.wait_for_url("**/app/me/keys?open=*")
    key = page.url.partition("open=")[2]
    found = f"{closed_gateway.url}/me/requests?key_id={key}"
    wait_until(lambda: len(visitor.context.request.get(found).json()["data"]) == 1)
    page.get_by_role("link", name="Its requests").click()
    row = page.get_by_role("grid").get_by_role("row").nth(1)
    expect(row).to_contain_text("demo")
    row.click()
    expect(page.get_by_role("dialog").get_by_role("link", name="workshop")).to_have_attribute("href", re.compile(key))

    visitor.go(f"/app/me/keys?open={key}")
    page.get_by_role("button", name="Rotate key").click()
    other = page.locator(".secret").inner_text()
    assert (status(closed_gateway, other), status(closed_gateway, secret)) == (200, 401)

    visitor.go(f"/app/me/keys?open={key}")
    page.get_by_role("button", name="Revoke key").click()
    with page.expect_response(lambda answer: answer.url.endswith("/revoke")) as revoked:
        page.get_by_role("button", name="Revoke key").click()
    assert revoked.value.ok
    expect(page.get_by_role("dialog").locator(".tag")).to_have_text("revoked")
    assert status(closed_gateway, other) == 401


def test_the_usage_adds_up_to_the_requests_it_leads_to(visitor: Visitor, closed_gateway: Gateway) -> None:
    page = visitor.go("/app/me/keys")
    assert status(closed_gateway, make_key(page, "counted")) == 200

    key = visitor.context.request.get(f"{closed_gateway.url}/me/keys?limit=1").json()["data"][0]["id"]
    own = f"{closed_gateway.url}/me/requests"
    wait_until(lambda: len(visitor.context.request.get(f"{own}?key_id={key}").json()["data"]) == 1)
    asked = len(visitor.context.request.get(own).json()["data"])

    visitor.go("/app/me")
    card = page.get_by_role("region", name="Totals").get_by_role("link", name=re.compile("^Requests"))
    expect(card.locator("strong")).to_have_text(str(asked))
    card.click()

    expect(page.get_by_role("grid").get_by_role("row")).to_have_count(asked + 1)
    page.wait_for_url("**/app/me/requests?from=*")


def test_a_page_comes_with_the_session_and_its_sums_before_what_is_left(visitor: Visitor) -> None:
    """Nothing is asked for one behind the other that can be asked for at once."""
    page, held = visitor.page, list[Route]()

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/auth/session", hold)
    page.route("**/me/limits", hold)

    with page.expect_request("**/assets/web/usage-*.js"), page.expect_request("**/auth/session"):
        page.goto(f"{visitor.base}/app/me", wait_until="commit")
    let_go(page, held)

    totals = page.get_by_role("region", name="Totals").get_by_role("link", name=re.compile("^Requests"))
    expect(totals.locator("strong")).not_to_have_text("–")
    let_go(page, held)
    expect(page.get_by_role("heading", name="Models")).to_be_visible()


def let_go(page: Page, held: list[Route]) -> None:
    """The one request that is kept waiting, once it is there."""
    while not held:
        page.wait_for_timeout(20)
    held.pop().continue_()


def test_what_a_budget_has_spent_leads_to_the_requests_that_add_up_to_it(
    visitor: Visitor, closed_gateway: Gateway
) -> None:
    """Goal 3, and what is left with it."""
    person = visitor.context.request.get(f"{closed_gateway.url}/me").json()["id"]
    page = visitor.go("/app/me/keys")
    secret = make_key(page, "spender")
    user = f"/users/{person}"
    budget = {"limit_usd": "5.00", "period": "month", "timezone": "Europe/Oslo"}
    closed_gateway.admin.patch(user, json={"budgets": [budget]}).raise_for_status()
    answer = ask(closed_gateway, secret)
    limits = f"{closed_gateway.url}/me/limits"
    wait_until(lambda: Decimal(visitor.context.request.get(limits).json()["budgets"][0]["used"]) > 0)

    visitor.go("/app/me")
    left = page.get_by_role("region", name="What is left")
    expect(left).to_contain_text("of $5.00 a month left")
    expect(left).to_contain_text("you, everywhere")
    link = left.get_by_role("link", name="spent")
    address = urlsplit(link.get_attribute("href") or "")
    asked: dict[str, str | float | bool] = {**dict(parse_qsl(address.query)), "limit": "200"}

    def adds_up() -> bool:
        """Of the period, the time before there was a budget too: the rows that the link leads to cost what was used."""
        used = Decimal(visitor.context.request.get(limits).json()["budgets"][0]["used"])
        rows = visitor.context.request.get(f"{closed_gateway.url}/me/requests", params=asked).json()["data"]
        mine = [row for row in rows if row["id"] == answer.headers["x-request-id"]]
        return bool(mine) and sum(Decimal(row["cost_usd"] or 0) for row in rows) == used

    wait_until(adds_up)
    link.click()
    expect(page.get_by_role("heading", name="Requests")).to_be_visible()
    visitor.settled()
    closed_gateway.admin.patch(user, json={"budgets": []}).raise_for_status()


COMMANDS = ["/app/me", "/app/me/keys", "/app/me/requests?outcome=ok", "/app/me/tenants"]


@pytest.mark.parametrize("path", COMMANDS)
def test_a_copied_command_asks_what_the_page_asked_as_the_same_person(
    visitor: Visitor, closed_gateway: Gateway, path: str
) -> None:
    """Goal 8."""
    page = visitor.go(path)
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    command = page.evaluate("navigator.clipboard.readText()")
    cookie = next(one for one in visitor.context.cookies() if one["name"].startswith("omg_session"))

    environment = {"OMG_SESSION": f"{cookie['name']}={cookie['value']}", "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(["bash", "-c", f"{command} -s"], env=environment, capture_output=True, text=True, check=True)

    address = urlsplit(command.split('"')[1])
    assert json.loads(ran.stdout)["data"] is not None
    assert any(address.path == urlsplit(url).path for url in visitor.requested)


def test_a_key_is_changed_by_what_was_changed_and_shows_what_it_has_left(
    visitor: Visitor, closed_gateway: Gateway
) -> None:
    page = visitor.go("/app/me/keys?open=new")
    page.locator("input[name=name]").fill("limited")
    page.get_by_role("button", name="Make key").click()
    expect(page.locator(".secret")).to_be_visible()
    key = visitor.context.request.get(f"{closed_gateway.url}/me/keys?limit=1").json()["data"][0]["id"]
    page = visitor.go(f"/app/me/keys?open={key}")
    drawer = page.get_by_role("dialog", name="limited")

    drawer.locator("input[name='limits.rpm']").fill("40")
    drawer.get_by_role("button", name="Save changes").click()
    expect(drawer.get_by_role("group", name="What will change")).to_contain_text("limits.rpm: nothing → 40")
    with page.expect_request(lambda request: request.method == "PATCH") as sent:
        drawer.get_by_role("button", name="Save", exact=True).click()
    expect(drawer.get_by_text("Saved.")).to_be_visible()

    assert json.loads(sent.value.post_data or "")["limits"]["rpm"] == 40
    assert sent.value.headers["if-match"]
    visitor.reload()
    expect(drawer).to_contain_text("40 of 40 requests in any minute left")
    assert visitor.violations() == []


def test_a_request_says_who_could_have_served_it_and_who_did(visitor: Visitor, closed_gateway: Gateway) -> None:
    """Goal 12, for whoever asked."""
    page = visitor.go("/app/me/keys")
    assert status(closed_gateway, make_key(page, "asker")) == 200
    key = visitor.context.request.get(f"{closed_gateway.url}/me/keys?limit=1").json()["data"][0]["id"]
    found = f"{closed_gateway.url}/me/requests?key_id={key}"
    wait_until(lambda: len(visitor.context.request.get(found).json()["data"]) == 1)
    entry = visitor.context.request.get(found).json()["data"][0]

    visitor.go(f"/app/me/requests?open={entry['id']}")

    why = page.get_by_role("dialog").get_by_role("region", name="Why this provider")
    expect(why.get_by_role("listitem").filter(has_text="chosen")).to_have_count(1)
    expect(why.get_by_role("listitem").filter(has_text="chosen")).to_contain_text(f"{entry['provider']}/")
    assert visitor.violations() == []


def test_a_chat_is_on_the_account_that_is_chosen(visitor: Visitor, closed_gateway: Gateway) -> None:
    """Contract: `tenant_id` of whatever is asked in the chat."""
    person = visitor.context.request.get(f"{closed_gateway.url}/me").json()["id"]
    tenant = closed_gateway.admin.post("/tenants", json={"name": "Reading room"}).json()["id"]
    closed_gateway.admin.post(f"/tenants/{tenant}/members", json={"user_id": person, "role": "member"})
    page = visitor.go("/app")

    page.get_by_role("button", name="Model: ").click()
    page.get_by_label("On the account of").select_option(label="Reading room")
    page.keyboard.press("Escape")
    page.get_by_label("Message", exact=True).fill("Hello")
    page.keyboard.press("Enter")
    expect(page.locator("article.assistant footer")).to_contain_text(" out")

    of_it = {"tenant_id": tenant}
    wait_until(lambda: len(closed_gateway.admin.get("/requests", params=of_it).json()["data"]) == 1)
    visitor.reload()
    page.get_by_role("button", name="Model: ").click()
    expect(page.get_by_label("On the account of")).to_have_value(tenant)
    page.get_by_label("On the account of").select_option(label="yourself")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="again").click()
    expect(page.locator(".siblings")).to_contain_text("2 of 2")
    mine = {"tenant_id": closed_gateway.admin.get(f"/users/{person}").json()["personal_tenant_id"], "limit": "1"}
    wait_until(lambda: closed_gateway.admin.get("/requests", params=mine).json()["data"][0]["user_id"] == person)


def test_an_owner_adds_a_member_and_changes_the_role(visitor: Visitor, closed_gateway: Gateway) -> None:
    person = visitor.context.request.get(f"{closed_gateway.url}/me").json()["id"]
    tenant = closed_gateway.admin.post("/tenants", json={"name": "Workshop", "limits": {"rpm": 600}}).json()["id"]
    members = f"/tenants/{tenant}/members"
    closed_gateway.admin.post(members, json={"user_id": person, "role": "owner"}).raise_for_status()
    page = visitor.go(f"/app/me/tenants?open={tenant}")
    drawer = page.get_by_role("dialog", name="Workshop")
    expect(drawer).to_contain_text("600 requests a minute")

    drawer.get_by_label("E-mail").fill("ann@example.org")
    drawer.get_by_role("button", name="Add member").click()
    role = drawer.get_by_label("Role of ann@example.org")
    expect(role).to_have_value("member")
    role.select_option("viewer")

    def roles() -> dict[str, str]:
        return {one["email"]: one["role"] for one in closed_gateway.admin.get(members).json()["data"]}

    wait_until(lambda: roles().get("ann@example.org") == "viewer")
    remove = drawer.get_by_role("listitem").filter(has_text="ann@example.org").get_by_role("button", name="Remove")
    remove.click()
    remove.click()
    expect(drawer.get_by_text("ann@example.org")).to_have_count(0)


def test_an_owner_sets_what_a_member_and_a_key_may_use_and_no_more_than_the_tenant_has(
    visitor: Visitor, closed_gateway: Gateway
) -> None:
    person = visitor.context.request.get(f"{closed_gateway.url}/me").json()["id"]
    made = closed_gateway.admin.post("/tenants", json={"name": "Foundry", "limits": {"rpm": 600}})
    tenant = made.json()["id"]
    members = f"/tenants/{tenant}/members"
    closed_gateway.admin.post(members, json={"user_id": person, "role": "owner"}).raise_for_status()
    added = closed_gateway.admin.post(members, json={"email": "cai@example.org"})
    page = visitor.go(f"/app/me/tenants?open={tenant}")
    drawer = page.get_by_role("dialog", name="Foundry")

    cai = drawer.get_by_role("listitem").filter(has_text="cai@example.org")
    cai.locator("summary").click()
    visitor.settled()
    expect(cai).to_contain_text("600 of 600 requests in any minute left")
    cai.locator("input[name='limits.rpm']").fill("60")
    cai.get_by_role("button", name="Save limits").click()
    cai.get_by_role("button", name="Save", exact=True).click()
    expect(cai.get_by_text("Saved.")).to_be_visible()
    member = f"{members}/{added.json()['user_id']}"
    assert closed_gateway.admin.get(member).json()["limits"]["rpm"] == 60

    drawer.get_by_label("Its name").fill("nightly")
    drawer.get_by_role("button", name="Make service key").click()
    expect(drawer.locator(".secret")).to_be_visible()
    (key,) = [one for one in closed_gateway.admin.get("/keys").json()["data"] if one["tenant_id"] == tenant]
    assert (key["name"], key["owner_id"]) == ("nightly", None)
    page.set_viewport_size({"width": 390, "height": 844})
    assert visitor.violations() == []
    assert not visitor.overflows()
