"""Runs the transport contracts over every transport, on asyncio's own loop and on uvloop; and real servers for all."""

import asyncio
import os
import re
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import httpx
import pytest
import pytest_asyncio
import trustme
import uvloop

from adapters.transport.client import build_transport
from adapters.transport.egress import EgressGuard
from adapters.transport.limits import TransportLimits
from adapters.transport.proxy import Proxies
from adapters.transport.tls import TlsFiles
from tests.contracts.limits.valkey import ValkeyServer
from tests.contracts.persistence.postgres import PostgresServer
from tests.contracts.pyreqwest_transport import PyreqwestTransport

SHIPPED = ("httptools", "aiohttp")
UNDER_TEST = tuple(os.environ.get("TRANSPORTS_UNDER_TEST", "").split()) or SHIPPED
"""Set the variable to `pyreqwest` to see how the candidate that was not chosen fares."""

DEVIATIONS: dict[tuple[str, str], str] = {
    ("aiohttp", "test_an_old_connection_is_not_used_again[connection_max_age_seconds]"): "has no maximum age",
    ("aiohttp", "test_a_connection_with_bytes_after_its_answer_is_not_used_again"): "takes them for the next answer",
    (
        "aiohttp",
        "test_a_connection_closed_while_the_loop_was_busy_is_replaced_unseen",
    ): "does not look before it writes",
    ("aiohttp", "test_a_close_that_crosses_the_request_is_repeated_once_on_a_new_connection"): "repeats no POST",
}
"""(transport, test with its other parameters) → what it does instead, as docs/decisions/0010 tells."""


class Certificates(NamedTuple):
    """An authority that the transports are told to trust, and what its servers use."""

    authority: trustme.CA
    file: str

    def server(self, certificate: trustme.LeafCert) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.configure_cert(context)
        return context


class Transports:
    """Opens transports of the kind under test, and closes them at the end."""

    def __init__(self, name: str, ca_file: str) -> None:
        self.name = name
        self._ca_file = ca_file
        self._opened: list[httpx.AsyncBaseTransport] = []

    def to(
        self,
        url: str,
        *,
        guard: EgressGuard | None = None,
        proxies: Proxies | None = None,
        client_cert: str | None = None,
        **limits: float,
    ) -> httpx.AsyncBaseTransport:
        """A transport that may call this private URL, with some limits changed."""
        bounds = TransportLimits(**limits)  # type: ignore[arg-type]  # counts and seconds alike
        allowed = guard or EgressGuard.for_provider(url)
        transport: httpx.AsyncBaseTransport
        if self.name == "pyreqwest":
            transport = PyreqwestTransport(bounds, allowed, ca_file=self._ca_file)
        else:
            tls = TlsFiles((self._ca_file,), client_cert)
            transport = build_transport(self.name, bounds, allowed, tls=tls, proxies=proxies)
        self._opened.append(transport)
        return transport

    async def close(self) -> None:
        for transport in self._opened:
            await transport.aclose()
        await asyncio.sleep(0)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    # Not below pytest's own folder: a second pytest closes that to the user that Postgres runs as.
    with TemporaryDirectory(prefix="omg-postgres-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder))
        yield server
        server.close()


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    with ValkeyServer() as server:
        yield server


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    authority = trustme.CA()
    path: Path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return Certificates(authority, str(path))


@pytest_asyncio.fixture(params=UNDER_TEST)
async def transports(request: pytest.FixtureRequest, certificates: Certificates) -> AsyncIterator[Transports]:
    opened = Transports(request.param, certificates.file)
    yield opened
    await opened.close()


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.path.name.startswith("test_transport"):
        return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not isinstance(item, pytest.Function) or not item.path.name.startswith("test_transport"):
            continue
        loop_and_transport = re.compile(r"(asyncio|uvloop)-(\w+)-?")
        found = loop_and_transport.search(item.name)
        if found is None:
            continue
        test = loop_and_transport.sub("", item.name).removesuffix("[]")
        reason = DEVIATIONS.get((found[2], test)) or DEVIATIONS.get((found[2], item.originalname))
        if reason is not None:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
