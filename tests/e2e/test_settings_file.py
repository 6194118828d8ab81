"""A gateway set up by its file alone: providers that the file owns, and no client key on loopback."""

from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.processes import Gateway, Simulator
from tests.waiting import takes

pytestmark = pytest.mark.process

ASK = [{"role": "user", "content": "hello there"}]
FILE = """
auth: open
timeouts:
  request: 0.8
providers:
  - id: from-file
    kind: openai
    base_url: {url}
    priority: 5
    settings: {{models: [declared-model]}}
    keys:
      - {{secret: "env:MY_UPSTREAM_KEY", label: first}}
      - {{secret: up-second-literal-key}}
  - id: switched-off
    kind: openai
    base_url: {url}
    enabled: false
"""


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory, simulator: Simulator) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("declared")
    file = folder / "gateway.yaml"
    file.write_text(FILE.format(url=simulator.base_url("from-file")))
    with Gateway(folder, "--config", str(file), MY_UPSTREAM_KEY="up-from-the-environment") as running:
        yield running


def test_a_declared_provider_serves_with_its_keys(declared: Gateway, simulator: Simulator) -> None:
    for _ in range(6):
        answer = declared.http.post("/v1/chat/completions", json={"model": "declared-model", "messages": ASK})
        assert answer.headers["x-omg-provider"] == "from-file"

    used = {dict(call["headers"])["authorization"] for call in simulator.calls("from-file")}
    assert used == {"Bearer up-from-the-environment", "Bearer up-second-literal-key"}


def test_what_the_file_owns_is_shown_as_such_and_read_only(declared: Gateway) -> None:
    shown = declared.provider("from-file")
    changed = declared.admin.patch("/providers/from-file", json={"priority": 1})
    deleted = declared.admin.delete("/providers/from-file")

    assert (shown["owner"], shown["read_only"], shown["keys"]) == ("file", True, 2)
    assert declared.provider("switched-off")["status"] == "disabled"
    assert (changed.status_code, deleted.status_code) == (409, 409)
    assert "file" in changed.json()["error"]["message"]
    assert declared.provider("from-file")["priority"] == 5


def test_the_whole_request_has_one_deadline_over_all_attempts(declared: Gateway, simulator: Simulator) -> None:
    """R-05: two candidates of 0.5 s each, and 0.8 s for all."""
    slow = {"timeouts": {"response_headers": 0.5}, "models": ["slow-model"]}
    for name in ("slow-a", "slow-b"):
        simulator.script(name, behaviours={"slow-model": "sim-silent"})
        declared.add_provider(name, simulator.base_url(name), settings=slow)

    with takes(at_least=0.8):
        silent = {"model": "slow-model", "messages": ASK, "stream": True}
        answer = declared.http.post("/v1/chat/completions", json=silent)
    endless = {"model": "slow-a/sim-endless", "messages": ASK, "stream": True}
    with takes(at_least=0.8):
        streamed = declared.http.post("/v1/chat/completions", json=endless)

    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")
    assert [len(simulator.calls(name)) for name in ("slow-a", "slow-b")] == [2, 1]
    assert "[DONE]" not in streamed.text


def test_open_access_needs_no_key_and_no_sign_in_and_no_foreign_page_may_use_it(declared: Gateway) -> None:
    body = {"model": "from-file/m", "messages": ASK}

    assert httpx.post(f"{declared.url}/v1/chat/completions", json=body).status_code == 200
    assert httpx.get(f"{declared.url}/v1/models").status_code == 200
    assert httpx.get(f"{declared.url}/admin/providers").status_code == 200
    foreign = {"origin": "https://evil.example"}
    assert httpx.get(f"{declared.url}/admin/providers", headers=foreign).status_code == 403
    assert httpx.post(f"{declared.url}/admin/providers", headers=foreign, json={"id": "x"}).status_code == 403


def test_a_page_in_a_browser_cannot_use_open_access(declared: Gateway) -> None:
    """No CORS by default, and only loopback names are answered to."""
    body = {"model": "from-file/m", "messages": ASK}

    foreign = httpx.post(f"{declared.url}/v1/chat/completions", json=body, headers={"host": "evil.example"})
    crossed = httpx.post(f"{declared.url}/v1/chat/completions", json=body, headers={"origin": "https://evil.example"})

    assert foreign.status_code in {400, 421}
    assert "access-control-allow-origin" not in crossed.headers
