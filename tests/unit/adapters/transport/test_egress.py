"""Which addresses the egress guard lets through (S-08, F9)."""

from ipaddress import ip_address

import httpx
import pytest

from adapters.transport.egress import EgressGuard, EgressRefused, Origin, Resolver, embedded, is_private, is_public

ELSEWHERE = Origin("https", "models.example", 443)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_public_addresses_pass_in_every_form(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("address", "inner"),
    [
        ("::ffff:169.254.169.254", "169.254.169.254"),
        ("::127.0.0.1", "127.0.0.1"),
        ("64:ff9b::a9fe:a9fe", "169.254.169.254"),
        ("2002:7f00:1::", "127.0.0.1"),
        ("2001:0:808:808::80ff:fffe", "127.0.0.1"),
        ("fd00::5efe:7f00:1", "127.0.0.1"),
        ("2a00::200:5efe:7f00:1", "127.0.0.1"),
    ],
)
def test_an_address_inside_another_is_found_and_judged(address: str, inner: str) -> None:
    assert ip_address(inner) in embedded(ip_address(address))
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["192.0.0.192", "224.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::"])
def test_what_the_standard_library_calls_global_is_checked_again(address: str) -> None:
    """F9: `ipaddress.is_global` is true, or was true in a release, for each of these."""
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.0.9", "100.101.102.103", "::1", "fd12::1"])
def test_private_networks_are_private(address: str) -> None:
    assert is_private(ip_address(address))
    assert is_private(ip_address("::ffff:10.0.0.1"))


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "100.100.100.200", "fd00:ec2::254", "0.0.0.0", "fe80::1", "8.8.8.8"]
)
def test_metadata_and_link_local_addresses_are_never_private(address: str) -> None:
    assert not is_private(ip_address(address))


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "192.168.1.20", "localhost", "localhost.", "LOCALHOST"])
async def test_an_address_in_the_base_url_was_meant(host: str) -> None:
    url = f"http://{host}:11434/v1"
    guard = EgressGuard.for_provider(url, resolver=Resolver(lambda _: ["127.0.0.1"]))

    assert await guard.addresses(Origin.of(httpx.URL(url)))


async def test_a_name_that_turns_out_private_was_not_meant_unless_allowed() -> None:
    resolver = Resolver(lambda _: ["10.0.0.7"])
    with pytest.raises(EgressRefused, match=r"10\.0\.0\.7 is not a public address"):
        await EgressGuard.for_provider("https://models.example", resolver=resolver).addresses(ELSEWHERE)

    allowed = EgressGuard.for_provider("https://models.example", allow_private_network=True, resolver=resolver)
    assert await allowed.addresses(ELSEWHERE) == ("10.0.0.7",)


async def test_public_answers_keep_their_order() -> None:
    guard = EgressGuard.public_only(Resolver(lambda _: ["2606:4700:4700::1111", "1.1.1.1"]))

    assert await guard.addresses(ELSEWHERE) == ("2606:4700:4700::1111", "1.1.1.1")


@pytest.mark.parametrize("url", ["ftp://models.example/", "//models.example/", "file:///etc/passwd"])
def test_only_http_goes_out(url: str) -> None:
    with pytest.raises(httpx.UnsupportedProtocol):
        EgressGuard.for_provider(url)
