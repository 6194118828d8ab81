"""Upstreams behind an outbound proxy, with authorities and client certificates of one's own."""

import socket
import ssl
from pathlib import Path

import httpx
import pytest

from adapters.transport.egress import EgressGuard, EgressRefused
from adapters.transport.proxy import Proxies, Proxy
from tests.connect_proxy import connect_proxy
from tests.contracts.conftest import Certificates, Transports
from tests.contracts.transport_servers import OK, always, read, send, upstream

PASSWORD = "us er:p@ss:w/rd"
IN_A_URL = "us%20er:p%40ss%3Aw%2Frd"


def through(url: str, *excepted: str) -> Proxies:
    return Proxies(Proxy.of(url), excepted)


async def test_a_plain_upstream_is_asked_through_a_tunnel_and_its_connection_reused(transports: Transports) -> None:
    async with upstream(always(OK)) as server, connect_proxy() as proxy:
        transport = transports.to(server.url(), proxies=through(proxy.url()))
        answers = [await read(await send(transport, server.url())) for _ in range(3)]

        assert answers == [b"ok"] * 3
        assert proxy.targets == [f"127.0.0.1:{server.port}"]
        assert proxy.heads[0].startswith(b"CONNECT ")
        assert b"proxy-authorization" not in server.received[0].head.lower()


async def test_a_tls_upstream_is_verified_end_to_end_and_its_name_resolved_by_the_proxy(
    transports: Transports, certificates: Certificates
) -> None:
    tls = certificates.server(certificates.authority.issue_cert("models.internal.example"))
    async with (
        upstream(always(OK), tls=tls) as server,
        connect_proxy(password=PASSWORD, resolved={"models.internal.example": "127.0.0.1"}) as proxy,
    ):
        url = server.url(host="models.internal.example")
        transport = transports.to(url, guard=EgressGuard(), proxies=through(proxy.url(IN_A_URL)))

        assert await read(await send(transport, url)) == b"ok"
        assert proxy.targets == [f"models.internal.example:{server.port}"]


async def test_a_certificate_of_another_name_is_refused_through_a_proxy_too(
    transports: Transports, certificates: Certificates
) -> None:
    tls = certificates.server(certificates.authority.issue_cert("other.example"))
    async with upstream(always(OK), tls=tls) as server, connect_proxy() as proxy:
        transport = transports.to(server.url(), proxies=through(proxy.url()))

        with pytest.raises(httpx.ConnectError, match="No secure connection"):
            await send(transport, server.url())


@pytest.mark.parametrize(
    ("user_info", "words"),
    [("", "asks for a user name and password"), ("someone:wr0ng-pass", "refused its user name or password")],
    ids=["none", "wrong"],
)
async def test_a_proxy_that_wants_a_password_is_named_and_the_password_is_not(
    transports: Transports, user_info: str, words: str
) -> None:
    async with upstream(always(OK)) as server, connect_proxy(password=PASSWORD) as proxy:
        transport = transports.to(server.url(), proxies=through(proxy.url(user_info)))

        with pytest.raises(httpx.ProxyError, match=words) as caught:
            await send(transport, server.url())
        assert f"127.0.0.1:{proxy.port}" in str(caught.value)
        assert "wr0ng-pass" not in str(caught.value)
        assert server.received == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n", "asks for a user name and password"),
        (b"HTTP/1.0 403 Filtered\r\nContent-Type: text/html\r\n\r\n<html>sk-page</html>", "does not allow connections"),
        (b"HTTP/1.1 405 Method Not Allowed\r\n\r\n", "does not allow connections"),
        (b"HTTP/1.1 500 Unable to connect\r\n\r\n", "could not reach"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "could not reach"),
        (b"HTTP/1.1 503\r\n\r\n", "could not reach"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\n\r\n", "refused the connection"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "does not answer as an HTTP proxy does"),
        (b"HTTP/1.1 200 OK\r\n", "does not answer as an HTTP proxy does"),
        (b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "sent more than its answer"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"a" * 40_000 + b"\r\n", "does not answer as an HTTP proxy does"),
    ],
    ids=["401", "403", "405", "500", "502", "503", "302", "ssh", "cut", "more", "endless"],
)
async def test_what_a_proxy_refuses_is_said_in_words(transports: Transports, answer: bytes, words: str) -> None:
    async with connect_proxy(answer=answer) as proxy:
        transport = transports.to("http://127.0.0.1:9/v1", proxies=through(proxy.url()))

        with pytest.raises(httpx.ProxyError, match=words) as caught:
            await send(transport, "http://127.0.0.1:9/v1")
        assert "sk-page" not in str(caught.value)


