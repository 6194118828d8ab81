"""A week with the gateway, from the first link to a raised budget: pages, official client, webhook and audit trail."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from openai import OpenAI, RateLimitError
from playwright.sync_api import Browser, Page, expect

from tests.e2e.processes import Gateway, Simulator
from tests.e2e.test_alerts import Receiver, receiving
from tests.e2e.test_budgets import FIVE_TOKENS, price
from tests.e2e.web.conftest import Visitor
from tests.waiting import wait_until

PERSON = "bea@example.org"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


def printed_link(gateway: Gateway) -> str:
    """What the first start printed, as the path behind the host."""
    return next(word for word in gateway.stdout.split() if "#/link/" in word).partition("/app")[2]


def sign_in_by_the_printed_link(admin: Visitor, gateway: Gateway) -> None:
    with admin.page.expect_response(lambda answer: answer.url.endswith("/auth/link")) as answered:
        admin.go("/app" + printed_link(gateway))
    assert answered.value.ok


def add_a_provider(admin: Visitor, address: str) -> None:
    page = admin.go("/app/admin/providers?open=new")
    page.locator("input[name=id]").fill("upstream")
    page.locator("input[name=secret]").fill("up-0123456789abcdef")
    page.locator("input[name=base_url]").fill(address)
    page.get_by_role("button", name="Add provider").click()
    expect(page.get_by_role("dialog", name="upstream")).to_be_visible()


def invite(admin: Visitor) -> str:
    """The link that is shown once."""
    page = admin.go("/app/admin/users?open=new")
    drawer = page.get_by_role("dialog", name="Invite somebody")
    drawer.locator("input[name=email]").fill(PERSON)
    drawer.locator("input[name=name]").fill("Bea")
    drawer.get_by_role("button", name="Invite", exact=True).click()
    return page.locator(".secret").inner_text()


def set_budget(admin: Visitor, user: str, line: str) -> None:
    """Of a person, in the console."""
    page = admin.go(f"/app/admin/users?open={user}")
    drawer = page.get_by_role("dialog")
    drawer.locator("[name=budgets]").fill(line)
    drawer.get_by_role("button", name="Save changes").click()
    drawer.get_by_role("button", name="Save", exact=True).click()
    expect(drawer.get_by_text("Saved.")).to_be_visible()


def take_up(person: Visitor, link: str) -> None:
    page = person.go("/app" + link.partition("/app")[2])
    page.get_by_label("Name").fill("Bea")
    page.get_by_label("Password").fill("correct horse battery")
    with page.expect_response(lambda answer: "/auth/invites/" in answer.url) as taken:
        page.keyboard.press("Enter")
    assert taken.value.ok, taken.value.text()


def make_a_key(person: Visitor) -> str:
    page = person.go("/app/me/keys?open=new")
    page.locator("input[name=name]").fill("notebook")
    page.get_by_role("button", name="Make key").click()
    return page.locator(".secret").inner_text()


def open_the_refused_one(page: Page) -> None:
    """The one refused request of a list, opened."""
    row = page.get_by_role("grid").get_by_role("row").filter(has_text="429").first
    expect(row).to_be_visible()
    row.click()


def ask(client: OpenAI) -> str:
    asked = client.chat.completions.create(model="house", max_tokens=5, messages=[{"role": "user", "content": "hello"}])
    return asked.choices[0].message.content or ""


def prepare(admin: Visitor, gateway: Gateway, simulator: Simulator, receiver: Receiver) -> None:
    """A provider whose calls cost half a cent, a route to it, and somebody who is told of used-up budgets."""
    simulator.script("week", behaviours={"*": [FIVE_TOKENS]})
    add_a_provider(admin, simulator.base_url("week"))
    price(gateway, "upstream", "m", output="1000")
    own_price(admin)
    make_a_route(admin)
    be_told_of_used_up_budgets(admin, receiver)


def own_price(admin: Visitor) -> None:
    """A model's price of one's own, half a cent for five tokens, where the model stands in the list."""
    page = admin.go("/app/admin/models?open=upstream/m")
    drawer = page.get_by_role("dialog", name="upstream/m")
    drawer.get_by_label("Tokens in").fill("0")
    drawer.get_by_label("Tokens out").fill("1000.00")
    with page.expect_response(lambda answer: answer.request.method == "POST" and "/admin/models" in answer.url) as set_:
        drawer.get_by_role("button", name="Set price").click()
    assert set_.value.ok, set_.value.text()


def make_a_route(admin: Visitor) -> None:
    page = admin.go("/app/admin/routes?open=new")
    drawer = page.get_by_role("dialog")
    drawer.locator("input[name=alias]").fill("house")
    drawer.get_by_role("combobox", name="Provider", exact=True).fill("upstream")
    drawer.get_by_role("combobox", name="Model", exact=True).fill("m")
    drawer.get_by_role("button", name="Make route").click()
    expect(page.get_by_role("dialog", name="house")).to_be_visible()


def be_told_of_used_up_budgets(admin: Visitor, receiver: Receiver) -> None:
    page = admin.go("/app/admin/alerts?open=new-channel")
    drawer = page.get_by_role("dialog")
    drawer.locator("[name=name]").fill("on call")
    drawer.locator("[name=url]").fill(receiver.url)
    drawer.get_by_role("button", name="Add channel").click()
    expect(drawer.locator(".secret")).to_be_visible()
    page = admin.go("/app/admin/alerts?open=new")
    drawer.locator("select[name=event]").select_option("budget_threshold")
    drawer.locator("[name=threshold]").fill("1")
    expect(drawer.get_by_label("on call (webhook)")).to_be_checked()
    drawer.get_by_role("button", name="Add rule").click()
    expect(drawer.get_by_role("button", name="Delete rule")).to_be_visible()


def see_why(person: Visitor) -> None:
    """The person finds out what refused them, how it stands, and whom to ask."""
    page = person.go("/app/me")
    expect(page.get_by_role("region", name="What is left")).to_contain_text("used up")
    page = person.go("/app/me/requests?refused=true")
    open_the_refused_one(page)
    why = page.get_by_role("dialog").get_by_role("region", name="Why it was refused")
    expect(why).to_contain_text("A budget had too little left for it. Ask the platform's admin.")
    expect(why).to_contain_text("of $0.01 a month left")
    expect(why).to_contain_text("Europe/Oslo")


def find_and_explain(admin: Visitor, user: str) -> None:
    """The admin finds the same request, and what the others cost step by step."""
    page = admin.go("/app/admin/requests?refused=true")
    open_the_refused_one(page)
    expect(page.get_by_role("dialog")).to_contain_text(user)
    page = admin.go(f"/app/admin/requests?user_id={user}&outcome=ok")
    page.get_by_role("grid").get_by_role("row").nth(1).click()
    expect(page.get_by_role("dialog").get_by_role("table")).to_contain_text("$0.005")


def check_the_trail(admin: Visitor, gateway: Gateway, user: str) -> None:
    """Each step, by whom, and the budget's old and new."""
    page = admin.go("/app/admin/audit")
    for words in ("upstream", "house", user):
        expect(page.locator("main")).to_contain_text(words)
    entries = gateway.admin.get("/audit?limit=200").json()["data"]
    raised = gateway.admin.get(f"/audit?object_id={user}").json()["data"]
    changes = [change for entry in raised for change in entry["changes"] if change["field"] == "budgets"]
    assert {(one["object"]["kind"], one["action"]) for one in entries} >= STEPS
    assert [[one["limit_usd"] for one in change["new"] or ()] for change in changes[:2]] == [["1.00"], ["0.01"]]


