"""`sslmode` and its relatives mean for each connection of the gateway what they mean for libpq."""

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme

from adapters.limits.postgres_counters import PostgresCounters
from adapters.persistence import schema
from adapters.persistence.announcements import ConfigAnnouncements
from adapters.persistence.engine import parse_url
from adapters.persistence.ledger.postgres import PostgresLedgerStore
from adapters.persistence.store import SqlAlchemyStore
from domain.configuration import Section
from domain.errors import StoreUnavailable
from domain.ports.security import SecretBox
from tests.builders import a_provider, a_request_record
from tests.contracts.persistence.postgres import PostgresServer
from tests.tls_fronts import tls_before_postgres
from tests.waiting import HANG_SECONDS

SECRET = "hunter2"

REFUSED = {
    ("stranger", "verify-ca"), ("stranger", "verify-full"), ("other name", "verify-full"),
    ("none", "require"), ("none", "verify-ca"), ("none", "verify-full"),
}  # fmt: skip
"""libpq's table: https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-SSLMODE-STATEMENTS (read 2026-11).
`disable` at a server that has nothing but TLS is refused besides.
"""


def server_side(authority: trustme.CA, kind: str, *, asks: bool = False) -> ssl.SSLContext | None:
    if kind == "none":
        return None
    signer = trustme.CA() if kind == "stranger" else authority
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    signer.issue_cert("elsewhere.example" if kind == "other name" else "127.0.0.1").configure_cert(context)
    if asks:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    made, path = trustme.CA(), tmp_path_factory.mktemp("authority") / "ca.pem"
    made.cert_pem.write_to_path(str(path))
    return made, path


@pytest.mark.parametrize("mode", ["disable", "prefer", "require", "verify-ca", "verify-full"])
@pytest.mark.parametrize("kind", ["right", "other name", "stranger", "none"])
async def test_a_server_is_believed_as_the_mode_says(
    postgres: PostgresServer, authority: tuple[trustme.CA, Path], kind: str, mode: str
) -> None:
    known, path = authority
    refused = (kind, mode) in REFUSED or (mode == "disable" and kind != "none")
    # One that is named would make `require` check it, as libpq does for compatibility.
    root = f"&sslrootcert={path}" if mode.startswith("verify") else ""
    server = parse_url(postgres.migrated_url)
    async with tls_before_postgres(server, server_side(known, kind)) as port:
        url = f"postgresql://{server.username}:{SECRET}@127.0.0.1:{port}/{server.database}?sslmode={mode}{root}"
        if refused:
            with pytest.raises((StoreUnavailable, OSError)) as raised:
                await schema.check(url)
            assert SECRET not in str(raised.value)
            if kind in {"stranger", "other name"} and mode.startswith("verify"):
                assert "certificate" in str(raised.value).lower()
        else:
            assert (await schema.check(url)).up_to_date


async def test_whatever_connects_shows_the_clients_certificate(
    postgres: PostgresServer, authority: tuple[trustme.CA, Path], box: SecretBox, tmp_path: Path
) -> None:
    known, path = authority
    own = known.issue_cert("gateway@example.com")
    own.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    (tmp_path / "key.pem").chmod(0o600)
    for blob in own.cert_chain_pems:
        blob.write_to_path(str(tmp_path / "cert.pem"), append=True)
    database = await asyncio.to_thread(postgres.new_database)
    server = parse_url(database)
    async with tls_before_postgres(server, server_side(known, "right", asks=True)) as port:
        address = f"postgresql://{server.username}@127.0.0.1:{port}/{server.database}"
        bare = f"{address}?sslmode=verify-full&sslrootcert={path}"
        with pytest.raises((StoreUnavailable, OSError)):
            await schema.check(bare)

        url = f"{bare}&sslcert={tmp_path / 'cert.pem'}&sslkey={tmp_path / 'key.pem'}"
        await schema.upgrade(url)
        store, heard = SqlAlchemyStore(url, box, unit_seconds=20.0), asyncio.Event()
        ledger, counters = PostgresLedgerStore(parse_url(url)), PostgresCounters(parse_url(url), reply_seconds=20.0)
        announcements = ConfigAnnouncements(url)

        async def note() -> None:
            heard.set()

        listening = asyncio.create_task(announcements.listen(note))
        async with asyncio.timeout(HANG_SECONDS):
            while not heard.is_set():
                async with store.write() as unit:
                    await unit.config_versions.bump(Section.PROVIDERS)
                await asyncio.sleep(0.05)
        async with store.write() as unit:
            await unit.providers.add(a_provider("p"))
        await ledger.apply([a_request_record("req_1")], None)
        assert await counters.renew("proc_1", [])
        listening.cancel()
        await asyncio.gather(announcements.aclose(), ledger.aclose(), counters.aclose(), store.aclose())
    assert await postgres.fetch(database, "SELECT count(*) FROM requests") == [1]
