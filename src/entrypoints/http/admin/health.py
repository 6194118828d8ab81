"""`GET /admin/health`: what an operator looks at first."""

from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, get

from application.admin.health import Health, HealthReport
from entrypoints.http.admin.operations import READ_ERRORS, example
from entrypoints.http.authorization import require_admin

_EXAMPLE = {
    "status": "ok",
    "version": "0.1.0",
    "uptime_seconds": 86400.0,
    "config_version": 12,
    "database": {"status": "ok"},
    "usage": {
        "writable": True,
        "waiting_records": 3,
        "lag_seconds": 0.4,
        "spool_bytes": 16777216,
        "torn_records": 0,
        "dropped_records": 0,
    },
    "idempotency": {"answers": 12, "bytes": 20480, "replays": 2},
    "providers": [
        {
            "id": "cerebras",
            "status": "unhealthy",
            "available_at": "2026-11-21T12:00:30Z",
            "reason": "Too many calls in a row failed.",
            "breaker": "open",
            "keys": 1,
            "keys_available": 1,
        }
    ],
}


class AdminHealthController(Controller):
    path = "/admin/health"
    tags = ("Health",)
    guards = (require_admin,)

    @get(
        operation_id="getHealth",
        summary="Look at the gateway's health",
        description="Database, the way of usage into it, providers with their breakers, version and uptime. Answered "
        "from memory, one cached database ping and one sum; no provider is called. `degraded` while the database is "
        "away, usage cannot be written down, or no provider is available.",
        responses={200: example(_EXAMPLE, "The health", Health), **READ_ERRORS},
    )
    @inject
    async def report(self, health: FromDishka[HealthReport]) -> Health:
        return await health.report()
