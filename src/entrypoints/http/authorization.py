"""Who may call what: one row for each method and path, and no route without a row (S-06, P-12)."""

import logging
from collections.abc import Iterator
from enum import StrEnum

from dishka import AsyncContainer
from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.routes import HTTPRoute

from application.admission.authentication import AdminAuthenticator
from domain.errors import GatewayError, ServiceUnavailable
from entrypoints.http.edge.head import Head
from entrypoints.http.edge.principal import extract_token

log = logging.getLogger(__name__)


class Access(StrEnum):
    """Whose credential a route asks for."""

    PUBLIC = "public"  # none; the answer tells nothing that is not known
    CLIENT = "client"  # a virtual key; the handler authenticates, as it must before it reads the body
    ADMIN = "admin"  # the admin token; the guard below authenticates


MATRIX: dict[tuple[str, str], Access] = {
    ("GET", "/health/live"): Access.PUBLIC,
    ("GET", "/health/ready"): Access.PUBLIC,
    ("GET", "/docs"): Access.PUBLIC,
    ("GET", "/docs/assets/{name}"): Access.PUBLIC,
    ("GET", "/openapi.json"): Access.PUBLIC,
    ("POST", "/v1/chat/completions"): Access.CLIENT,
    ("POST", "/v1/completions"): Access.CLIENT,
    ("POST", "/v1/embeddings"): Access.CLIENT,
    ("POST", "/v1/images/generations"): Access.CLIENT,
    ("POST", "/v1/audio/speech"): Access.CLIENT,
    ("POST", "/v1/audio/transcriptions"): Access.CLIENT,
    ("POST", "/v1/moderations"): Access.CLIENT,
    ("POST", "/v1/responses"): Access.CLIENT,
    ("POST", "/v1/messages"): Access.CLIENT,
    ("POST", "/v1/messages/count_tokens"): Access.CLIENT,
    ("GET", "/v1/models"): Access.CLIENT,
    ("GET", "/v1/models/{model}"): Access.CLIENT,
    ("GET", "/v1/usage"): Access.CLIENT,
    ("POST", "/{provider}/v1/chat/completions"): Access.CLIENT,
    ("POST", "/{provider}/v1/completions"): Access.CLIENT,
    ("POST", "/{provider}/v1/embeddings"): Access.CLIENT,
    ("POST", "/{provider}/v1/images/generations"): Access.CLIENT,
    ("POST", "/{provider}/v1/audio/speech"): Access.CLIENT,
    ("POST", "/{provider}/v1/audio/transcriptions"): Access.CLIENT,
    ("POST", "/{provider}/v1/moderations"): Access.CLIENT,
    ("POST", "/{provider}/v1/responses"): Access.CLIENT,
    ("POST", "/{provider}/v1/messages"): Access.CLIENT,
    ("POST", "/{provider}/v1/messages/count_tokens"): Access.CLIENT,
    ("GET", "/{provider}/v1/models"): Access.CLIENT,
    ("GET", "/{provider}/v1/models/{model}"): Access.CLIENT,
    ("GET", "/{provider}/v1/usage"): Access.CLIENT,
    ("GET", "/admin/providers"): Access.ADMIN,
    ("POST", "/admin/providers"): Access.ADMIN,
    ("GET", "/admin/providers/{provider_id}"): Access.ADMIN,
    ("PATCH", "/admin/providers/{provider_id}"): Access.ADMIN,
    ("DELETE", "/admin/providers/{provider_id}"): Access.ADMIN,
    ("POST", "/admin/providers/{provider_id}/retry"): Access.ADMIN,
    ("POST", "/admin/providers/{provider_id}/test"): Access.ADMIN,
    ("GET", "/admin/providers/{provider_id}/keys"): Access.ADMIN,
    ("POST", "/admin/providers/{provider_id}/keys"): Access.ADMIN,
    ("GET", "/admin/providers/{provider_id}/keys/{key_id}"): Access.ADMIN,
    ("PATCH", "/admin/providers/{provider_id}/keys/{key_id}"): Access.ADMIN,
    ("DELETE", "/admin/providers/{provider_id}/keys/{key_id}"): Access.ADMIN,
    ("POST", "/admin/providers/{provider_id}/keys/{key_id}/retry"): Access.ADMIN,
    ("GET", "/admin/provider-kinds"): Access.ADMIN,
    ("GET", "/admin/models"): Access.ADMIN,
    ("POST", "/admin/models"): Access.ADMIN,
    ("GET", "/admin/models/{provider}/{model}"): Access.ADMIN,
    ("DELETE", "/admin/models/{provider}/{model}"): Access.ADMIN,
    ("GET", "/admin/keys"): Access.ADMIN,
    ("POST", "/admin/keys"): Access.ADMIN,
    ("GET", "/admin/keys/{key_id}"): Access.ADMIN,
    ("PATCH", "/admin/keys/{key_id}"): Access.ADMIN,
    ("DELETE", "/admin/keys/{key_id}"): Access.ADMIN,
    ("POST", "/admin/keys/{key_id}/rotate"): Access.ADMIN,
    ("POST", "/admin/keys/{key_id}/revoke"): Access.ADMIN,
    ("GET", "/admin/usage"): Access.ADMIN,
    ("GET", "/admin/requests"): Access.ADMIN,
    ("GET", "/admin/requests/{request_id}"): Access.ADMIN,
    ("GET", "/admin/health"): Access.ADMIN,
}
"""OPTIONS is answered everywhere with the methods of the path; HEAD is asked as GET is."""

