"""The outer ASGI application: everything every request passes, in promises.md 6's order, then its handler.

Inference routes are dispatched from here; the rest is the framework's. Whatever happens, there is an answer in
the contract's shape.
"""

from collections.abc import Awaitable, Iterable
from typing import cast

from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from domain.errors import RequestInvalid
from entrypoints.http.edge.body import ClientGone, guarded_receive
from entrypoints.http.edge.client_address import ClientAddress
from entrypoints.http.edge.cors import Cors
from entrypoints.http.edge.exchange import Exchange
from entrypoints.http.edge.head import HeaderLimits
from entrypoints.http.edge.hosts import AllowedHosts
from entrypoints.http.edge.page_headers import SecurityHeaders
from entrypoints.http.edge.paths import Match, RouteTable
from entrypoints.http.edge.principal import refuse_keys_in_query
from entrypoints.http.inference.route import InferenceRoute
from entrypoints.http.responses import send_empty
from entrypoints.http.services import HttpServices

PROBES = frozenset({"/", "/health", "/api/hello", "/v1/tcp_warming"})
"""Paths that clients fire at a base URL to see whether anyone is there."""

_HELLO = b'{"service":"Open Model Gateway","docs":"/docs","api":"/v1"}'
_UNADMITTED = "/health/"  # must answer while the process drains or is full


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
        self._cors = Cors(edge.cors_origins)
        self._security = SecurityHeaders(https=edge.https)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """ASGI 3. What it returns does the work: one frame less for as long as a stream is open."""
        kind = cast(str, scope["type"])
        if kind == "http":
            return self._serve(Exchange(self._services, cast(HTTPScope, scope), receive, send))
        if kind == "lifespan":
            return self._framework(scope, receive, send)
        return send({"type": "websocket.close", "code": 1008, "reason": "There are no WebSockets here."})

    async def _serve(self, exchange: Exchange) -> None:
        try:
            path = exchange.scope["path"]
            match = self._table.find(path)
            if match is not None:
                exchange.errors = match.error_style
            self._check(exchange)
            if match is not None:
                exchange.cors = self._cors.headers(exchange.head)
                await self._infer(exchange, match)
            elif path in PROBES and exchange.scope["method"] in ("GET", "HEAD"):
                await exchange.send_json(200, _HELLO)
            else:
                await self._hand_over(exchange)
        except ClientGone:
            return
        except Exception as error:  # noqa: BLE001 - the outermost edge: described and logged, never passed on
            if await exchange.send_error(error) is None:
                exchange.abort()

    def _check(self, exchange: Exchange) -> None:
        scope = exchange.scope
        query = scope["query_string"]
        self._limits.check(exchange.head, len(scope["raw_path"]) + len(query))
        self._hosts.check(exchange.head)
        if query:
            refuse_keys_in_query(query)

    async def _infer(self, exchange: Exchange, match: Match) -> None:
        method = exchange.scope["method"]
        route = match.routes.get("GET" if method == "HEAD" else method)
        if route is None:
            await self._no_such_method(exchange, match)
            return
        exchange.provider, exchange.tail = match.provider, match.tail
        drain = self._services.drain
        drain.enter()
        try:
            await route.handler(exchange)
        finally:
            drain.leave()

    async def _no_such_method(self, exchange: Exchange, match: Match) -> None:
        methods = sorted(match.routes)
        if exchange.scope["method"] == "OPTIONS":
            exchange.cors = self._cors.preflight(exchange.head, methods)
            allow = (b"allow", ", ".join(methods).encode())
            await send_empty(exchange.begin(), 204, (*exchange.headers(), allow))
            return
        raise RequestInvalid(
            f"This address takes {' and '.join(methods)}, not {exchange.scope['method']}.", code="method_not_supported"
        )

    async def _hand_over(self, exchange: Exchange) -> None:
        """To the framework, with a body it can trust and the headers every answer has."""
        scope, edge = exchange.scope, self._services.edge
        if scope["method"] == "HEAD":  # asked as GET; the server, whose scope stays as it is, leaves the body out
            scope = cast(HTTPScope, {**scope, "method": "GET"})
        state = cast(dict[str, object], scope.setdefault("state", {}))
        state["request_id"] = exchange.request_id
        if self._addresses.trusts_any:
            scope["client"] = self._client(exchange)
        reader = exchange.reader(edge.max_admin_body_bytes)
        receive = guarded_receive(reader, exchange.receive)
        send = self._security.around(exchange)
        if scope["path"].startswith(_UNADMITTED):
            await self._framework(scope, receive, send)
            return
        self._services.drain.enter()
        try:
            await self._framework(scope, receive, send)
        finally:
            self._services.drain.leave()

    def _client(self, exchange: Exchange) -> tuple[str, int]:
        peer, port = exchange.scope["client"] or ("", 0)
        hops = exchange.head.list_of(b"x-forwarded-for")
        return self._addresses.find(peer, hops), port
