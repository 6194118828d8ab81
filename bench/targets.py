"""The servers that are measured side by side: the gateway, a bare reverse proxy, an ASGI app that does nothing."""

import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec

from bench.processes import Cores, Measured, free_port, spawn, wait_ready
from bench.report import GATEWAY
from bench.samples import request_body
from domain.keys import VIRTUAL_KEY_PREFIX, generate_key

_ROOT = Path(__file__).parents[1]
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")

_NGINX_CONF = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.err crit;
events {{ worker_connections 4096; multi_accept on; }}
http {{
  access_log off; tcp_nodelay on; keepalive_requests 1000000000; keepalive_timeout 600s; client_body_buffer_size 64k;
  client_body_temp_path {folder}/cb; proxy_temp_path {folder}/pt; fastcgi_temp_path {folder}/ft;
  uwsgi_temp_path {folder}/ut; scgi_temp_path {folder}/st;
  upstream mock {{ server 127.0.0.1:{upstream}; keepalive 512; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection ''; proxy_buffering off;
    }}
  }}
}}
"""


class Target(msgspec.Struct):
    """Something that answers chat completions on a port. `server` is None for the upstream asked directly."""

    name: str
    port: int
    key: str
    server: Measured | None
    ready_seconds: float = 0.0
    idle_mib: float = 0.0


def upstream(cores: Cores, folder: Path) -> tuple[Target, Measured]:
    """The mock provider, itself the first target: what the load generator can do at most."""
    port = free_port()
    server = spawn("upstream", cores.rest([sys.executable, "-m", "bench.upstream", str(port)]), folder)
    wait_ready(server, f"http://127.0.0.1:{port}/v1/models")
    return Target("upstream", port, "none", None), server


def nginx(cores: Cores, folder: Path, upstream_port: int, executable: str) -> Target:
    """nginx as a reverse proxy with kept connections and no buffering: the bare proxy."""
    port = free_port()
    conf = folder / "nginx.conf"
    conf.write_text(_NGINX_CONF.format(folder=folder, upstream=upstream_port, port=port), encoding="utf-8")
    server = spawn("nginx", cores.measured([executable, "-c", str(conf), "-p", str(folder)]), folder)
    return _ready("nginx", port, server)


def asgi(cores: Cores, folder: Path, upstream_port: int, app: str) -> Target:
    """One of `bench.references`, served as the gateway is."""
    port = free_port()
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    command = [sys.executable, "-m", "uvicorn", f"bench.references:{app}", "--port", str(port), *options]
    env = {"BENCH_UPSTREAM_PORT": str(upstream_port)}
    return _ready(f"asgi-{app}", port, spawn(f"asgi-{app}", cores.measured(command), folder, env))


def own_omg() -> list[str]:
    """The command `omg` of the environment that runs the benchmark."""
    return [str(Path(sys.executable).with_name("omg"))]


def production_omg(folder: Path) -> list[str]:
    """`omg` of a new environment in `folder`, with what a deployment installs and nothing more."""
    environment = folder / "environment"
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise FileNotFoundError("--production makes an environment with uv, which is not on the PATH: pip install uv")
    settings = {"UV_PROJECT_ENVIRONMENT": str(environment), "VIRTUAL_ENV": ""}
    subprocess.run([uv, "sync", "--no-dev", "--quiet"], env={**os.environ, **settings}, cwd=_ROOT, check=True)
    return [str(environment / "bin" / "omg")]


def gateway(cores: Cores, folder: Path, upstream_port: int, omg: list[str]) -> Target:
    """`omg serve` with all default features, a fresh database and one provider: the mock."""
    port, key = free_port(), generate_key(VIRTUAL_KEY_PREFIX).reveal()
    config = folder / "omg.yaml"
    config.write_text(
        "providers:\n  - id: bench\n    kind: openai\n    name: Benchmark upstream\n"
        f"    base_url: http://127.0.0.1:{upstream_port}/v1\n"
        f"    keys: [{{label: bench, secret: {secrets.token_hex(16)}}}]\n",
        encoding="utf-8",
    )
    command = cores.measured([*omg, "serve", "--port", str(port), "--config", str(config)])
    env = {"OMG_DATA_DIR": str(folder / "data"), "OMG_BOOTSTRAP_KEY": key, "OMG_LOG_LEVEL": "info"}
    for name in os.environ:
        if name.endswith("_API_KEY"):
            env[name] = ""  # a key of the person who runs this must not switch a real provider on
    server = spawn(GATEWAY, command, folder, env)
    ready = wait_ready(server, f"http://127.0.0.1:{port}/health/ready")
    idle = server.rss_mib()
    target = _ready(GATEWAY, port, server, key)
    target.ready_seconds, target.idle_mib = ready, idle
    return target


def _ready(name: str, port: int, server: Measured, key: str = "none") -> Target:
    wait_ready(server, f"http://127.0.0.1:{port}/v1/chat/completions", request_body("plain"), key)
    return Target(name, port, key, server)
