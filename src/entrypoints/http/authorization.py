"""Who may call what: one row for each method and path, and no route without a row (S-06, P-12)."""

import logging
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Final, cast

import msgspec
from dishka import AsyncContainer
from litestar import Litestar, Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import Provide
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.routes import HTTPRoute
from litestar.types import HTTPScope

from application.admission.authentication import AdminAuthenticator
from application.audit.refusals import RefusalLog
from domain.actors import NOBODY, Actor
from domain.authority import PLATFORM_RIGHTS, Right, denied, reach
from domain.errors import GatewayError, ServiceUnavailable
from entrypoints.http.auth.people import PersonAuthenticator, require_own_page, require_person
from entrypoints.http.edge.head import Head, extract_token
from entrypoints.http.error_styles import answer_error
from entrypoints.http.exports import note_export
from entrypoints.http.owners import note_owners
from entrypoints.http.versions import expecting, note_version

log = logging.getLogger(__name__)


class Access(StrEnum):
    """Whose credential a route asks for that is no admin's. Of those the row says which `Right` it needs."""

    PUBLIC = "public"  # none; the answer holds nothing secret
    SIGN_IN = "sign_in"  # none, but no page of another site: the ways in
    PERSON = "person"  # who is signed in, for what is their own
    CHAT = "chat"  # the same; the edge serves it, and its handler looks, as it must before it reads the body
    SCRAPE = "scrape"  # as OMG_METRICS says: the handler looks
    CLIENT = "client"  # a virtual key; the handler authenticates, as it must before it reads the body


_CLIENT_POSTS: Final = (
    "chat/completions",
    "chat",
    "completions",
    "embeddings",
    "images/generations",
    "images/edits",
    "audio/speech",
    "audio/transcriptions",
    "audio/translations",
    "moderations",
    "rerank",
    "responses",
    "responses/input_tokens",
    "responses/{response_id}/cancel",
    "messages",
    "messages/count_tokens",
)
_GOOGLES_POSTS: Final = (
    "models/{model}:generateContent",
    "models/{model}:streamGenerateContent",
    "models/{model}:countTokens",
    "models/{model}:embedContent",
    "models/{model}:batchEmbedContents",
)
_GOOGLES_GETS: Final = ("models", "models/{model}")
_CLIENT_GETS: Final = (
    "models",
    "models/{model}",
    "responses/{response_id}",
    "responses/{response_id}/input_items",
    "usage",
)
_CLIENT_DELETES: Final = ("responses/{response_id}",)
"""What clients ask for with a virtual key, of all providers and pinned to one."""

