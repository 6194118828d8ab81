"""Signing in and out in a real browser: no input is lost, and nothing works with an ended session."""

import httpx
from playwright.sync_api import Browser, expect

from tests.e2e.processes import Gateway
from tests.e2e.web.conftest import Visitor, link
from tests.waiting import wait_until


def test_a_link_signs_in_and_signing_out_ends_the_session_at_the_server(
    browser: Browser, closed_gateway: Gateway
) -> None:
    visitor = Visitor(browser, closed_gateway.url)
    page = visitor.go("/app")
    expect(page.get_by_role("dialog", name="Sign in")).to_be_visible()

    page.goto("about:blank")
    visitor.go("/app" + link(closed_gateway))
    expect(page.get_by_text("ready.")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.wait_for_url(lambda url: "link" not in url)
    wait_until(lambda: bool(visitor.context.cookies()))
    cookies = {one["name"]: one["value"] for one in visitor.context.cookies() if "name" in one and "value" in one}
    assert httpx.get(f"{closed_gateway.url}/auth/session", cookies=cookies).status_code == 200
    assert page.evaluate("document.cookie") == ""

    visitor.go("/app/admin")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("dialog", name="Sign in")).to_be_visible()
    assert httpx.get(f"{closed_gateway.url}/auth/session", cookies=cookies).status_code == 401
    visitor.close()


def test_an_ended_or_replaced_session_loses_no_input(browser: Browser, closed_gateway: Gateway) -> None:
    """Sign in again where one is: what was typed is there, and what was asked is asked again."""
    first = closed_gateway.admin.get("/users").json()["data"][-1]  # the newest comes first
    closed_gateway.admin.patch(f"/users/{first['id']}", json={"email": "ada@example.com"}).raise_for_status()
    visitor = Visitor(browser, closed_gateway.url)
    page = visitor.page
    with page.expect_response(lambda answer: answer.url.endswith("/auth/link")) as answered:
        visitor.go("/app" + link(closed_gateway))
    assert answered.value.ok
    visitor.go("/app/me/account")
    page.get_by_label("New one").fill("a long enough pass phrase")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_text("Set. Other sessions have ended.")).to_be_visible()
    visitor.go("/app/admin/keys?open=new")
    page.locator("input[name=name]").fill("typed before it ended")
    visitor.context.clear_cookies()

    page.get_by_role("button", name="Make key").click()
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("Password").fill("a long enough pass phrase")
    page.get_by_role("button", name="Sign in").click()

    expect(page.locator(".secret")).to_be_visible()
    expect(page.get_by_role("dialog", name="Sign in")).to_have_count(0)

    visitor.go("/app/admin/keys?open=new")
    page.locator("input[name=name]").fill("typed before it was replaced")
    again = {"email": "ada@example.com", "password": "a long enough pass phrase"}
    assert visitor.context.request.post(f"{visitor.base}/auth/login", data=again).ok  # as in another tab
    page.get_by_role("button", name="Make key").click()
    expect(page.locator(".secret")).to_be_visible()

    visitor.go("/app")
    expect(page.get_by_text("ready.")).to_be_visible()
    page.get_by_label("Message", exact=True).fill("Asked after it ended")
    visitor.context.clear_cookies()
    page.keyboard.press("Enter")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("Password").fill("a long enough pass phrase")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("article.user .said")).to_have_text("Asked after it ended")
    expect(page.locator("article.assistant footer")).to_contain_text(" out")
    visitor.close()


OLD_MARK = "localStorage.setItem('omg.renewed', String(Date.now() - 13 * 3600 * 1000))"


def test_a_session_gets_a_new_id_under_somebody_who_works_and_nobody_notices(
    browser: Browser, closed_gateway: Gateway
) -> None:
    """Contract 9, `/auth/refresh`: once in half a day, by one tab; what bears the old id meanwhile is asked again."""
    visitor = Visitor(browser, closed_gateway.url)
    page = visitor.page
    with page.expect_response(lambda answer: answer.url.endswith("/auth/link")):
        visitor.go("/app" + link(closed_gateway))
    visitor.go("/app/admin/keys?open=new")
    assert not any("/auth/refresh" in url for url in visitor.requested)
    other = visitor.context.new_page()
    other.goto(visitor.base + "/app/admin/tenants?open=new")
    other.locator("input[name=name]").fill("From the other tab")
    before = {one["name"]: one["value"] for one in visitor.context.cookies() if "name" in one and "value" in one}

    page.evaluate(OLD_MARK)
    with page.expect_response("**/auth/refresh") as renewed:
        visitor.reload()
    assert renewed.value.ok
    after = {one["name"]: one["value"] for one in visitor.context.cookies() if "name" in one and "value" in one}
    assert set(after) == set(before)
    assert after != before
    assert httpx.get(f"{closed_gateway.url}/auth/session", cookies=before).status_code == 401

    visitor.settled().locator("input[name=name]").fill("Under the new id")
    page.get_by_role("button", name="Make key").click()
    expect(page.locator(".secret")).to_be_visible()
    other.get_by_role("button", name="Make tenant").click()  # with the old one's token
    expect(other.get_by_role("dialog", name="From the other tab")).to_be_visible()
    page.route(
        "**/admin/tenants?*", lambda route: route.fulfill(status=401, json=ENDED), times=1
    )  # sent with the old id
    page.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="Tenants").click()
    expect(page.get_by_role("button", name="From the other tab")).to_be_visible()
    for tab in (page, other):
        expect(tab.get_by_role("dialog", name="Sign in")).to_have_count(0)
    assert sum("/auth/refresh" in url for url in visitor.requested) == 1
    visitor.close()


ENDED = {"error": {"code": "invalid_api_key", "message": "You are not signed in, or no longer.", "type": "x"}}


def test_a_wrong_password_is_said_in_the_form_and_asks_nobody_to_sign_in(
    browser: Browser, closed_gateway: Gateway
) -> None:
    visitor = Visitor(browser, closed_gateway.url)
    page = visitor.page
    with page.expect_response(lambda answer: answer.url.endswith("/auth/link")):
        visitor.go("/app" + link(closed_gateway))
    page.route(
        "**/me/password",
        lambda route: route.fulfill(
            status=401, json={"error": {"code": "invalid_credentials", "message": "The current password is wrong."}}
        ),
    )
    visitor.go("/app/me/account")
    page.get_by_label("New one").fill("a long enough pass phrase")
    page.get_by_role("button", name="Set password").click()

    expect(page.get_by_role("alert")).to_have_text("The current password is wrong.")
    expect(page.get_by_role("dialog", name="Sign in")).to_have_count(0)
    visitor.close()
