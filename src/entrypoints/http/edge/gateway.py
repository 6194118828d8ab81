"""The outer ASGI application: everything every request passes, in promises.md 6's order, then its handler.

Inference routes are dispatched from here; the rest is the framework's. Whatever happens, there is an answer in
the contract's shape.
"""

from collections.abc import Awaitable, Iterable, Mapping
from typing import cast

from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from domain.errors import RequestInvalid
from entrypoints.http.edge.body import ClientGone, guarded_receive
from entrypoints.http.edge.compression import compressing
from entrypoints.http.edge.exchange import Exchange
from entrypoints.http.edge.head import AllowedHosts, ClientAddress, Cors, HeaderLimits, refuse_keys_in_query
from entrypoints.http.edge.paths import Match, RouteTable
from entrypoints.http.error_styles import ANTHROPIC_VERSION, OPENAI_ERRORS, for_anthropic
from entrypoints.http.errors import Headers
from entrypoints.http.inference.route import InferenceRoute
from entrypoints.http.responses import JSON_SECURITY, send_empty
from entrypoints.http.services import HttpServices

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


_HELLO = b'{"service":"Open Model Gateway","docs":"/docs","api":"/v1"}'

PROBES = {"/": _HELLO, "/health": b'{"status":"ok"}', "/api/hello": _HELLO, "/v1/tcp_warming": _HELLO}
"""Paths that clients fire at a base URL to see whether anyone is there, and what they are told."""

_SIGN_IN = "/auth/"
MAX_SIGN_IN_BODY_BYTES = 8 * 1024
"""Of what anybody may send (contract 5)."""

_OWN_PAGES = ("/admin", "/app", "/assets/", "/auth/", "/docs", "/health", "/me", "/metrics", "/openapi.json")
_UNADMITTED = ("/health/", "/metrics")  # must answer while the process drains or is full
_CHAT_API = "/api/"


