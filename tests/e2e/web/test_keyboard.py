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


def test_a_question_and_what_it_asks_about_take_the_focus_of_the_button_they_replace(
    browser: Browser, open_gateway: Gateway
) -> None:
    key = open_gateway.admin.post("/keys", json={"name": "by hand"}).json()["id"]
    visitor = Visitor(browser, open_gateway.url)
    page = visitor.go(f"/app/admin/keys?open={key}")
    drawer = page.get_by_role("dialog")

    drawer.get_by_role("button", name="Revoke key").focus()
    page.keyboard.press("Enter")
    expect(drawer.get_by_role("button", name="Keep")).to_be_focused()
    page.keyboard.press("Enter")
    expect(drawer.get_by_role("button", name="Revoke key")).to_be_focused()

    drawer.locator("input[name=name]").fill("by keyboard")
    drawer.get_by_role("button", name="Save changes").focus()
    page.keyboard.press("Enter")
    expect(drawer.get_by_role("group", name="What will change")).to_be_focused()
    for _ in range(3):  # go on editing, copy as curl, save
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(drawer.get_by_text("Saved.")).to_be_visible()
    visitor.close()


def test_keys_of_the_chat_neither_stop_an_answer_by_accident_nor_lose_what_was_typed(
    browser: Browser, open_gateway: Gateway
) -> None:
    visitor = Visitor(browser, open_gateway.url)
    page = visitor.go("/app")
    box = page.get_by_label("Message", exact=True)
    box.fill("/modl demo")
    page.keyboard.press("Enter")
    expect(page.locator(".notice")).to_contain_text("No command is called so")
    expect(box).to_have_value("/modl demo")
    expect(page.locator("article")).to_have_count(0)

    box.fill("half a thought")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    expect(box).to_be_focused()
    expect(box).to_have_value("half a thought")

    box.fill("/model demo-a/sim-words-3000+chunk-delay-20ms")
    page.keyboard.press("Enter")
    box.fill(" /modl is no command")
    page.keyboard.press("Enter")
    expect(page.locator("article.user .said")).to_have_text("/modl is no command")
    box.fill("/usage")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Usage")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="stop", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("article.assistant footer .state")).to_have_text("stopped")
    visitor.close()
