"""One request and its answer, as the edge and the inference handlers see them."""

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import msgspec
from litestar.types import HTTPScope, Receive, Send

from application.inference.calls import CallTrace, InferenceCall
from application.usage.attribution import FIELDS, HEADERS, attribution_of
from domain.attribution import UNATTRIBUTED
from domain.errors import GatewayError, NotFound, PermissionDenied, ServiceUnavailable
from domain.grants import Scope
from domain.inference import InferenceRequest
from domain.keys import Principal
from domain.payload import Payload
from entrypoints.http.edge.body import BodyReader
from entrypoints.http.edge.cycle import CONNECTION_EXTENSION, ClientConnection
from entrypoints.http.edge.head import Head, extract_token, is_foreign
from entrypoints.http.error_styles import OPENAI_ERRORS, ErrorStyle
from entrypoints.http.errors import ErrorAnswer, Headers, describe_and_log
from entrypoints.http.limit_headers import limit_headers
from entrypoints.http.responses import header_value, send_body, send_error, send_json
from entrypoints.http.services import HttpServices

log = logging.getLogger(__name__)

R = TypeVar("R", bound=InferenceRequest)

_CLOSE = (b"connection", b"close")
_RETIRES_SOON_DAYS = 90


class AnswerKeeping(Protocol):
    """Keeps what is sent."""

    def around(self, send: Send) -> Send: ...

    async def over(self) -> None:
        """Nothing more is sent."""
        ...


class Exchange:
    """Holds what a handler needs. Nothing here is made before it is asked for, but the id and the start."""

    __slots__ = (
        "_reader", "_send", "answered", "connection", "cors", "deployment", "errors", "head", "keeping",
        "provider", "receive", "request_id", "response_owner", "scope", "services", "started", "tail", "trace",
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
        self.response_owner = b""  # what seals the ids of what a provider keeps of the answer
        self.deployment = ""  # the model that the path names, where it does
        self.tail = ""  # the rest of the path, where a route takes it
        self.cors: Headers = ()
        self.errors: ErrorStyle = OPENAI_ERRORS
        self.answered = False
        extensions = scope.get("extensions")
        self.connection: ClientConnection | None = (
            extensions.get(CONNECTION_EXTENSION) if extensions else None  # type: ignore[assignment]  # our server's own
        )
        self._reader: BodyReader | None = None
        self.keeping: AnswerKeeping | None = None  # of a request that may be sent again

    async def authenticate(self, scope: Scope = "inference") -> Principal:
        """The caller, before any of the body is read. Raises `Unauthenticated`; whatever breaks is a refusal (S-06).

        An address that the key may not be used from and a scope that it lacks are `PermissionDenied`.
        """
        token = extract_token(self.head)
        authenticator = self.services.authenticator
        try:
            if token is not None and (principal := authenticator.cached(token)) is not None:
                if principal.grants is not None:
                    principal.grants.require_use(self.address, scope)
                return principal
            principal = await authenticator.authenticate(token)
            if principal.grants is not None:
                principal.grants.require_use(self.address, scope)
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

    @property
    def address(self) -> str:
        """The client's, as far as trusted proxies tell; empty where there is none, as on a socket of the machine."""
        client = self.scope["client"]
        return client[0] if client else ""

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
            services = self.services
            self._reader = BodyReader(
                self.receive, self.head, max_bytes, due, services.clock, self.connection, services.bodies
            )
        return self._reader

    def release_body(self) -> None:
        """Nothing holds the request's body any more: others may take its place in memory. Idempotent."""
        if self._reader is not None:
            self._reader.release()

    def call(
        self, principal: Principal, payload: Payload[R], forwarded: frozenset[bytes] = frozenset()
    ) -> InferenceCall[R]:
        """This request's one pass through the pipeline. `forwarded` names headers to take along."""
        self.trace = trace = CallTrace()
        taken: tuple[tuple[str, str], ...] = ()
        if forwarded:
            headers = self.scope["headers"]
            taken = tuple((name.decode(), value.decode("latin-1")) for name, value in headers if name in forwarded)
        attribution = (
            attribution_of(self.head.singles, payload.fields, principal)
            if self._attributed(principal, payload.fields)
            else UNATTRIBUTED
        )
        if attribution.end_user:
            services = self.services
            named = services.end_users.counted(principal.tenant_id, attribution.end_user, services.clock.now())
            attribution = msgspec.structs.replace(attribution, end_user=named)
        return InferenceCall(
            principal, payload, self.request_id, self.started, trace, self.provider, taken, attribution,
            self.response_owner,
        )  # fmt: skip

    def _attributed(self, principal: Principal, fields: dict[str, msgspec.Raw]) -> bool:
        """Whether anything says whom or what the request is for: of most nothing does."""
        if principal.user_id is not None or principal.tags:
            return True
        return not (FIELDS.isdisjoint(fields) and HEADERS.isdisjoint(self.head.singles))

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

    def keep_answer(self, keeping: "AnswerKeeping") -> None:
        """From here on the answer goes through this, which also hears when it is over."""
        self.keeping, self._send = keeping, keeping.around(self._send)

    def send_through(self, around: Callable[[Send], Send]) -> None:
        """From here on the answer is sent through what this makes."""
        self._send = around(self._send)

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
            (b"x-omg-attempts", b"%d" % len(trace.attempts)),
            (b"x-omg-overhead-ms", b"%.2f" % (max(own_seconds, 0.0) * 1000)),
        ]
        if provider := header_value(trace.provider_id or ""):
            found.append((b"x-omg-provider", provider))
        if model := header_value(trace.model or ""):
            found.append((b"x-omg-model", model))
            end = self.services.directory.retirement(trace.provider_id or "", trace.model or "")
            if end is not None and end.within(_RETIRES_SOON_DAYS, self.services.clock.now().date()):
                found.append((b"x-omg-model-retires", end.retired_at.isoformat().encode()))
        if trace.dropped_params and (dropped := header_value(", ".join(trace.dropped_params))):
            found.append((b"x-omg-dropped-params", dropped))
        if trace.policy is not None and trace.policy.strategy != "auto" and trace.policy.route:
            found.append((b"x-omg-route", trace.policy.route.encode()))
        if trace.policy is not None and (task := trace.policy.task) is not None and task.source != "request":
            found.append((b"x-omg-task", f"{task.name or 'unknown'};{task.confidence:.2f}".encode()))
        if trace.limits is not None:
            found += limit_headers(trace.limits, trace.downgraded_from)
        return found