MATRIX: dict[tuple[str, str], Access | Right] = {
    ("GET", "/health/live"): Access.PUBLIC,
    ("GET", "/health/ready"): Access.PUBLIC,
    ("GET", "/metrics"): Access.SCRAPE,
    ("GET", "/docs"): Access.PUBLIC,
    ("GET", "/docs/assets/{name}"): Access.PUBLIC,
    ("GET", "/openapi.json"): Access.PUBLIC,
    ("GET", "/app"): Access.PUBLIC,
    ("GET", "/app/{path}"): Access.PUBLIC,
    ("GET", "/app/worker.js"): Access.PUBLIC,
    ("GET", "/assets/web/{name}"): Access.PUBLIC,
    **{("POST", f"{where}/v1/{path}"): Access.CLIENT for path in _CLIENT_POSTS for where in ("", "/{provider}")},
    **{("DELETE", f"{where}/v1/{path}"): Access.CLIENT for path in _CLIENT_DELETES for where in ("", "/{provider}")},
    **{("GET", f"{where}/v1/{path}"): Access.CLIENT for path in _CLIENT_GETS for where in ("", "/{provider}")},
    **{("POST", f"{where}/v1beta/{path}"): Access.CLIENT for path in _GOOGLES_POSTS for where in ("", "/{provider}")},
    **{("GET", f"{where}/v1beta/{path}"): Access.CLIENT for path in _GOOGLES_GETS for where in ("", "/{provider}")},
    ("POST", "/auth/login"): Access.SIGN_IN,
    ("POST", "/auth/link"): Access.SIGN_IN,
    ("POST", "/auth/invites/{token}"): Access.SIGN_IN,
    ("GET", "/auth/providers"): Access.PUBLIC,
    ("GET", "/auth/oidc/{name}/start"): Access.PUBLIC,
    ("GET", "/auth/oidc/{name}/callback"): Access.PUBLIC,  # another site sends the browser: its cookie is the guard
    ("GET", "/auth/session"): Access.PERSON,
    ("POST", "/auth/logout"): Access.PERSON,
    ("POST", "/auth/refresh"): Access.PERSON,
    ("POST", "/auth/confirm"): Access.PERSON,
    ("GET", "/me"): Access.PERSON,
    ("PATCH", "/me"): Access.PERSON,
    ("POST", "/me/password"): Access.PERSON,
    ("GET", "/me/tenants"): Access.PERSON,
    ("GET", "/me/sessions"): Access.PERSON,
    ("DELETE", "/me/sessions/{session_id}"): Access.PERSON,
    ("GET", "/me/usage"): Access.PERSON,
    ("GET", "/me/usage/explain"): Access.PERSON,
    ("GET", "/me/requests"): Access.PERSON,
    ("GET", "/me/requests/{request_id}"): Access.PERSON,
    ("GET", "/me/decisions/{decision_id}"): Access.PERSON,
    ("GET", "/me/limits"): Access.PERSON,
    ("GET", "/me/keys"): Access.PERSON,
    ("POST", "/me/keys"): Access.PERSON,
    ("GET", "/me/keys/{key_id}"): Access.PERSON,
    ("PATCH", "/me/keys/{key_id}"): Access.PERSON,
    ("DELETE", "/me/keys/{key_id}"): Access.PERSON,
    ("POST", "/me/keys/{key_id}/rotate"): Access.PERSON,
    ("POST", "/me/keys/{key_id}/revoke"): Access.PERSON,
    ("POST", "/admin/sign-in-links"): Right.PLATFORM_WRITE,
    ("POST", "/admin/users/{user_id}/invite"): Right.PLATFORM_WRITE,
    ("GET", "/admin/providers"): Right.PLATFORM_READ,
    ("POST", "/admin/providers"): Right.PLATFORM_WRITE,
    ("GET", "/admin/providers/{provider_id}"): Right.PLATFORM_READ,
    ("PATCH", "/admin/providers/{provider_id}"): Right.PLATFORM_WRITE,
    ("DELETE", "/admin/providers/{provider_id}"): Right.PLATFORM_WRITE,
    ("POST", "/admin/providers/{provider_id}/retry"): Right.PLATFORM_WRITE,
    ("POST", "/admin/providers/{provider_id}/test"): Right.PLATFORM_WRITE,
    ("GET", "/admin/providers/{provider_id}/keys"): Right.PLATFORM_READ,
    ("POST", "/admin/providers/{provider_id}/keys"): Right.PLATFORM_WRITE,
    ("GET", "/admin/providers/{provider_id}/keys/{key_id}"): Right.PLATFORM_READ,
    ("PATCH", "/admin/providers/{provider_id}/keys/{key_id}"): Right.PLATFORM_WRITE,
    ("DELETE", "/admin/providers/{provider_id}/keys/{key_id}"): Right.PLATFORM_WRITE,
    ("POST", "/admin/providers/{provider_id}/keys/{key_id}/retry"): Right.PLATFORM_WRITE,
    ("GET", "/admin/provider-kinds"): Right.PLATFORM_READ,
    ("GET", "/admin/limits"): Right.PLATFORM_READ,
    ("GET", "/admin/limits/explain"): Right.TENANT_READ,
    ("POST", "/admin/limits"): Right.PLATFORM_WRITE,
    ("GET", "/admin/limits/{rule_id}"): Right.PLATFORM_READ,
    ("PATCH", "/admin/limits/{rule_id}"): Right.PLATFORM_WRITE,
    ("DELETE", "/admin/limits/{rule_id}"): Right.PLATFORM_WRITE,
    ("GET", "/admin/budgets"): Right.PLATFORM_READ,
    ("POST", "/admin/budgets"): Right.PLATFORM_WRITE,
    ("GET", "/admin/budgets/{rule_id}"): Right.PLATFORM_READ,
    ("PATCH", "/admin/budgets/{rule_id}"): Right.PLATFORM_WRITE,
    ("DELETE", "/admin/budgets/{rule_id}"): Right.PLATFORM_WRITE,
    ("GET", "/admin/models"): Right.PLATFORM_READ,
    ("POST", "/admin/models"): Right.PLATFORM_WRITE,
    ("GET", "/admin/models/{provider}/{model}"): Right.PLATFORM_READ,
    ("PATCH", "/admin/models/{provider}/{model}"): Right.PLATFORM_WRITE,
    ("DELETE", "/admin/models/{provider}/{model}"): Right.PLATFORM_WRITE,
    ("GET", "/admin/keys"): Right.TENANT_READ,
    ("POST", "/admin/keys"): Right.KEYS_WRITE,
    ("GET", "/admin/keys/{key_id}"): Right.TENANT_READ,
    ("PATCH", "/admin/keys/{key_id}"): Right.KEYS_WRITE,
    ("DELETE", "/admin/keys/{key_id}"): Right.KEYS_WRITE,
    ("POST", "/admin/keys/{key_id}/rotate"): Right.KEYS_WRITE,
    ("POST", "/admin/keys/{key_id}/revoke"): Right.KEYS_WRITE,
    ("POST", "/admin/config/plan"): Right.PLATFORM_WRITE,
    ("POST", "/admin/config/apply"): Right.PLATFORM_WRITE,
    ("GET", "/admin/config/export"): Right.PLATFORM_READ,
    ("GET", "/admin/tokens"): Right.PLATFORM_READ,
    ("POST", "/admin/tokens"): Right.PLATFORM_WRITE,
    ("GET", "/admin/tokens/{token_id}"): Right.PLATFORM_READ,
    ("PATCH", "/admin/tokens/{token_id}"): Right.PLATFORM_WRITE,
    ("DELETE", "/admin/tokens/{token_id}"): Right.PLATFORM_WRITE,
    ("GET", "/admin/tenants"): Right.TENANT_READ,
    ("POST", "/admin/tenants"): Right.PLATFORM_WRITE,
    ("GET", "/admin/tenants/{tenant_id}"): Right.TENANT_READ,
    ("PATCH", "/admin/tenants/{tenant_id}"): Right.PLATFORM_WRITE,
    ("DELETE", "/admin/tenants/{tenant_id}"): Right.PLATFORM_WRITE,
    ("GET", "/admin/tenants/{tenant_id}/members"): Right.TENANT_READ,
    ("POST", "/admin/tenants/{tenant_id}/members"): Right.MEMBERS_WRITE,
    ("GET", "/admin/tenants/{tenant_id}/members/{user_id}"): Right.TENANT_READ,
    ("PATCH", "/admin/tenants/{tenant_id}/members/{user_id}"): Right.MEMBERS_WRITE,
    ("DELETE", "/admin/tenants/{tenant_id}/members/{user_id}"): Right.MEMBERS_WRITE,
    ("GET", "/admin/users"): Right.PLATFORM_READ,
    ("POST", "/admin/users"): Right.PLATFORM_WRITE,
    ("GET", "/admin/users/{user_id}"): Right.PLATFORM_READ,
    ("PATCH", "/admin/users/{user_id}"): Right.PLATFORM_WRITE,
    ("DELETE", "/admin/users/{user_id}"): Right.PLATFORM_WRITE,
    ("GET", "/admin/model-groups"): Right.PLATFORM_READ,
    ("POST", "/admin/model-groups"): Right.PLATFORM_WRITE,
    ("GET", "/admin/model-groups/{name}"): Right.PLATFORM_READ,
    ("PATCH", "/admin/model-groups/{name}"): Right.PLATFORM_WRITE,
    ("DELETE", "/admin/model-groups/{name}"): Right.PLATFORM_WRITE,
    ("GET", "/admin/routes"): Right.PLATFORM_READ,
    ("POST", "/admin/routes"): Right.PLATFORM_WRITE,
    ("GET", "/admin/routes/{alias}"): Right.PLATFORM_READ,
    ("PATCH", "/admin/routes/{alias}"): Right.PLATFORM_WRITE,
    ("DELETE", "/admin/routes/{alias}"): Right.PLATFORM_WRITE,
    ("POST", "/admin/routes/{alias}/explain"): Right.PLATFORM_READ,
    ("POST", "/admin/routes/{alias}/backtest"): Right.PLATFORM_READ,
    ("GET", "/admin/settings"): Right.PLATFORM_READ,
    ("GET", "/admin/settings/default-models"): Right.PLATFORM_READ,
    ("PATCH", "/admin/settings/default-models"): Right.PLATFORM_WRITE,
    ("GET", "/admin/settings/rate-limits"): Right.PLATFORM_READ,
    ("PATCH", "/admin/settings/rate-limits"): Right.PLATFORM_WRITE,
    ("GET", "/admin/settings/budgets"): Right.PLATFORM_READ,
    ("PATCH", "/admin/settings/budgets"): Right.PLATFORM_WRITE,
    ("GET", "/admin/settings/routing"): Right.PLATFORM_READ,
    ("PATCH", "/admin/settings/routing"): Right.PLATFORM_WRITE,
    ("GET", "/admin/usage"): Right.USAGE_READ,
    ("GET", "/admin/usage/drift"): Right.USAGE_READ,
    ("GET", "/admin/usage/explain"): Right.USAGE_READ,
    ("GET", "/admin/alerts/channels"): Right.PLATFORM_READ,
    ("POST", "/admin/alerts/channels"): Right.PLATFORM_WRITE,
    ("GET", "/admin/alerts/channels/{channel_id}"): Right.PLATFORM_READ,
    ("PATCH", "/admin/alerts/channels/{channel_id}"): Right.PLATFORM_WRITE,
    ("DELETE", "/admin/alerts/channels/{channel_id}"): Right.PLATFORM_WRITE,
    ("GET", "/admin/alerts/rules"): Right.PLATFORM_READ,
    ("POST", "/admin/alerts/rules"): Right.PLATFORM_WRITE,
    ("GET", "/admin/alerts/rules/{rule_id}"): Right.PLATFORM_READ,
    ("PATCH", "/admin/alerts/rules/{rule_id}"): Right.PLATFORM_WRITE,
    ("DELETE", "/admin/alerts/rules/{rule_id}"): Right.PLATFORM_WRITE,
    ("POST", "/admin/alerts/channels/{channel_id}/test"): Right.PLATFORM_WRITE,
    ("GET", "/admin/alerts/deliveries"): Right.PLATFORM_READ,
    ("POST", "/admin/alerts/deliveries/{delivery_id}/resend"): Right.PLATFORM_WRITE,
    ("GET", "/admin/requests"): Right.PLATFORM_READ,
    ("GET", "/admin/requests/{request_id}"): Right.PLATFORM_READ,
    ("GET", "/admin/decisions/{decision_id}"): Right.PLATFORM_READ,
    ("GET", "/admin/audit"): Right.PLATFORM_READ,
    ("GET", "/admin/health"): Right.PLATFORM_READ,
    ("POST", "/api/chat/stream"): Access.CHAT,
    ("POST", "/api/chat/submit"): Access.CHAT,
    ("POST", "/api/chat/regenerate"): Access.CHAT,
    ("POST", "/api/images/generate"): Access.CHAT,
    ("GET", "/api/conversations"): Access.PERSON,
    ("POST", "/api/conversations"): Access.PERSON,
    ("GET", "/api/conversations/{conversation_id}"): Access.PERSON,
    ("PATCH", "/api/conversations/{conversation_id}"): Access.PERSON,
    ("DELETE", "/api/conversations/{conversation_id}"): Access.PERSON,
    ("POST", "/api/conversations/{conversation_id}/clone"): Access.PERSON,
    ("POST", "/api/conversations/{conversation_id}/system"): Access.PERSON,
    ("GET", "/api/conversations/{conversation_id}/export"): Access.PERSON,
    ("GET", "/api/templates"): Access.PERSON,
    ("POST", "/api/templates"): Access.PERSON,
    ("GET", "/api/templates/{template_id}"): Access.PERSON,
    ("PATCH", "/api/templates/{template_id}"): Access.PERSON,
    ("DELETE", "/api/templates/{template_id}"): Access.PERSON,
    ("GET", "/api/usage/summary"): Access.PERSON,
    ("GET", "/api/usage/models"): Access.PERSON,
    ("GET", "/api/models"): Access.PERSON,
    ("POST", "/api/files"): Access.CHAT,
    ("GET", "/api/files/{file_id}"): Access.PERSON,
}
"""OPTIONS is answered everywhere with the methods of the path; HEAD is asked as GET is."""

