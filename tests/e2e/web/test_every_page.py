"""Every page in a real browser: accessible, nothing from outside, nothing that its policy forbids."""

import os

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.e2e.processes import Gateway
from tests.e2e.web.conftest import Visitor

PAGES = [
    "/app",
    "/app/admin",
    "/app/admin/requests",
    "/app/admin/requests?days=1&outcome=ok&model=demo&follow=1",
    "/app/admin/providers",
    "/app/admin/providers?open=demo-a",
    "/app/admin/keys",
    "/app/admin/keys?open=new",
    "/app/admin/audit",
    "/app/admin/usage",
    "/app/admin/usage?days=1&by=provider&then_by=model&compare=1",
    "/app/admin/health",
    "/app/admin/models",
    "/app/admin/models?open=demo-a/demo",
    "/app/admin/playground",
    "/app/admin/routes",
    "/app/admin/routes?open=new",
    "/app/admin/routes?open=auto&view=try",
    "/app/admin/budgets",
    "/app/admin/budgets?open=new",
    "/app/admin/limits",
    "/app/admin/limits?open=new",
    "/app/admin/alerts",
    "/app/admin/alerts?open=new-channel",
    "/app/admin/tokens",
    "/app/admin/tokens?open=new",
    "/app/admin/settings",
    "/app/admin/tenants",
    "/app/admin/tenants?open=new",
    "/app/admin/users",
    "/app/admin/users?open=new",
    "/app/me",
    "/app/me/requests",
    "/app/me/requests?outcome=ok&refused=true&timezone=UTC",
    "/app/me/keys",
    "/app/me/keys?open=new",
    "/app/me/tenants",
    "/app/me/account",
]
MOST_SHIFTED = 0.02
SHIFTED = """() => new Promise(done => {
  let sum = 0;
  const moved = [];
  const name = node => (node?.outerHTML ?? node?.textContent ?? '').slice(0, 80);
  const add = list => {
    for (const one of list.filter(one => !one.hadRecentInput)) {
      sum += one.value;
      const way = by => `${by.previousRect.y} to ${by.currentRect.y}: ${name(by.node)}`;
      moved.push([one.value, ...one.sources.map(way)]);
    }
  };
  const watch = new PerformanceObserver(list => add(list.getEntries()));
  watch.observe({type: 'layout-shift', buffered: true});
  setTimeout(() => { add(watch.takeRecords()); done({sum, moved}); });
})"""
"""How far what one reads has moved while the page came, and what it was: goal 2."""
UNSEEN = """() => [...document.querySelectorAll('.swatch, .meter i, .line i, .tag')].filter(one => {
  const mark = one.matches('.tag') ? getComputedStyle(one, '::before') : getComputedStyle(one);
  const under = getComputedStyle(one.closest('.meter, .line') ?? document.body);
  return mark.backgroundColor === under.backgroundColor;
}).map(one => one.outerHTML.slice(0, 80))"""
"""What is said by a colour, and has the one that is under it."""
ALL_THEMES = ["dark", "amber", "green"]
OTHER_THEMES = (
    {1280: ALL_THEMES, 390: ALL_THEMES} if os.environ.get("LONG_TESTS") else {1280: ALL_THEMES[:1], 390: ALL_THEMES[1:]}
)
"""Those tried beside the light one: a theme is colours and nothing else, the same at every width."""