STEPS = {
    ("provider", "create"),
    ("provider_key", "create"),
    ("route", "create"),
    ("user", "create"),
    ("user", "update"),
    ("virtual_key", "create"),
    ("alert_channel", "create"),
    ("alert_rule", "create"),
}


def test_a_week_from_the_printed_link_to_a_raised_budget(
    browser: Browser, simulator: Simulator, receiver: Receiver, tmp_path: Path
) -> None:
    with Gateway(tmp_path) as gateway:
        admin, person = Visitor(browser, gateway.url), Visitor(browser, gateway.url)
        sign_in_by_the_printed_link(admin, gateway)
        prepare(admin, gateway, simulator, receiver)
        link = invite(admin)
        users = gateway.admin.get("/users").json()["data"]
        user = next(one["id"] for one in users if one["email"] == PERSON)
        set_budget(admin, user, "0.01 month Europe/Oslo")
        take_up(person, link)
        client = gateway.openai(api_key=make_a_key(person))

        assert [ask(client), ask(client)] == ["hi", "hi"]
        with pytest.raises(RateLimitError) as refusal:
            ask(client)
        refused = {"refused": "true"}
        wait_until(lambda: len(gateway.admin.get("/requests", params=refused).json()["data"]) == 1)
        see_why(person)
        find_and_explain(admin, user)
        wait_until(lambda: len(receiver.got) >= 1)
        set_budget(admin, user, "1.00 month Europe/Oslo")
        assert ask(client) == "hi"

        check_the_trail(admin, gateway, user)
        deliveries = gateway.admin.get("/alerts/deliveries").json()["data"]
        for visitor in (admin, person):
            assert (visitor.dialogs, visitor.outside(), visitor.complaints) == ([], [], [])
            visitor.close()
    assert refusal.value.code == "budget_exceeded"
    assert len(receiver.got) == len(deliveries) == 1
