"""The chat where it is hard: many events, long conversations, a network that is cut."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.processes import Gateway
from tests.e2e.web.conftest import Visitor

FAST = "demo-a/sim-words-3000"
SLOW = "demo-a/sim-words-3000+chunk-delay-20ms"
MESSAGES = 400

COUNTS = """() => {
    window.counted = {frames: 0, paints: 0, elsewhere: 0};
    const tick = () => { counted.frames += 1; requestAnimationFrame(tick); };
    requestAnimationFrame(tick);
    new MutationObserver(all => {
        const articles = [...document.querySelectorAll('article')].slice(0, -1);
        const inside = node => (node instanceof Element ? node : node.parentElement)?.closest('.answer');
        const text = all.filter(one => inside(one.target));
        if (text.length) counted.paints += 1;
        counted.elsewhere += text.filter(one => articles.includes(inside(one.target).closest('article'))).length;
    }).observe(document.querySelector('.log'), {childList: true, characterData: true, subtree: true});
}"""


class CutWire:
    """Carries bytes between a browser and the gateway until it is cut; then it carries those of new connections."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def cut(self) -> None:
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._port))
                self._open += [client, server]
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=_carry, args=(source, target), daemon=True).start()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
    source.close()


@contextmanager
def wire_to(gateway: Gateway) -> Iterator[CutWire]:
    wire = CutWire(int(gateway.url.rpartition(":")[2]))
    try:
        yield wire
    finally:
        wire.close()


def use(page: Page, model: str) -> None:
    page.get_by_label("Message", exact=True).fill(f"/model {model}")
    page.keyboard.press("Enter")


def send(page: Page, text: str) -> None:
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")


def test_a_network_cut_in_mid_answer_loses_nothing_that_had_come(browser: Browser, open_gateway: Gateway) -> None:
    with wire_to(open_gateway) as wire:
        visitor = Visitor(browser, wire.url)
        page = visitor.go("/app")
        use(page, SLOW)
        send(page, "Go on")
        answer = page.locator("article.assistant .answer")
        expect(answer).to_contain_text("word20")
        had_come = answer.inner_text().strip()

        wire.cut()

        footer = page.locator("article.assistant footer")
        expect(footer.locator(".state")).to_have_text("stopped")  # as the gateway has it, once the page asked again
        expect(footer).to_contain_text(" in, ")
        assert answer.inner_text().strip().startswith(had_come)
        page.reload()
        expect(footer).to_contain_text(" in, ")
        assert answer.inner_text().strip().startswith(had_come)
        visitor.close()


@pytest.fixture
def long_talk(browser: Browser, open_gateway: Gateway) -> Iterator[Visitor]:
    """A conversation of 400 messages, on a phone with a quarter of the speed."""
    visitor = Visitor(browser, open_gateway.url, 390)
    made = visitor.context.request.post(f"{open_gateway.url}/api/conversations", data={"title": "Long"}).json()

    def told(route: Route) -> None:
        whole: dict[str, Any] = route.fetch().json()
        like = {**dict.fromkeys(("model", "provider", "temperature", "parent_id", "tokens_input", "tokens_output",
                                 "cost_usd", "latency_ms", "request_id", "error")),
                "reasoning": "", "status": "complete", "active": True, "unpriced": False,
                "created_at": "2026-11-30T00:00:00Z"}  # fmt: skip
        talk = [
            {**like, "id": f"msg_{number:04}", "role": "assistant" if number % 2 else "user",
             "parent_id": f"msg_{number - 1:04}" if number else None,
             "content": f"**{number}** of them\n\n- a\n- b\n\n| x | y |\n|---|---|\n| 1 | 2 |"}
            for number in range(MESSAGES)
        ]  # fmt: skip
        route.fulfill(json=whole | {"messages": talk + whole["messages"]})

    visitor.page.route(f"**/api/conversations/{made['id']}?all=true", told)
    visitor.context.new_cdp_session(visitor.page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    visitor.go(f"/app/c/{made['id']}")
    expect(visitor.page.locator("article")).to_have_count(MESSAGES)
    yield visitor
    assert visitor.complaints == []
    visitor.close()


def test_events_are_painted_once_a_frame_and_touch_no_other_message(long_talk: Visitor) -> None:
    """Goal 14, as what makes it so: never a paint an event, and nothing of 400 messages is drawn again."""
    page = long_talk.page
    use(page, FAST)
    page.evaluate(COUNTS)

    send(page, "Count")
    expect(page.locator("article.assistant footer").last).to_contain_text(" out")

    counted = page.evaluate("counted")
    assert counted["elsewhere"] == 0
    assert 0 < counted["paints"] <= counted["frames"] + 5
    hidden = page.locator("article").first.evaluate("one => getComputedStyle(one).contentVisibility")
    assert hidden == "auto"
