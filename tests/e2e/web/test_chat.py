"""The chat in a real browser, against the simulated providers: what a person does there, and what must never happen."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.processes import Gateway
from tests.e2e.web.conftest import Visitor

SLOW = "demo-a/sim-words-3000+chunk-delay-20ms"

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "![x](javascript:alert(1))",
    "<a href='javascript:alert(1)'>x</a>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "`<b onmouseover=alert(1)>`",
    "```html\n<script>alert(1)</script>\n```",
    "| <img src=x onerror=alert(1)> |\n|---|\n| <script>alert(1)</script> |",
    "\"'><script>alert(1)</script>",
    "{{constructor.constructor('alert(1)')()}}",
    "<style>@import 'http://127.0.0.1:1/x';</style>",
]


@pytest.fixture
def visitor(browser: Browser, open_gateway: Gateway) -> Iterator[Visitor]:
    visiting = Visitor(browser, open_gateway.url)
    yield visiting
    assert visiting.dialogs == []
    assert visiting.outside() == []
    assert visiting.complaints == []
    visiting.close()


def ask(page: Page, text: str) -> None:
    """Send a message to the conversation of the address, once that is shown, and wait for the whole answer."""
    expect(page.locator(".log")).not_to_have_attribute("aria-busy", "true")
    answers = page.locator("article.assistant footer").count()
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")
    expect(page.locator("article.assistant footer")).to_have_count(answers + 1)


def test_a_message_is_answered_with_what_it_cost_and_is_there_after_a_reload(visitor: Visitor) -> None:
    page = visitor.go("/app")

    ask(page, "Tell **me** about `failover`")

    expect(page.locator("article.assistant strong")).to_have_text("me")
    expect(page.locator("article.assistant footer")).to_contain_text("demo-a/demo")
    expect(page.locator("article.assistant footer")).to_contain_text(re.compile(r"\d+ in, \d+ out"))
    assert re.search(r"/app/c/conv_\w+$", page.url)
    visitor.reload()
    expect(page.locator("article.user .said")).to_have_text("Tell **me** about `failover`")
    expect(page.get_by_role("navigation", name="Conversations").get_by_role("link").first).to_contain_text("Tell")


def test_stopping_keeps_what_came_and_says_what_it_cost(visitor: Visitor) -> None:
    page = visitor.go("/app")
    box = page.get_by_label("Message", exact=True)
    box.fill(f"/model {SLOW}")
    page.keyboard.press("Enter")
    box.fill("Go on")
    page.keyboard.press("Enter")
    expect(page.locator("article.assistant p").first).to_be_visible()

    page.get_by_role("button", name="stop").click()

    expect(page.locator("article.assistant footer .state")).to_have_text("stopped")
    expect(page.locator("article.assistant footer")).to_contain_text(re.compile(r"\d+ in, \d+ out"))
    expect(page.locator("article.assistant p").first).to_be_visible()


def test_another_answer_an_earlier_one_and_a_branch(visitor: Visitor) -> None:
    page = visitor.go("/app")
    ask(page, "Say it once")

    page.get_by_role("button", name="again").click()
    expect(page.locator(".siblings")).to_contain_text("2 of 2")
    page.get_by_role("button", name="Earlier answer").click()
    expect(page.locator(".siblings")).to_contain_text("1 of 2")
    first = page.url
    page.get_by_role("button", name="branch").click()
    page.wait_for_url(lambda url: url != first)
    expect(page.locator("article")).to_have_count(2)


def test_an_edited_message_begins_a_branch_of_its_own(visitor: Visitor) -> None:
    page = visitor.go("/app")
    ask(page, "The first")
    ask(page, "The second")
    before = page.url

    page.locator("article.user").nth(1).hover()
    page.locator("article.user").nth(1).get_by_role("button", name="edit").click()
    page.wait_for_url(lambda url: url != before)
    expect(page.get_by_label("Message", exact=True)).to_have_value("The second")
    ask(page, "The second, otherwise")

    expect(page.locator("article.user .said")).to_have_text(["The first", "The second, otherwise"])


def test_what_is_sent_before_a_branch_is_shown_goes_to_the_branch(visitor: Visitor) -> None:
    page = visitor.go("/app")
    ask(page, "The first")
    ask(page, "The second")
    before = page.url
    page.route("**/api/conversations/*?all=true", lambda route: None)  # holds what is asked

    page.locator("article.user").nth(1).get_by_role("button", name="edit").click()
    expect(page.get_by_label("Message", exact=True)).to_have_value("The second")
    page.get_by_label("Message", exact=True).fill("Sent at once")
    page.get_by_label("Message", exact=True).press("Enter")
    assert page.url != before
    expect(page.locator(".log")).to_have_attribute("aria-busy", "true")
    expect(page.locator("article.user .said")).to_have_text(["The first", "The second"])
    page.unroute("**/api/conversations/*?all=true")  # lets it go

    expect(page.locator("article.user .said")).to_have_text(["The first", "Sent at once"])
    visitor.go(before.removeprefix(visitor.base))
    expect(page.locator("article.user .said")).to_have_text(["The first", "The second"])


def test_conversations_are_found_by_their_words(visitor: Visitor) -> None:
    page = visitor.go("/app")
    ask(page, "About the unmistakable quokka")
    visitor.go("/app")

    page.keyboard.press("Control+k")
    page.keyboard.type("QUOKKA unmis")

    expect(page.get_by_role("navigation", name="Conversations").get_by_role("link", name="quokka")).to_be_visible()
    page.get_by_label("Search conversations").fill("no such words anywhere")
    expect(page.get_by_text("Nothing has these words.")).to_be_visible()


def test_a_template_is_written_filled_in_and_sent_by_keyboard(visitor: Visitor) -> None:
    page = visitor.go("/app")
    page.get_by_label("Message", exact=True).focus()
    page.keyboard.type("/template")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Write a template").press("Enter")
    page.get_by_label("Name").fill("Explain")
    page.get_by_label("Text, with fields").fill("Explain {{topic}} briefly")
    page.get_by_role("button", name="Save template").press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Explain").first.press("Enter")
    page.get_by_label("topic").fill("leases")
    page.get_by_role("button", name="Send", exact=True).press("Enter")

    expect(page.locator("article.user .said")).to_have_text("Explain leases briefly")
    expect(page.locator("article.assistant footer")).to_have_count(1)


def test_commands_complete_and_themes_stay(visitor: Visitor) -> None:
    page = visitor.go("/app")
    box = page.get_by_label("Message", exact=True)

    box.fill("/th")
    page.keyboard.press("Tab")
    expect(box).to_have_value("/theme ")
    page.keyboard.type("gr")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.locator("html")).to_have_attribute("data-theme", "green")
    visitor.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "green")


def test_the_model_is_chosen_from_a_list_with_a_filter(visitor: Visitor) -> None:
    page = visitor.go("/app")

    page.get_by_role("button", name="Model: ").click()
    page.get_by_label("Filter models").fill("demo-b/demo")
    page.get_by_role("button", name="demo-b/demo").first.click()
    ask(page, "Who are you?")

    expect(page.locator("article.assistant .served")).to_have_text("demo-b/demo")


def test_a_failure_is_told_where_the_answer_would_be(browser: Browser, open_gateway: Gateway) -> None:
    visitor = Visitor(browser, open_gateway.url)
    page = visitor.go("/app")
    page.get_by_label("Message", exact=True).fill("/model demo-a/sim-503")
    page.keyboard.press("Enter")

    ask(page, "Fail, please")

    expect(page.locator("article.assistant .fault")).to_be_visible()
    expect(page.locator("article.assistant .state")).to_have_text("failed")
    visitor.close()


def test_hostile_texts_are_texts(visitor: Visitor) -> None:
    """S-17, S-18, T-S7: as a message, as its answer, as a title, and as a search."""
    page = visitor.go("/app")

    for text in HOSTILE:
        visitor.go("/app")
        ask(page, f"x {text}\n\n![y](http://127.0.0.1:9/{len(text)}.png?d=secret)")
        expect(page.locator(".log script, .log iframe, .log style, .log svg, .log img")).to_have_count(0)
        for link in page.locator(".log a").all():
            assert re.match("https?:|mailto:", link.get_attribute("href") or "")
    page.get_by_label("Search conversations").fill(HOSTILE[0])
    expect(page.get_by_role("navigation", name="Conversations").get_by_role("link").first).to_contain_text("<script>")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_conversation_and_every_dialog_are_accessible(browser: Browser, open_gateway: Gateway, width: int) -> None:
    visitor = Visitor(browser, open_gateway.url, width)
    page = visitor.go("/app")
    ask(page, "# Title\n\n- a\n- b\n\n| x | y |\n|---|---|\n| 1 | 2 |\n\n```js\nlet a = 1\n```")
    found = {}

    for theme in ("light", "dark", "amber", "green"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        found[theme] = visitor.violations()
    for command in ("model", "system", "template", "usage", "export", "help", "theme"):
        page.get_by_label("Message", exact=True).fill(f"/{command}")
        page.get_by_label("Message", exact=True).press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        found[command] = visitor.violations()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)

    assert {name: one for name, one in found.items() if one} == {}
    assert not visitor.overflows()
    visitor.close()


def test_the_chat_can_be_installed_and_opens_without_a_network(browser: Browser, open_gateway: Gateway) -> None:
    visitor = Visitor(browser, open_gateway.url)
    page = visitor.go("/app")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    devtools = visitor.context.new_cdp_session(page)
    assert devtools.send("Page.getAppManifest")["errors"] == []
    kept_from = devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [one["errorId"] for one in kept_from if one["errorId"] != "in-incognito"] == []
    visitor.reload()
    expect(page.get_by_text("ready.")).to_be_visible()
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    visitor.reload()
    visitor.set_offline(offline=True)

    page.reload()

    expect(page.get_by_text("The gateway is out of reach.")).to_be_visible()
    kept = page.evaluate(
        "caches.open('omg-web').then(c => c.keys()).then(all => all.map(one => new URL(one.url).pathname))"
    )
    assert [one for one in kept if not one.startswith(("/app", "/assets/web/"))] == []
    visitor.close()
