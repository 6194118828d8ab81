"""Tells an export from a page of a list, wherever either may be asked for, and has it noted."""

from typing import cast

from dishka import AsyncContainer
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.types import HTTPScope

from application.audit.exports import ExportTrail
from domain.actors import Actor


async def note_export(connection: ASGIConnection[HTTPRouteHandler, object, object, State], actor: Actor) -> None:
    """For the guards of `/admin` and `/me`: what asks for another `format` than JSON is noted. Raises
    `StoreUnavailable`.
    """
    scope = cast(HTTPScope, connection.scope)
    if scope["method"] != "GET":
        return
    query = {name: str(value) for name, value in connection.query_params.items()}
    if query.get("format", "json") in ("", "json") or not scope["path_template"].startswith(("/admin/", "/me/")):
        return
    container: AsyncContainer = connection.app.state.dishka_container
    trail = await container.get(ExportTrail)
    await trail.note(actor, f"GET {scope['path_template']}", query)
