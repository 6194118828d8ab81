"""Alerts that are sent arrive: at a real HTTP server, at a real SMTP server, and at the fake."""

import asyncio
import gc
import hashlib
import hmac
import ssl
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from pathlib import Path

import msgspec
import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from adapters.alerts.email import EmailSender, SmtpUrlInvalid, parse_smtp_url
from adapters.alerts.webhook import WebhookSender
from adapters.transport.client import DEFAULT_TRANSPORT, build_transport
from adapters.transport.limits import TransportLimits
from domain.alerts import Alert, AlertChannel, AlertDelivery, AlertSubject
from domain.ports.alerts import AlertNotDelivered
from domain.secrets import Secret
from tests.builders import NOW
from tests.e2e.processes import free_port
from tests.fakes.alerts import RememberingSender
from tests.fakes.clock import FakeClock

SECRET = "a-secret-to-sign-with"
ALERT = Alert(
    "alt_1", "budget_threshold", NOW, AlertSubject("key", "key_1", "Ünï"), 0.8, "20.50", "25.00", None, "Used to 82%."
)
DELIVERY = AlertDelivery("ald_1", ALERT, "alr_1", "alc_1", "pending", 1, "", NOW, NOW)
EMAIL = AlertChannel("alc_1", "email", "", None, ("a@example.org", "b@example.org"), None, True, NOW, NOW)


def a_webhook(url: str, secret: str | None = SECRET) -> AlertChannel:
    return AlertChannel("alc_1", "webhook", "", url, (), Secret(secret) if secret else None, True, NOW, NOW)


def a_webhook_sender() -> WebhookSender:
    return WebhookSender(lambda guard: build_transport(DEFAULT_TRANSPORT, TransportLimits(), guard), FakeClock())


