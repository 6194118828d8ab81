"""How providers are reached: proxies, authorities and client certificates, from the setting to the connection."""

import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trustme

from adapters.clock import SystemClock
from adapters.identity.configured import open_issuers
from domain.alerts import Alert, AlertChannel, AlertDelivery, AlertSubject
from domain.errors import UpstreamFailure
from domain.issuers import Issuer
from domain.ports.issuers import IssuerAway, SignInRequest
from domain.ports.providers import ProviderClient
from domain.ports.security import SecretMissing
from domain.providers import ProviderSettings
from domain.timeouts import Timeouts
from entrypoints.ioc.alerts import AlertModule
from entrypoints.ioc.ledger import LedgerModule
from entrypoints.ioc.outbound import calls_out
from entrypoints.ioc.secrets import secret_references
from entrypoints.ioc.upstream import build_registry
from entrypoints.settings.in_force import settings_in_force
from entrypoints.settings.loading import load_settings
from entrypoints.settings.model import Settings, SettingsError
from tests.builders import NOW, a_provider
from tests.connect_proxy import connect_proxy
from tests.contracts.transport_servers import Upstream, always, upstream
from tests.fakes.secret_references import FakeReferences

MODELS = b'{"object": "list", "data": [{"id": "m-1", "object": "model"}]}'
LISTED = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(MODELS), MODELS)
PASSWORD = "s3cret-word"


def client_of(
    server: Upstream, folder: Path, environ: dict[str, str], settings: ProviderSettings | None = None
) -> ProviderClient:
    loaded = load_settings(environ=environ, folder=folder)
    loaded.data_dir.mkdir(exist_ok=True)
    provider = a_provider(base_url=server.url("/v1"), settings=settings or ProviderSettings())
    return build_registry(loaded).build(provider, Timeouts())


async def models(client: ProviderClient) -> list[str]:
    try:
        assert client.capabilities.models is not None
        return [offering.model for offering in await client.capabilities.models.list_models(None)]
    finally:
        await client.aclose()


@pytest.mark.parametrize("transport", ["httptools", "aiohttp"])
async def test_the_global_proxy_covers_loopback_too_and_a_provider_may_have_its_own(
    tmp_path: Path, transport: str
) -> None:
    async with (
        upstream(always(LISTED)) as server,
        connect_proxy(password=f"user:{PASSWORD}") as shared,
        connect_proxy() as own,
    ):
        environ = {"OMG_PROXY": shared.url(f"user:{PASSWORD}"), "OMG_TRANSPORT": transport}
        assert await models(client_of(server, tmp_path, environ)) == ["m-1"]
        assert (len(shared.heads), len(own.heads)) == (1, 0)

        assert await models(client_of(server, tmp_path, environ, ProviderSettings(proxy=own.url()))) == ["m-1"]
        assert (len(shared.heads), len(own.heads)) == (1, 1)

        environ["OMG_NO_PROXY"] = "other.example, 127.0.0.1"
        assert await models(client_of(server, tmp_path, environ)) == ["m-1"]
        assert len(shared.heads) == 1


async def test_a_providers_headers_are_sent_along_and_those_of_variables_are_hidden(tmp_path: Path) -> None:
    async with upstream(always(LISTED)) as server:
        (tmp_path / "omg.yaml").write_text(
            f"providers: [{{id: lab, base_url: '{server.url('/v1')}', settings: "
            "{headers: {x-team: 'env:TEAM', x-plain: word, 'x-part': 'of {env:TEAM}'}}}]"
        )
        (provider,) = load_settings(environ={"TEAM": "a/b="}, folder=tmp_path).providers
        assert await models(client_of(server, tmp_path, {"TEAM": "a/b="}, provider.settings)) == ["m-1"]

    head = server.received[0].head.lower()
    assert all(line in head for line in (b"x-team: a/b=", b"x-plain: word", b"x-part: of a/b="))
    assert provider.settings.shown().headers == {"x-team": "***", "x-plain": "word", "x-part": "***"}


