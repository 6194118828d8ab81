"""What comes late in a real browser: an older answer, one for a page that was left, an effect behind what was typed."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.processes import Gateway
from tests.e2e.web.conftest import Visitor
from tests.waiting import wait_until

NO_ROWS: dict[str, object] = {"data": [], "next_cursor": None, "previous_cursor": None}


@pytest.fixture
def visitor(browser: Browser, open_gateway: Gateway) -> Iterator[Visitor]:
    visiting = Visitor(browser, open_gateway.url)
    yield visiting
    assert visiting.complaints == []
    visiting.close()


def hold(page: Page, pattern: str, words: str, method: str = "GET") -> list[Route]:
    """Requests whose address has these words wait, in the order in which they were asked; others go on."""
    held: list[Route] = []

    def look(route: Route) -> None:
        if words in route.request.url and route.request.method == method:
            held.append(route)
        else:
            route.continue_()

    page.route(pattern, look)
    return held


def arrived(page: Page, held: list[Route], count: int = 1) -> None:
    """Until so many wait. The driver tells of them while the page is asked something."""
    for _ in range(2000):
        if len(held) >= count:
            return
        page.evaluate("new Promise(done => setTimeout(done, 5))")
    raise AssertionError(f"{len(held)} of {count} were asked for")


def drawn(page: Page) -> None:
    """What had come is shown by now."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))")


@pytest.mark.parametrize("path", ["/app/admin/requests", "/app/me/requests"])
def test_rows_of_a_filter_that_was_left_do_not_replace_those_of_the_present_one(
    visitor: Visitor, open_gateway: Gateway, path: str
) -> None:
    open_gateway.http.post(
        "/v1/chat/completions", json={"model": "demo", "messages": [{"role": "user", "content": "hello"}]}
    ).raise_for_status()
    wait_until(lambda: open_gateway.admin.get("/requests?outcome=ok&limit=1").json()["data"])
    rows = open_gateway.admin.get("/requests?outcome=ok&limit=1").json()
    page = visitor.page
    page.route(
        re.compile(r"//[^/]+/(admin|me)/requests\?.*outcome=ok"),
        lambda route: route.fulfill(json=rows | {"next_cursor": None}),
    )
    visitor.go(f"{path}?outcome=ok")
    expect(page.locator(".row").first).to_be_visible()
    held = hold(page, "**/requests?*outcome=interrupted*", "")

    page.evaluate(
        "history.replaceState(null, '', '?outcome=interrupted'); dispatchEvent(new PopStateEvent('popstate'))"
    )
    arrived(page, held)
    page.evaluate("history.replaceState(null, '', '?outcome=ok'); dispatchEvent(new PopStateEvent('popstate'))")
    expect(page.locator(".row").first).to_be_visible()
    for route in held:
        route.fulfill(json=NO_ROWS)
    drawn(page)

    expect(page.locator(".row").first).to_be_visible()


def test_the_next_page_of_a_list_that_was_left_is_not_put_behind_another(visitor: Visitor) -> None:
    page = visitor.page
    entry = {"created_at": "2026-11-30T12:00:00Z", "actor": {"kind": "user", "id": "u", "name": "Ada"}, "address": "",
             "request_id": "", "action": "create", "outcome": "ok", "changes": []}  # fmt: skip

    def answer(route: Route) -> None:
        url = route.request.url
        name = "first" if "object_kind" not in url else "other"
        rows = [entry | {"id": name, "object": {"kind": "route", "id": name}}]
        route.fulfill(json={"data": rows, "next_cursor": "c" if name == "first" else None})

    page.route("**/admin/audit?*", answer)
    visitor.go("/app/admin/audit")
    held = hold(page, "**/admin/audit?*cursor=c*", "")
    page.get_by_role("button", name="Show earlier ones").click()
    arrived(page, held)
    page.get_by_label("Filter by").select_option("object_kind")
    page.get_by_label("Is", exact=True).fill("route")
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(page.locator("main")).to_contain_text("other")
    late = entry | {"id": "late", "object": {"kind": "route", "id": "late"}}
    held[0].fulfill(json={"data": [late], "next_cursor": None})
    drawn(page)

    assert page.locator("main ol.rows > li").count() == 1
    expect(page.locator("main ol.rows")).not_to_contain_text("late")


