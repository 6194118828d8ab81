"""Addresses of a Valkey server: schemes, names and passwords, TLS by a private authority, and clusters."""

import asyncio
import logging
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from adapters.limits.shared import SharedLimitStore
from adapters.limits.valkey_check import look_at
from adapters.limits.valkey_counters import ValkeyCounters
from domain.ports.limits import Demand
from domain.secrets import Secret
from tests.contracts.limits.conftest import PATIENT
from tests.contracts.limits.test_limit_stores import admitted, limits
from tests.contracts.limits.valkey import ValkeyServer
from tests.fakes.clock import FakeClock
from tests.tls_fronts import tls_before_port

PASSWORD = "s3cret:/@pass"
QUOTED = "s3cret%3A%2F%40pass"


@pytest.fixture(scope="module")
def server() -> Iterator[ValkeyServer]:
    """One that knows a user of its own, and asks everybody for a password."""
    with ValkeyServer() as running:
        running.ask("ACL", "SETUSER", "gateway", "on", f">{PASSWORD}", "~{omg:*", "&*", "+@all")
        yield running


async def counts_at(url: str) -> bool:
    """Whether limits are counted there: three of five, by two processes together."""
    stores = [SharedLimitStore(ValkeyCounters(Secret(url), "here", None, PATIENT), FakeClock()) for _ in range(2)]
    try:
        limiters = [store.limiter(limits(rpd=3)) for store in stores]
        taken = [len(await admitted(limiter, 5)) for limiter in limiters]
        return taken == [3, 0] and not any(store.counters.away for store in stores)
    finally:
        for store in stores:
            await store.aclose()


@pytest.mark.parametrize("scheme", ["valkey", "redis"])
@pytest.mark.parametrize("database", ["", "/", "/3"])
async def test_a_user_with_a_password_is_signed_in_under_either_scheme(
    server: ValkeyServer, scheme: str, database: str
) -> None:
    server.ask("FLUSHALL")

    assert await counts_at(f"{scheme}://gateway:{QUOTED}@127.0.0.1:{server.port}{database}")


async def test_a_password_alone_is_the_default_users(server: ValkeyServer) -> None:
    server.ask("FLUSHALL")
    server.ask("ACL", "SETUSER", "default", "resetpass", f">{PASSWORD}")
    try:
        assert await counts_at(f"valkey://:{QUOTED}@127.0.0.1:{server.port}")
    finally:
        server.ask("ACL", "SETUSER", "default", "nopass", password=PASSWORD)


@pytest.mark.parametrize("who", ["gateway:wrong", f"nobody:{QUOTED}", ":wrong"])
async def test_who_is_not_let_in_is_told_without_the_password_and_counts_a_share(
    server: ValkeyServer, who: str, caplog: pytest.LogCaptureFixture
) -> None:
    url = Secret(f"valkey://{who}@127.0.0.1:{server.port}")
    server.ask("ACL", "SETUSER", "default", "resetpass", f">{PASSWORD}")
    store = SharedLimitStore(ValkeyCounters(url, "there", None, PATIENT), FakeClock())
    try:
        state = await look_at(url, "there")
        with caplog.at_level(logging.INFO):
            await store.limiter(limits(rpm=3)).take(Demand())
        assert store.counters.away
    finally:
        server.ask("ACL", "SETUSER", "default", "nopass", password=PASSWORD)
        await store.aclose()

    told = [state.trouble, *(str(record.__dict__) for record in caplog.records)]
    assert state.trouble
    assert len(caplog.records) == 1
    assert not any("wrong" in text or PASSWORD in text or QUOTED in text for text in told)


@pytest.mark.parametrize("scheme", ["valkeys", "rediss"])
async def test_tls_is_spoken_with_a_server_of_a_private_authority(
    server: ValkeyServer, scheme: str, tmp_path: Path
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    server.ask("FLUSHALL")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with tls_before_port(server.port, context) as port:
        known = f"{scheme}://gateway:{QUOTED}@127.0.0.1:{port}/0?ssl_ca_certs={tmp_path / 'ca.pem'}"
        assert await counts_at(known)
        stranger = await look_at(Secret(f"{scheme}://gateway:{QUOTED}@127.0.0.1:{port}"), "here")

    assert "certificate" in stranger.trouble.lower()


async def test_a_node_of_a_cluster_counts_where_it_has_the_slot_and_is_away_where_it_has_not() -> None:
    with ValkeyServer("--cluster-enabled", "yes") as node:
        url = f"valkey://127.0.0.1:{node.port}"

        before = await look_at(Secret(url), "here")
        node.ask("CLUSTER", "ADDSLOTSRANGE", "0", "16383")

        assert "CLUSTERDOWN" in before.trouble
        for _ in range(100):
            if b"cluster_state:ok" in bytes(str(node.ask("CLUSTER", "INFO")), "utf-8"):
                break
            await asyncio.sleep(0.1)
        assert await counts_at(url)
