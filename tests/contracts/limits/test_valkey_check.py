"""What the doctor finds out about a Valkey server, on a real one."""

import pytest

from adapters.limits.valkey_check import look_at
from domain.secrets import Secret
from tests.contracts.limits.valkey import ValkeyServer
from tests.e2e.processes import free_port


async def test_a_server_that_keeps_what_it_is_given_is_well(valkey: ValkeyServer) -> None:
    state = await look_at(valkey.url, "test")

    assert (state.trouble, state.remark) == ("", "")
    assert state.version.split(".")[0].isdigit()


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
async def test_a_server_that_forgets_when_its_memory_is_full_is_remarked_on(valkey: ValkeyServer, policy: str) -> None:
    valkey.ask("CONFIG", "SET", "maxmemory", "100mb")
    valkey.ask("CONFIG", "SET", "maxmemory-policy", policy)
    try:
        state = await look_at(valkey.url, "test")
    finally:
        valkey.ask("CONFIG", "SET", "maxmemory", "0")
        valkey.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")

    assert state.trouble == ""
    assert policy in state.remark
    assert "noeviction" in state.remark


async def test_a_server_that_is_not_there_or_may_not_write_is_in_trouble(valkey: ValkeyServer) -> None:
    nowhere = await look_at(Secret(f"valkey://127.0.0.1:{free_port()}"), "test")
    valkey.ask("REPLICAOF", "127.0.0.1", "1")
    try:
        replica = await look_at(valkey.url, "test")
    finally:
        valkey.ask("REPLICAOF", "NO", "ONE")

    assert nowhere.trouble
    assert "READONLY" in replica.trouble.upper() or "read only" in replica.trouble
