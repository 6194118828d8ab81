"""S-30, T-S8: signing in and bearer tokens against a real identity provider, in a process of its own."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from adapters.clock import SystemClock
from adapters.identity.configured import ConfiguredIssuers, open_issuers
from adapters.transport.client import build_transport
from adapters.transport.limits import TransportLimits
from application.admission.authentication import Authenticator
from application.admission.bearer_tokens import BearerTokens
from domain.issuers import GroupRule, Issuer
from domain.secrets import Secret
from entrypoints.app import create_app
from entrypoints.settings.loading import load_settings
from entrypoints.settings.secret_references import LocalSecretReferences
from tests.integration.admin_app import AdminApp
from tests.integration.people_to_sign_in import furnished, refused
from tests.nanoidp_process import AUDIENCE, CLIENT_ID, CLIENT_SECRET, NanoIdp, running

pytestmark = [pytest.mark.process, pytest.mark.slow]

CALLBACK = "http://localhost/auth/oidc/nano/callback"


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NanoIdp]:
    with running(tmp_path_factory.mktemp("nanoidp"), CALLBACK) as found:
        yield found


def issuer_at(idp: NanoIdp) -> Issuer:
    return Issuer(
        name="nano",
        issuer=idp.url,
        client_id=CLIENT_ID,
        client_secret=Secret(CLIENT_SECRET),
        audience=AUDIENCE,
        bearer=True,
        groups=(GroupRule("users", "ten_default"), GroupRule("leads", "ten_default", "admin")),
    )


def opened_at(idp: NanoIdp) -> ConfiguredIssuers:
    return open_issuers(
        [issuer_at(idp)],
        lambda guard: build_transport("httptools", TransportLimits(), guard),
        LocalSecretReferences({}),
        SystemClock(),
    )


@pytest.fixture
async def app(idp: NanoIdp) -> AsyncIterator[AdminApp]:
    """The whole HTTP application, with this issuer in the place of the fake one."""
    made = await furnished(await AdminApp.make())
    issuers, fakes = opened_at(idp), made.fakes
    fakes.issuer_sign_in._providers = issuers.providers
    assert issuers.verifier is not None
    fakes.authenticator._bearer_tokens = BearerTokens(issuers.verifier, fakes.store)
    yield made
    await issuers.aclose()


@pytest.fixture
async def http(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client(None) as client:
        yield client


async def signs_in(idp: NanoIdp, http: httpx.AsyncClient, name: str) -> httpx.Response:
    away = await http.get("/auth/oidc/nano/start")
    assert away.status_code == 303, away.text
    back = urlsplit(idp.sign_in(away.headers["location"], name))
    assert f"http://{back.netloc}{back.path}" == CALLBACK
    return await http.get(back.path, params=dict(parse_qsl(back.query)))


async def memberships(app: AdminApp, http: httpx.AsyncClient) -> dict[str, Any]:
    session = (await http.get("/auth/session")).json()
    async with app.fakes.store.read() as unit:
        found = await unit.memberships.list_of_user(session["user"]["id"])
    return {one.tenant_id: (one.role, one.managed_by) for one in found if one.tenant_id == "ten_default"}


async def test_a_person_signs_in_there_and_is_what_their_groups_say(
    idp: NanoIdp, app: AdminApp, http: httpx.AsyncClient
) -> None:
    idp.put_user("ann", ["users"])
    first = await signs_in(idp, http, "ann")
    given = await memberships(app, http)
    idp.put_user("ann", ["leads"])
    await signs_in(idp, http, "ann")
    moved = await memberships(app, http)
    session = (await http.get("/auth/session")).json()
    idp.put_user("ann", ["others"])
    refreshed = await http.post("/auth/refresh", headers={"x-omg-csrf": session["csrf_token"]})

    assert (first.status_code, first.headers["location"]) == (303, "http://localhost/app")
    assert given == {"ten_default": ("member", "idp")}
    assert moved == {"ten_default": ("admin", "idp")}
    assert refreshed.status_code == 200, refreshed.text
    assert await memberships(app, http) == {}


async def test_a_person_who_is_gone_there_is_signed_out_at_the_next_refresh(
    idp: NanoIdp, http: httpx.AsyncClient
) -> None:
    idp.put_user("ben", ["users"])
    await signs_in(idp, http, "ben")
    session = (await http.get("/auth/session")).json()
    idp.delete_user("ben")

    answer = await http.post("/auth/refresh", headers={"x-omg-csrf": session["csrf_token"]})

    assert answer.status_code == 401
    assert (await http.get("/auth/session")).status_code == 401


async def test_a_code_works_once_and_only_with_the_verifier_of_this_browser(
    idp: NanoIdp, app: AdminApp, http: httpx.AsyncClient
) -> None:
    idp.put_user("cleo", ["users"])
    async with app.client(None) as attacker:
        away = await attacker.get("/auth/oidc/nano/start")
        stolen = dict(parse_qsl(urlsplit(idp.sign_in(away.headers["location"], "cleo")).query))
    mine = await http.get("/auth/oidc/nano/start")
    state = dict(parse_qsl(urlsplit(mine.headers["location"]).query))["state"]

    answer = await http.get("/auth/oidc/nano/callback", params=stolen | {"state": state})

    refused(answer, 401, "invalid_credentials")


async def test_its_tokens_are_keys_on_v1_also_after_it_changed_its_own_and_while_it_is_away(
    idp: NanoIdp, app: AdminApp
) -> None:
    idp.put_user("dan", ["users"])
    authenticator: Authenticator = app.fakes.authenticator
    before = idp.access_token("dan")
    principal = await authenticator.authenticate(before)
    idp.rotate_keys()
    after = idp.access_token("dan")

    assert (principal.kind, principal.tenant_id) == ("jwt", "ten_default")
    assert authenticator.cached(before) is principal
    assert (await authenticator.authenticate(after)).key_id == principal.key_id
    left_out = idp.access_token("dan", _claim_names={"groups": "src1"}, hasgroups=True)
    assert (await authenticator.authenticate(left_out)).kind == "jwt"  # its groups are there all the same


async def test_a_gateway_as_it_is_served_takes_its_people_and_its_tokens(idp: NanoIdp, tmp_path: Path) -> None:
    """With the settings file, the database and the transport that a server has."""
    auth = {
        "name": "nano",
        "issuer": idp.url,
        "client_id": CLIENT_ID,
        "client_secret": "env:NANO_SECRET",
        "audience": AUDIENCE,
        "bearer": True,
        "groups": [{"value": "users", "tenant": "Default"}],
    }
    document = {"public_url": "http://localhost", "auth": {"issuers": [auth]}, "data_dir": str(tmp_path / "data")}
    (tmp_path / "omg.yaml").write_text(json.dumps(document))
    settings = load_settings(environ={"NANO_SECRET": CLIENT_SECRET, "OMG_DEMO": "true"}, folder=tmp_path)
    idp.put_user("eve", ["users"])

    async with create_app(settings).running() as served:
        transport = httpx.ASGITransport(served)  # type: ignore[arg-type]  # ASGI
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            for _ in range(2):  # the second time everything is known
                arrived = await signs_in(idp, http, "eve")
                assert (arrived.status_code, arrived.headers["location"]) == (303, "http://localhost/app")
            session = (await http.get("/auth/session")).json()
            bearer = {"authorization": f"Bearer {idp.access_token('eve')}"}
            models = await http.get("/v1/models", headers=bearer)
            forged = await http.get("/v1/models", headers={"authorization": bearer["authorization"] + "A"})

    assert [(one["name"], one["role"]) for one in session["tenants"] if one["kind"] == "shared"] == [
        ("Default", "member")
    ]
    assert models.status_code == 200
    assert models.json()["data"]
    assert forged.status_code == 401
