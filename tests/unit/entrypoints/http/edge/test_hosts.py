"""Host names the gateway answers to (F5, S-27)."""

import pytest

from domain.errors import RequestInvalid
from entrypoints.http.edge.head import AllowedHosts, Head

NAMES = ("localhost", "127.0.0.1", "::1", "gateway.example.com", "*.apps.example.com")


def check(*hosts: bytes, names: tuple[str, ...] = NAMES) -> None:
    AllowedHosts(names).check(Head([(b"host", host) for host in hosts]))


@pytest.mark.parametrize(
    "host",
    [
        b"localhost", b"localhost:8000", b"LOCALHOST:8000", b"127.0.0.1", b"127.0.0.1:65535", b"[::1]", b"[::1]:8000",
        b"[0:0:0:0:0:0:0:1]:80", b"gateway.example.com", b"Gateway.Example.COM:443", b"team.apps.example.com",
    ],
)  # fmt: skip
def test_allowed_names_pass_with_any_port_and_case(host: bytes) -> None:
    check(host)


@pytest.mark.parametrize(
    "host",
    [
        b"", b" ", b"a?b", b"a#", b"a/..", b"a\\b", b"a b", b"localhost ", b" localhost", b"localhost/", b"localhost:",
        b"localhost:80:80", b"localhost:port", b"localhost:-1", b"localhost:65536", b"localhost:123456", b"localhost.",
        b".localhost", b"local..host", b"user@localhost", b"localhost,evil.example", b"http://localhost", b"[::1",
        b"::1", b"[::1]x", b"localhost\x00", b"l\xc3\xb6calhost", b"gatewayxexample.com", b"evil.example",
        b"xgateway.example.com", b"gateway.example.com.evil.example", b"apps.example.com", b"127.0.0.1.evil.example",
        b"2130706433", b"127.1", b"a" * 300, b"localhost%00",
    ],
)  # fmt: skip
def test_every_other_host_is_refused(host: bytes) -> None:
    with pytest.raises(RequestInvalid) as caught:
        check(host)

    assert caught.value.code == "invalid_host"


@pytest.mark.parametrize("hosts", [(), (b"localhost", b"localhost"), (b"localhost", b"evil.example")])
def test_a_request_has_exactly_one_host(hosts: tuple[bytes, ...]) -> None:
    with pytest.raises(RequestInvalid):
        check(*hosts)


def test_a_star_allows_every_well_formed_host() -> None:
    check(b"anything.example:1", names=("*",))
    with pytest.raises(RequestInvalid):
        check(b"a?b", names=("*",))


def test_a_host_accepted_once_is_still_refused_twice_over() -> None:
    hosts = AllowedHosts(("localhost",))
    hosts.check(Head([(b"host", b"localhost")]))

    with pytest.raises(RequestInvalid):
        hosts.check(Head([(b"host", b"localhost"), (b"host", b"localhost")]))


@pytest.mark.parametrize("host", [b"10.1.2.3:8000", b"[fe80::1]", b"gateway-7f9c.pod.cluster.local", b"0.0.0.0"])
def test_a_probe_may_come_by_any_well_formed_name(host: bytes) -> None:
    AllowedHosts(NAMES).check_probe(Head([(b"host", host)]), "1.1")


@pytest.mark.parametrize(
    ("hosts", "version"),
    [((), "1.1"), ((b"a?b",), "1.1"), ((b"a", b"a"), "1.1"), ((b"",), "1.0"), ((b"a", b"b"), "1.0")],
)
def test_a_probe_has_one_well_formed_host(hosts: tuple[bytes, ...], version: str) -> None:
    with pytest.raises(RequestInvalid):
        AllowedHosts(NAMES).check_probe(Head([(b"host", host) for host in hosts]), version)


def test_an_old_probe_needs_no_host() -> None:
    AllowedHosts(NAMES).check_probe(Head([]), "1.0")


@pytest.mark.parametrize("host", [b"0.0.0.0", b"0.0.0.0:8000", b"[::]:8000", b"[0:0:0:0:0:0:0:0]"])
def test_where_loopback_is_answered_so_is_the_address_that_stands_for_every_one(host: bytes) -> None:
    check(host)
    with pytest.raises(RequestInvalid):
        check(host, names=("gateway.example.com",))