class GatewayApp:
    """`framework` serves what is no inference route. `state` under `request_id` and `client` is given to it."""

    def __init__(self, services: HttpServices, routes: Iterable[InferenceRoute], framework: ASGIApp) -> None:
        edge = services.edge
        self._services = services
        self._framework = framework
        self._table = RouteTable(routes, lambda provider_id: provider_id in services.state.current.by_id)
        self._hosts = AllowedHosts(edge.allowed_hosts)
        self._limits = HeaderLimits(edge.max_header_bytes, edge.max_headers)
        self._addresses = ClientAddress(edge.trusted_proxies)
        self._behind_proxies = self._addresses.trusts_any
        self._cors = Cors(edge.cors_origins)
        self._probes = _below(edge.base_path, PROBES)
        self._chat_page = (b"location", f"{edge.base_path}/app".encode())
        self._security = SecurityHeaders(https=edge.https)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """ASGI 3. What it returns does the work: one frame less for as long as a stream is open."""
        kind: str = scope["type"]
        if kind == "http":
            http: HTTPScope = scope  # type: ignore[assignment]  # by its type, and a cast is a call
            return self._serve(Exchange(self._services, http, receive, send))
        if kind == "lifespan":
            return self._framework(scope, receive, send)
        return send({"type": "websocket.close", "code": 1008, "reason": "There are no WebSockets here."})

    async def _serve(self, exchange: Exchange) -> None:
        try:
            path = exchange.scope["path"]
            match = self._table.find(path, exchange.scope["query_string"])
            if match is not None:
                exchange.errors = match.error_style
            if ANTHROPIC_VERSION in exchange.head.singles:
                exchange.errors = for_anthropic(exchange.errors)
            self._check(exchange)
            if self._behind_proxies:  # before anybody asks whence it comes
                exchange.scope["client"] = self._client(exchange)
            if match is not None:
                exchange.cors = self._cors.headers(exchange.head)
                await self._infer(exchange, match)
            elif path in PROBES and exchange.scope["method"] in ("GET", "HEAD"):
                await self._greet(exchange, path)
            else:
                self._refuse_absent(exchange, path)
                await self._hand_over(exchange)
        except ClientGone:
            return
        except Exception as error:  # noqa: BLE001 - the outermost edge: described and logged, never passed on
            if await exchange.send_error(error) is None:
                exchange.abort()
        finally:
            exchange.release_body()
            if exchange.keeping is not None:
                await exchange.keeping.over()

    def _check(self, exchange: Exchange) -> None:
        scope = exchange.scope
        query = scope["query_string"]
        self._limits.check(exchange.head, len(scope["raw_path"]) + len(query))
        if scope["path"].startswith(_UNADMITTED):
            self._check_prober(exchange)
        else:
            self._hosts.check(exchange.head)
        if query:
            refuse_keys_in_query(query)

    def _check_prober(self, exchange: Exchange) -> None:
        """Health is told by whatever name it is asked, and metrics to whoever may read them from anywhere: where only
        the peer's address counts, a web page must not reach them by a name of its own."""
        head, scope = exchange.head, exchange.scope
        open_to_all = self._services.edge.public_metrics or bool(head.credentials)
        if scope["path"].startswith("/metrics") and not open_to_all:
            self._hosts.check(head)
        else:
            self._hosts.check_probe(head, scope["http_version"])

    async def _infer(self, exchange: Exchange, match: Match) -> None:
        method = exchange.scope["method"]
        route = match.routes.get("GET" if method == "HEAD" else method)
        if route is None:
            await self._no_such_method(exchange, match)
            return
        exchange.provider, exchange.tail = match.provider, match.tail
        if match.deployment:
            exchange.deployment = match.deployment
        drain = self._services.drain
        drain.enter()
        try:
            await route.handler(exchange)
        finally:
            drain.leave()

    async def _greet(self, exchange: Exchange, path: str) -> None:
        """A browser at the root is sent to the pages; everybody else gets a line of JSON."""
        if path == "/" and any(
            name == b"accept" and b"text/html" in value for name, value in exchange.scope["headers"]
        ):
            await send_empty(exchange.begin(), 303, (*exchange.headers(), self._chat_page))
            return
        await exchange.send_json(200, self._probes[path])

    async def _no_such_method(self, exchange: Exchange, match: Match) -> None:
        methods = sorted(match.routes)
        if exchange.scope["method"] == "OPTIONS":
            exchange.cors = self._cors.preflight(exchange.head, methods)
            allow = (b"allow", ", ".join(methods).encode())
            await send_empty(exchange.begin(), 204, (*exchange.headers(), allow))
            return
        if _is_websocket(exchange):
            raise RequestInvalid(
                "There are no WebSockets here: send the request as a POST and read server-sent events. In Codex set "
                "`supports_websockets = false` for the provider; `omg setup codex` prints it.",
                code="websocket_not_supported",
            )
        raise RequestInvalid(
            f"This address takes {' and '.join(methods)}, not {exchange.scope['method']}.", code="method_not_supported"
        )

    async def _hand_over(self, exchange: Exchange) -> None:
        """To the framework, with a body it can trust and the headers every answer has."""
        scope = exchange.scope
        if scope["method"] == "HEAD":  # asked as GET; the server, whose scope stays as it is, leaves the body out
            scope = cast(HTTPScope, {**scope, "method": "GET"})
        state = cast(dict[str, object], scope.setdefault("state", {}))
        state["request_id"] = exchange.request_id
        reader = exchange.reader(self._largest_body(scope["path"]))
        receive = guarded_receive(reader, exchange.receive)
        send = compressing(scope, self._security.around(exchange))
        if scope["path"].startswith(_UNADMITTED):
            await self._framework(scope, receive, send)
            return
        self._services.drain.enter()
        try:
            await self._framework(scope, receive, send)
        finally:
            self._services.drain.leave()

    def _refuse_absent(self, exchange: Exchange, path: str) -> None:
        """Raises `NotFound` for an address of another API, and for one of an API that is not served whole."""
        if path.startswith(_OWN_PAGES):
            return
        from entrypoints.http.edge.absent import absent  # few requests find nothing

        said = absent(path)
        if said is not None:
            if exchange.errors is OPENAI_ERRORS:
                exchange.errors = said.style
            raise said.error()

    def _largest_body(self, path: str) -> int:
        edge = self._services.edge
        if path.startswith(_CHAT_API):
            return edge.max_chat_body_bytes
        if path.startswith(_SIGN_IN):
            return min(MAX_SIGN_IN_BODY_BYTES, edge.max_admin_body_bytes)
        return edge.max_admin_body_bytes

    def _client(self, exchange: Exchange) -> tuple[str, int]:
        peer, port = exchange.scope["client"] or ("", 0)
        hops = exchange.head.list_of(b"x-forwarded-for")
        return self._addresses.find(peer, hops), port


def _below(base_path: str, answers: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """The same, with what they point to below `base_path`."""
    return {path: answer.replace(b':"/', b':"%b/' % base_path.encode()) for path, answer in answers.items()}


def _is_websocket(exchange: Exchange) -> bool:
    return any(name == b"upgrade" and value.lower() == b"websocket" for name, value in exchange.scope["headers"])