async def test_the_proxy_of_other_programs_is_used_only_where_that_is_said(tmp_path: Path) -> None:
    async with upstream(always(LISTED)) as server, connect_proxy() as proxy:
        foreign = {"HTTPS_PROXY": proxy.url(), "HTTP_PROXY": proxy.url(), "ALL_PROXY": proxy.url()}
        assert await models(client_of(server, tmp_path, foreign)) == ["m-1"]
        assert proxy.heads == []

        assert await models(client_of(server, tmp_path, {"OMG_PROXY": "environment", **foreign})) == ["m-1"]
        assert len(proxy.heads) == 1

        excepted = {"OMG_PROXY": "environment", "https_proxy": proxy.url(), "no_proxy": "127.0.0.1"}
        assert await models(client_of(server, tmp_path, excepted)) == ["m-1"]
        assert len(proxy.heads) == 1


async def test_a_failure_names_the_proxy_and_no_password(tmp_path: Path) -> None:
    async with upstream(always(LISTED)) as server, connect_proxy(password="user:another") as proxy:
        client = client_of(server, tmp_path, {"OMG_PROXY": proxy.url(f"user:{PASSWORD}")})

        with pytest.raises(UpstreamFailure, match=r"refused its user name or password \(HTTP 407\)") as caught:
            await models(client)
        assert PASSWORD not in str(caught.value)
        assert server.received == []


async def test_authorities_and_a_client_certificate_are_found_in_the_data_folder(tmp_path: Path) -> None:
    servers, clients = trustme.CA(), trustme.CA()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    servers.issue_cert("127.0.0.1").configure_cert(tls)
    clients.configure_trust(tls)
    tls.verify_mode = ssl.CERT_REQUIRED
    folder = tmp_path / "data"
    (folder / "tls").mkdir(parents=True)
    servers.cert_pem.write_to_path(str(folder / "tls" / "ca.pem"))
    clients.issue_cert("gateway.example").private_key_and_cert_chain_pem.write_to_path(str(folder / "client.pem"))
    async with upstream(always(LISTED), tls=tls) as server:
        environ = {"OMG_DATA_DIR": str(folder)}
        own = ProviderSettings(ca_file="tls/ca.pem", client_cert="client.pem")
        assert await models(client_of(server, tmp_path, environ, own)) == ["m-1"]

        shared = environ | {"OMG_CA_FILE": str(folder / "tls" / "ca.pem")}
        shown = ProviderSettings(client_cert="client.pem")
        assert await models(client_of(server, tmp_path, shared, shown)) == ["m-1"]

        with pytest.raises(UpstreamFailure, match="certificate verify failed"):
            await models(client_of(server, tmp_path, environ, shown))
        with pytest.raises(UpstreamFailure, match=r"gone\.pem.*cannot be read"):
            await models(client_of(server, tmp_path, environ, ProviderSettings(ca_file="gone.pem")))


async def asked_webhook(settings: Settings, url: str) -> None:
    channel = AlertChannel("alc_1", "webhook", "x", url, (), None, True, NOW, NOW)
    alert = Alert("alt_1", "test", NOW, AlertSubject("key", "key_1", "x"), None, None, None, None, "x")
    delivery = AlertDelivery("ald_1", alert, None, channel.id, "pending", 0, "", NOW, NOW)
    await AlertModule().senders(settings, SystemClock())["webhook"].send(channel, delivery)


async def asked_prices(settings: Settings, url: str) -> None:
    await LedgerModule().catalog_download(settings).fetch(url)


async def asked_vault(settings: Settings, url: str) -> None:
    with pytest.raises(SecretMissing, match="no answer of a KV engine"):
        await secret_references(settings).resolve("vault:secret/omg#key")


async def asked_issuer(settings: Settings, url: str) -> None:
    issuer = Issuer(name="corp", issuer=url, client_id="gateway")
    opened = open_issuers([issuer], calls_out(settings), FakeReferences({}), SystemClock())
    request = SignInRequest("state", "nonce", "verifier", "https://gateway.example/back")
    with pytest.raises(IssuerAway, match="no discovery document"):
        await opened.providers["corp"].address(request)
    await opened.aclose()


