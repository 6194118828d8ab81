"""Builds the HTTP application: Litestar behind the edge."""

from collections.abc import Sequence

from dishka.integrations.litestar import setup_dishka
from litestar import Litestar
from litestar.types import ControllerRouterHandler, Receive, Scope, Send

from domain.errors import NotFound
from entrypoints.http.admin import CONTROLLERS
from entrypoints.http.auth.issuers import IssuerController
from entrypoints.http.auth.routes import AuthController
from entrypoints.http.authorization import REFUSALS, answer_and_note, check_complete
from entrypoints.http.chat import CHAT_ROUTES
from entrypoints.http.chat import CONTROLLERS as CHAT_CONTROLLERS
from entrypoints.http.docs import docs_handlers
from entrypoints.http.edge.gateway import GatewayApp
from entrypoints.http.health import HealthController
from entrypoints.http.inference.documented import documented_handlers
from entrypoints.http.inference.routes import INFERENCE_ROUTES
from entrypoints.http.me import CONTROLLERS as OWN_CONTROLLERS
from entrypoints.http.metrics import MetricsController
from entrypoints.http.openapi import openapi_document
from entrypoints.http.services import HttpServices
from entrypoints.http.versions import send_version, with_current
from entrypoints.web.pages import WebPages, web_handlers

_ROUTES = (*INFERENCE_ROUTES, *CHAT_ROUTES)


def create_http_app(services: HttpServices) -> GatewayApp:
    """The outer ASGI application. Raises at start where a route has no row in the authorization matrix (S-06)."""
    return serving(services, route_table(services.pages, services.edge.base_path))


def route_table(pages: WebPages, base_path: str) -> Litestar:
    """Every route below the edge, with nothing behind it yet: its making costs most of a second of CPU."""

    async def infer(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
        """The edge serves these routes; what gets here has a provider id in its path that no provider can have."""
        raise NotFound("There is no such provider.", code="provider_not_found")

    documented: list[ControllerRouterHandler] = [*documented_handlers(_ROUTES, infer), *_controllers()]
    app = Litestar(
        [*documented, *docs_handlers(lambda: api_document(base_path), base_path), *web_handlers(pages)],
        openapi_config=None,
        exception_handlers={Exception: answer_and_note},
        before_send=[send_version],
        logging_config=None,
        debug=False,
    )
    check_complete(app)
    return app


def serving(services: HttpServices, app: Litestar) -> GatewayApp:
    """`app`, a table of routes that nothing else serves, with `services` behind it."""
    app.state[REFUSALS] = services.refusals
    setup_dishka(services.container, app)
    return GatewayApp(services, _ROUTES, with_current(app))


def api_document(base_path: str = "") -> bytes:
    """The OpenAPI document as JSON, without a running gateway. Its paths are below `base_path`, if there is one."""

    async def nothing_runs(*_: object) -> None:
        raise AssertionError("these routes are only described")

    documented = documented_handlers(_ROUTES, nothing_runs)
    return openapi_document([*documented, *_controllers()], _ROUTES, base_path)


def _controllers() -> Sequence[ControllerRouterHandler]:
    return (
        HealthController, MetricsController, AuthController, IssuerController, *OWN_CONTROLLERS, *CONTROLLERS,
        *CHAT_CONTROLLERS,
    )  # fmt: skip
