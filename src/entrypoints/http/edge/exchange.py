"""One request and its answer, as the edge and the inference handlers see them."""

import logging
from collections.abc import Awaitable
from typing import cast

from litestar.types import HTTPScope, Receive, Send

from application.inference.calls import CallContext, CallTrace
from domain.errors import GatewayError, NotFound, PermissionDenied, ServiceUnavailable
from domain.keys import Principal
from entrypoints.http.edge.body import BodyReader
from entrypoints.http.edge.cors import is_foreign
from entrypoints.http.edge.cycle import CONNECTION_EXTENSION, ClientConnection
from entrypoints.http.edge.head import Head
from entrypoints.http.edge.principal import extract_token
from entrypoints.http.error_styles import OPENAI_ERRORS, ErrorStyle
from entrypoints.http.errors import ErrorAnswer, Headers, describe_and_log
from entrypoints.http.responses import header_value, send_body, send_error, send_json
from entrypoints.http.services import HttpServices

log = logging.getLogger(__name__)

_CLOSE = (b"connection", b"close")


class Exchange:
    """Holds what a handler needs. Nothing here is made before it is asked for, but the id and the start."""

    __slots__ = (
        "_reader", "_send", "answered", "connection", "cors", "errors", "head", "provider", "receive", "request_id",
        "scope", "services", "started", "tail", "trace",
    )  # fmt: skip

    def __init__(self, services: HttpServices, scope: HTTPScope, receive: Receive, send: Send) -> None:
        self.services = services
        self.scope = scope
        self.receive = receive
        self._send = send
        self.started = services.clock.monotonic()
        self.head = Head(scope["headers"])
        given = self.head.request_id
        self.request_id = given.decode() if given is not None else services.ids.new("req")
        self.trace: CallTrace | None = None
        self.provider: str | None = None  # the one the path is pinned to
        self.tail = ""  # the rest of the path, where a route takes it
        self.cors: Headers = ()
        self.errors: ErrorStyle = OPENAI_ERRORS
        self.answered = False
        extensions = cast("dict[str, object]", scope.get("extensions") or {})
        self.connection = cast("ClientConnection | None", extensions.get(CONNECTION_EXTENSION))
        self._reader: BodyReader | None = None

    async def authenticate(self) -> Principal:
        """The caller, before any of the body is read. Raises `Unauthenticated`; whatever breaks is a refusal (S-06)."""
        token = extract_token(self.head)
        authenticator = self.services.authenticator
        try:
            if token is not None and (principal := authenticator.cached(token)) is not None:
                return principal
            principal = await authenticator.authenticate(token)
        except GatewayError:
            raise
        except Exception as error:
            log.exception("authentication broke", extra={"request_id": self.request_id})
            raise ServiceUnavailable(
                "The API key could not be checked; try again soon.", code="store_unavailable", retry_after_seconds=1
            ) from error
        if principal.kind == "open" and is_foreign(self.head, self.cors):
            # Without keys, any page a local user opens could spend; but a browser tells where it comes from.
            raise PermissionDenied(
                "OMG_AUTH=open serves web pages of other origins only if OMG_CORS_ORIGINS lists them.",
                code="origin_not_allowed",
            )
        return principal

    def require_provider(self) -> None:
        """Raises `NotFound` where the path is pinned to a provider that is not configured."""
        if self.provider is not None and self.provider not in self.services.state.current.by_id:
            raise NotFound(f"There is no provider '{self.provider}'.", code="provider_not_found")

    def read_body(self) -> Awaitable[bytes]:
        return self.reader(self.services.edge.max_body_bytes).read()

    def reader(self, max_bytes: int) -> BodyReader:
        """The request's body reader, made at the first call."""
        if self._reader is None:
            due = self.started + self.services.edge.receive_seconds
            self._reader = BodyReader(self.receive, self.head, max_bytes, due, self.services.clock, self.connection)
        return self._reader

    def call(self, endpoint: str, forwarded: frozenset[bytes] = frozenset()) -> CallContext:
        """The context of this request's one pass through the pipeline. `forwarded` names headers to take along."""
        self.trace = CallTrace()
        taken: tuple[tuple[str, str], ...] = ()
        if forwarded:
            headers = self.scope["headers"]
            taken = tuple((name.decode(), value.decode("latin-1")) for name, value in headers if name in forwarded)
        return CallContext(self.request_id, endpoint, self.provider, self.started, self.trace, taken)

    def headers(self) -> Headers:
        """The answer's headers that this request decides: its id, how it was routed, CORS."""
        request_id = self.request_id.encode()
        own: list[tuple[bytes, bytes]] = [(name, request_id) for name in self.errors.id_headers]
        own += self.cors
        if self.trace is not None and self.trace.decision_id:
            own += self._routing_headers(self.trace)
        if self._unread:
            own.append(_CLOSE)
        return tuple(own)

    def send_json(self, status: int, body: bytes, *more: tuple[bytes, bytes]) -> Awaitable[None]:
        self.answered = True
        return send_json(self._send, status, body, (*self.headers(), *more))

    def send_body(self, status: int, body: bytes, content_type: str, *more: tuple[bytes, bytes]) -> Awaitable[None]:
        """Answer with a whole body of any type."""
        if content_type == "application/json":
            return self.send_json(status, body, *more)
        self.answered = True
        return send_body(self._send, status, body, content_type, (*self.headers(), *more))

    async def send_error(self, error: BaseException) -> ErrorAnswer | None:
        """Answer with an error, or do nothing where an answer has begun."""
        answer = describe_and_log(error, self.request_id)
        if self.answered:
            return None
        self.answered = True
        await send_error(self._send, answer, self.request_id, self.headers(), self.errors)
        return answer

    def begin(self) -> Send:
        """Take over sending, for an answer that is not one JSON body."""
        self.answered = True
        return self._send

    def begin_later(self) -> Send:
        """For one who answers in its own time, and then sets `answered`."""
        return self._send

    def abort(self) -> None:
        """Drop the connection at once, where the server can."""
        if self.connection is not None:
            self.connection.abort()

    @property
    def _unread(self) -> bool:
        """Whether a large body is still on its way: the server must not read it only to throw it away (S-31)."""
        return self.head.announces_large_body and not (self._reader is not None and self._reader.complete)

    def _routing_headers(self, trace: CallTrace) -> list[tuple[bytes, bytes]]:
        own_seconds = self.services.clock.monotonic() - self.started - trace.upstream_seconds
        found = [
            (b"x-omg-decision", trace.decision_id.encode()),
            (b"x-omg-attempts", b"%d" % trace.attempts),
            (b"x-omg-overhead-ms", b"%.2f" % (max(own_seconds, 0.0) * 1000)),
        ]
        if provider := header_value(trace.provider_id or ""):
            found.append((b"x-omg-provider", provider))
        if model := header_value(trace.model or ""):
            found.append((b"x-omg-model", model))
        if trace.dropped_params and (dropped := header_value(", ".join(trace.dropped_params))):
            found.append((b"x-omg-dropped-params", dropped))
        return found
