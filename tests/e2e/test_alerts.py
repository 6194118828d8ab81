"""Alerts from a budget that is used up, over the gateway's own watch, to a real webhook and a real mail server."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from typing_extensions import override

from tests.e2e.processes import Gateway, Simulator, free_port
from tests.e2e.test_budgets import a_caller, price, upstream_of
from tests.waiting import wait_until

pytestmark = pytest.mark.process


class Receiver(ThreadingHTTPServer):
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes]] = []
        super().__init__(("127.0.0.1", 0), Hook)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver = self.server
        assert isinstance(receiver, Receiver)
        body = self.rfile.read(int(self.headers["content-length"]))
        receiver.got.append((self.headers["x-omg-signature"], body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """A test prints nothing."""


class Mails(Message):
    def __init__(self) -> None:
        super().__init__()
        self.got: list[bytes] = []

    @override
    def handle_message(self, message: Any) -> None:
        self.got.append(message.as_bytes())


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens."""
    server = Receiver()
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


@pytest.fixture
def mails() -> Iterator[tuple[str, Mails]]:
    handler = Mails()
    controller = Controller(handler, "127.0.0.1", free_port())
    controller.start()
    yield f"smtp://127.0.0.1:{controller.port}?from=gateway@example.org&tls=none", handler
    controller.stop()


def test_a_budgets_thresholds_are_told_once_each_by_webhook_and_by_mail(
    tmp_path: Path, simulator: Simulator, receiver: Receiver, mails: tuple[str, Mails]
) -> None:
    with Gateway(tmp_path, OMG_SMTP_URL=mails[0]) as gateway:
        admin = gateway.admin
        up = upstream_of(gateway, simulator, "alerting")
        price(gateway, up, "m", output="1000")
        caller = a_caller(gateway, f"{up}/m", "0.05", warn_at=[0.5])
        hook = admin.post("/alerts/channels", json={"kind": "webhook", "url": receiver.url}).json()
        mail = admin.post("/alerts/channels", json={"kind": "email", "to": ["ops@example.org"]}).json()
        tested = admin.post(f"/alerts/channels/{hook['id']}/test").json()
        rule = {"event": "budget_threshold", "channels": [hook["id"], mail["id"]], "cooldown_seconds": 0}
        assert admin.post("/alerts/rules", json=rule).status_code == 201

        statuses = [caller.ask(max_tokens=5).status_code for _ in range(6)]
        wait_until(lambda: len(receiver.got) >= 2)
        statuses += [caller.ask(max_tokens=5).status_code for _ in range(6)]
        wait_until(lambda: len(receiver.got) >= 3 and len(mails[1].got) >= 2)

        def deliveries() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = admin.get("/alerts/deliveries").json()["data"]
            return found

        wait_until(lambda: {delivery["status"] for delivery in deliveries()} == {"delivered"})
        told = deliveries()
        audited = admin.get("/audit?object_kind=alert_rule").json()["data"]

    assert statuses == [200] * 10 + [429] * 2
    assert tested["ok"], tested
    for signature, body in receiver.got:
        at, code = (part.partition("=")[2] for part in signature.split(","))
        assert hmac.new(hook["secret"].encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest() == code
    bodies = [json.loads(body) for _, body in receiver.got]
    assert [body["event"] for body in bodies] == ["test", "budget_threshold", "budget_threshold"]
    assert [body["threshold"] for body in bodies[1:]] == [0.5, 1.0]
    assert bodies[2]["subject"]["id"] == caller.key_id
    assert (bodies[2]["value"], bodies[2]["limit"]) == ("0.05", "0.05")
    subjects = [message_from_bytes(mail, policy=policy.default)["Subject"] for mail in mails[1].got]
    assert all("The budget of $0.05" in subject for subject in subjects)
    assert len(told) == 5
    assert [entry["action"] for entry in audited] == ["create"]


def test_a_gateway_with_a_mail_server_that_is_none_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"omg: OMG_SMTP_URL: it is written smtp://"):
        Gateway(tmp_path, OMG_SMTP_URL="mail.example:25")
