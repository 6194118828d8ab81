"""No secret is found where it does not belong: debug logs, answers, errors, database, pages (S-21, S-22)."""

import base64
import re
import secrets
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from domain.keys import VIRTUAL_KEY_PREFIX, generate_key
from tests.e2e.processes import Gateway, Simulator

pytestmark = pytest.mark.process

ASK = [{"role": "user", "content": "hello there"}]
OUR_KEYS = re.compile(rb"(sk-omg-|omg-admin-)[0-9A-Za-z]{38}")
FAULTS = (
    "sim-leak-401 sim-leak-403 sim-leak-400 sim-leak-429 sim-leak-500 sim-401 sim-429 sim-500 sim-reset "
    "sim-cut-after-2 sim-cut-after-0 sim-bad-json sim-html-200 sim-error-event-after-2 sim-error-200 "
    "sim-302 sim-nonsense sim-echo"
).split()


class Witness:
    """Keeps every byte the gateway sent us."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.heard: list[bytes] = []

    def ask(self, method: str, path: str, *, token: str | None = None, **body: Any) -> Any:
        """Call, remember the whole answer, and return it."""
        headers = {"authorization": f"Bearer {token or self._gateway.key}"}
        answer = self._gateway.http.request(method, path, headers=headers, json=body or None)
        self.heard += [answer.content, repr(answer.headers.raw).encode()]
        return answer

    def admin(self, method: str, path: str, **body: Any) -> Any:
        """The same with the admin's token."""
        return self.ask(method, f"/admin{path}", token=self._gateway.admin_token, **body)


@pytest.fixture(scope="module")
def master_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, master_key: str) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("guarded"), OMG_MASTER_KEYS=f"k1:{master_key}") as running:
        yield running


def test_no_canary_is_found_outside_its_place(guarded: Gateway, simulator: Simulator, master_key: str) -> None:
    provider_key, renewed_key = (f"canary-upstream-{secrets.token_hex(16)}" for _ in range(2))
    unknown_key = generate_key(VIRTUAL_KEY_PREFIX).reveal()
    witness = Witness(guarded)
    simulator.script("canary", behaviours={})

    created = witness.admin(
        "POST", "/providers", id="canary", kind="openai", name="Canary", base_url=simulator.base_url("canary")
    )
    key = witness.admin("POST", "/providers/canary/keys", label="main", secret=provider_key)
    assert (created.status_code, key.status_code) == (201, 201)
    made = guarded.admin.post("/keys", json={"name": "client"}).json()  # the one answer that may hold its secret
    provoke(witness, made["secret"], unknown_key)
    witness.admin("PATCH", f"/providers/canary/keys/{key.json()['id']}", secret=renewed_key)
    provoke(witness, made["secret"], unknown_key)
    look_around(witness, key.json()["id"], made["id"])
    assert any(renewed_key in str(call["headers"]) for call in simulator.requests("canary")), "nothing was provoked"
    guarded.stop()

    canaries = [provider_key, renewed_key, unknown_key, made["secret"], guarded.key, guarded.admin_token, master_key]
    places = {
        "an answer": b"\n".join(witness.heard),
        "the log": guarded.output.encode(),
        **{path.name: path.read_bytes() for path in guarded.data.rglob("*") if path.is_file()},
    }
    assert len(places["the log"]) > 1000, "nothing was logged"
    assert any(name.endswith(".db") for name in places), "there is no database file"
    assert [leak for place, content in places.items() for leak in leaks(place, content, canaries)] == []


def leaks(place: str, content: bytes, canaries: Iterable[str]) -> Iterator[str]:
    """Where a canary, plain or in base64, or anything shaped like a key of ours is found, with what surrounds it."""
    forms = [form for canary in canaries for form in (canary.encode(), base64.b64encode(canary.encode()).rstrip(b"="))]
    patterns = [*map(re.escape, forms), OUR_KEYS.pattern]
    for found in re.finditer(b"|".join(patterns), content):
        around = content[max(found.start() - 120, 0) : found.start()] + b"<secret>" + content[found.end() :][:40]
        yield f"{place}: {around!r}"


def provoke(witness: Witness, client_key: str, unknown_key: str) -> None:
    """Every fault plain and streamed, with good and bad keys in every carrier, and bodies that cannot be read."""
    for fault in FAULTS:
        for stream in (False, True):
            body = {"model": f"canary/{fault}", "messages": ASK, "stream": stream}
            witness.ask("POST", "/v1/chat/completions", token=client_key, **body)
            witness.admin("POST", "/providers/canary/retry")
    witness.ask("GET", "/v1/models", token=unknown_key)
    witness.ask("GET", f"/v1/models?key={client_key}", token=client_key)
    witness.ask("GET", f"/{unknown_key}/v1/models", token=client_key)
    witness.ask("GET", f"/nowhere/{unknown_key}", token=client_key)
    witness.ask("GET", "/admin/providers", token=unknown_key)
    witness.ask("POST", "/v1/chat/completions", token=client_key, model="canary/m", messages=[{"role": "wizard"}])
    witness.admin("POST", "/providers", id="bad", kind="openai", name="x", base_url="nonsense", extra=unknown_key)
    witness.admin("POST", "/providers/canary/test")


def look_around(witness: Witness, provider_key_id: str, virtual_key_id: str) -> None:
    for path in (
        "/providers",
        "/providers/canary",
        "/providers/canary/keys",
        f"/providers/canary/keys/{provider_key_id}",
        "/provider-kinds",
        "/keys",
        f"/keys/{virtual_key_id}",
    ):
        witness.admin("GET", path)
    for path in ("/", "/docs", "/openapi.json", "/health/live", "/health/ready", "/v1/models", "/canary/v1/models"):
        assert witness.ask("GET", path).status_code == 200, path
    witness.admin("POST", f"/keys/{virtual_key_id}/revoke")
