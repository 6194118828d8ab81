"""What the settings file declares has no forms in the console: it says where it is changed."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.processes import Gateway
from tests.e2e.web.conftest import Visitor

FILE = """
auth: open
models:
  - {provider: demo-a, model: own, prices: {input: "0.10", output: "0.20"}}
model_groups:
  - {name: fast, patterns: ["demo-a/*"]}
settings:
  default-models: {models: ["demo-a/*"]}
  rate-limits: {key: {rpm: 60}}
  budgets: {key: []}
  routing: {priority: cost}
routes:
  - {alias: smart, targets: [{provider: demo-a, model: own}]}
tenants:
  - {name: Research}
users:
  - {email: ann@example.org, name: Ann}
members:
  - {tenant_id: Research, email: ann@example.org, role: admin}
keys:
  - {name: ci, tenant_id: Research, secret: env:CI_KEY}
limits:
  - {subject: {kind: tag, id: batch}, rpm: 30}
budgets:
  - {subject: {kind: tag, id: batch}, limit_usd: "50", period: day}
alerts:
  channels: [{name: ops, kind: webhook, url: "http://127.0.0.1:9/omg", secret: env:OPS_SECRET}]
  rules: [{event: provider_down, channels: [ops]}]
"""

PAGES = {
    "tenants": "/tenants",
    "users": "/users",
    "keys": "/keys",
    "budgets": "/budgets",
    "limits": "/limits?fields=true",
    "channels": "/alerts/channels",
    "rules": "/alerts/rules",
    "models": "/models?provider=demo-a",
    "routes": "/routes",
}
"""The list in the API of each kind that is opened beside a list in the console."""


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("declared-pages")
    (folder / "gateway.yaml").write_text(FILE)
    secrets = {
        "CI_KEY": "0123456789abcdefghijklmnopqrstuvwxyz",
        "OPS_SECRET": "0123456789abcdef0123456789abcdef",
    }
    with Gateway(folder, "--demo", "--config", str(folder / "gateway.yaml"), **secrets) as running:
        yield running


@pytest.mark.parametrize("kind", PAGES)
def test_an_object_of_the_file_is_shown_without_forms(browser: Browser, declared: Gateway, kind: str) -> None:
    listed = declared.admin.get(PAGES[kind]).json()["data"]
    one = next(found for found in listed if found.get("owner") == "file")
    opened = {"models": "demo-a/own", "routes": "smart"}.get(kind) or one["id"]
    page = {"channels": "alerts", "rules": "alerts"}.get(kind, kind)
    visitor = Visitor(browser, declared.url)

    drawer = visitor.go(f"/app/admin/{page}?open={opened}").get_by_role("dialog")

    expect(drawer).to_contain_text("changed there")
    forms = drawer.locator("form, fieldset.form").filter(has_not=visitor.page.get_by_role("button", name="Add member"))
    expect(forms).to_have_count(0)
    for button in ("Delete", "End budget", "Lift limits", "Rotate", "Remove"):
        expect(drawer.get_by_role("button", name=button)).to_have_count(0)
    assert visitor.complaints == []
    visitor.close()


def test_settings_and_groups_of_the_file_are_shown_without_forms(browser: Browser, declared: Gateway) -> None:
    visitor = Visitor(browser, declared.url)

    page = visitor.go("/app/admin/settings")

    for title in ("Models of personal tenants", "How auto chooses", "Default limits", "Default budgets"):
        card = page.get_by_role("region", name=title)
        expect(card).to_contain_text("changed there")
        expect(card.locator("form")).to_have_count(0)
    groups = page.get_by_role("region", name="Model groups")
    expect(groups.get_by_role("listitem").filter(has_text="@fast")).to_contain_text("changed there")
    expect(groups.get_by_role("button", name="Delete group")).to_have_count(0)
    expect(groups.get_by_role("button", name="Add group")).to_be_visible()
    visitor.close()
