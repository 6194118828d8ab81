"""A provider's proxy and files over the admin API: the password is not shown, no file leads out of its folder."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.integration.admin_app import AdminApp

CANARY = "canary-proxy-password-0123456789"
ALPHA = {"id": "alpha", "base_url": "https://alpha.example/v1"}


@pytest.fixture
async def app() -> AdminApp:
    return await AdminApp.make()


@pytest.fixture
async def http(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client() as client:
        yield client


async def test_a_proxys_password_is_shown_nowhere_and_stays_where_it_is_written_as_shown(
    app: AdminApp, http: httpx.AsyncClient
) -> None:
    proxy = f"http://user:{CANARY}@proxy.example:3128"
    shown = "http://***@proxy.example:3128"
    answers = [await http.post("/admin/providers", json=ALPHA | {"settings": {"proxy": proxy}})]
    answers += [await http.get("/admin/providers"), await http.get("/admin/providers/alpha")]
    answers += [await http.patch("/admin/providers/alpha", json={"settings": {"proxy": shown, "ca_file": "ca.pem"}})]
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200]
    assert answers[-1].json()["settings"] == {"proxy": shown, "ca_file": "ca.pem"}
    assert app.fakes.state.current.by_id["alpha"].provider.settings.proxy == proxy

    answers += [await http.patch("/admin/providers/alpha", json={"settings": {"proxy": "http://***@other.example:1"}})]
    assert (answers[-1].status_code, answers[-1].json()["error"]["param"]) == (400, "settings.proxy")
    answers += [await http.patch("/admin/providers/alpha", json={"settings": {"proxy": f"socks5://u:{CANARY}@p:1"}})]
    assert (answers[-1].status_code, answers[-1].json()["error"]["param"]) == (400, "settings.proxy")
    answers += [await http.get("/admin/audit"), await http.get("/admin/config/export")]
    assert not [answer.text for answer in answers if CANARY in answer.text]

    cleared = await http.patch("/admin/providers/alpha", json={"settings": {"proxy": None, "ca_file": None}})
    assert cleared.json()["settings"] == {}


async def test_a_header_of_a_credential_is_shown_nowhere_and_stays_where_it_is_written_as_shown(
    app: AdminApp, http: httpx.AsyncClient
) -> None:
    def stored() -> dict[str, str]:
        return app.fakes.state.current.by_id["alpha"].provider.settings.headers

    headers = {"x-team": "research", "cf-access-client-secret": CANARY}
    shown = headers | {"cf-access-client-secret": "***"}
    answers = [await http.post("/admin/providers", json=ALPHA | {"settings": {"headers": headers}})]
    answers += [await http.get("/admin/providers"), await http.get("/admin/providers/alpha")]
    assert [answers[0].json()["settings"]["headers"], answers[2].json()["settings"]["headers"]] == [shown, shown]

    other = {"settings": {"headers": shown | {"x-team": "other"}}}
    answers += [await http.patch("/admin/providers/alpha", json=other)]
    assert answers[-1].status_code == 200
    assert stored() == headers | {"x-team": "other"}

    for refused in ({"x-new-secret": "***"}, {"Host": CANARY}, {"authorization": CANARY}):
        answers += [await http.patch("/admin/providers/alpha", json={"settings": {"headers": refused}})]
        name = next(iter(refused))
        assert (answers[-1].status_code, answers[-1].json()["error"]["param"]) == (400, f"settings.headers.{name}")
    answers += [await http.get("/admin/audit"), await http.get("/admin/config/export")]
    plan = {"document": {"providers": [ALPHA | {"settings": {"headers": headers}}]}, "secrets": {}}
    answers += [await http.post("/admin/config/plan", json=plan)]
    assert answers[-1].status_code == 200
    assert not [answer.text for answer in answers if CANARY in answer.text]

    moved = await http.patch("/admin/providers/alpha", json={"base_url": "https://elsewhere.example/v1"})
    assert moved.json()["settings"]["headers"] == stored() == {"x-team": "other"}  # as its keys are (S-07)


@pytest.mark.parametrize("field", ["ca_file", "client_cert"])
@pytest.mark.parametrize("name", ["/etc/ssl/ca.pem", "../ca.pem", "tls/../../ca.pem", "", "a\nb.pem"])
async def test_a_file_outside_the_data_folder_is_refused(http: httpx.AsyncClient, field: str, name: str) -> None:
    answer = await http.post("/admin/providers", json=ALPHA | {"settings": {field: name}})

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == f"settings.{field}"
