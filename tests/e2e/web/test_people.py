"""Tenants and users in the console, in a real browser: made, found, changed, and ended; and lists of any length."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.e2e.processes import Gateway
from tests.e2e.web.conftest import Visitor
from tests.waiting import wait_until


@pytest.fixture
def visitor(browser: Browser, open_gateway: Gateway) -> Iterator[Visitor]:
    visiting = Visitor(browser, open_gateway.url)
    yield visiting
    assert visiting.dialogs == []
    assert visiting.outside() == []
    assert visiting.complaints == []
    visiting.close()


def test_a_tenant_is_made_limited_given_a_member_suspended_and_deleted(visitor: Visitor, open_gateway: Gateway) -> None:
    page = visitor.go("/app/admin/tenants?open=new")
    page.locator("input[name=name]").fill("Bookshop")
    page.locator("input[name=allowed_models]").fill("demo demo-b/*")
    page.locator("textarea[name=budgets]").fill("25.00 month Europe/Oslo")
    page.get_by_role("button", name="Make tenant").click()
    drawer = page.get_by_role("dialog", name="Bookshop")
    expect(drawer).to_contain_text("$25.00")
    visitor.settled()
    tenant = page.url.rpartition("open=")[2].partition("&")[0]

    drawer.get_by_label("E-mail").fill("bea@example.org")
    drawer.get_by_role("button", name="Add member").click()
    expect(drawer.get_by_label("Role of bea@example.org")).to_have_value("member")
    drawer.locator("input[name='limits.rpm']").fill("600")
    drawer.locator("select[name=status]").select_option("suspended")
    drawer.get_by_role("button", name="Save changes").click()
    drawer.get_by_role("button", name="Save", exact=True).click()
    expect(drawer.get_by_text("Saved.")).to_be_visible()

    found = open_gateway.admin.get(f"/tenants/{tenant}").json()
    assert (found["status"], found["limits"]["rpm"]) == ("suspended", 600)
    assert found["allowed_models"] == ["demo", "demo-b/*"]
    drawer.locator("input[name=sure]").fill("Bookshop")
    drawer.get_by_role("button", name="Delete tenant").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert open_gateway.admin.get(f"/tenants/{tenant}").status_code == 404


def test_a_tenant_is_deleted_by_its_name_only_and_found_by_its_words(visitor: Visitor, open_gateway: Gateway) -> None:
    tenant = open_gateway.admin.post("/tenants", json={"name": "Quiet corner"}).json()["id"]
    page = visitor.go("/app/admin/tenants")

    page.get_by_label("Find a tenant").fill("quiet co")
    expect(page.locator(".rows li")).to_have_count(1)
    page.get_by_role("button", name="Quiet corner").click()
    visitor.settled()
    page.locator("input[name=sure]").fill("quiet corner")
    page.get_by_role("button", name="Delete tenant").click()

    expect(page.get_by_role("alert")).to_have_text("Write Quiet corner to delete it.")
    assert open_gateway.admin.get(f"/tenants/{tenant}").status_code == 200


def test_somebody_is_invited_made_an_auditor_disabled_and_deleted(visitor: Visitor, open_gateway: Gateway) -> None:
    page = visitor.go("/app/admin/users?open=new")
    drawer = page.get_by_role("dialog")
    drawer.get_by_label("E-mail").fill("cy@example.org")
    drawer.get_by_label("Name").fill("Cy")
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(page.locator(".secret")).to_contain_text("/app#/invite/")
    page.get_by_role("button", name="Close").click()
    assert "#/invite/" not in page.content()

    page.get_by_label("Find a user").fill("cy@example")
    page.get_by_role("button", name="Cy").click()
    drawer = page.get_by_role("dialog", name="Cy")
    visitor.settled()
    drawer.locator("select[name=platform_role]").select_option("auditor")
    drawer.get_by_role("button", name="Save changes").click()
    drawer.get_by_role("button", name="Save", exact=True).click()
    expect(drawer.get_by_text("Saved.")).to_be_visible()
    drawer.get_by_role("button", name="Disable").click()
    drawer.get_by_role("button", name="Disable").click()
    expect(drawer.locator(".tag")).to_have_text("disabled")

    user = page.url.rpartition("open=")[2].partition("&")[0]
    found = open_gateway.admin.get(f"/users/{user}").json()
    assert (found["platform_role"], found["status"]) == ("auditor", "disabled")
    drawer.get_by_role("button", name="Delete user").click()
    drawer.get_by_role("button", name="Delete user").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    wait_until(lambda: open_gateway.admin.get(f"/users/{user}").status_code == 404)


@pytest.mark.parametrize("kind", ["keys", "tenants", "users"])
def test_a_list_longer_than_a_page_is_had_to_its_end_and_opens_what_is_not_yet_on_it(
    visitor: Visitor, open_gateway: Gateway, kind: str
) -> None:
    for number in range(5):
        body = {"email": f"reader{number}@example.org"} if kind == "users" else {"name": f"reader {number}"}
        open_gateway.admin.post(f"/{kind}", json=body).raise_for_status()
    ids = [one["id"] for one in open_gateway.admin.get(f"/{kind}", params={"limit": "200"}).json()["data"]]
    size = max(2, len(ids) // 3)

    def in_short_pages(route: Route) -> None:
        route.continue_(url=route.request.url.replace("limit=200", f"limit={size}"))

    visitor.page.route(f"**/admin/{kind}?limit=200*", in_short_pages)
    page = visitor.go(f"/app/admin/{kind}?open={ids[-1]}")
    expect(page.get_by_role("dialog")).to_contain_text(ids[-1])
    page.keyboard.press("Escape")
    rows = page.locator(".rows li")
    expect(rows).to_have_count(size)

    while page.get_by_role("button", name="Show more").count() > 0:
        before = rows.count()
        page.get_by_role("button", name="Show more").click()
        expect(rows).not_to_have_count(before)
        visitor.settled()

    expect(rows).to_have_count(len(ids))
