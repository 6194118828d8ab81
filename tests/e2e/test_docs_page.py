"""`/docs` in a real browser: it renders at two widths with nothing from outside and nothing its policy forbids."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.processes import Gateway

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.process,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: install `chromium` to run it"),
]

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--virtual-time-budget=10000", "--enable-logging=stderr",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip


class Visit:
    """What the browser made of a page, what that page asked the network for, and what was complained about."""

    def __init__(self, url: str, folder: Path, width: int) -> None:
        net_log = folder / "net.json"
        result = subprocess.run(
            [
                str(CHROMIUM), *FLAGS, f"--window-size={width},1600", f"--user-data-dir={folder / 'profile'}",
                f"--log-net-log={net_log}", "--dump-dom", url,
            ],
            capture_output=True, text=True, timeout=90, check=False, env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        self.dom = result.stdout
        self.complaints = [line for line in result.stderr.splitlines() if ":CONSOLE:" in line]
        self.requested = _asked_by_page(net_log, url.partition("/docs")[0])


def _asked_by_page(net_log: Path, origin: str) -> set[str]:
    """Addresses that documents of this origin fetched; what the browser fetches for itself is not the page's."""
    text = net_log.read_text(encoding="utf-8")
    try:
        events = json.loads(text)["events"]
    except json.JSONDecodeError:  # a browser that ends quickly may not close the list
        events = json.loads(text.rstrip().rstrip(",") + "]}")["events"]
    started = [event.get("params", {}) for event in events if isinstance(event, dict)]
    return {str(request["url"]) for request in started if request.get("initiator") == origin and "url" in request}


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_renders_with_no_outside_request_and_no_violation(
    gateway: Gateway, tmp_path: Path, width: int
) -> None:
    visit = Visit(f"{gateway.url}/docs#/Chat/createChatCompletion", tmp_path, width)

    assert "/v1/chat/completions" in visit.dom
    assert 'class="opblock opblock-post is-open"' in visit.dom
    assert "chatcmpl-" in visit.dom
    assert visit.complaints == []
    assert f"{gateway.url}/openapi.json" in visit.requested
    assert [address for address in visit.requested if not address.startswith(gateway.url + "/")] == []