def faults_of(visitor: Visitor, path: str) -> dict[str, object]:
    """What is wrong with a page at two widths, in four themes, at 200 % and in forced colours."""
    found: dict[str, object] = {}
    page = visitor.page
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        visitor.go(path)
        shifted = page.evaluate(SHIFTED)
        found[f"{width} shifted"] = shifted if shifted["sum"] >= MOST_SHIFTED else None
        page.evaluate("document.documentElement.dataset.theme = 'light'")
        found[f"{width} light"] = visitor.violations()
        for theme in OTHER_THEMES[width]:
            page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
            found[f"{width} {theme}"] = visitor.violations(rules=["color-contrast"])
        found[f"{width} wider than the window"] = visitor.overflows()
    page.set_viewport_size({"width": 640, "height": 422})  # 1280 by 844 at 200 %
    found["wider than the window at 200 %"] = visitor.overflows()
    page.emulate_media(forced_colors="active")
    found["not seen in forced colours"] = page.evaluate(UNSEEN)
    return {name: one for name, one in found.items() if one}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_accessible_and_asks_nobody_else(browser: Browser, open_gateway: Gateway, path: str) -> None:
    visitor = Visitor(browser, open_gateway.url)

    assert faults_of(visitor, path) == {}
    assert visitor.complaints == []
    assert visitor.outside() == []
    visitor.close()


def test_a_browser_at_the_root_is_sent_to_the_chat(browser: Browser, open_gateway: Gateway) -> None:
    visitor = Visitor(browser, open_gateway.url)

    page = visitor.go("/")

    assert page.url == f"{open_gateway.url}/app"
    visitor.close()


def never(route: Route) -> None:
    """No answer to what a page asks for; the page itself comes."""
    if route.request.resource_type != "fetch":
        route.continue_()


@pytest.mark.parametrize("path", ["/app/admin", "/app/admin/usage", "/app/me", "/app/me/keys"])
def test_a_page_says_what_it_is_before_anything_is_known(browser: Browser, open_gateway: Gateway, path: str) -> None:
    """Goal 2: what is painted first waits for no answer, so it is there as soon as the document and its script are."""
    visitor = Visitor(browser, open_gateway.url)
    for of in ("auth", "admin", "me"):
        visitor.page.route(f"**/{of}/**", never)

    visitor.page.goto(visitor.base + path)

    expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
    expect(visitor.page.locator("main")).to_have_attribute("aria-busy", "true")
    expect(visitor.page.get_by_role("navigation").get_by_role("link")).not_to_have_count(0)
    visitor.close()


LATE_EFFECTS = """
const later = setTimeout;
window.requestAnimationFrame = () => 0;
window.setTimeout = (work, wait, ...of) => later(work, Math.max(wait ?? 0, 1000), ...of);
"""
"""What a page does once it is drawn is done late, as on a busy machine."""


def test_a_page_whose_module_comes_between_its_title_and_its_effects_is_shown(
    browser: Browser, open_gateway: Gateway
) -> None:
    visitor = Visitor(browser, open_gateway.url)
    held: list[Route] = []
    visitor.context.add_init_script(LATE_EFFECTS)

    def hold(route: Route) -> None:
        held.append(route)

    visitor.page.route("**/tenants-*.js", hold)

    with visitor.page.expect_response("**/auth/session"):
        visitor.page.goto(visitor.base + "/app/admin/tenants", wait_until="commit")
    expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
    for route in held:
        route.continue_()

    expect(visitor.page.get_by_role("button", name="Make a tenant")).to_be_visible()
    visitor.close()


@pytest.mark.parametrize("path", ["/app", "/app/admin", "/app/me"])
def test_a_page_says_that_anyone_on_the_network_can_use_the_gateway(
    browser: Browser, open_gateway: Gateway, path: str
) -> None:
    """`OMG_OPEN_ON_NETWORK=true`, as the session tells of it."""

    def on_the_network(route: Route) -> None:
        route.fulfill(json=route.fetch().json() | {"open_on_network": True})

    visitor = Visitor(browser, open_gateway.url)
    visitor.page.route("**/auth/session", on_the_network)

    page = visitor.go(path)

    expect(page.get_by_text("Anyone on this network can use this gateway")).to_be_visible()
    visitor.page.unroute("**/auth/session")
    page = visitor.go(path)
    expect(page.get_by_text("Anyone on this network can use this gateway")).to_have_count(0)
    visitor.close()
