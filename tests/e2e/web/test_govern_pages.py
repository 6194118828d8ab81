"""Budgets, limits, alerts and admin tokens in a real browser: how each stands, what is behind it, and its change."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.processes import Gateway
from tests.e2e.web.conftest import Visitor
from tests.waiting import wait_until

BUDGET = {"limit_usd": "0.50", "period": "month", "unpriced": "allow"}


@pytest.fixture(scope="module")
def made(open_gateway: Gateway) -> dict[str, Any]:
    """A key with a budget of its own, whose one request is booked; and one that is allowed nothing."""
    admin = open_gateway.admin
    tenant = admin.post("/tenants", json={"name": "Spenders", "limits": {"rpm": 900}}).json()["id"]
    key = admin.post("/keys", json={"name": "spends", "tenant_id": tenant, "budgets": [BUDGET]}).json()
    none = admin.post("/keys", json={"name": "rests", "tenant_id": tenant, "limits": {"rpm": 0, "tpm": 5000}}).json()
    client = open_gateway.openai(api_key=key["secret"])
    client.chat.completions.create(model="demo-a/demo", messages=[{"role": "user", "content": "What is left?"}])

    def booked() -> bool:
        return bool(admin.get("/requests", params={"key_id": key["id"]}).json()["data"])

    wait_until(booked)
    return {"tenant": tenant, "key": key["id"], "none": none["id"]}


@pytest.fixture
def visitor(browser: Browser, open_gateway: Gateway) -> Iterator[Visitor]:
    visiting = Visitor(browser, open_gateway.url)
    yield visiting
    assert visiting.complaints == []
    assert visiting.outside() == []
    visiting.close()


def test_a_budget_says_what_is_left_leads_to_its_requests_and_is_raised(
    visitor: Visitor, open_gateway: Gateway, made: dict[str, Any]
) -> None:
    page = visitor.go("/app/admin/budgets?find=spends&kind=key&timezone=UTC")
    page.get_by_role("grid", name="Budgets").press("Enter")
    dialog = page.get_by_role("dialog", name="Virtual key spends")
    expect(dialog.get_by_text("$0.50", exact=True)).to_be_visible()
    assert f"open=key%3A{made['key']}%3A0" in page.url
    visitor.settled()
    found = {"wide": visitor.violations()}
    page.set_viewport_size({"width": 390, "height": 844})
    found["narrow"] = visitor.violations()
    assert found == {"wide": [], "narrow": []}

    dialog.get_by_label("All its budgets").fill("25 month unpriced=allow")
    dialog.get_by_role("button", name="Change budgets").click()
    expect(dialog.get_by_role("group", name="What will change")).to_be_visible()
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog.get_by_text("Saved.")).to_be_visible()
    (now,) = open_gateway.admin.get(f"/keys/{made['key']}").json()["budgets"]
    assert (now["limit_usd"], now["period"]) == ("25", "month")

    page.set_viewport_size({"width": 1280, "height": 844})
    dialog.get_by_role("link", name="Its requests").click()
    expect(page.get_by_role("heading", name="Requests")).to_be_visible()
    expect(page.get_by_role("grid").get_by_role("row")).to_have_count(2)  # the head, and the one that was made


def test_a_budget_that_is_made_here_is_changed_and_ended(visitor: Visitor, open_gateway: Gateway) -> None:
    page = visitor.go("/app/admin/budgets?open=new")
    dialog = page.get_by_role("dialog")
    dialog.locator("[name=subject_kind]").select_option("tag")
    dialog.locator("[name=subject]").fill("made here")
    dialog.locator("[name=limit_usd]").fill("1.50")
    dialog.get_by_role("button", name="Give budget").click()

    expect(page.get_by_role("dialog", name="Tag made here")).to_be_visible()
    dialog.locator("[name=limit_usd]").fill("2.50")
    dialog.get_by_role("button", name="Change budget").click()
    expect(dialog.get_by_role("group", name="What will change")).to_contain_text("limit_usd: 1.50 → 2.50")
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog.get_by_text("Saved.")).to_be_visible()
    dialog.get_by_role("button", name="End budget").click()
    dialog.get_by_role("button", name="End budget").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    listed = open_gateway.admin.get("/budgets").json()["data"]
    assert "made here" not in [one["subject"]["id"] for one in listed]


def test_a_key_is_told_which_limit_would_refuse_it(visitor: Visitor, made: dict[str, Any]) -> None:
    page = visitor.go(f"/app/admin/limits?key_id={made['none']}&model=demo-a/demo")
    explained = page.get_by_role("region", name="Explain for a key")
    expect(explained.get_by_role("status")).to_contain_text("A request would be refused: 0 of 0 requests a minute left")
    expect(explained.get_by_role("list", name="Limits")).to_contain_text("5,000 of 5,000 tokens a minute left")
    expect(explained.get_by_role("list", name="Limits")).to_contain_text("Spenders")
    found = {"wide": visitor.violations()}
    page.set_viewport_size({"width": 390, "height": 844})
    found["narrow"] = visitor.violations()
    assert found == {"wide": [], "narrow": []}
    assert not visitor.overflows()


def test_a_channel_is_made_and_tested_and_its_secret_is_shown_once(visitor: Visitor, open_gateway: Gateway) -> None:
    page = visitor.go("/app/admin/alerts?open=new-channel")
    dialog = page.get_by_role("dialog")
    dialog.locator("[name=name]").fill("nobody listens")
    dialog.locator("[name=url]").fill("http://127.0.0.1:9/hook")
    dialog.get_by_role("button", name="Add channel").click()
    secret = dialog.locator(".secret").inner_text()
    assert secret.startswith("whsec_")
    dialog.get_by_role("button", name="Open the channel").click()
    dialog.get_by_role("button", name="Send a test").click()
    expect(dialog.locator(".fault[role=status]")).not_to_be_empty()
    assert secret not in page.content()

    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    channels = {one["name"]: one for one in open_gateway.admin.get("/alerts/channels").json()["data"]}
    rule = {"event": "key_expiring", "threshold": 3, "channels": [channels["nobody listens"]["id"]]}
    made = open_gateway.admin.post("/alerts/rules", json=rule).json()
    visitor.go(f"/app/admin/alerts?open={made['id']}")
    dialog.get_by_label("nobody listens").uncheck()
    dialog.get_by_role("button", name="Change rule").click()
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("channels")  # a rule tells somebody
    page.keyboard.press("Escape")
    grid = page.get_by_role("grid", name="Deliveries")
    expect(grid.get_by_text("nobody listens").first).to_be_visible()
    assert visitor.violations() == []
    grid.press("Enter")
    failed = page.get_by_role("dialog", name="A test")
    expect(failed).to_contain_text("Tries")
    assert visitor.violations() == []
    with page.expect_response(lambda answer: answer.url.endswith("/resend")) as sent:
        failed.get_by_role("button", name="Send again").click()
    assert sent.value.ok
    id_ = sent.value.json()["id"]
    [entry] = open_gateway.admin.get("/audit", params={"object_kind": "alert_delivery", "object_id": id_}).json()[
        "data"
    ]
    assert {"field": "status", "old": "failed", "new": "pending"} in entry["changes"]


def test_an_admin_token_is_made_and_ended(visitor: Visitor, open_gateway: Gateway) -> None:
    page = visitor.go("/app/admin/tokens?open=new")
    dialog = page.get_by_role("dialog")
    dialog.locator("[name=name]").fill("finance")
    dialog.locator("[name=scopes]").fill("usage")
    dialog.get_by_role("button", name="Make token").click()
    assert dialog.locator(".secret").inner_text().startswith("omg-admin-")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="finance").click()
    expect(page.get_by_role("dialog", name="finance")).to_contain_text("reads usage and cost")
    assert visitor.violations() == []
    dialog.get_by_role("button", name="Delete token").click()
    dialog.get_by_role("button", name="Delete token").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert [one["name"] for one in open_gateway.admin.get("/tokens").json()["data"]] == []
