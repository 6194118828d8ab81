"""A real Chromium, and a gateway whose pages it visits."""

import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Dialog, Page, Playwright, expect, sync_playwright

from entrypoints.web.pages import WebPages
from tests.e2e.processes import Gateway
from tests.e2e.web.slowness import late, slow_down
from tests.waiting import HANG_SECONDS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage"]
AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
MILLISECONDS = 1000 * HANG_SECONDS
"""For whatever is waited for here: only what hangs fails, on a busy machine too."""
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder starts processes and drives a browser."""
    here = Path(__file__).parent
    reason = "no Chromium on this machine: install `chromium` to run it" if CHROMIUM is None else WebPages().missing
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.process)
            item.add_marker(pytest.mark.browser)
            if reason is not None:
                item.add_marker(pytest.mark.skip(reason=f"the pages cannot be visited: {reason}"))


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """Of this folder only: its loop runs in the main thread as long as it is open, and no other can."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    expect.set_options(timeout=MILLISECONDS)
    yield chromium
    chromium.close()


@pytest.fixture(scope="package")
def open_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """`OMG_AUTH=open` with the simulated providers: the pages work at once."""
    with Gateway(tmp_path_factory.mktemp("open"), "--demo", OMG_AUTH="open") as running:
        yield running


@pytest.fixture(scope="package")
def closed_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The same where one signs in."""
    with Gateway(tmp_path_factory.mktemp("closed"), "--demo") as running:
        yield running


def link(gateway: Gateway) -> str:
    """What stands behind `/app` in a new sign-in link; an earlier one ends."""
    made = gateway.admin.post("/sign-in-links", json={})
    assert made.status_code == 201, made.text
    return str(made.json()["url"]).partition("/app")[2]


class Visitor:
    """A page in a context of its own; remembers what was complained about and what was asked of whom."""

    def __init__(
        self,
        browser: Browser,
        base: str,
        width: int = 1280,
        scheme: Literal["light", "dark"] = "light",
        zone: str | None = None,
        language: str | None = None,
    ) -> None:
        self.base = base
        self.context = browser.new_context(
            viewport={"width": width, "height": 844}, color_scheme=scheme, timezone_id=zone, locale=language
        )
        self.context.set_default_timeout(MILLISECONDS)
        self.page: Page = self.context.new_page()
        self._slow = slow_down(self.context, self.page)
        self.complaints: list[str] = []
        self.requested: list[str] = []
        self.dialogs: list[str] = []
        self.page.on("console", lambda message: self._complain(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requested.append(request.url))
        self.page.on("dialog", self._dismiss)
        self.context.add_init_script(
            "addEventListener('securitypolicyviolation', e => console.error('policy: ' + e.violatedDirective))"
        )

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _complain(self, kind: str, text: str) -> None:
        refused = text.startswith("Failed to load resource")  # a status, which the page tells of: tests look there
        if kind in {"error", "warning"} and not refused:
            self.complaints.append(text)

    def set_theme(self, theme: str) -> None:
        self.context.add_init_script(f"localStorage.setItem('omg.theme', '{theme}')")

    def go(self, path: str) -> Page:
        """A page of ours, once all that it asks for at its start is shown; of a dialog in its address, too."""
        self.page.goto(self.base + path, wait_until="load")
        return self.settled()

    def reload(self) -> Page:
        self.page.reload()
        return self.settled()

    def settled(self) -> Page:
        """Until nothing is on its way that the page will show: it says so itself. For what it does later, see there."""
        self.page.locator("main[aria-busy=false]").wait_for(state="attached")
        return self.page

    def set_offline(self, *, offline: bool) -> None:
        self.context.set_offline(offline)
        if self._slow is not None:
            late(self._slow, offline=offline)

    def outside(self) -> list[str]:
        """Addresses that were asked and are not the gateway's."""
        return [url for url in self.requested if not url.startswith((self.base, "data:", "blob:"))]

    def violations(self, rules: list[str] | None = None) -> list[tuple[str, list[str]]]:
        """What axe finds, as (rule, where): by all rules of WCAG 2.2 AA, or by these alone."""
        if self.page.evaluate("typeof axe") == "undefined":  # a page of its own after each `go`
            self.page.evaluate(AXE + "\n;void 0")  # in the driver's own world: the page's policy does not stop it
        only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": AXE_RULES}
        found = self.page.evaluate("only => axe.run(document, {runOnly: only})", only)
        return [(one["id"], [str(node["target"]) for node in one["nodes"]]) for one in found["violations"]]

    def overflows(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > innerWidth"))

    def close(self) -> None:
        self.context.close()
