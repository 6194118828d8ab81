"""When the pages show what they are, on a slow line and a slow machine: `uv run python -m bench.first_paint`.

Each page of chat, console and portal is opened in a new Chromium, as often as `--times` says, at slow 4G (1.6 Mbit/s,
150 ms) with the processor four times slower, and once more without. Prints the largest contentful paint in
milliseconds and how much moved while the page came. 1 where the median of one is over its goal.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, CDPSession, sync_playwright
from tests.e2e.processes import Gateway

from bench.machine import machine
from bench.processes import Cores

PAGES = (
    "/app",
    "/app/admin",
    "/app/admin/usage",
    "/app/admin/requests",
    "/app/admin/providers",
    "/app/admin/models",
    "/app/admin/routes",
    "/app/admin/playground",
    "/app/admin/health",
    "/app/admin/audit",
    "/app/admin/alerts",
    "/app/admin/tenants",
    "/app/admin/users",
    "/app/admin/keys",
    "/app/admin/tokens",
    "/app/admin/budgets",
    "/app/admin/limits",
    "/app/admin/settings",
    "/app/me",
    "/app/me/requests",
    "/app/me/keys",
    "/app/me/tenants",
    "/app/me/account",
)
SLOW_MS, LOOPBACK_MS, MOST_SHIFTED = 1_500, 500, 0.02

SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}
SLOWER = 4

_PAINTS = """() => new Promise(done => {
  const found = {paint: 0, shift: 0};
  new PerformanceObserver(list => { for (const one of list.getEntries()) found.paint = one.startTime; })
    .observe({type: 'largest-contentful-paint', buffered: true});
  new PerformanceObserver(list => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) found.shift += one.value;
  }).observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done(found), 200);
})"""


@contextmanager
def gateway() -> Iterator[Gateway]:
    """One with the simulated providers, in which something was asked, and where nobody signs in."""
    body = {"model": "demo", "messages": [{"role": "user", "content": "hello"}]}
    with (
        tempfile.TemporaryDirectory(prefix="omg-paint-") as folder,
        Gateway(Path(folder), "--demo", OMG_AUTH="open") as running,
    ):
        for _ in range(20):
            running.http.post("/v1/chat/completions", json=body).raise_for_status()
        yield running


def opened(browser: Browser, url: str, *, slow: bool) -> tuple[float, float]:
    """Milliseconds to the largest contentful paint of a first visit, and how much moved."""
    context = browser.new_context(viewport={"width": 1280, "height": 844})
    try:
        page = context.new_page()
        if slow:
            session: CDPSession = context.new_cdp_session(page)
            session.send("Network.emulateNetworkConditions", SLOW_4G)
            session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        page.goto(url, wait_until="load")
        page.locator("main[aria-busy=false]").wait_for(state="attached")
        found = page.evaluate(_PAINTS)
        return float(found["paint"]), float(found["shift"])
    finally:
        context.close()


def main() -> int:
    options = _options()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        print("There is no Chromium on this machine.", file=sys.stderr)
        return 2
    print(f"{machine(Cores())}, load {os.getloadavg()[0]:.1f}")
    over: list[str] = []
    with gateway() as running, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        print(f"{'LCP in ms, median (worst), shift':<36} slow 4G, CPU /4          loopback")
        for path in options.paths or PAGES:
            slow = [opened(browser, running.url + path, slow=True) for _ in range(options.times)]
            fast = [opened(browser, running.url + path, slow=False) for _ in range(options.times)]
            if _over(slow, SLOW_MS) or _over(fast, LOOPBACK_MS):
                over.append(path)
            print(f"{path:<36} {_line(slow)}    {_line(fast)}{'  OVER' if path in over else ''}", flush=True)
        browser.close()
    goal = f"{SLOW_MS} ms slow, {LOOPBACK_MS} ms on loopback, shift below {MOST_SHIFTED}"
    load = f"(load of the machine {os.getloadavg()[0]:.1f})"
    print(f"OVER THE GOAL of {goal}: {' '.join(over)} {load}" if over else f"every page is within {goal} {load}")
    return 1 if over else 0


def _over(found: Sequence[tuple[float, float]], most_ms: float) -> bool:
    return median(paint for paint, _ in found) > most_ms or max(shift for _, shift in found) >= MOST_SHIFTED


def _line(found: Sequence[tuple[float, float]]) -> str:
    paints = [paint for paint, _ in found]
    return f"{median(paints):6.0f} ({max(paints):5.0f}) {max(shift for _, shift in found):.3f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", help="Pages, as `/app/me`; all of them if none is named.")
    parser.add_argument("--times", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