@pytest.mark.parametrize("ask", [asked_webhook, asked_prices, asked_vault, asked_issuer], ids=lambda ask: ask.__name__)
async def test_whatever_calls_out_goes_through_the_proxy_with_authorities_and_certificate(
    tmp_path: Path, ask: Callable[[Settings, str], Awaitable[None]]
) -> None:
    servers, clients = trustme.CA(), trustme.CA()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    servers.issue_cert("127.0.0.1").configure_cert(tls)
    clients.configure_trust(tls)
    tls.verify_mode = ssl.CERT_REQUIRED
    servers.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    clients.issue_cert("gateway.example").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "client.pem"))
    async with (
        upstream(always(LISTED), tls=tls) as server,
        connect_proxy(password=f"user:{PASSWORD}") as proxy,
    ):
        environ = {
            "OMG_PROXY": proxy.url(f"user:{PASSWORD}"),
            "OMG_CA_FILE": str(tmp_path / "ca.pem"),
            "OMG_CLIENT_CERT": str(tmp_path / "client.pem"),
            "VAULT_ADDR": server.url(""),
            "VAULT_TOKEN": "hvs.x",
        }

        await ask(load_settings(environ=environ, folder=tmp_path), server.url(""))

        assert proxy.targets == [server.url("").removeprefix("https://")]
        assert len(server.received) == 1


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"OMG_CLIENT_CERT": "nowhere.pem"}, "OMG_CLIENT_CERT: 'nowhere.pem' is no readable file of a certificate"),
        ({"OMG_PROXY": f"https://user:{PASSWORD}@proxy.example"}, "OMG_PROXY: A proxy is an address such as"),
        ({"OMG_PROXY": f"socks5://user:{PASSWORD}@proxy.example"}, "OMG_PROXY: A proxy is an address such as"),
        ({"OMG_PROXY": f"http://{PASSWORD}@proxy.example"}, "OMG_PROXY: A proxy has a user name and a password"),
        ({"OMG_PROXY": f"http://user:{PASSWORD}@x@proxy.example"}, "OMG_PROXY: A proxy has a user name and a password"),
        ({"OMG_PROXY": f"http://user:{PASSWORD}@proxy.example:0"}, "OMG_PROXY: A proxy is an address such as"),
        (
            {"OMG_PROXY": "environment", "HTTPS_PROXY": f"user:{PASSWORD}@proxy.example:1"},
            "HTTPS_PROXY: A proxy is an address such as",
        ),
        ({"OMG_CA_FILE": "nowhere.pem"}, "OMG_CA_FILE: 'nowhere.pem' is no readable file of certificates"),
    ],
)
def test_what_cannot_be_used_ends_the_start_and_shows_no_password(
    tmp_path: Path, environ: dict[str, str], words: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ=environ, folder=tmp_path)
    assert str(caught.value).startswith(words)
    assert PASSWORD not in str(caught.value)


def test_no_list_of_the_settings_shows_the_proxys_password(tmp_path: Path) -> None:
    settings = load_settings(environ={"OMG_PROXY": f"http://user:{PASSWORD}@proxy.example:3128"}, folder=tmp_path)

    assert PASSWORD not in str(list(settings_in_force(settings)))
    assert settings.outbound_proxy == f"http://user:{PASSWORD}@proxy.example:3128"


def test_the_files_provider_takes_its_proxys_password_from_a_variable(tmp_path: Path) -> None:
    (tmp_path / "omg.yaml").write_text(
        "providers:\n- id: a\n  base_url: https://a.example/v1\n"
        "  settings: {proxy: 'http://user:{env:PROXY_PASSWORD}@proxy.example:3128'}\n"
    )
    settings = load_settings(environ={"PROXY_PASSWORD": "p@ss"}, folder=tmp_path)

    assert settings.providers[0].settings.proxy == "http://user:p%40ss@proxy.example:3128"
