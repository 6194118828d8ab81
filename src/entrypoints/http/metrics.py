"""`GET /metrics`: Prometheus' text for whoever `OMG_METRICS` lets read it."""

import ipaddress
from typing import Literal

import msgspec
from dishka import AsyncContainer
from litestar import Controller, Request, Response, get
from litestar.datastructures import State
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import Example

from application.admission.authentication import AdminAuthenticator
from application.telemetry.page import MetricsPage
from domain.authority import Right, denied, reach
from domain.errors import NotFound
from entrypoints.http.edge.head import Head, extract_token

MetricsMode = Literal["loopback", "token", "public", "off"]

_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-real-ip")
"""Headers of a request that somebody else sent on: the address it comes from is that one's."""

_EXAMPLE = """# HELP omg_requests_total Requests that ended, refused ones included.
# TYPE omg_requests_total counter
omg_requests_total{endpoint="chat.completions",provider="demo-a",model="demo",outcome="ok"} 42.0
"""


class MetricsAccess(msgspec.Struct, frozen=True):
    """Who may read: callers on this machine or with an admin token, only the latter, everybody, or nobody."""

    mode: MetricsMode


class MetricsController(Controller):
    path = "/metrics"
    tags = ("Health",)

    @get(
        operation_id="getMetrics",
        summary="Read the metrics",
        description="Prometheus' text format (OpenMetrics for whoever asks for it): sums of all workers behind this "
        "port. `OMG_METRICS` says who may read it: callers on this machine (the default), with an admin token (which "
        "opens it from elsewhere by default too), everybody, or nobody (404).",
        media_type="text/plain",
        responses={
            200: ResponseSpec(
                str,
                generate_examples=False,
                media_type="text/plain",
                description="The metrics",
                examples=[Example(summary="A counter", value=_EXAMPLE)],
            )
        },
    )
    async def metrics(self, request: Request[object, object, State]) -> Response[bytes]:
        container: AsyncContainer = request.app.state.dishka_container
        mode = (await container.get(MetricsAccess)).mode
        if mode == "off":
            raise NotFound("Metrics are switched off here (OMG_METRICS).", code="not_found")
        head = Head(request.scope["headers"])
        local = mode == "loopback" and not head.credentials and _is_local(request)  # who shows a key is held to it
        if mode != "public" and not local:
            await _require_admin(extract_token(head), container)
        page = await container.get(MetricsPage)
        text = await page.text(request.headers.get("accept", ""))
        return Response(text.body, headers={"content-type": text.content_type})


async def _require_admin(token: str | None, container: AsyncContainer) -> None:
    """Raises `Unauthenticated`, `PermissionDenied`."""
    authenticator = await container.get(AdminAuthenticator)
    actor = await authenticator.authenticate(token)
    if not reach(actor, Right.PLATFORM_READ).everywhere:
        raise denied()


def _is_local(request: Request[object, object, State]) -> bool:
    """Whether a program on this machine asks, and not for somebody else."""
    client = request.scope["client"]
    if client is None or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        address = ipaddress.ip_address(client[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
