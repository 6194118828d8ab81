"""Security headers of answers that the framework makes: pages and JSON (promises.md 6)."""

from litestar.types import Message, Send

from entrypoints.http.edge.exchange import Exchange
from entrypoints.http.errors import Headers
from entrypoints.http.responses import JSON_SECURITY

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)

_PAGE: Headers = (
    (b"content-security-policy", PAGE_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    (b"cache-control", b"no-store"),
)
_HSTS = (b"strict-transport-security", b"max-age=31536000")


class SecurityHeaders:
    """Adds what an answer lacks, by its kind; what a handler set stays."""

    def __init__(self, *, https: bool) -> None:
        hsts: Headers = (_HSTS,) if https else ()
        self._page: Headers = (*_PAGE, *hsts)
        self._other: Headers = (*JSON_SECURITY, *hsts)

    def around(self, exchange: Exchange) -> Send:
        send = exchange.begin_later()

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name.lower(), value) for name, value in message["headers"]]
                kind = next((value for name, value in own if name == b"content-type"), b"")
                extra = self._page if kind.startswith(b"text/html") else self._other
                present = {name for name, _ in own}
                added = [header for header in (*extra, *exchange.headers()) if header[0] not in present]
                message["headers"] = [*own, *added]
                exchange.answered = True
            await send(message)

        return send_secured