_ACTOR = "actor"
_ANSWERED_BY_THE_FRAMEWORK = frozenset({"OPTIONS", "HEAD"})


class MatrixIncomplete(RuntimeError):
    """The process must not start: a route could answer someone it should not."""


async def require_admin(
    connection: ASGIConnection[HTTPRouteHandler, object, object, State], _: BaseRouteHandler
) -> None:
    """The guard of every admin controller; runs before the body is read. `acting` hands on whom it let in.

    What is the platform's is decided here. What lies in tenants the use case decides with the same table, once it knows
    the object: what the actor may not see is not found. Raises `Unauthenticated`, `PermissionDenied`, or
    `ServiceUnavailable`, also for whatever else goes wrong: no failure of authentication ever lets a request in.
    """
    container: AsyncContainer = connection.app.state.dishka_container
    try:
        token = extract_token(Head(connection.scope["headers"]))
        people = await container.get(PersonAuthenticator) if token is None else None
        if people is not None and people.carries_cookie(connection):
            actor = (await people.administrator(connection)).actor
        else:
            authenticator = await container.get(AdminAuthenticator)
            actor = _from_here(connection, await authenticator.authenticate(token))
    except GatewayError:
        raise
    except Exception as error:
        log.exception("admin not authenticated")
        raise ServiceUnavailable(
            "The gateway cannot check the admin token now.", code="store_unavailable", retry_after_seconds=1
        ) from error
    connection.scope["state"][_ACTOR] = actor = expecting(actor, connection.scope["headers"])
    right = _row(cast(HTTPScope, connection.scope))
    if right in PLATFORM_RIGHTS and not reach(actor, Right(right)).everywhere:
        raise denied()
    if b"format" in connection.scope["query_string"]:
        await note_export(connection, actor)
    await note_owners(container)
    await note_version(connection)


