"""E-mails through the SMTP server of `OMG_SMTP_URL`. The library is imported with the first one (extra `email`)."""

import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Final, Literal, cast
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import msgspec
from typing_extensions import override

from domain.alerts import Alert, AlertChannel, AlertDelivery
from domain.ports.alerts import AlertNotDelivered, AlertSender
from domain.secrets import Secret

SEND_SECONDS: Final = 20.0
PORTS: Final = {"smtp": 587, "smtps": 465}

Tls = Literal["required", "opportunistic", "none"]
_TLS: Final = ("required", "opportunistic", "none")


class SmtpUrlInvalid(ValueError):
    """Says what is wrong with `OMG_SMTP_URL`."""


class SmtpServer(msgspec.Struct, frozen=True):
    """Where e-mails go out. `implicit_tls`: from the first byte on (`smtps://`); else by STARTTLS as `tls` says."""

    host: str
    port: int
    implicit_tls: bool
    tls: Tls
    user: str | None
    password: Secret | None
    sender: str


def parse_smtp_url(url: str) -> SmtpServer | None:
    """None of an empty one. `smtp://user:password@mail.example:587?from=omg@example.org&tls=required`.

    With a password TLS is required, unless the server is this machine or `tls` says otherwise. Raises `SmtpUrlInvalid`.
    """
    if not url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SmtpUrlInvalid(str(error)) from error
    if parts.scheme not in PORTS or not parts.hostname:
        raise SmtpUrlInvalid("it is written smtp://user:password@host:587?from=omg@example.org, or smtps://…")
    query = parse_qs(parts.query)
    unknown = query.keys() - {"from", "tls"}
    if unknown:
        raise SmtpUrlInvalid(f"'{min(unknown)}' is no parameter; there are 'from' and 'tls'")
    user = unquote(parts.username) if parts.username else None
    local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    tls = query.get("tls", ["required" if user and not local else "opportunistic"])[0]
    if tls not in _TLS:
        raise SmtpUrlInvalid(f"'tls' is one of {', '.join(_TLS)}")
    sender = query.get("from", [user if user and "@" in user else f"open-model-gateway@{parts.hostname}"])[0]
    return SmtpServer(
        host=parts.hostname,
        port=port or PORTS[parts.scheme],
        implicit_tls=parts.scheme == "smtps",
        tls=cast(Tls, tls),
        user=user,
        password=Secret(unquote(parts.password)) if parts.password else None,
        sender=sender,
    )


class EmailSender(AlertSender):
    """`server` of None: no server is set, and each e-mail says so."""

    def __init__(self, server: SmtpServer | None, *, ca_file: str | Path | None = None) -> None:
        self._server = server
        self._ca_file = ca_file

    @override
    async def send(self, channel: AlertChannel, delivery: AlertDelivery) -> None:
        if self._server is None:
            raise AlertNotDelivered("No e-mail can be sent: OMG_SMTP_URL is not set.", final=True)
        try:
            import aiosmtplib
        except ImportError as error:
            raise AlertNotDelivered(
                "E-mail needs a library: pip install 'open-model-gateway[email]'.", final=True
            ) from error
        server = self._server
        message = mail_of(delivery.alert, server.sender, channel.to)
        try:
            await aiosmtplib.send(
                message,
                hostname=server.host,
                port=server.port,
                username=server.user,
                password=server.password.reveal() if server.password is not None else None,
                use_tls=server.implicit_tls,
                start_tls=_start_tls(server),
                tls_context=self._context(),
                timeout=SEND_SECONDS,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            refused = "; ".join(f"{each.recipient}: {each.code}" for each in error.recipients)
            final = all(each.code >= 500 for each in error.recipients)
            raise AlertNotDelivered(f"The mail server refused the recipients ({refused}).", final=final) from error
        except aiosmtplib.SMTPResponseException as error:
            raise AlertNotDelivered(
                f"The mail server answered {error.code}: {error.message}", final=error.code >= 500
            ) from error
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as error:
            reason = str(error) or type(error).__name__
            raise AlertNotDelivered(f"The mail server cannot be used: {reason}") from error

    @override
    async def aclose(self) -> None:
        """Each e-mail has a connection of its own."""

    def _context(self) -> ssl.SSLContext:
        context = httpx.create_ssl_context()
        if self._ca_file is not None:
            context.load_verify_locations(self._ca_file)
        return context


def _start_tls(server: SmtpServer) -> bool | None:
    """None takes STARTTLS where the server offers it."""
    if server.implicit_tls or server.tls == "none":
        return False
    return True if server.tls == "required" else None


def mail_of(alert: Alert, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """The alert in words and, below them, as it is sent to webhooks."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Date"] = format_datetime(alert.fired_at)
    message["Message-ID"] = f"<{alert.id}@open-model-gateway>"
    message["Auto-Submitted"] = "auto-generated"
    message["Subject"] = " ".join(f"[Open Model Gateway] {alert.text}".split())[:200]
    facts = msgspec.json.format(msgspec.json.encode(alert), indent=2).decode()
    message.set_content(f"{alert.text}\n\n{facts}\n")
    return message
