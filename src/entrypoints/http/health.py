"""`/health/live` and `/health/ready`: status words for whoever asks, and no call upstream (S-26, R-38, R-40)."""

from typing import Literal

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, Response, get
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import Example

from application.admin.store_watch import StoreWatch
from domain.ports.ledger import Ledger
from entrypoints.http.edge.drain import DrainState


class HealthStatus(msgspec.Struct, frozen=True):
    """One word."""

    status: Literal["ok", "ready", "draining", "database_away", "usage_unwritable"]


def _words(description: str, *statuses: str) -> ResponseSpec:
    return ResponseSpec(
        HealthStatus,
        generate_examples=False,
        description=description,
        examples=[Example(summary=status, value={"status": status}) for status in statuses],
    )


class HealthController(Controller):
    path = "/health"
    tags = ("Health",)

    @get(
        "/live",
        operation_id="getLiveness",
        summary="Is the process alive",
        description="200 for as long as the process answers at all. It looks at nothing else: a database that is "
        "away is no reason to restart the gateway.",
        responses={200: _words("Alive", "ok")},
    )
    async def live(self) -> HealthStatus:
        return HealthStatus("ok")

    @get(
        "/ready",
        operation_id="getReadiness",
        summary="Should requests be sent here",
        description="200 while requests can be served. 503 while the gateway drains before it stops, and when the "
        "database has been away for longer than known keys are served without it (60 s), or usage cannot be written "
        "down because the disk refuses or the spool is full. Cached for a second.",
        responses={
            200: _words("Requests are welcome", "ready"),
            503: _words("Send requests elsewhere", "draining", "database_away", "usage_unwritable"),
        },
    )
    @inject
    async def ready(
        self, watch: FromDishka[StoreWatch], drain: FromDishka[DrainState], ledger: FromDishka[Ledger]
    ) -> Response[HealthStatus]:
        if drain.draining:
            return Response(HealthStatus("draining"), status_code=503)
        if not await watch.ready():
            return Response(HealthStatus("database_away"), status_code=503)
        if not ledger.writable:
            return Response(HealthStatus("usage_unwritable"), status_code=503)
        return Response(HealthStatus("ready"))
