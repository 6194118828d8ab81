"""A key's networks hold for whoever really calls: through trusted proxies alone, in every spelling (S-28)."""

import ipaddress
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.admission.authentication import Authenticator
from application.admission.last_used import LastUsed
from entrypoints.http.edge.config import EdgeConfig
from tests.builders import a_tenant, a_virtual_key
from tests.fakes.clock import FakeClock
from tests.fakes.security import FakeHasher
from tests.fakes.store import MemoryStore
from tests.unit.entrypoints.http.harness import KEY, Harness

TRUSTED = ("203.0.113.0/24", "10.9.0.0/16", "2001:db8:9::/48")
PRESENT = a_virtual_key(digest=FakeHasher().digest(KEY))


class Behind:
    """The edge behind these proxies, with one key whose networks can be set."""

    def __init__(self, http: Harness, store: MemoryStore) -> None:
        self._http = http
        self._store = store

    @classmethod
    async def make(cls, *trusted: str) -> "Behind":
        store = MemoryStore()
        async with store.write() as unit:
            await unit.tenants.add(a_tenant())
            await unit.virtual_keys.add(PRESENT)
        authenticator = Authenticator(store, FakeHasher(), FakeClock(), LastUsed(store))
        edge = EdgeConfig(allowed_hosts=("localhost",), trusted_proxies=trusted)
        return cls(await Harness.make(edge, authenticator=authenticator), store)

    async def status(self, cidrs: tuple[str, ...], of_tenant: tuple[str, ...] | None, hops: Sequence[str]) -> int:
        """Of a request from 203.0.113.9, which is the peer of every client here."""
        async with self._store.write() as unit:
            await unit.virtual_keys.update(msgspec.structs.replace(PRESENT, cidrs=cidrs))
            await unit.tenants.update(a_tenant(cidrs=of_tenant))
        self._http.services.authenticator.forget_all()
        forwarded = [(b"x-forwarded-for", hop.encode()) for hop in hops]
        answer = await self._http.get("/v1/models", *forwarded)
        assert answer.status in (200, 403)
        if answer.status == 403:
            assert answer.code == "address_not_allowed"
        return answer.status


@pytest.mark.parametrize(
    ("trusted", "hops", "cidrs", "status"),
    [
        ((), [], ("203.0.113.9",), 200),
        ((), ["10.1.2.3"], ("10.0.0.0/8",), 403),  # anybody can write that
        ((), ["10.1.2.3"], ("203.0.113.0/24",), 200),
        (TRUSTED, ["10.1.2.3"], ("10.0.0.0/8",), 200),
        (TRUSTED, ["10.1.2.3"], ("203.0.113.0/24",), 403),  # the proxy's own address is not the client's
        (TRUSTED, ["10.1.2.3, 198.51.100.1"], ("10.0.0.0/8",), 403),  # what an untrusted hop says of others
        (TRUSTED, ["10.1.2.3", "198.51.100.1"], ("10.0.0.0/8",), 403),
        (TRUSTED, ["10.1.2.3, 10.9.0.1"], ("10.1.0.0/16",), 200),
        (TRUSTED, ["[2001:db8::1]:4711"], ("2001:db8::/32",), 200),
        (TRUSTED, ["10.1.2.3:4711"], ("10.1.2.3",), 200),
        (TRUSTED, ["::ffff:10.1.2.3"], ("10.1.2.3",), 200),
        (TRUSTED, ["::ffff:a01:203"], ("::ffff:10.1.2.0/120",), 200),
        (TRUSTED, ["10.1.2.3"], ("::ffff:10.1.2.3",), 200),
        (TRUSTED, ["10.1.2.3"], ("::/0",), 403),
        (TRUSTED, ["2001:db8::1"], ("0.0.0.0/0",), 403),
        (TRUSTED, ["unknown"], ("10.0.0.0/8",), 403),
        (TRUSTED, ["10.1.2.3"], (), 403),
    ],
)
async def test_who_calls_is_who_the_trusted_proxies_say(
    trusted: tuple[str, ...], hops: list[str], cidrs: tuple[str, ...], status: int
) -> None:
    behind = await Behind.make(*trusted)

    assert await behind.status(cidrs, None, hops) == status


ADDRESSES = st.sampled_from(
    ["10.1.2.3", "10.9.0.1", "198.51.100.7", "203.0.113.77", "2001:db8::1", "2001:db8:9::1", "::ffff:10.1.2.3"]
)
NETWORKS = st.lists(
    st.sampled_from(
        ["10.0.0.0/8", "10.1.2.3", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "::ffff:10.1.0.0/112", "::/0"]
    ),
    max_size=3,
)


def client_of(hops: Sequence[str]) -> Any:
    """Said again, as plainly as can be: the nearest hop that is no trusted proxy, else the furthest."""
    trusted = [ipaddress.ip_network(each) for each in TRUSTED]
    address: Any = None
    for hop in ("203.0.113.9", *reversed(hops)):
        address = ipaddress.ip_address(hop)
        address = getattr(address, "ipv4_mapped", None) or address
        if not any(address in network for network in trusted):
            return address
    return address


def inside(address: Any, cidrs: Sequence[str] | None) -> bool:
    if cidrs is None:
        return True
    plain = [each.replace("::ffff:10.1.0.0/112", "10.1.0.0/16") for each in cidrs]
    return any(address in ipaddress.ip_network(each) for each in plain)


@settings(max_examples=15, deadline=None)
@given(data=st.data())
async def test_networks_of_key_and_tenant_hold_together_for_any_chain_of_proxies(data: st.DataObject) -> None:
    behind = await Behind.make(*TRUSTED)
    for _ in range(5):
        hops = data.draw(st.lists(ADDRESSES, max_size=4))
        cidrs, of_tenant = data.draw(NETWORKS), data.draw(st.none() | NETWORKS)
        client = client_of(hops)
        allowed = inside(client, cidrs) and inside(client, of_tenant)

        status = await behind.status(tuple(cidrs), None if of_tenant is None else tuple(of_tenant), hops)

        assert status == (200 if allowed else 403), (hops, cidrs, of_tenant)
