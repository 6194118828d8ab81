"""Routes, decisions, savings and the playground in a real browser: what is written there is what the gateway does."""

import json
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.e2e.processes import Gateway
from tests.e2e.web.conftest import Visitor
from tests.e2e.web.test_every_page import faults_of
from tests.e2e.web.test_forms import sent_by
from tests.e2e.web.test_numbers import added_up, behind
from tests.waiting import wait_until

PRICES = {"demo-a": {"input": "2.50", "output": "10.00"}, "demo-b": {"input": "0.50", "output": "2.00"}}
MODEL = "routed"
TARGETS = [{"provider": "demo-a", "model": MODEL}, {"provider": "demo-b", "model": MODEL}]


@pytest.fixture
def visitor(browser: Browser, open_gateway: Gateway) -> Iterator[Visitor]:
    visiting = Visitor(browser, open_gateway.url)
    visiting.context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield visiting
    assert visiting.dialogs == []
    assert visiting.complaints == []
    assert visiting.outside() == []
    visiting.close()


@pytest.fixture(scope="module")
def saving(open_gateway: Gateway) -> list[dict[str, Any]]:
    """Requests by a route that chose the cheaper of two, one that failed over, and one that named a model."""
    admin = open_gateway.admin
    for provider, prices in PRICES.items():
        made = admin.post("/models", json={"provider": provider, "model": MODEL, "prices": prices, "confirm": True})
        made.raise_for_status()
    cheap = {"alias": "cheap", "strategy": "lowest_cost", "targets": TARGETS, "baseline": f"demo-a/{MODEL}"}
    failing = {"alias": "failing", "targets": [{"provider": "demo-c", "model": "sim-500"}, TARGETS[1]]}
    for route in (cheap, cheap | {"alias": "played"}, failing):
        admin.post("/routes", json=route).raise_for_status()
    for model in ("cheap", "cheap", "failing", f"demo-a/{MODEL}"):
        asked = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
        httpx.post(f"{open_gateway.url}/v1/chat/completions", json=asked).raise_for_status()

    def booked() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = admin.get("/requests", params={"model": MODEL}).json()["data"]
        return found

    wait_until(lambda: len(booked()) == 4)
    return booked()


def candidates(within: Page | Locator) -> list[str]:
    expect(within.get_by_role("list", name="Candidates").get_by_role("listitem").first).to_be_visible()
    found: list[str] = within.get_by_role("list", name="Candidates").get_by_role("listitem").all_inner_texts()
    return [" ".join(each.split()) for each in found]


def test_a_route_is_made_changed_tried_and_deleted(visitor: Visitor, open_gateway: Gateway) -> None:
    page = visitor.go("/app/admin/routes?open=new")
    drawer = page.get_by_role("dialog")
    drawer.locator("input[name=alias]").fill("by-hand")
    drawer.get_by_role("combobox", name="Provider", exact=True).fill("demo-a")
    drawer.get_by_role("combobox", name="Model", exact=True).fill(MODEL)
    drawer.get_by_role("button", name="Add a target").click()
    drawer.get_by_role("combobox", name="Model", exact=True).nth(1).fill("sim-echo")
    visitor.reload()  # a draft has its targets too
    expect(drawer.get_by_role("combobox", name="Model", exact=True).nth(1)).to_have_value("sim-echo")
    drawer.get_by_role("combobox", name="Provider", exact=True).nth(1).fill("demo-b")
    drawer.get_by_text("For every request").nth(1).click()
    drawer.get_by_label("At most").nth(1).fill("100")
    drawer.get_by_role("button", name="Move target 2 up").click()
    drawer.get_by_role("button", name="Make route").click()

    expect(page.get_by_role("dialog", name="by-hand")).to_be_visible()
    route = open_gateway.admin.get("/routes/by-hand").json()
    short = {"provider": "demo-b", "model": "sim-echo", "when": {"max_input_tokens": 100}}
    assert route["targets"] == [short, {"provider": "demo-a", "model": MODEL}]
    assert (route["strategy"], route["require"], route["fallback_on"]) == ("priority", None, None)

    drawer.get_by_role("button", name="Remove target 2").click()
    drawer.get_by_role("button", name="Change route").click()
    expect(drawer.get_by_role("group", name="What will change")).to_contain_text(
        f"targets: demo-b/sim-echo (up to 100 tokens), demo-a/{MODEL} → demo-b/sim-echo (up to 100 tokens)"
    )
    assert sent_by(page, drawer.get_by_role("button", name="Save", exact=True).click) == {"targets": [short]}
    expect(drawer.get_by_text("Saved.")).to_be_visible()

    drawer.get_by_role("button", name="Dry run").click()
    drawer.get_by_role("button", name="Try it").click()
    assert candidates(drawer) == ["1 demo-b/sim-echo would serve no price"]
    drawer.get_by_role("button", name="Route", exact=True).click()
    drawer.get_by_role("button", name="Delete route").click()
    drawer.get_by_role("group", name="Deletes by-hand").get_by_role("button", name="Delete route").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert open_gateway.admin.get("/routes/by-hand").status_code == 404


