"""Secrets in Vault are read once for a while, through the egress guard, and what is wrong is told without a value."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.security.vault import FRESH_SECONDS, VaultSecretReferences
from adapters.transport.client import build_transport
from adapters.transport.limits import TransportLimits
from domain.ports.security import SecretMissing
from domain.secrets import Secret
from tests.fakes.clock import FakeClock
from tests.vault_server import TOKEN, VaultServer


@pytest.fixture
async def vault() -> AsyncIterator[VaultServer]:
    server = VaultServer()
    server.secrets = {"secret/omg/openai": {"key": "sk-one", "other": "two", "number": 3}, "secret/gone": None}
    async with server.running():
        yield server


def references(vault: VaultServer, clock: FakeClock | None = None, **variables: str) -> VaultSecretReferences:
    given = {"VAULT_ADDR": vault.address, "VAULT_TOKEN": TOKEN} | variables
    make = lambda guard: build_transport("httptools", TransportLimits(), guard)  # noqa: E731
    return VaultSecretReferences(given, make, clock or FakeClock())


async def test_a_field_is_read_with_the_token_and_the_namespace(vault: VaultServer) -> None:
    found = await references(vault, VAULT_NAMESPACE="team").resolve("vault:secret/omg/openai#key")

    assert found == Secret("sk-one")
    path, headers = vault.asked[0]
    assert path == "/v1/secret/data/omg/openai"
    assert (headers["x-vault-token"], headers["x-vault-namespace"]) == (TOKEN, "team")


async def test_the_path_may_be_written_as_the_api_has_it(vault: VaultServer) -> None:
    assert await references(vault).resolve("vault:secret/data/omg/openai#other") == Secret("two")


async def test_a_path_is_asked_once_until_it_is_old_and_then_anew(vault: VaultServer) -> None:
    clock = FakeClock()
    place = references(vault, clock)
    first = [await place.resolve(f"vault:secret/omg/openai#{field}") for field in ("key", "other", "key")]
    vault.secrets["secret/omg/openai"] = {"key": "sk-renewed"}

    still = await place.resolve("vault:secret/omg/openai#key")
    clock.advance(FRESH_SECONDS + 1)
    renewed = await place.resolve("vault:secret/omg/openai#key")

    assert (first[0], still, renewed) == (Secret("sk-one"), Secret("sk-one"), Secret("sk-renewed"))
    assert len(vault.asked) == 2


async def test_what_was_read_serves_on_while_vault_is_sealed(vault: VaultServer) -> None:
    clock = FakeClock()
    place = references(vault, clock)
    await place.resolve("vault:secret/omg/openai#key")
    vault.sealed = True
    clock.advance(FRESH_SECONDS + 1)

    assert await place.resolve("vault:secret/omg/openai#key") == Secret("sk-one")


async def test_the_token_of_a_file_is_read_anew_each_time(vault: VaultServer, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old\n", encoding="ascii")
    place = references(vault, VAULT_TOKEN="", VAULT_TOKEN_FILE=str(file))
    with pytest.raises(SecretMissing, match="token"):
        await place.resolve("vault:secret/omg/openai#key")

    file.write_text(f"{TOKEN}\n", encoding="ascii")

    assert await place.resolve("vault:secret/omg/openai#key") == Secret("sk-one")


@pytest.mark.parametrize(
    ("reference", "variables", "said"),
    [
        ("vault:secret/omg/openai", {}, "MOUNT/PATH#FIELD"),
        ("vault:secret#key", {}, "MOUNT/PATH#FIELD"),
        ("vault:secret/../sys/seal#key", {}, "MOUNT/PATH#FIELD"),
        ("vault:secret/omg/openai#absent", {}, "absent"),
        ("vault:secret/omg/openai#number", {}, "number"),
        ("vault:secret/nowhere#key", {}, "no such path"),
        ("vault:secret/gone#key", {}, "deleted"),
        ("vault:secret/omg/openai#key", {"VAULT_TOKEN": "wrong"}, "refuses the token"),
        ("vault:secret/omg/openai#key", {"VAULT_TOKEN": ""}, "VAULT_TOKEN"),
        ("vault:secret/omg/openai#key", {"VAULT_TOKEN": "", "VAULT_TOKEN_FILE": "/nowhere"}, "VAULT_TOKEN_FILE"),
        ("vault:secret/omg/openai#key", {"VAULT_ADDR": ""}, "VAULT_ADDR"),
        ("vault:secret/omg/openai#key", {"VAULT_ADDR": "http://127.0.0.1:1"}, "does not answer"),
        ("vault:secret/omg/openai#key", {"VAULT_ADDR": "http://169.254.169.254"}, "refused"),
    ],
)
async def test_what_leads_nowhere_is_told_without_a_value(
    vault: VaultServer, reference: str, variables: dict[str, str], said: str
) -> None:
    """Not to a metadata address either (S-08)."""
    with pytest.raises(SecretMissing, match=said) as raised:
        await references(vault, None, **variables).resolve(reference)

    assert TOKEN not in str(raised.value)


async def test_a_sealed_vault_is_told(vault: VaultServer) -> None:
    vault.sealed = True

    with pytest.raises(SecretMissing, match="sealed"):
        await references(vault).resolve("vault:secret/omg/openai#key")