def test_an_older_answer_does_not_undo_what_a_newer_one_shows(visitor: Visitor, open_gateway: Gateway) -> None:
    """Two changes soon after each other ask for the list twice; the first answer comes last."""
    tenant = open_gateway.admin.post("/tenants", json={"name": "Twice"}).json()["id"]
    open_gateway.admin.post(f"/tenants/{tenant}/members", json={"email": "twice@example.org", "role": "member"})
    page = visitor.go(f"/app/admin/tenants?open={tenant}")
    role = page.get_by_label("Role of twice@example.org")
    expect(role).to_have_value("member")
    held = hold(page, "**/members?*", "limit=200")
    role.select_option("viewer")
    arrived(page, held, 1)
    role.select_option("admin")
    arrived(page, held, 2)
    older, newer = held
    newer.continue_()
    expect(role).to_have_value("admin")
    body = open_gateway.admin.get(f"/tenants/{tenant}/members?limit=200").json()
    older.fulfill(json=body | {"data": [one | {"role": "viewer"} for one in body["data"]]})
    drawn(page)

    expect(role).to_have_value("admin")


def test_an_answer_for_a_page_that_was_left_does_not_change_another_pages_address(visitor: Visitor) -> None:
    page = visitor.go("/app/admin/tenants?open=new")
    held = hold(page, "**/admin/tenants", "", "POST")
    page.locator("input[name=name]").fill("Left behind")
    page.get_by_role("button", name="Make tenant").click()
    arrived(page, held)
    page.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="Limits").click()
    visitor.settled()
    with page.expect_response("**/admin/tenants"):
        held[0].continue_()
    drawn(page)

    assert "open=" not in page.url
    assert page.url.split("?")[0].endswith("/limits")


def test_a_form_never_shows_what_is_known_of_another_object(visitor: Visitor, open_gateway: Gateway) -> None:
    first, second = (open_gateway.admin.post("/keys", json={"name": name}).json()["id"] for name in ("one", "two"))
    page = visitor.page
    held = hold(page, f"**/admin/keys/{second}", second)
    visitor.go(f"/app/admin/keys?open={first}")
    expect(page.get_by_role("dialog").locator("input[name=name]")).to_have_value("one")
    page.evaluate(f"history.replaceState(null, '', '?open={second}'); dispatchEvent(new PopStateEvent('popstate'))")
    arrived(page, held)

    expect(page.get_by_role("dialog").locator("form input[name=name]")).to_have_count(0)
    held[0].continue_()
    expect(page.get_by_role("dialog").locator("form input[name=name]")).to_have_value("two")


LATE_FRAMES = "window.requestAnimationFrame = () => 0;"
"""Effects are never run by a frame: they come when the browser has waited for one in vain."""


def test_what_is_typed_as_soon_as_a_form_is_drawn_is_kept(visitor: Visitor) -> None:
    """Between what is drawn and what is done after it: neither is an earlier draft put over it, nor is it forgotten."""
    page = visitor.go("/app/admin/users?open=new")
    page.locator("input[name=name]").fill("an earlier draft")
    visitor.context.add_init_script(LATE_FRAMES)
    visitor.context.add_init_script("""
      new MutationObserver(() => {
        const field = document.querySelector('.drawer[open] input[name=email]');
        if (!field || window.typed) return;
        window.typed = true;
        field.value = 'at-once@example.org';
        field.dispatchEvent(new Event('input', {bubbles: true}));
      }).observe(document, {childList: true, subtree: true, attributes: true});
    """)
    page.reload()
    expect(page.locator(".drawer input[name=email]")).to_have_value("at-once@example.org")
    expect(page.locator(".drawer input[name=name]")).to_have_value("an earlier draft")

    page.reload()

    expect(page.locator(".drawer input[name=name]")).to_have_value("an earlier draft")
    expect(page.locator(".drawer input[name=email]")).to_have_value("at-once@example.org")


