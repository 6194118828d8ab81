"""`/metrics` of the whole application: what it tells, and to whom (contract 3 and 13)."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from domain.metrics import METRICS
from entrypoints.app import GatewayProcess, create_app
from entrypoints.settings.loading import load_settings

ADMIN = "kP7vQ2mX9dL4sR8tW3yB6nF1hJ5cG0zA"
ASK = {"model": "demo", "messages": [{"role": "user", "content": "hello there"}]}
HERE, ELSEWHERE = ("127.0.0.1", 40001), ("192.0.2.7", 40001)


@asynccontextmanager
async def running(folder: Path, **environ: str) -> AsyncIterator[GatewayProcess]:
    given = {"OMG_DATA_DIR": str(folder / "data"), "OMG_DEMO": "true", "OMG_ALLOWED_HOSTS": "localhost"}
    async with create_app(load_settings(environ=given | environ, folder=folder)).running() as app:
        yield app


def client_of(app: GatewayProcess, peer: tuple[str, int] = HERE, host: str = "localhost") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=peer)  # type: ignore[arg-type]  # ASGI
    return httpx.AsyncClient(transport=transport, base_url=f"http://{host}")


def samples(text: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """As prometheus_client's parser reads them."""
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value


async def test_requests_tokens_money_and_times_are_told_as_prometheus_reads_them(tmp_path: Path) -> None:
    async with running(tmp_path) as app, client_of(app) as client:
        made = app.first_start
        assert made is not None
        assert made.virtual_key is not None
        bearer = {"authorization": f"Bearer {made.virtual_key.reveal()}"}
        plain = await client.post("/v1/chat/completions", json=ASK, headers=bearer)
        stream = await client.post("/v1/chat/completions", json=ASK | {"stream": True}, headers=bearer)
        answer = await client.get("/metrics")
        modern = await client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})

    assert (plain.status_code, stream.status_code, answer.status_code) == (200, 200, 200)
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert modern.text.endswith("# EOF\n")
    found = list(samples(answer.text))
    went_to = {"endpoint": "chat.completions", "provider": "demo-a", "model": "demo"}
    assert ("omg_requests_total", went_to | {"outcome": "ok"}, 2.0) in found
    assert ("omg_upstream_attempts_total", {"provider": "demo-a", "outcome": "ok"}, 2.0) in found
    assert (
        "omg_time_to_first_token_seconds_count",
        {"endpoint": "chat.completions", "provider": "demo-a"},
        1.0,
    ) in found
    assert ("omg_request_duration_seconds_count", {"endpoint": "chat.completions", "provider": "demo-a"}, 2.0) in found
    assert ("omg_provider_available", {"provider": "demo-a"}, 1.0) in found
    assert ("omg_breaker_state", {"provider": "demo-a"}, 0.0) in found
    assert ("omg_store_up", {"store": "database"}, 1.0) in found
    assert ("omg_inflight_requests", {}, 0.0) in found
    assert sum(value for name, _, value in found if name == "omg_cost_usd_total") > 0
    families = {family.name: family.type for family in text_string_to_metric_families(answer.text)}
    told = {metric.name.removesuffix("_total"): metric.kind for metric in METRICS if "subject" not in metric.name}
    assert families.items() <= told.items()


async def test_by_default_this_machine_reads_metrics_and_others_need_an_admin_token(tmp_path: Path) -> None:
    async with running(tmp_path, OMG_ADMIN_TOKEN=ADMIN) as app:
        made = app.first_start
        assert made is not None
        assert made.virtual_key is not None
        admin = {"authorization": f"Bearer {ADMIN}"}
        key = {"authorization": f"Bearer {made.virtual_key.reveal()}"}
        async with (
            client_of(app) as here,
            client_of(app, ELSEWHERE) as elsewhere,
            client_of(app, host="evil.example") as r,
        ):
            statuses = {
                "here": (await here.get("/metrics")).status_code,
                "for somebody else": (await here.get("/metrics", headers={"x-forwarded-for": "192.0.2.7"})).status_code,
                "here, with a key": (await here.get("/metrics", headers=key)).status_code,
                "a page's own name": (await r.get("/metrics")).status_code,
                "a page's own name, no key": (await r.get("/metrics", headers={"authorization": "Bearer"})).status_code,
                "elsewhere": (await elsewhere.get("/metrics")).status_code,
                "elsewhere, with a key": (await elsewhere.get("/metrics", headers=key)).status_code,
                "elsewhere, admin": (await elsewhere.get("/metrics", headers=admin)).status_code,
            }

    assert statuses == {
        "here": 200,
        "for somebody else": 401,
        "here, with a key": 401,
        "a page's own name": 400,
        "a page's own name, no key": 401,
        "elsewhere": 401,
        "elsewhere, with a key": 401,
        "elsewhere, admin": 200,
    }


@pytest.mark.parametrize(
    ("mode", "here", "by_address", "with_token"),
    [("loopback", 200, 400, 200), ("token", 401, 400, 200), ("public", 200, 200, 200), ("off", 404, 400, 404)],
)
async def test_the_setting_says_who_reads_metrics(
    tmp_path: Path, mode: str, here: int, by_address: int, with_token: int
) -> None:
    async with running(tmp_path, OMG_METRICS=mode, OMG_ADMIN_TOKEN=ADMIN) as app:
        bearer = {"authorization": f"Bearer {ADMIN}"}
        async with client_of(app) as local, client_of(app, ELSEWHERE, "10.1.2.3") as pod:
            statuses = (
                (await local.get("/metrics")).status_code,
                (await pod.get("/metrics")).status_code,
                (await pod.get("/metrics", headers=bearer)).status_code,
            )

    assert statuses == (here, by_address, with_token)
