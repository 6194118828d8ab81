"""Whose address counts when proxies stand in between (S-28)."""

import pytest

from entrypoints.http.edge.head import ClientAddress


def test_with_no_trusted_proxy_the_header_is_never_believed() -> None:
    addresses = ClientAddress(())

    assert {addresses.find("203.0.113.9", [f"10.0.0.{n}"]) for n in range(100)} == {"203.0.113.9"}


@pytest.mark.parametrize(
    ("hops", "client"),
    [
        ([], "10.0.0.1"),
        (["198.51.100.7"], "198.51.100.7"),
        (["1.1.1.1", "198.51.100.7"], "198.51.100.7"),
        (["1.1.1.1", "198.51.100.7", "10.0.0.2"], "198.51.100.7"),
        (["1.1.1.1", "nonsense"], "10.0.0.1"),
        (["[2001:db8::1]:443"], "2001:db8::1"),
        (["198.51.100.7:5123"], "198.51.100.7"),
    ],
)
def test_the_first_untrusted_hop_from_the_right_is_the_client(hops: list[str], client: str) -> None:
    assert ClientAddress(("10.0.0.0/8",)).find("10.0.0.1", hops) == client


def test_a_mapped_address_is_trusted_as_what_it_maps() -> None:
    assert ClientAddress(("10.0.0.1",)).trusts("::ffff:10.0.0.1")


def test_a_setting_that_is_no_address_says_so() -> None:
    with pytest.raises(ValueError, match="proxy"):
        ClientAddress(("proxy.example",))
