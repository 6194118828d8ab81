"""Start fails where the authorization matrix and the routes are not the same (S-06, P-12)."""

import pytest
from litestar import Litestar, delete, get, websocket
from litestar.connection import ASGIConnection, WebSocket
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler

from domain.authority import Right
from entrypoints.http import authorization
from entrypoints.http.authorization import Access, MatrixIncomplete, check_complete, require_admin

ROWS = {("GET", "/health/live"): Access.PUBLIC, ("GET", "/admin/things"): Right.PLATFORM_READ}


@get("/health/live")
async def live() -> str:
    return "ok"


@get("/admin/things", guards=[require_admin])
async def things() -> str:
    return "things"


@pytest.fixture(autouse=True)
def rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authorization, "MATRIX", ROWS)


def an_app(*handlers: BaseRouteHandler) -> Litestar:
    return Litestar(list(handlers), openapi_config=None, logging_config=None)


def test_a_row_for_every_route_is_complete() -> None:
    check_complete(an_app(live, things))


def test_a_route_without_a_row_is_named() -> None:
    @delete("/admin/things", guards=[require_admin])
    async def forgotten() -> None: ...

    with pytest.raises(MatrixIncomplete, match=r"without a row .*: DELETE /admin/things"):
        check_complete(an_app(live, things, forgotten))


def test_a_row_without_a_route_is_named() -> None:
    with pytest.raises(MatrixIncomplete, match="without a route: GET /admin/things"):
        check_complete(an_app(live))


def test_an_admin_route_without_the_guard_is_named() -> None:
    async def another_guard(_: ASGIConnection[HTTPRouteHandler, object, object, State], __: BaseRouteHandler) -> None:
        """Lets everyone in."""

    @get("/admin/things", guards=[another_guard])
    async def open_by_accident() -> str:
        return "secrets"

    with pytest.raises(MatrixIncomplete, match="without the guard of their row: GET /admin/things"):
        check_complete(an_app(live, open_by_accident))


def test_what_is_no_http_route_is_refused() -> None:
    @websocket("/socket")
    async def socket(socket: WebSocket[object, object, State]) -> None: ...

    with pytest.raises(MatrixIncomplete, match="/socket"):
        check_complete(an_app(live, things, socket))
