"""Every route × every principal × every carrier (T-S1, S-05, S-06, S-26, P-12). Start has checked the rows."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from application.admin.virtual_keys import NewVirtualKey, VirtualKeyChange
from domain.keys import ADMIN_TOKEN_PREFIX, VIRTUAL_KEY_PREFIX, generate_key
from entrypoints.http.authorization import MATRIX, Access
from entrypoints.http.edge.gateway import PROBES
from tests.builders import a_provider, a_provider_key
from tests.fakes.pipeline import FakePipeline
from tests.integration.admin_app import ADMIN_TOKEN, AdminApp

CARRIERS = {
    "bearer": ("authorization", "Bearer {}"),
    "bare": ("authorization", "{}"),
    "x-api-key": ("x-api-key", "{}"),
    "api-key": ("api-key", "{}"),
    "x-goog-api-key": ("x-goog-api-key", "{}"),
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
CHAT = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'


@pytest.fixture
async def app() -> AdminApp:
    groq = a_provider("groq", owner="environment")
    return await AdminApp.make([groq], [a_provider_key("pk_env_groq", "groq", owner="environment")])


@pytest.fixture
async def anyone(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client(None) as client:
        yield client


async def principals(app: AdminApp) -> dict[str, str]:
    keys = app.fakes.virtual_keys
    _, client_key = await keys.create(NewVirtualKey())
    revoked, revoked_secret = await keys.create(NewVirtualKey())
    await keys.revoke(revoked.id)
    expired, expired_secret = await keys.create(NewVirtualKey())
    await keys.update(expired.id, VirtualKeyChange(expires_at=app.fakes.clock.now() - timedelta(seconds=1)))
    return {
        "client": client_key.reveal(),
        "admin": ADMIN_TOKEN,
        "revoked": revoked_secret.reveal(),
        "expired": expired_secret.reveal(),
        "unknown": generate_key(VIRTUAL_KEY_PREFIX).reveal(),
        "another admin": generate_key(ADMIN_TOKEN_PREFIX).reveal(),
        "malformed": client_key.reveal()[:-1] + "!",
        "short": "x",
    }


def address(template: str) -> str:
    values = {
        "provider_id": "nobody",
        "key_id": "nothing",
        "provider": "groq",
        "model": "m",
        "name": "nothing.js",
        "request_id": "req_none",
    }
    for name, value in values.items():
        template = template.replace("{" + name + "}", value)
    assert "{" not in template
    return template


def admitted(answer: httpx.Response) -> bool:
    if answer.status_code in (401, 403):
        assert set(answer.json()) - {"type"} == {"error", "request_id"}  # Anthropic's shape has a type on top
        return False
    assert answer.status_code < 500, answer.text
    return True


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_only_whom_the_matrix_names_gets_in(app: AdminApp, anyone: httpx.AsyncClient, carrier: str) -> None:
    header, form = CARRIERS[carrier]
    who = {Access.CLIENT: {"client"}, Access.ADMIN: {"admin"}}
    wrong = []
    for name, token in (await principals(app)).items():
        for (method, template), access in MATRIX.items():
            content = CHAT if template.endswith("completions") else b""
            answer = await anyone.request(
                method, address(template), headers={header: form.format(token)}, content=content
            )
            expected = access is Access.PUBLIC or name in who[access]
            if admitted(answer) != expected:
                wrong.append((name, method, template, answer.status_code))

    assert wrong == []


async def test_anyone_gets_only_what_is_public(app: AdminApp, anyone: httpx.AsyncClient) -> None:
    """Whatever the method: P-12. OPTIONS tells the methods of a path and nothing else."""
    wrong = []
    for template in {template for _, template in MATRIX}:
        for method in METHODS:
            answer = await anyone.request(method, address(template), content=CHAT if method == "POST" else b"")
            asked_as = "GET" if method == "HEAD" else method
            public = MATRIX.get((asked_as, template)) is Access.PUBLIC
            if method == "OPTIONS" and answer.status_code == 204:
                assert answer.content == b""
            elif answer.is_success and not public:
                wrong.append((method, template, answer.status_code))
            elif template.startswith("/health") and public:
                assert len(answer.content) <= 200  # S-26

    assert wrong == []
    pipeline = app.services.pipeline
    assert isinstance(pipeline, FakePipeline)
    assert pipeline.calls == []


@pytest.mark.parametrize(
    "path", ["/models", "//v1/models", "/v1/models/", "/v1/v1/models", "/groq/models", "/groq/v1/models/"]
)
async def test_a_forgiven_address_asks_for_a_key_too(anyone: httpx.AsyncClient, path: str) -> None:
    assert not admitted(await anyone.get(path))


@pytest.mark.parametrize(
    "path", ["/admin", "/admin/", "//admin/providers", "/admin//providers", "/ADMIN/providers", "/admin/nothing"]
)
async def test_an_odd_admin_address_answers_nothing(anyone: httpx.AsyncClient, path: str) -> None:
    assert (await anyone.get(path)).status_code in (401, 404)


async def test_a_probe_tells_nothing_but_that_someone_is_there(anyone: httpx.AsyncClient) -> None:
    for path in PROBES:
        answer = await anyone.get(path)
        assert answer.status_code == 200
        assert len(answer.content) <= 200
        assert "0.1" not in answer.text


@pytest.mark.parametrize("path", ["/admin/providers", "/v1/models"])
async def test_two_different_keys_in_one_request_are_refused(
    app: AdminApp, anyone: httpx.AsyncClient, path: str
) -> None:
    """S-05."""
    known = await principals(app)
    headers = {"authorization": f"Bearer {known['admin']}", "x-api-key": known["client"]}

    assert (await anyone.get(path, headers=headers)).status_code == 400


@pytest.mark.parametrize("path", ["/admin/providers", "/v1/models"])
async def test_a_key_in_the_address_is_refused(anyone: httpx.AsyncClient, path: str) -> None:
    """S-05: addresses end up in logs."""
    assert (await anyone.get(f"{path}?key={ADMIN_TOKEN}")).status_code == 400


async def test_no_failure_of_authentication_lets_a_request_in(app: AdminApp) -> None:
    """S-06: whatever goes wrong, the handler is not entered."""
    app.fakes.store.broken = True
    async with app.client() as admin:
        away = await admin.post("/admin/keys", json={})
    app.fakes.store.broken = False

    def digests(key: str) -> tuple[bytes, ...]:
        raise RuntimeError("the hasher is broken")

    app.fakes.hasher.digests = digests  # type: ignore[method-assign]  # a fault no fake of its own is worth
    async with app.client() as admin:
        broken = await admin.post("/admin/keys", json={})

    assert (away.status_code, broken.status_code) == (503, 503)
    async with app.fakes.store.read() as unit:
        assert await unit.virtual_keys.list_page(10, None) == []