def test_a_reload_keeps_choices_and_boxes_and_the_fields_that_follow_them(
    visitor: Visitor, open_gateway: Gateway
) -> None:
    """Goal 10: what a choice brought is there again with what was typed into it; ticks are kept, too."""
    page = visitor.go("/app/admin/alerts?open=new-channel")
    page.locator("select[name=kind]").select_option("email")
    page.locator("input[name=to]").fill("ops@example.org")
    visitor.reload()
    expect(page.locator("select[name=kind]")).to_have_value("email")
    expect(page.locator("input[name=to]")).to_have_value("ops@example.org")

    for name in ("left", "right"):
        body = {"kind": "webhook", "name": name, "url": "http://127.0.0.1:9/hook"}
        open_gateway.admin.post("/alerts/channels", json=body).raise_for_status()
    visitor.go("/app/admin/alerts?open=new")
    page.locator("select[name=event]").select_option("quota_low")
    page.get_by_label("right (webhook)").check()
    visitor.reload()
    expect(page.get_by_label("right (webhook)")).to_be_checked()
    expect(page.get_by_label("left (webhook)")).not_to_be_checked()
    expect(page.locator("select[name=event]")).to_have_value("quota_low")


def test_a_second_save_that_somebody_was_quicker_than_can_be_pressed_again(
    visitor: Visitor, open_gateway: Gateway
) -> None:
    """412 upon 412 with the same words, then no network: the button comes back each time, and says why."""
    key = open_gateway.admin.post("/keys", json={"name": "again"}).json()["id"]
    page = visitor.go(f"/app/admin/keys?open={key}")
    drawer = page.get_by_role("dialog")
    drawer.locator("input[name=name]").fill("mine")
    save = drawer.get_by_role("button", name="Save", exact=True)
    open_gateway.admin.patch(f"/keys/{key}", json={"name": "theirs"}).raise_for_status()
    drawer.get_by_role("button", name="Save changes").click()
    save.click()
    expect(drawer.get_by_role("alert")).to_contain_text("Somebody has changed this meanwhile")
    open_gateway.admin.patch(f"/keys/{key}", json={"name": "theirs", "tags": ["t"]}).raise_for_status()
    with page.expect_response(lambda answer: answer.request.method == "GET" and key in answer.url):
        save.click()
    expect(save).to_be_enabled()

    page.route(f"**/admin/keys/{key}", lambda route: route.abort())
    save.click()
    expect(drawer.get_by_role("alert").last).to_contain_text("fetch")
    page.unroute(f"**/admin/keys/{key}")
    drawer.get_by_role("button", name="Save changes").click()
    save.click()
    expect(drawer.get_by_text("Saved.")).to_be_visible()
    assert open_gateway.admin.get(f"/keys/{key}").json()["name"] == "mine"


def sent(page: Page, text: str) -> None:
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")


def test_an_answer_stays_in_its_conversation_when_one_goes_to_another(visitor: Visitor) -> None:
    page = visitor.go("/app")
    sent(page, "The first conversation")
    expect(page.locator("article.assistant footer")).to_have_count(1)
    first = page.locator("article.assistant .answer").inner_text()
    page.get_by_role("button", name="+ new conversation").click()
    expect(page.get_by_text("ready.")).to_be_visible()
    sent(page, "/model demo-a/sim-words-400+chunk-delay-20ms")
    sent(page, "Long")
    expect(page.locator("article.assistant .answer")).to_contain_text(" ")

    page.get_by_role("link", name="The first conversation").first.click()
    expect(page.locator("article.user .said")).to_have_text("The first conversation")
    page.wait_for_function("() => new Promise(done => setTimeout(() => done(true), 300))")
    expect(page.locator("article.assistant .answer")).to_have_text(first)

    sent(page, "and now?")
    expect(page.locator(".notice")).to_contain_text("An answer is still coming")
    expect(page.get_by_label("Message", exact=True)).to_have_value("and now?")
    page.go_back()
    expect(page.locator("article.user .said")).to_have_text("Long")
    page.get_by_role("button", name="stop", exact=True).click()
    expect(page.locator("article.assistant footer .state")).to_have_text("stopped")


def test_a_system_prompt_is_that_of_the_conversation_it_was_written_for(visitor: Visitor) -> None:
    page = visitor.go("/app")
    sent(page, "Prompted")
    expect(page.locator("article.assistant footer")).to_have_count(1)
    held = hold(page, "**/api/conversations/*", "", "PATCH")
    sent(page, "/system Be brief.")
    arrived(page, held)
    page.get_by_role("button", name="+ new conversation").click()
    expect(page.get_by_text("ready.")).to_be_visible()
    with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        held[0].continue_()
    drawn(page)

    expect(page.get_by_text("ready.")).to_be_visible()
    expect(page.locator(".notice")).to_have_text("")
    assert json.loads(held[0].request.post_data or "{}") == {"system_prompt": "Be brief."}
