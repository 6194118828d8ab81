"""The snapshot follows the store, and clients outlive their version until their last call ends."""

import asyncio
from typing import cast

import pytest

from domain.configuration import Section
from domain.errors import StoreUnavailable
from domain.ports.repositories import UnitOfWork
from domain.providers import ProviderSettings
from tests.builders import a_provider, a_provider_key
from tests.fakes.gateway import FakeGateway
from tests.fakes.providers import FakeChatProvider


async def test_a_changed_provider_gets_a_new_client_and_the_old_one_closes_after_its_last_user() -> None:
    """R-12."""
    gateway = FakeGateway({}, providers=[], keys=[])
    async with gateway.store.write() as unit:
        await unit.providers.add(a_provider("a"))
        await unit.config_versions.bump(Section.PROVIDERS)
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


@pytest.mark.parametrize(
    ("base_url", "keys"), [("https://a.example/v2", ["pk_a", "pk_own"]), ("https://other.example/v1", ["pk_a"])]
)
async def test_the_files_declaration_holds_over_a_stored_provider_which_rests(
    base_url: str | None, keys: list[str]
) -> None:
    """Contract 3. Its keys go on where the file leads to the same server, and nowhere else (S-07)."""
    declared = [a_provider("a", owner="file", base_url=base_url, settings=ProviderSettings(models=("of the file",)))]
    gateway = FakeGateway({"a": FakeChatProvider()}, providers=declared)
    async with gateway.store.write() as unit:
        await unit.providers.add(a_provider("a", settings=ProviderSettings(models=("stored",))))
        await unit.keys.add(a_provider_key("pk_own", "a"))
    await gateway.started()

    live = gateway.state.current.by_id["a"]
    assert (live.provider.settings.models, live.provider.owner) == (("of the file",), "file")
    assert [key.id for key in live.keys] == keys
    assert gateway.state.resting == {"a"}
    async with gateway.store.read() as unit:
        assert [each.settings.models for each in await unit.providers.list_all()] == [("stored",)]


class Follower:
    """A section that counts how often it was read."""

    def __init__(self) -> None:
        self.reads = 0
        self.away = False

    async def reload(self, unit: UnitOfWork) -> None:
        if self.away:
            raise StoreUnavailable
        await unit.prices.list_current()
        self.reads += 1


async def changed_elsewhere(gateway: FakeGateway, *sections: Section) -> None:
    async with gateway.store.write() as unit:
        for section in sections:
            await unit.config_versions.bump(section)


@pytest.mark.parametrize("changed", list(Section))
async def test_another_process_change_of_one_section_is_read_once_and_no_other_section_is(changed: Section) -> None:
    gateway = FakeGateway({})
    followers = {section: Follower() for section in Section}
    for section, follower in followers.items():
        gateway.state.follow(section, follower.reload)
    await gateway.started()
    await changed_elsewhere(gateway, changed)
    await gateway.state.reload_if_changed()
    await gateway.state.reload_if_changed()

    assert {section: follower.reads for section, follower in followers.items()} == {
        section: 2 if section is changed else 1 for section in Section
    }
    assert gateway.state.version == 1


async def test_a_provider_that_another_process_stored_is_taken_up() -> None:
    gateway = await FakeGateway({}).started()
    async with gateway.store.write() as unit:
        await unit.providers.add(a_provider("z"))
        await unit.config_versions.bump(Section.PROVIDERS)
    await gateway.state.reload_if_changed()

    assert "z" in gateway.state.current.by_id


async def test_looking_for_changes_is_one_unit_and_nothing_is_read_again_without_one() -> None:
    gateway = await FakeGateway({"a": FakeChatProvider()}).started()
    before, generation, units = gateway.state.current, gateway.state.generation, gateway.store.units
    await gateway.state.reload_if_changed()

    assert gateway.state.current is before
    assert (gateway.state.generation, gateway.store.units) == (generation, units + 1)


async def test_a_section_that_could_not_be_read_is_read_at_the_next_look() -> None:
    gateway, follower = FakeGateway({}), Follower()
    gateway.state.follow(Section.PRICES, follower.reload)
    await gateway.started()
    await changed_elsewhere(gateway, Section.PRICES)
    follower.away = True
    await gateway.state.reload_if_changed()
    follower.away = False
    await gateway.state.reload_if_changed()

    assert follower.reads == 2


async def test_a_section_of_a_newer_version_is_passed_over() -> None:
    gateway = await FakeGateway({}).started()
    async with gateway.store.write() as unit:
        await unit.config_versions.bump(cast(Section, "sections_of_tomorrow"))
    await gateway.state.reload_if_changed()

    assert gateway.state.version == 0


async def test_a_section_that_follows_others_only_is_read_where_another_wrote_before_this_process() -> None:
    """S-09: what this process wrote it has applied itself; what came in between it has not."""
    gateway, follower = FakeGateway({}), Follower()
    gateway.state.follow(Section.VIRTUAL_KEYS, follower.reload, only_foreign=True)
    await gateway.started()
    await changed_elsewhere(gateway, Section.VIRTUAL_KEYS)
    await gateway.state.written(Section.VIRTUAL_KEYS, 1)
    await gateway.state.reload_if_changed()
    own = follower.reads
    await changed_elsewhere(gateway, Section.VIRTUAL_KEYS, Section.VIRTUAL_KEYS)
    await gateway.state.written(Section.VIRTUAL_KEYS, 3)
    await gateway.state.reload_if_changed()

    assert (own, follower.reads) == (1, 2)


async def test_a_store_that_is_away_leaves_the_snapshot_as_it_is() -> None:
    gateway = await FakeGateway({"a": FakeChatProvider()}).started()
    before = gateway.state.current
    gateway.store.broken = True

    await gateway.state.reload_if_changed()

    assert gateway.state.current is before


async def test_a_store_that_is_away_is_told_once_and_its_return_once(caplog: pytest.LogCaptureFixture) -> None:
    """R-27: it is looked at every second, for as long as the outage lasts."""
    gateway = await FakeGateway({}).started()
    for gateway.store.broken in (True, True, True, False, False):
        await gateway.state.reload_if_changed()

    assert [record.message for record in caplog.records] == [
        "configuration not checked: the store is away",
        "configuration is checked again",
    ]


async def test_closing_closes_every_client() -> None:
    gateway = await FakeGateway({"a": FakeChatProvider(), "b": FakeChatProvider()}).started()
    await gateway.state.aclose()

    assert all(client.closed for client in gateway.registry.built)