_ANSWERED_BY_THE_FRAMEWORK = frozenset({"OPTIONS", "HEAD"})


class MatrixIncomplete(RuntimeError):
    """The process must not start: a route could answer someone it should not."""


async def require_admin(
    connection: ASGIConnection[HTTPRouteHandler, object, object, State], _: BaseRouteHandler
) -> None:
    """The guard of every admin controller; runs before the body is read.

    Raises `Unauthenticated` or `ServiceUnavailable`, the latter also for whatever else goes wrong: no failure
    of authentication ever lets a request in.
    """
    container: AsyncContainer = connection.app.state.dishka_container
    try:
        authenticator = await container.get(AdminAuthenticator)
        await authenticator.authenticate(extract_token(Head(connection.scope["headers"])))
    except GatewayError:
        raise
    except Exception as error:
        log.exception("admin not authenticated")
        raise ServiceUnavailable(
            "The gateway cannot check the admin token now.", code="store_unavailable", retry_after_seconds=1
        ) from error


def check_complete(app: Litestar) -> None:
    """Raises `MatrixIncomplete` for a route without a row, a row without a route, or an unguarded admin route."""
    served = {(method, path): handler for method, path, handler in routes_of(app)}
    without_row = sorted(served.keys() - MATRIX.keys())
    without_route = sorted(MATRIX.keys() - served.keys())
    unguarded = sorted(
        place
        for place, handler in served.items()
        if MATRIX.get(place) is Access.ADMIN and require_admin not in handler.resolve_guards()
    )
    problems = [
        f"{what}: {', '.join(' '.join(place) for place in places)}"
        for what, places in (
            ("routes without a row in the authorization matrix", without_row),
            ("rows of the authorization matrix without a route", without_route),
            ("admin routes without the admin guard", unguarded),
        )
        if places
    ]
    if problems:
        raise MatrixIncomplete("; ".join(problems))


def routes_of(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Every method, path template and handler that Litestar serves. Anything but HTTP is refused."""
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            raise MatrixIncomplete(f"{route.path}: only HTTP routes can be authorized")
        for handler in route.route_handlers:
            for method in sorted(handler.http_methods - _ANSWERED_BY_THE_FRAMEWORK):
                yield method, route.path_format, handler