def _row(scope: HTTPScope) -> Access | Right:
    """The row of the route that is asked. Raises `KeyError` where there is none, which the start has ruled out."""
    method = "GET" if scope["method"] == "HEAD" else str(scope["method"])
    return MATRIX[method, scope["path_template"]]


def _from_here(connection: ASGIConnection[HTTPRouteHandler, object, object, State], actor: Actor) -> Actor:
    """The actor, with where the request comes from and which it is, for the audit trail."""
    scope = connection.scope
    client = scope["client"]
    return msgspec.structs.replace(
        actor, address=client[0] if client else "", request_id=str(scope["state"].get("request_id", ""))
    )


def acting(request: Request[object, object, State]) -> Actor:
    """The actor that `require_admin` let in: the dependency `actor` of every admin controller that writes.

    A route without the guard has none: `KeyError`, so that nothing is ever changed by nobody.
    """
    actor: Actor = request.scope["state"][_ACTOR]
    return actor


ACTING = {"actor": Provide(acting, sync_to_thread=False)}
"""The `dependencies` of a controller that writes."""


REFUSALS: Final = "refusals"
"""Where the application's state keeps its `RefusalLog`."""


def answer_and_note(request: Request[object, object, State], error: Exception) -> Response[bytes]:
    """The handler of every error of every route: `answer_error`, and a note for the audit trail of who was refused."""
    response = answer_error(request, error)
    code = error.code if isinstance(error, GatewayError) else "refused"
    method = "GET" if request.method == "HEAD" else request.method
    route = (method, str(request.scope.get("path_template", "")))
    if _is_refusal(MATRIX.get(route), response.status_code, code):
        actor = request.scope["state"].get(_ACTOR) or _from_here(request, NOBODY)
        refusals: RefusalLog = request.app.state[REFUSALS]
        refusals.note(actor, " ".join(route), code)
    return response


