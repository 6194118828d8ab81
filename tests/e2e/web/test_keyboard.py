"""Every page by keyboard alone: all that can be used is reached, one sees where one is, and nothing holds one."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.processes import Gateway
from tests.e2e.web.conftest import Visitor
from tests.e2e.web.test_every_page import PAGES

MOST_STEPS = 2_000

_USABLE = """() => {
  const box = document.querySelector('dialog[open]') ?? document.body;
  const all = box.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]');
  const seen = one => one.checkVisibility({visibilityProperty: true}) && !one.disabled && one.type !== 'hidden';
  window.left = new Set([...all].filter(one => one.tabIndex >= 0 && seen(one)));
  window.unseen = [];
  return window.left.size;
}"""
"""What can be used on the page, or in the dialog that is open. It waits in `left` until a step has come to it."""

_STEP = """() => {
  const at = document.activeElement;
  for (const one of window.left) if (!one.isConnected) window.left.delete(one);  // what was loading has come
  if (!at || at === document.body) return window.left.size;
  const style = getComputedStyle(at);
  const inside = at.querySelector('.hit');  // a column of a chart is marked by what is in it
  const lined = inside && getComputedStyle(inside).stroke !== 'none';
  if (!at.matches(':focus')) return window.left.size;  // a part of a native control, which marks itself
  const marked = style.outlineStyle !== 'none' || style.boxShadow !== 'none' || lined;
  if (!marked) window.unseen.push(at.outerHTML.slice(0, 120));
  window.left.delete(at);
  return window.left.size;
}"""


def walk(page: Page) -> None:
    """Tab through all of it, forwards from the top."""
    assert page.evaluate(_USABLE) > 0
    for _ in range(MOST_STEPS):
        page.keyboard.press("Tab")
        if page.evaluate(_STEP) == 0:
            break
    assert page.evaluate("[...window.left].map(one => one.outerHTML.slice(0, 160))") == []
    assert page.evaluate("window.unseen") == []


@pytest.mark.parametrize("path", [path for path in PAGES if path != "/app"])
def test_a_page_can_be_used_by_keyboard_alone(browser: Browser, open_gateway: Gateway, path: str) -> None:
    visitor = Visitor(browser, open_gateway.url)
    page = visitor.go(path)

    walk(page)

    if "open=" in path:
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.wait_for_url(lambda url: "open=" not in url)
    visitor.close()


def test_keys_jump_and_are_listed(browser: Browser, open_gateway: Gateway) -> None:
    visitor = Visitor(browser, open_gateway.url)
    page = visitor.go("/app/admin")

    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page.get_by_role("heading", name="Requests")).to_be_visible()
    visitor.settled()
    page.keyboard.press("/")
    expect(page.get_by_label("Is", exact=True)).to_be_focused()
    page.keyboard.type("g k?")  # a field takes what is typed
    expect(page.get_by_label("Is", exact=True)).to_have_value("g k?")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("k")
    expect(page.get_by_role("heading", name="Virtual keys")).to_be_visible()
    visitor.settled()
    page.keyboard.press("c")
    expect(page.get_by_role("dialog", name="Make a key")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("Usage and cost")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("heal")  # at once: the palette takes the next key
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Health")).to_be_visible()
    visitor.close()
