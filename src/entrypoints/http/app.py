"""Builds the HTTP application: Litestar behind the edge."""

from collections.abc import Sequence

from dishka.integrations.litestar import setup_dishka
from litestar import Litestar
from litestar.types import ControllerRouterHandler, Receive, Scope, Send

from domain.errors import NotFound
from entrypoints.http.admin import CONTROLLERS
from entrypoints.http.authorization import check_complete
from entrypoints.http.docs import docs_handlers
from entrypoints.http.edge.gateway import GatewayApp
from entrypoints.http.errors import answer_error
from entrypoints.http.health import HealthController
from entrypoints.http.inference.documented import documented_handlers
from entrypoints.http.inference.routes import INFERENCE_ROUTES
from entrypoints.http.openapi import openapi_document
from entrypoints.http.services import HttpServices


def create_http_app(services: HttpServices) -> GatewayApp:
    """The outer ASGI application. Raises at start where a route has no row in the authorization matrix (S-06)."""

    async def infer(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
        """The edge serves these routes; what gets here has a provider id in its path that no provider can have."""
        raise NotFound("There is no such provider.", code="provider_not_found")

    documented: list[ControllerRouterHandler] = [*documented_handlers(INFERENCE_ROUTES, infer), *_controllers()]
    app = Litestar(
        [*documented, *docs_handlers(api_document)],
        openapi_config=None,
        exception_handlers={Exception: answer_error},
        logging_config=None,
        debug=False,
    )
    setup_dishka(services.container, app)
    check_complete(app)
    return GatewayApp(services, INFERENCE_ROUTES, app)


def api_document() -> bytes:
    """The OpenAPI document as JSON, without a running gateway."""

    async def nothing_runs(*_: object) -> None:
        raise AssertionError("these routes are only described")

    documented = documented_handlers(INFERENCE_ROUTES, nothing_runs)
    return openapi_document([*documented, *_controllers()], INFERENCE_ROUTES)


def _controllers() -> Sequence[ControllerRouterHandler]:
    return (HealthController, *CONTROLLERS)