async def test_a_proxy_that_is_not_there_is_named(transports: Transports) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    transport = transports.to("http://127.0.0.1:9/v1", proxies=through(f"http://user:pa55word@127.0.0.1:{port}"))

    with pytest.raises(httpx.ProxyError, match=f"The proxy 127.0.0.1:{port} cannot be reached") as caught:
        await send(transport, "http://127.0.0.1:9/v1")
    assert "pa55word" not in str(caught.value)


async def test_an_ipv6_address_stands_in_brackets(transports: Transports) -> None:
    async with connect_proxy(answer=b"HTTP/1.1 502 no\r\n\r\n") as proxy:
        transport = transports.to("http://[::1]:8603/v1", proxies=through(proxy.url()))

        with pytest.raises(httpx.ProxyError, match=r"\(HTTP 502\)"):
            await send(transport, "http://[::1]:8603/v1")
        assert proxy.heads[0].startswith(b"CONNECT [::1]:8603 HTTP/1.1\r\nHost: [::1]:8603\r\n")


async def test_excepted_hosts_are_asked_directly(transports: Transports) -> None:
    async with upstream(always(OK)) as server, connect_proxy() as proxy:
        transport = transports.to(server.url(), proxies=through(proxy.url(), "127.0.0.0/8"))

        assert await read(await send(transport, server.url())) == b"ok"
        assert proxy.heads == []


async def test_the_egress_rule_holds_for_the_proxys_address_and_for_an_address_behind_it(
    transports: Transports,
) -> None:
    metadata = transports.to("http://models.example/v1", proxies=through("http://169.254.169.254:3128"))
    with pytest.raises(EgressRefused):
        await send(metadata, "http://models.example/v1")

    async with connect_proxy() as proxy:
        behind = transports.to("http://models.example/v1", proxies=through(proxy.url()))
        with pytest.raises(EgressRefused):
            await send(behind, "http://169.254.169.254/latest")
        assert proxy.heads == []


async def test_a_client_certificate_is_shown_through_a_proxy(
    transports: Transports, certificates: Certificates, tmp_path: Path
) -> None:
    tls = certificates.server(certificates.authority.issue_cert("127.0.0.1"))
    tls.verify_mode = ssl.CERT_REQUIRED
    certificates.authority.configure_trust(tls)
    client = tmp_path / "client.pem"
    certificates.authority.issue_cert("gateway.example").private_key_and_cert_chain_pem.write_to_path(str(client))
    async with upstream(always(OK), tls=tls) as server, connect_proxy() as proxy:
        shown = transports.to(server.url(), proxies=through(proxy.url()), client_cert=str(client))
        assert await read(await send(shown, server.url())) == b"ok"

        direct = transports.to(server.url(), client_cert=str(client))
        assert await read(await send(direct, server.url())) == b"ok"

        without = transports.to(server.url())
        with pytest.raises(httpx.TransportError):
            await read(await send(without, server.url()))


@pytest.mark.parametrize("content", [None, "no certificate"], ids=["missing", "text"])
async def test_a_client_certificate_that_cannot_be_used_is_named(
    transports: Transports, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "client.pem"
    if content is not None:
        path.write_text(content)
    transport = transports.to("https://127.0.0.1:9/v1", client_cert=str(path))

    with pytest.raises(httpx.ConnectError, match=r"client\.pem"):
        await send(transport, "https://127.0.0.1:9/v1")