def of_a_file(route: Route) -> None:
    answer = route.fetch().json()
    route.fulfill(json=answer | {"data": [one | {"owner": "file"} for one in answer["data"]]})


def test_what_a_file_declares_is_shown_and_can_be_tried_but_not_changed(
    visitor: Visitor, saving: list[dict[str, Any]]
) -> None:
    visitor.page.route("**/admin/routes", of_a_file)

    page = visitor.go("/app/admin/routes?open=cheap")

    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("table")).to_contain_text(f"demo-a/{MODEL}")
    expect(drawer.get_by_text("the file, so it is changed there")).to_be_visible()
    for name in ("Change route", "Delete route"):
        expect(drawer.get_by_role("button", name=name)).to_have_count(0)
    drawer.get_by_role("button", name="Dry run").click()
    drawer.get_by_role("button", name="Try it").click()
    first, second = candidates(drawer)
    assert first.startswith(f"1 demo-b/{MODEL} would serve $")
    assert second.startswith(f"2 demo-a/{MODEL} would be next $")


def test_a_backtest_of_the_policy_in_force_moves_nothing_and_of_another_what_the_api_says(
    visitor: Visitor, open_gateway: Gateway, saving: list[dict[str, Any]]
) -> None:
    page = visitor.go("/app/admin/routes?open=cheap&view=backtest")
    drawer = page.get_by_role("dialog")

    drawer.get_by_role("button", name="Replay").click()
    expect(drawer.get_by_text("0 of 2 requests would have gone elsewhere")).to_be_visible()
    drawer.get_by_label("Order").select_option("priority")
    drawer.get_by_role("button", name="Replay").click()

    expect(drawer.get_by_text("2 of 2 requests would have gone elsewhere")).to_be_visible()
    moved = drawer.get_by_role("row", name=f"demo-b/{MODEL}")
    expect(moved).to_contain_text(f"demo-a/{MODEL}")
    expect(moved).to_contain_text("+$")
    drawer.get_by_role("button", name="Use this policy").click()
    drawer.get_by_role("group").get_by_role("button", name="Use this policy").click()
    expect(drawer.get_by_role("button", name="Route", exact=True)).to_have_attribute("aria-pressed", "true")
    changed = open_gateway.admin.patch("/routes/cheap", json={"strategy": "lowest_cost"}).json()
    assert (changed["targets"], changed["baseline"]) == (TARGETS, f"demo-a/{MODEL}")
    history = open_gateway.admin.get("/audit", params={"object_kind": "route", "object_id": "cheap"}).json()["data"]
    assert {"field": "policy.strategy", "old": "lowest_cost", "new": "priority"} in history[1]["changes"]


def test_a_request_tells_who_was_passed_over_and_who_served(visitor: Visitor, saving: list[dict[str, Any]]) -> None:
    """Goal 12. The address may have the id of the decision too, as clients are told it."""
    entry = next(one for one in saving if one["route"] == "failing")

    page = visitor.go(f"/app/admin/requests?open={entry['decision_id']}")

    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_text(entry["id"])).to_be_visible()
    first, second = candidates(drawer)
    assert first.startswith("– demo-c/sim-500 it was asked and failed: server error passed over")
    assert second.startswith(f"2 demo-b/{MODEL} chosen $")
    attempts = drawer.locator(".steps > li").all_inner_texts()
    assert (attempts[0][:6], attempts[-1][:6]) == ("Demo C", "Demo B")
    drawer.get_by_role("link", name="failing").first.click()
    expect(page.get_by_role("dialog", name="failing")).to_be_visible()


