"""An empty gateway in a real browser: three steps from a provider's key to an answer, and to a client that gets one."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.processes import Gateway
from tests.e2e.web.conftest import Visitor

EMPTY = [
    ("/app/admin/usage", "Nothing was asked in these days."),
    ("/app/admin/requests", "No request is like this."),
    ("/app/admin/health", "No provider yet."),
    ("/app/admin/providers", "No provider has a key yet."),
    ("/app/admin/models", "No model yet."),
    ("/app/admin/routes", "No route yet."),
    ("/app/admin/playground", "Nothing was asked yet."),
]


@pytest.fixture(scope="module")
def empty_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("empty"), OMG_AUTH="open") as running:
        yield running


def test_empty_pages_say_what_would_be_there_and_shift_nothing(browser: Browser, empty_gateway: Gateway) -> None:
    visitor = Visitor(browser, empty_gateway.url)
    for path, text in EMPTY:
        page = visitor.go(path)
        expect(page.get_by_text(text).first).to_be_visible()
        assert not visitor.overflows()
    assert visitor.complaints == []
    visitor.close()


def test_three_steps_lead_from_a_providers_key_to_a_client_that_gets_an_answer(
    browser: Browser, empty_gateway: Gateway, open_gateway: Gateway, tmp_path: Path
) -> None:
    """The provider is another gateway: it speaks the same API as most."""
    visitor = Visitor(browser, empty_gateway.url)
    page = visitor.go("/app/admin")
    steps = page.get_by_role("region", name="First steps")
    expect(steps).to_be_visible()

    steps.get_by_role("link", name="Paste a provider's key").click()
    page.locator("input[name=id]").fill("upstream")
    page.locator("input[name=secret]").fill("any-key-0123456789")
    page.locator("input[name=base_url]").fill(f"{open_gateway.url}/v1")
    page.get_by_role("button", name="Add provider").click()
    expect(page.get_by_role("dialog", name="upstream")).to_be_visible()

    visitor.go("/app/admin")
    expect(steps.get_by_text("– done")).to_have_count(2)  # and the key of the start
    steps.get_by_role("link", name="Ask something in the chat").click()
    page.wait_for_url("**/app")
    visitor.settled()
    page.get_by_label("Message", exact=True).fill("/model upstream/demo")
    page.keyboard.press("Enter")
    page.get_by_label("Message", exact=True).fill("Hello")
    page.keyboard.press("Enter")
    expect(page.locator("article.assistant footer")).to_contain_text(re.compile(r"\d+ in, \d+ out"))

    visitor.go("/app/admin/settings")
    expect(steps.get_by_text("– done")).to_have_count(3)
    steps.get_by_role("link", name="Make a key for a client").click()
    page.locator("input[name=name]").fill("client")
    page.get_by_role("button", name="Make key").click()
    snippet = page.locator(".snippet")
    expect(snippet).to_contain_text("curl")
    shown = {"curl": snippet.inner_text()}
    page.get_by_role("button", name="Python").click()
    shown["python"] = snippet.inner_text()
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    ran = {
        "curl": ["bash", "-c", shown["curl"]],
        "python": [sys.executable, "-c", shown["python"]],
    }
    for client, command in ran.items():
        answered = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert answered.returncode == 0, (client, answered.stderr)
        assert "hello" in answered.stdout.lower(), (client, answered.stdout)
    visitor.close()
