"""What every store promises, asked of the fake, SQLite and Postgres alike."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from domain.authority import EVERYWHERE
from domain.availability import KeyCondition, KeyState
from domain.configuration import Section
from domain.errors import Conflict, NotFound
from domain.ports.repositories import Store
from domain.providers import Offering, ProviderSettings
from domain.secrets import Secret
from domain.timeouts import TimeoutOverrides
from tests.builders import NOW, a_provider, a_provider_key, a_tenant, a_virtual_key

PRECISE = datetime(2026, 11, 21, 12, 34, 56, 789012, tzinfo=UTC)


async def test_a_write_is_seen_by_later_units(store: Store) -> None:
    async with store.write() as unit:
        await unit.providers.add(a_provider())
    async with store.read() as unit:
        assert await unit.providers.get("alpha") == a_provider()


async def test_a_unit_sees_its_own_writes(store: Store) -> None:
    async with store.write() as unit:
        await unit.providers.add(a_provider())
        await unit.facts.put("a", "1")
        assert await unit.providers.get("alpha") == a_provider()
        assert await unit.facts.get("a") == "1"


async def test_an_exception_undoes_the_whole_unit(store: Store) -> None:
    with pytest.raises(RuntimeError, match="on the way"):
        async with store.write() as unit:
            await unit.tenants.add(a_tenant())
            await unit.providers.add(a_provider())
            await unit.config_versions.bump(Section.PROVIDERS)
            raise RuntimeError("on the way")
    async with store.read() as unit:
        assert await unit.tenants.get("ten_default", EVERYWHERE) is None
        assert await unit.providers.list_all() == []
        assert await unit.config_versions.load() == {}


async def test_an_unfinished_write_is_not_seen_by_others(store: Store) -> None:
    async with store.write() as writing:
        await writing.providers.add(a_provider())
        async with store.read() as reading:
            assert await reading.providers.get("alpha") is None


async def test_a_conflict_leaves_the_rest_of_the_unit_standing(store: Store) -> None:
    async with store.write() as unit:
        await unit.providers.add(a_provider("alpha"))
        with pytest.raises(Conflict):
            await unit.providers.add(a_provider("alpha", name="Again"))
        await unit.providers.add(a_provider("beta"))
    async with store.read() as unit:
        assert [(p.id, p.name) for p in await unit.providers.list_all()] == [("alpha", "Alpha"), ("beta", "Beta")]


async def test_writers_wait_for_each_other(store: Store) -> None:
    async def bump() -> int:
        async with store.write() as unit:
            return await unit.config_versions.bump(Section.PROVIDERS)

    assert sorted(await asyncio.gather(*(bump() for _ in range(20)))) == list(range(1, 21))


async def test_a_store_answers_ping(store: Store) -> None:
    await store.ping()


async def test_a_provider_comes_back_as_it_was_written(store: Store) -> None:
    settings = ProviderSettings(
        preset="cerebras",
        default_model="llama",
        models=("a", "b"),
        drop_params=("logprobs",),
        timeouts=TimeoutOverrides(),
        model_timeouts={"slow": TimeoutOverrides()},
        allow_private_network=True,
        max_connections=7,
    )
    provider = a_provider(
        base_url=None, priority=-5, enabled=False, settings=settings, owner="file", version=3, updated_at=PRECISE
    )
    async with store.write() as unit:
        await unit.providers.add(provider)
    async with store.read() as unit:
        assert await unit.providers.get("alpha") == provider


async def test_providers_are_listed_by_priority_then_by_id_byte_by_byte(store: Store) -> None:
    ids = ["b", "a_b", "a-b", "ab", "a0", "0a", "zz"]
    async with store.write() as unit:
        for provider_id in ids:
            await unit.providers.add(a_provider(provider_id, priority=1 if provider_id == "zz" else 2))
    async with store.read() as unit:
        listed = [provider.id for provider in await unit.providers.list_all()]
    assert listed == ["zz", *sorted(set(ids) - {"zz"})]


async def test_a_taken_provider_id_is_a_conflict(store: Store) -> None:
    async with store.write() as unit:
        await unit.providers.add(a_provider())
    with pytest.raises(Conflict, match="'alpha' exists already") as caught:
        async with store.write() as unit:
            await unit.providers.add(a_provider())
    assert caught.value.param == "id"


async def test_updating_a_provider_replaces_it(store: Store) -> None:
    async with store.write() as unit:
        await unit.providers.add(a_provider())
    changed = a_provider(name="New", base_url="https://new.example", version=2, updated_at=PRECISE)
    async with store.write() as unit:
        await unit.providers.update(changed)
    async with store.read() as unit:
        assert await unit.providers.get("alpha") == changed


async def test_updating_an_unknown_provider_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound) as caught:
        async with store.write() as unit:
            await unit.providers.update(a_provider())
    assert caught.value.code == "provider_not_found"


async def test_deleting_a_provider_takes_its_keys_their_states_and_its_offerings(store: Store) -> None:
    async with store.write() as unit:
        for name in ("alpha", "beta"):
            await unit.providers.add(a_provider(name))
            await unit.keys.add(a_provider_key(f"pk_{name}", name))
            await unit.offerings.replace(name, NOW, [Offering("m")])
        limited = [KeyState(f"pk_{name}", KeyCondition.RATE_LIMITED) for name in ("alpha", "beta")]
        await unit.availability.save([*limited, KeyState("keyless:alpha", KeyCondition.EXHAUSTED)], NOW)

    async with store.write() as unit:
        assert await unit.providers.delete("alpha")
        assert not await unit.providers.delete("alpha")

    async with store.read() as unit:
        assert [provider.id for provider in await unit.providers.list_all()] == ["beta"]
        assert [key.id for key in await unit.keys.list_all()] == ["pk_beta"]
        assert [state.key_id for state in await unit.availability.load()] == ["pk_beta"]
        assert [row[0] for row in await unit.offerings.load()] == ["beta"]


async def test_a_provider_key_comes_back_with_its_secret(store: Store) -> None:
    key = a_provider_key(secret=Secret("sk-ключ-🔑"), weight=3, label="", created_at=PRECISE)
    async with store.write() as unit:
        await unit.keys.add(key)
    async with store.read() as unit:
        assert await unit.keys.get("pk_1") == key
        assert await unit.keys.get("pk_2") is None


async def test_provider_keys_are_listed_oldest_first(store: Store) -> None:
    async with store.write() as unit:
        await unit.keys.add(a_provider_key("pk_1", created_at=NOW + timedelta(seconds=1)))
        await unit.keys.add(a_provider_key("pk_2", created_at=NOW))
        await unit.keys.add(a_provider_key("pk_3", "beta", created_at=NOW - timedelta(seconds=1)))
    async with store.read() as unit:
        assert [key.id for key in await unit.keys.list_for("alpha")] == ["pk_2", "pk_1"]
        assert [key.id for key in await unit.keys.list_all()] == ["pk_3", "pk_2", "pk_1"]
        assert await unit.keys.list_for("gamma") == []


async def test_updating_a_provider_key_changes_label_weight_and_secret_alone(store: Store) -> None:
    async with store.write() as unit:
        await unit.keys.add(a_provider_key())
        await unit.keys.update(
            a_provider_key(
                label="second",
                weight=9,
                secret=Secret("another"),
                updated_at=PRECISE,
                provider_id="beta",
                owner="file",
                created_at=PRECISE,
            )
        )
    async with store.read() as unit:
        assert await unit.keys.get("pk_1") == a_provider_key(
            label="second", weight=9, secret=Secret("another"), updated_at=PRECISE
        )


async def test_a_provider_key_is_added_once_and_updated_only_where_it_exists(store: Store) -> None:
    async with store.write() as unit:
        await unit.keys.add(a_provider_key())
        with pytest.raises(Conflict):
            await unit.keys.add(a_provider_key())
        with pytest.raises(NotFound):
            await unit.keys.update(a_provider_key("pk_2"))


async def test_deleting_provider_keys_takes_their_states(store: Store) -> None:
    async with store.write() as unit:
        for number in range(4):
            await unit.keys.add(a_provider_key(f"pk_{number}", "beta" if number == 3 else "alpha"))
        await unit.availability.save([KeyState(f"pk_{number}", KeyCondition.INVALID) for number in range(4)], NOW)
        assert await unit.keys.delete("pk_0")
        assert not await unit.keys.delete("pk_0")
        assert await unit.keys.delete_for("alpha") == 2
        assert await unit.keys.delete_for("alpha") == 0
    async with store.read() as unit:
        assert [key.id for key in await unit.keys.list_all()] == ["pk_3"]
        assert [state.key_id for state in await unit.availability.load()] == ["pk_3"]


async def test_there_is_nothing_to_encrypt_again_under_the_newest_key(store: Store) -> None:
    async with store.write() as unit:
        await unit.keys.add(a_provider_key())
        assert await unit.keys.reencrypt_all() == 0


async def test_a_tenant_comes_back_as_it_was_written(store: Store) -> None:
    async with store.write() as unit:
        await unit.tenants.add(a_tenant(kind="personal", created_at=PRECISE))
        with pytest.raises(Conflict):
            await unit.tenants.add(a_tenant())
    async with store.read() as unit:
        assert await unit.tenants.get("ten_default", EVERYWHERE) == a_tenant(kind="personal", created_at=PRECISE)
        assert await unit.tenants.get("ten_other", EVERYWHERE) is None


async def test_moments_come_back_aware_in_utc_whatever_zone_they_had(store: Store) -> None:
    elsewhere = timezone(timedelta(hours=5, minutes=30))
    async with store.write() as unit:
        await unit.tenants.add(a_tenant())
        await unit.virtual_keys.add(a_virtual_key(expires_at=PRECISE.astimezone(elsewhere)))
    async with store.read() as unit:
        found = await unit.virtual_keys.get("key_1", EVERYWHERE)
    assert found is not None
    assert found.expires_at == PRECISE
    assert found.created_at.utcoffset() == timedelta(0)


async def test_key_states_come_back_and_replace_each_other(store: Store) -> None:
    waiting = KeyState("pk_1", KeyCondition.RATE_LIMITED, until=PRECISE, since=NOW, reason="slow down", strikes=2)
    forever = KeyState("keyless:ollama", KeyCondition.INVALID, until=None, since=NOW, reason="no")
    async with store.write() as unit:
        await unit.availability.save([waiting, forever], NOW)
        assert await unit.availability.load() == [forever, waiting]
        worse = msgspec.structs.replace(waiting, condition=KeyCondition.EXHAUSTED, until=None)
        await unit.availability.save([worse], NOW)
    async with store.read() as unit:
        assert await unit.availability.load() == [forever, worse]


async def test_a_plainly_available_state_is_forgotten(store: Store) -> None:
    async with store.write() as unit:
        await unit.availability.save([KeyState(f"pk_{number}", KeyCondition.INVALID) for number in range(3)], NOW)
        await unit.availability.save([KeyState("pk_0"), KeyState("pk_1", strikes=1), KeyState("pk_9")], NOW)
        await unit.availability.save([], NOW)
    async with store.read() as unit:
        assert [(state.key_id, state.condition) for state in await unit.availability.load()] == [
            ("pk_1", KeyCondition.AVAILABLE),
            ("pk_2", KeyCondition.INVALID),
        ]


async def test_offerings_are_replaced_as_a_whole(store: Store) -> None:
    first = [Offering("a", created=5, owned_by="x", context_window=8192), Offering("b")]
    async with store.write() as unit:
        await unit.offerings.replace("beta", NOW, [Offering("z")])
        await unit.offerings.replace("alpha", NOW, first)
        assert [(row[0], list(row[2])) for row in await unit.offerings.load()] == [
            ("alpha", first),
            ("beta", [Offering("z")]),
        ]
        await unit.offerings.replace("beta", PRECISE, [])
    async with store.read() as unit:
        assert [(row[0], row[1], list(row[2])) for row in await unit.offerings.load()] == [
            ("alpha", NOW, first),
            ("beta", PRECISE, []),
        ]


async def test_each_section_is_counted_on_its_own(store: Store) -> None:
    async with store.write() as unit:
        assert [await unit.config_versions.bump(Section.PROVIDERS) for _ in range(3)] == [1, 2, 3]
        assert await unit.config_versions.bump(Section.PRICES) == 1
    async with store.read() as unit:
        assert await unit.config_versions.load() == {"providers": 3, "prices": 1}


async def test_facts_are_put_over_each_other_and_counted(store: Store) -> None:
    async with store.write() as unit:
        assert await unit.facts.get("admin_token_digest") is None
        await unit.facts.put("admin_token_digest", "aa")
        await unit.facts.put("admin_token_digest", "bb")
        assert [await unit.facts.bump("seeded") for _ in range(11)] == list(range(1, 12))
    async with store.read() as unit:
        assert await unit.facts.get("admin_token_digest") == "bb"
        assert await unit.facts.get("seeded") == "11"


async def test_facts_are_found_by_how_they_begin_and_forgotten(store: Store) -> None:
    async with store.write() as unit:
        for name in ("b_2", "b_1", "b_3", "bx1", "a"):
            await unit.facts.put(name, name.upper())
        await unit.facts.forget("b_3")
        await unit.facts.forget("never was")
    async with store.read() as unit:
        assert list((await unit.facts.beginning_with("b_", 9)).items()) == [("b_1", "B_1"), ("b_2", "B_2")]
        assert list(await unit.facts.beginning_with("b", 1)) == ["b_1"]
        assert await unit.facts.get("b_3") is None