@pytest.mark.parametrize("of", ["routes?open=cheap", "requests?open={id}"])
def test_a_route_and_a_decision_are_accessible_and_shift_nothing(
    visitor: Visitor, saving: list[dict[str, Any]], of: str
) -> None:
    request = next(one for one in saving if one["route"] == "failing")

    assert faults_of(visitor, f"/app/admin/{of.format(id=request['id'])}") == {}


def test_what_was_saved_is_what_its_requests_saved(
    visitor: Visitor, open_gateway: Gateway, saving: list[dict[str, Any]]
) -> None:
    page = visitor.go("/app/admin?days=7&timezone=UTC")

    row = page.get_by_role("region", name="Saved by route").get_by_role("listitem").filter(has_text="cheap")
    expect(row).to_contain_text("2 requests")
    rows = behind(open_gateway, row.get_by_role("link").get_attribute("href") or "")
    saved = sum(Decimal(str(one["savings_usd"])) for one in rows)
    assert {one["id"] for one in rows} == {one["id"] for one in saving if one["route"] == "cheap"}
    total = open_gateway.admin.get("/usage", params={"group_by": "route", "route": "cheap"}).json()["total"]
    assert (Decimal(total["savings_usd"]), Decimal(total["cost_usd"])) == (saved, added_up(rows))
    expect(page.get_by_role("region", name="Totals").get_by_role("link", name="Saved")).to_be_visible()
    expect(page.get_by_role("region", name="What runs out").get_by_role("listitem").first).to_be_visible()


@pytest.mark.parametrize("api", ["chat", "messages", "responses"])
def test_the_playground_calls_with_the_key_and_keeps_it_nowhere(
    visitor: Visitor, open_gateway: Gateway, saving: list[dict[str, Any]], api: str
) -> None:
    key = open_gateway.admin.post("/keys", json={"name": f"played {api}"}).json()
    page = visitor.go(f"/app/admin/playground?api={api}&model=played")
    page.get_by_label("Virtual key").fill(key["secret"])
    page.get_by_label("Message").fill("It's a test")

    page.get_by_role("button", name="Send").click()

    answer = page.get_by_role("region", name="Answer", exact=True)
    expect(answer.get_by_role("status").first).to_have_text("answered")
    expect(answer.get_by_role("region", name="Text of the answer")).to_have_text("It's a test")
    assert candidates(answer)[0].startswith(f"1 demo-b/{MODEL} chosen")
    entry = open_gateway.admin.get("/requests", params={"key_id": key["id"]}).json()["data"][0]
    expect(answer.get_by_role("link", name=entry["id"])).to_be_visible()
    expect(answer).to_contain_text(f"{entry['input_tokens']} in, {entry['output_tokens']} out")
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, location.href, history.state])")
    assert key["secret"] not in kept
    page.get_by_role("region", name="Request").get_by_role("button", name="Copy as curl").click()
    command = page.evaluate("navigator.clipboard.readText()")
    environment = {"OMG_KEY": key["secret"], "PATH": "/usr/bin:/bin"}
    silent = ["bash", "-c", command.replace("curl", "curl -s", 1)]
    ran = subprocess.run(silent, env=environment, capture_output=True, text=True, check=True)
    assert key["secret"] not in command
    assert "test" in ran.stdout
    visitor.reload()
    expect(page.get_by_label("Virtual key")).to_have_value("")


def test_the_playground_says_why_an_answer_failed_and_makes_a_key_that_ends(
    visitor: Visitor, open_gateway: Gateway
) -> None:
    page = visitor.go("/app/admin/playground?model=nobody/nothing&stream=0")
    with page.expect_request("**/admin/keys") as made:
        page.get_by_role("button", name="Make one for an hour").click()
    assert set(json.loads(made.value.post_data or "{}")) == {"name", "expires_at"}
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(page.get_by_label("Virtual key")).not_to_have_value("")

    page.get_by_role("button", name="Send").click()

    answer = page.get_by_role("region", name="Answer", exact=True)
    expect(answer.get_by_role("alert")).to_contain_text("404 model_not_found")
    expect(answer.get_by_role("status").first).to_have_text("failed")
