"""The console in a real browser, against the simulated providers."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.processes import Gateway
from tests.e2e.web.conftest import Visitor
from tests.e2e.web.test_chat import HOSTILE
from tests.waiting import wait_until


@pytest.fixture
def visitor(browser: Browser, open_gateway: Gateway) -> Iterator[Visitor]:
    visiting = Visitor(browser, open_gateway.url)
    yield visiting
    assert visiting.dialogs == []
    assert visiting.outside() == []
    assert visiting.complaints == []
    visiting.close()


def ask(gateway: Gateway, model: str) -> None:
    httpx.post(
        f"{gateway.url}/v1/chat/completions", json={"model": model, "messages": [{"role": "user", "content": "hello"}]}
    )


def test_a_key_is_made_in_three_clicks_and_its_snippet_runs(visitor: Visitor, open_gateway: Gateway) -> None:
    page = visitor.go("/app/admin/keys")

    page.get_by_role("button", name="Make a key").click()
    page.locator("input[name=name]").fill("laptop")
    page.get_by_role("button", name="Make key").click()

    secret = page.locator(".secret").inner_text()
    snippet = page.locator(".snippet").inner_text()
    assert re.fullmatch(r"sk-omg-\w{38}", secret)
    assert secret in snippet
    assert f"{open_gateway.url}/v1/chat/completions" in snippet
    answer = httpx.post(
        f"{open_gateway.url}/v1/chat/completions",
        headers={"authorization": f"Bearer {secret}"},
        json={"model": "demo", "messages": [{"role": "user", "content": "Say hello."}]},
    )
    assert answer.status_code == 200
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="laptop")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert secret not in page.content()


def test_requests_are_filtered_opened_and_shown_with_their_attempts(visitor: Visitor, open_gateway: Gateway) -> None:
    ask(open_gateway, "demo")
    ask(open_gateway, "sim-500")
    failed = {"outcome": "error", "model": "sim-500"}
    wait_until(lambda: len(open_gateway.admin.get("/requests", params=failed).json()["data"]) > 0)
    page = visitor.go("/app/admin/requests")

    page.get_by_role("group", name="Filters").get_by_role("button", name="error").click()
    visitor.settled()
    expect(page.get_by_role("grid").get_by_role("row").nth(1)).to_contain_text("502")
    assert "outcome=error" in page.url
    page.get_by_role("grid").focus()
    page.keyboard.press("Enter")

    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("sim-500")
    expect(drawer.locator(".steps li")).not_to_have_count(0)
    address = page.url
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    visitor.go(address.removeprefix(visitor.base))
    expect(page.get_by_role("dialog")).to_contain_text("sim-500")


def test_new_requests_come_by_themselves_while_one_follows(visitor: Visitor, open_gateway: Gateway) -> None:
    page = visitor.go("/app/admin/requests?model=sim-echo")
    page.get_by_role("button", name="Follow").click()

    ask(open_gateway, "demo-a/sim-echo")

    expect(page.get_by_role("grid").get_by_role("row").nth(1)).to_contain_text("sim-echo")


def test_the_overview_adds_up_to_the_requests_it_leads_to(visitor: Visitor, open_gateway: Gateway) -> None:
    ask(open_gateway, "demo")
    page = visitor.go("/app/admin")
    card = page.get_by_role("region", name="Totals").get_by_role("link", name=re.compile("^Requests"))
    expect(card.locator("strong")).not_to_have_text("–")

    card.click()

    page.wait_for_url(re.compile(r"/app/admin/requests\?from=\d{4}-\d\d-\d\d&to=\d{4}-\d\d-\d\d&timezone=\w"))
    expect(page.get_by_role("grid").get_by_role("row").nth(1)).to_be_visible()


def test_a_provider_is_added_with_a_key_that_is_never_shown_again(visitor: Visitor, open_gateway: Gateway) -> None:
    page = visitor.go("/app/admin/providers?open=new")
    secret = "sk-never-to-be-seen-0123456789"

    page.locator("input[name=id]").fill("mine")
    page.locator("input[name=secret]").fill(secret)
    page.locator("input[name=base_url]").fill("http://127.0.0.1:9/v1")
    page.get_by_role("button", name="Add provider").click()

    expect(page.get_by_role("dialog", name="mine")).to_contain_text("6789")
    assert secret not in page.content()
    page.get_by_role("button", name="Delete provider").click()
    page.get_by_role("button", name="Delete provider").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert open_gateway.admin.get("/providers/mine").status_code == 404


def test_hostile_and_long_names_are_texts_and_break_nothing(browser: Browser, open_gateway: Gateway) -> None:
    """S-17, T-S7."""
    for text in [*HOSTILE, "n" * 100, "名字" * 40, "اسم" * 40]:
        open_gateway.admin.post("/keys", json={"name": text.replace("\n", " ")[:100]}).raise_for_status()
    for width in (1280, 390):
        visitor = Visitor(browser, open_gateway.url, width)
        for path in ("/app/admin/keys", "/app/admin/audit"):
            page = visitor.go(path)
            expect(page.get_by_text("<script>alert(1)</script>").first).to_be_visible()
            assert not visitor.overflows()
        assert (visitor.dialogs, visitor.complaints, visitor.outside()) == ([], [], [])
        visitor.close()


def test_the_audit_says_what_became_of_what_and_leads_there_and_back(visitor: Visitor, open_gateway: Gateway) -> None:
    made = open_gateway.admin.post("/keys", json={"name": "before"})
    key_id = made.json()["id"]
    open_gateway.admin.patch(f"/keys/{key_id}", json={"name": "after"}).raise_for_status()
    page = visitor.go(f"/app/admin/audit?object_id={key_id}")

    entry = page.get_by_role("listitem").filter(has_text="update virtual key")
    expect(entry).to_contain_text("name: before → after")
    expect(entry).to_contain_text("127.0.0.1")
    expect(entry).to_contain_text("platform admin token")
    entry.get_by_role("link").click()

    expect(page.get_by_role("dialog", name="after")).to_be_visible()
    page.get_by_role("link", name="Its history").click()
    expect(page.get_by_role("listitem").filter(has_text="create virtual key")).to_be_visible()
    assert f"object_id={key_id}" in page.url
