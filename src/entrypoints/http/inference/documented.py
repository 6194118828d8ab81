"""Inference routes as Litestar sees them: described there, served by the edge before Litestar is asked."""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated

from litestar import Request, delete, get, post
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import Body, JSONBody
from litestar.types import ASGIApp

from entrypoints.http.inference.route import InferenceRoute


def documented_handlers(routes: Iterable[InferenceRoute], serve: ASGIApp) -> list[HTTPRouteHandler]:
    """A handler for each route and each way it is addressed. `serve` answers what the edge has let through."""
    return [
        _handler(route, path, serve, pinned=pinned)
        for route in routes
        for path, pinned in ((route.path, False), (f"/{{provider:str}}{route.path}", True))
        if route.pinned or not pinned
    ]


def _handler(route: InferenceRoute, path: str, serve: ASGIApp, *, pinned: bool) -> HTTPRouteHandler:
    async def at_once(request: Request[object, object, State]) -> ASGIApp:  # noqa: ARG001
        """Answer before Litestar reads or parses anything."""
        return serve

    decorate: Callable[..., Callable[..., HTTPRouteHandler]] = _DECORATORS[route.method]
    handler = decorate(
        _as_pattern(path),
        status_code=route.status,
        operation_id=route.operation_id + ("AtProvider" if pinned else ""),
        name=route.operation_id + ("AtProvider" if pinned else ""),
        tags=[route.tag],
        summary=route.summary + (", at one provider" if pinned else ""),
        description=route.description,
        responses={route.status: _success(route), **route.errors},
        before_request=at_once,
    )
    request_type = route.request

    if request_type is None:

        async def answer() -> ASGIApp:
            return serve

        return handler(answer)

    if route.request_type != "application/json":
        form = Annotated[request_type, Body(media_type=route.request_type)]  # type: ignore[valid-type]  # at run time

        async def answer_form(data: form) -> ASGIApp:  # noqa: ARG001 - read at run time
            return serve

        return handler(answer_form)

    async def answer_body(data: JSONBody[request_type]) -> ASGIApp:  # type: ignore[valid-type]  # noqa: ARG001 - read at run time
        return serve

    return handler(answer_body)


def _as_pattern(path: str) -> str:
    """As Litestar writes parameters. It knows none with something behind them in their segment: those stay words."""
    if "}:" in path.rpartition("/")[2]:
        return path
    return path.replace("{model}", "{model:path}").replace("{response_id}", "{response_id:str}")


_DECORATORS = {"GET": get, "POST": post, "DELETE": delete}


def _success(route: InferenceRoute) -> ResponseSpec:
    examples: Sequence[Example] = [Example(summary="An answer", value=route.response_example)]
    description = "The answer; a stream of server-sent events where asked for" if route.streams else "The answer"
    return ResponseSpec(
        route.response,
        generate_examples=False,
        description=description,
        examples=list(examples),
        media_type=route.response_type,
    )