@asynccontextmanager
async def receiver(answer: bytes) -> AsyncIterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A server that keeps what it is sent, by head and body, and answers each with this."""
    got: list[tuple[dict[str, str], bytes]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        pairs = (line.partition(": ") for line in lines[1:] if line)
        head = {"": lines[0]} | {name.lower(): value for name, _, value in pairs}
        got.append((head, await reader.readexactly(int(head["content-length"]))))
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", got


def answering(status: str, *more: str) -> bytes:
    head = "".join(f"{line}\r\n" for line in more)
    return f"HTTP/1.1 {status}\r\n{head}content-length: 2\r\nconnection: close\r\n\r\nok".encode()


async def test_a_webhook_gets_the_alert_as_json_with_a_signature_that_verifies() -> None:
    async with receiver(answering("200 OK")) as (url, got):
        await a_webhook_sender().send(a_webhook(f"{url}/hook?x=1"), DELIVERY)

    ((head, body),) = got
    at, _, code = head["x-omg-signature"].partition(",v1=")
    expected = hmac.new(SECRET.encode(), f"{at.removeprefix('t=')}.".encode() + body, hashlib.sha256).hexdigest()
    assert head[""] == "POST /hook?x=1 HTTP/1.1"
    assert head["host"] == url.removeprefix("http://")
    assert head["content-type"] == "application/json"
    assert hmac.compare_digest(code, expected)
    assert at == f"t={int(FakeClock().now().timestamp())}"
    assert msgspec.json.decode(body, type=Alert) == ALERT
    assert set(msgspec.json.decode(body)) == {
        "id", "event", "fired_at", "subject", "threshold", "value", "limit", "period_end", "text"
    }  # fmt: skip


async def test_without_a_secret_nothing_is_signed() -> None:
    """S-12: an empty secret signs nothing, and verifies nothing."""
    async with receiver(answering("204 No Content")) as (url, got):
        await a_webhook_sender().send(a_webhook(url, None), DELIVERY)

    assert "x-omg-signature" not in got[0][0]


@pytest.mark.parametrize(
    ("status", "final"),
    [
        ("302 Found", True),
        ("400 Bad Request", True),
        ("404 Not Found", True),
        ("410 Gone", True),
        ("408 Request Timeout", False),
        ("425 Too Early", False),
        ("429 Too Many Requests", False),
        ("500 Internal Server Error", False),
        ("503 Service Unavailable", False),
    ],
)
async def test_a_webhook_that_refuses_is_tried_again_where_time_may_cure_it(status: str, final: bool) -> None:
    async with receiver(answering(status, "location: http://127.0.0.1:1/elsewhere")) as (url, got):
        with pytest.raises(AlertNotDelivered, match=status[:3]) as failure:
            await a_webhook_sender().send(a_webhook(url), DELIVERY)

    assert failure.value.final is final
    assert len(got) == 1  # a redirect is not followed


async def test_a_webhook_where_nobody_listens_is_tried_again() -> None:
    async with receiver(answering("200 OK")) as (url, _):
        pass
    with pytest.raises(AlertNotDelivered, match="cannot be reached") as failure:
        await a_webhook_sender().send(a_webhook(url), DELIVERY)

    assert not failure.value.final


@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/latest", "http://[fd00:ec2::254]/", "http://[::ffff:a9fe:a9fe]/"],
)
async def test_a_webhook_never_reaches_a_metadata_service(url: str) -> None:
    """S-08, T-S5."""
    with pytest.raises(AlertNotDelivered) as failure:
        await a_webhook_sender().send(a_webhook(url), DELIVERY)

    assert failure.value.final or "resolved" in failure.value.message


async def test_the_fake_keeps_what_it_is_given_and_fails_as_it_is_told() -> None:
    sender = RememberingSender()
    sender.failures = [AlertNotDelivered("no", final=True)]

    with pytest.raises(AlertNotDelivered, match="no"):
        await sender.send(EMAIL, DELIVERY)
    await sender.send(EMAIL, DELIVERY)

    assert sender.sent == [(EMAIL, DELIVERY)]


class Mailbox:
    """An SMTP server's handler: keeps mails, and refuses some recipients."""

    def __init__(self) -> None:
        self.got: list[tuple[Envelope, bool]] = []
        self.answer = "250 kept"
        self.refuses: dict[str, str] = {}

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(  # noqa: N802 - likewise
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.answer.startswith("250"):
            self.got.append((envelope, session.ssl is not None))
        return self.answer


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    ca, path = trustme.CA(), tmp_path_factory.mktemp("mail") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return ca, path


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def smtp(mailbox: Mailbox, authority: tuple[trustme.CA, Path]) -> Iterator[str]:
    """`host:port` of a server that wants STARTTLS and a password."""

    def authenticate(_server: object, _session: object, _envelope: object, _mechanism: str, data: object) -> AuthResult:
        known = isinstance(data, LoginPassword) and (data.login, data.password) == (b"omg", b"p@ss")
        return AuthResult(success=known, handled=False)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority[0].issue_cert("localhost", "127.0.0.1").configure_cert(context)
    controller = Controller(
        mailbox, "127.0.0.1", free_port(), tls_context=context, require_starttls=True, auth_required=True,
        authenticator=authenticate,
    )  # fmt: skip
    controller.start()
    yield f"127.0.0.1:{controller.port}"
    controller.stop()
    with warnings.catch_warnings():  # its loop ends before a connection that failed has told its transport
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def an_email_sender(url: str, ca_file: Path | None) -> EmailSender:
    return EmailSender(parse_smtp_url(url), ca_file=str(ca_file) if ca_file else None)


async def test_an_email_is_sent_over_tls_with_a_password_to_all_recipients(
    smtp: str, mailbox: Mailbox, authority: tuple[trustme.CA, Path]
) -> None:
    url = f"smtp://omg:p%40ss@{smtp}?from=gateway@example.org&tls=required"
    await an_email_sender(url, authority[1]).send(EMAIL, DELIVERY)

    ((envelope, encrypted),) = mailbox.got
    assert isinstance(envelope.content, bytes)
    mail = message_from_bytes(envelope.content, policy=policy.default)
    text = mail.get_content()
    assert encrypted
    assert (envelope.mail_from, envelope.rcpt_tos) == ("gateway@example.org", list(EMAIL.to))
    assert mail["Subject"] == "[Open Model Gateway] Used to 82%."
    assert text.startswith("Used to 82%.")
    assert '"name": "Ünï"' in text


@pytest.mark.parametrize(
    ("url", "trusted", "final", "reason"),
    [
        ("smtp://omg:wrong@{}?from=a@example.org&tls=required", True, True, "535"),
        ("smtp://omg:p%40ss@{}?from=a@example.org&tls=required", False, False, "certificate"),
        ("smtp://{}?from=a@example.org&tls=none", True, True, "530"),
    ],
)
async def test_a_mail_server_that_does_not_let_one_in_is_named(
    smtp: str, authority: tuple[trustme.CA, Path], url: str, trusted: bool, final: bool, reason: str
) -> None:
    sender = an_email_sender(url.format(smtp), authority[1] if trusted else None)
    with pytest.raises(AlertNotDelivered, match=reason) as failure:
        await sender.send(EMAIL, DELIVERY)

    assert failure.value.final is final
    assert "p@ss" not in failure.value.message


@pytest.mark.parametrize(("answer", "final"), [("451 later", False), ("554 never", True)])
async def test_a_mail_that_is_refused_is_tried_again_where_the_server_says_so(
    smtp: str, mailbox: Mailbox, authority: tuple[trustme.CA, Path], answer: str, final: bool
) -> None:
    mailbox.answer = answer
    with pytest.raises(AlertNotDelivered, match=answer[:3]) as failure:
        await an_email_sender(f"smtp://omg:p%40ss@{smtp}?from=a@example.org", authority[1]).send(EMAIL, DELIVERY)

    assert failure.value.final is final


async def test_no_mail_server_is_said_so() -> None:
    with pytest.raises(AlertNotDelivered, match="OMG_SMTP_URL"):
        await EmailSender(parse_smtp_url("")).send(EMAIL, DELIVERY)


@pytest.mark.parametrize(
    ("url", "host", "port", "implicit", "tls", "sender"),
    [
        ("smtp://mail.example", "mail.example", 587, False, "opportunistic", "open-model-gateway@mail.example"),
        ("smtp://u:p@mail.example:25", "mail.example", 25, False, "required", "open-model-gateway@mail.example"),
        ("smtp://a%40b.example:p@mail.example", "mail.example", 587, False, "required", "a@b.example"),
        ("smtps://mail.example?from=x@y.example", "mail.example", 465, True, "opportunistic", "x@y.example"),
        ("smtp://u:p@localhost?tls=none", "localhost", 587, False, "none", "open-model-gateway@localhost"),
    ],
)
def test_a_mail_servers_url_is_read(url: str, host: str, port: int, implicit: bool, tls: str, sender: str) -> None:
    server = parse_smtp_url(url)

    assert server is not None
    assert (server.host, server.port, server.implicit_tls, server.tls, server.sender) == (
        host, port, implicit, tls, sender
    )  # fmt: skip


@pytest.mark.parametrize(
    "url", ["mail.example:25", "http://mail.example", "smtp://", "smtp://m:port", "smtp://m?tls=maybe", "smtp://m?x=1"]
)
def test_a_mail_servers_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SmtpUrlInvalid):
        parse_smtp_url(url)