def _is_refusal(row: Access | Right | None, status: int | None, code: str) -> bool:
    """Whether somebody wanted what they have no right to. Pages ask all the time whether one is still signed in."""
    if isinstance(row, Right):
        return status in (401, 403) and code != "confirmation_needed"
    return status == 403 and row in (Access.PERSON, Access.SIGN_IN)


def check_complete(app: Litestar) -> None:
    """Raises `MatrixIncomplete` for a route without a row, a row without a route, or an unguarded admin route."""
    served = {(method, path): handler for method, path, handler in routes_of(app)}
    without_row = sorted(served.keys() - MATRIX.keys())
    without_route = sorted(MATRIX.keys() - served.keys())
    unguarded = sorted(
        route
        for route, handler in served.items()
        if (guard := _guard_of(MATRIX.get(route))) is not None and guard not in handler.resolve_guards()
    )
    problems = [
        f"{what}: {', '.join(' '.join(route) for route in routes)}"
        for what, routes in (
            ("routes without a row in the authorization matrix", without_row),
            ("rows of the authorization matrix without a route", without_route),
            ("routes without the guard of their row", unguarded),
        )
        if routes
    ]
    if problems:
        raise MatrixIncomplete("; ".join(problems))


def _guard_of(row: Access | Right | None) -> Callable[..., object] | None:
    """What a route of this row must have; inference routes authenticate themselves, before they read the body."""
    if isinstance(row, Right):
        return require_admin
    return {Access.PERSON: require_person, Access.SIGN_IN: require_own_page}.get(row) if row is not None else None


def routes_of(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Every method, path template and handler that Litestar serves. Anything but HTTP is refused."""
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            raise MatrixIncomplete(f"{route.path}: only HTTP routes can be authorized")
        for handler in route.route_handlers:
            for method in sorted(handler.http_methods - _ANSWERED_BY_THE_FRAMEWORK):
                yield method, route.path_format, handler
