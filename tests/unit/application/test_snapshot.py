"""The snapshot follows the store, and clients outlive their version until their last call ends."""

import asyncio

from domain.providers import ProviderSettings
from tests.builders import a_provider, a_provider_key
from tests.fakes.gateway import FakeGateway
from tests.fakes.providers import FakeChatProvider


async def test_a_changed_provider_gets_a_new_client_and_the_old_one_closes_after_its_last_user() -> None:
    """R-12."""
    gateway = FakeGateway({}, providers=[], keys=[])
    async with gateway.store.write() as unit:
        await unit.providers.add(a_provider("a"))
        await unit.facts.bump("config_version")
    await gateway.state.reload()
    lease = gateway.state.current.by_id["a"].lease
    assert lease is not None
    lease.acquire()

    async with gateway.store.write() as unit:
        await unit.providers.update(a_provider("a", priority=5, version=2))
    await gateway.state.reload()
    await asyncio.sleep(0)
    old, new = gateway.registry.built
    closed_while_used = old.closed
    lease.release()
    await asyncio.sleep(0)
    assert (closed_while_used, old.closed, new.closed) == (False, True, False)


async def test_a_new_key_keeps_the_providers_client() -> None:
    gateway = await FakeGateway({"a": FakeChatProvider()}).started()
    async with gateway.store.write() as unit:
        await unit.keys.add(a_provider_key("pk_new", "a"))
    await gateway.state.reload()

    assert [key.id for key in gateway.state.current.by_id["a"].keys] == ["pk_a", "pk_new"]
    assert len(gateway.registry.built) == 1


async def test_a_provider_that_cannot_be_built_is_kept_with_its_problem() -> None:
    gateway = await FakeGateway({}, providers=[a_provider("odd", kind="unknown")]).started()

    assert gateway.state.current.live == ()
    assert "unknown" in gateway.state.current.by_id["odd"].problem


async def test_a_stored_provider_replaces_the_declared_one_of_its_name() -> None:
    declared = [a_provider("a", owner="environment")]
    gateway = FakeGateway({"a": FakeChatProvider()}, providers=declared)
    async with gateway.store.write() as unit:
        await unit.providers.add(a_provider("a", settings=ProviderSettings(models=("stored",))))
    await gateway.started()

    assert gateway.state.current.by_id["a"].provider.settings.models == ("stored",)
    assert [key.id for key in gateway.state.current.by_id["a"].keys] == ["pk_a"]


async def test_a_change_by_another_process_is_taken_up_and_told() -> None:
    gateway = await FakeGateway({}).started()
    told: list[bool] = []
    gateway.state.on_foreign_change(lambda: told.append(True))
    await gateway.state.reload_if_changed()
    assert told == []
    async with gateway.store.write() as unit:
        await unit.providers.add(a_provider("z"))
        await unit.facts.bump("config_version")
    await gateway.state.reload_if_changed()

    assert told == [True]
    assert "z" in gateway.state.current.by_id


async def test_a_store_that_is_away_leaves_the_snapshot_as_it_is() -> None:
    gateway = await FakeGateway({"a": FakeChatProvider()}).started()
    before = gateway.state.current
    gateway.store.broken = True

    await gateway.state.reload_if_changed()

    assert gateway.state.current is before


async def test_closing_closes_every_client() -> None:
    gateway = await FakeGateway({"a": FakeChatProvider(), "b": FakeChatProvider()}).started()
    await gateway.state.aclose()

    assert all(client.closed for client in gateway.registry.built)
