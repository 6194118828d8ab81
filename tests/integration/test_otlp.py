"""Traces and metrics of the whole application, at a collector (contract 13)."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from typing_extensions import override

from entrypoints.app import create_app
from entrypoints.settings.loading import load_settings
from tests.otlp_collector import Collector, attributes, running_collector

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ADMIN = "kP7vQ2mX9dL4sR8tW3yB6nF1hJ5cG0zA"
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "ANSWERED TEXT"}}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
}


class Upstream(ThreadingHTTPServer):
    """Answers the first call with an error and every other one; keeps the headers of all."""

    daemon_threads = True

    def __init__(self) -> None:
        self.headers: list[dict[str, str]] = []
        super().__init__(("127.0.0.1", 0), _Answering)


class _Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(200, {"object": "list", "data": [{"id": "m", "object": "model"}]})

    def do_POST(self) -> None:
        upstream = self.server
        assert isinstance(upstream, Upstream)
        self.rfile.read(int(self.headers["content-length"]))
        upstream.headers.append({name.lower(): value for name, value in self.headers.items()})
        first = len(upstream.headers) == 1
        self._answer(500 if first else 200, {"error": {"message": "PROMPT TEXT again"}} if first else ANSWER)

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        encoded = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """A test prints nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with running_collector() as running:
        yield running


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
async def answered(tmp_path: Path, collector: Collector, upstream: Upstream) -> httpx.Response:
    """One request of a client that traces, served in a second call, by a gateway that has stopped since."""
    environ = {
        "OMG_DATA_DIR": str(tmp_path / "data"),
        "OMG_ADMIN_TOKEN": ADMIN,
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
    }
    async with create_app(load_settings(environ=environ, folder=tmp_path)).running() as app:
        made = app.first_start
        assert made is not None
        assert made.virtual_key is not None
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # ASGI
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            admin = {"authorization": f"Bearer {ADMIN}"}
            base_url = f"http://127.0.0.1:{upstream.server_port}/v1"
            body = {"id": "up", "kind": "openai", "base_url": base_url}
            assert (await client.post("/admin/providers", json=body, headers=admin)).status_code == 201
            key = {"label": "one", "secret": "sk-of-the-provider"}
            assert (await client.post("/admin/providers/up/keys", json=key, headers=admin)).status_code == 201
            headers = {
                "authorization": f"Bearer {made.virtual_key.reveal()}",
                "traceparent": f"00-{TRACE}-{PARENT}-01",
                "tracestate": "vendor=1",
            }
            ask = {"model": "up/m", "messages": [{"role": "user", "content": "PROMPT TEXT"}]}
            answer = await client.post("/v1/chat/completions", json=ask, headers=headers)
    return answer


async def test_a_request_and_its_calls_are_spans_of_the_callers_trace_and_providers_are_told(
    answered: httpx.Response, collector: Collector, upstream: Upstream
) -> None:
    assert answered.status_code == 200
    calls = [span for span in collector.spans if span.kind == Span.SPAN_KIND_CLIENT]
    (request,) = (span for span in collector.spans if span.kind == Span.SPAN_KIND_SERVER)
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
    assert [call.parent_span_id for call in calls] == [request.span_id] * 2
    assert [told["traceparent"] for told in upstream.headers] == [f"00-{TRACE}-{c.span_id.hex()}-01" for c in calls]
    assert [told["tracestate"] for told in upstream.headers] == ["vendor=1"] * 2
    assert [attributes(call)["omg.outcome"] for call in calls] == ["server_error", "ok"]
    facts = attributes(request)
    assert (facts["gen_ai.usage.input_tokens"], facts["gen_ai.usage.output_tokens"]) == (7, 3)
    assert facts["omg.request_id"] == answered.headers["x-request-id"]
    assert request.start_time_unix_nano <= calls[0].start_time_unix_nano <= calls[1].start_time_unix_nano
    assert "gen_ai.client.token.usage" in {metric.name for metric in collector.metrics}
    for text in (b"PROMPT TEXT", b"ANSWERED TEXT", b"sk-of-the-provider"):
        assert text not in collector.raw


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "present"), [({}, False), ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, True)], ids=str
)
def test_a_gateway_that_is_watched_by_nobody_imports_nothing_for_it(
    tmp_path: Path, variables: dict[str, str], present: bool
) -> None:
    program = """
import asyncio, json, sys
from pathlib import Path
from entrypoints.lean_start import import_without_unused_parts
import_without_unused_parts()
from entrypoints.app import create_app
from entrypoints.settings.loading import load_settings

async def main():
    environ = json.loads(sys.argv[1])
    async with create_app(load_settings(environ=environ, folder=Path(environ["OMG_DATA_DIR"]))).running():
        names = {name.partition(".")[0] for name in sys.modules}
    print(json.dumps(sorted(names & {"opentelemetry", "prometheus_client", "requests"})))

asyncio.run(main())
"""
    environ = {"OMG_DATA_DIR": str(tmp_path), "OMG_DEMO": "true", "OMG_LOG_LEVEL": "error"} | variables
    done = subprocess.run([sys.executable, "-c", program, json.dumps(environ)], capture_output=True, check=True)

    imported = json.loads(done.stdout.decode().splitlines()[-1])
    assert ("opentelemetry" in imported, "requests" in imported) == (present, present)
    assert "prometheus_client" not in imported
