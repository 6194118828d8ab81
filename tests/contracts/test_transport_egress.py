"""The 40 targets of S-08 through every transport: the trap listener accepts nothing."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from adapters.transport.egress import EgressGuard, Origin, Resolver
from tests.contracts.conftest import Transports
from tests.contracts.transport_servers import always, read, send, trap, upstream, was_reached

ADDRESSES = (
    "127.0.0.1",
    "127.0.0.2",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "169.254.170.2",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "[fe80::1]",
    "[fe80::5efe:7f00:1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fd20:ce::254]",
    "[ff02::1]",
)
NAMES = {
    "127.1": "127.0.0.1",
    "2130706433": "127.0.0.1",
    "0x7f000001": "127.0.0.1",
    "0177.0.0.1": "127.0.0.1",
    "localhost": "127.0.0.1",
    "localhost.": "127.0.0.1",
    "user@localhost": "127.0.0.1",
    "models.example": "127.0.0.1",
    "metadata.example": "169.254.169.254",
}
assert len(ADDRESSES) + len(NAMES) >= 40


@pytest.fixture
def reached() -> Iterator[int]:
    """The trap's port; afterwards nobody may have come."""
    with trap() as listener:
        yield listener.getsockname()[1]
        assert not was_reached(listener)


def lookup(name: str) -> list[str]:
    return [NAMES[name]]


@pytest.mark.parametrize("host", [*ADDRESSES, *NAMES])
async def test_an_untrusted_url_reaches_nothing_private(transports: Transports, reached: int, host: str) -> None:
    url = f"http://{host}:{reached}/latest/meta-data"
    transport = transports.to(url, guard=EgressGuard.public_only(Resolver(lookup)))
    with pytest.raises((httpx.ConnectError, httpx.InvalidURL), match=r"not called|canonical|Invalid"):
        await send(transport, url)


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "[::ffff:a9fe:a9fe]", "100.100.100.200", "[fd00:ec2::254]", "0.0.0.0", "metadata.example"],
)
async def test_metadata_services_are_closed_to_private_providers_too(
    transports: Transports, reached: int, host: str
) -> None:
    url = f"http://{host}:{reached}/v1"
    guard = EgressGuard.for_provider(url, allow_private_network=True, resolver=Resolver(lookup))
    with pytest.raises(httpx.ConnectError, match="metadata"):
        await send(transports.to(url, guard=guard), url)


async def test_one_bad_address_among_good_ones_refuses_the_name(transports: Transports, reached: int) -> None:
    guard = EgressGuard.public_only(Resolver(lambda _: ["8.8.8.8", "127.0.0.1"]))
    url = f"http://models.example:{reached}/"
    with pytest.raises(httpx.ConnectError, match=r"127\.0\.0\.1"):
        await send(transports.to(url, guard=guard), url)


async def test_a_name_that_changes_its_answer_is_judged_by_the_answer_in_use(transports: Transports) -> None:
    """Rebinding: a private provider's name turns to the metadata service once its connection is old."""
    answers = iter(["127.0.0.1", "169.254.169.254"])
    close = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"
    async with upstream(always(close)) as server:
        url = server.url(host="models.example")
        guard = EgressGuard(
            Resolver(lambda _: [next(answers)], cache_seconds=0), private_origins=[Origin.of(httpx.URL(url))]
        )
        transport = transports.to(url, guard=guard)
        assert await read(await send(transport, url)) == b"ok"
        await asyncio.sleep(0)
        with pytest.raises(httpx.ConnectError, match="metadata"):
            await send(transport, url)

        assert server.accepted == 1


async def test_a_private_origin_is_that_scheme_host_and_port_only(transports: Transports, reached: int) -> None:
    guard = EgressGuard.for_provider(f"http://127.0.0.1:{reached + 1}/v1")
    url = f"http://127.0.0.1:{reached}/v1"
    with pytest.raises(httpx.ConnectError, match="not called"):
        await send(transports.to(url, guard=guard), url)
