"""No call is made that a known quota forbids, and the key with the most left is asked first (contract 10, A6)."""

import asyncio
from datetime import date, timedelta
from typing import Any

from adapters.availability.automatic import AutomaticAvailability
from application.availability import AvailabilityKeeper
from domain.availability import KeyCondition, RateLimitWindow
from domain.errors import AllCandidatesFailed
from domain.failover import FailureKind
from domain.free_tiers import FreeTier, Quota
from domain.keys import ProviderKey
from domain.providers import ProviderPreset, ProviderSettings
from domain.quotas import KeyQuota
from domain.usage import TokenUsage
from tests.builders import NOW, a_provider, a_provider_key
from tests.fakes.gateway import FakeGateway
from tests.fakes.providers import FakeChatProvider, failure
from tests.unit.application.inference.test_dispatch import ask, refused

OK = TokenUsage(300, 200)


def a_key(key_id: str, *quota: KeyQuota, provider_id: str = "a") -> ProviderKey:
    return a_provider_key(key_id, provider_id, quota=quota)


def requests(limit: int, **fields: Any) -> KeyQuota:
    return KeyQuota(dimension="requests", limit=limit, window="day", **fields)


async def test_a_key_whose_quota_is_used_up_is_not_asked_and_the_next_provider_is() -> None:
    first, second = FakeChatProvider(OK), FakeChatProvider(OK)
    keys = [a_key("pk_a", requests(2)), a_provider_key("pk_b", "b")]
    gateway = await FakeGateway({"a": first, "b": second}, keys=keys).started()

    served = [(await ask(gateway)).provider_id for _ in range(4)]

    assert served == ["a", "a", "b", "b"]
    assert len(first.calls) == 2


async def test_of_many_at_once_no_more_go_out_than_the_quota_has_room_for() -> None:
    chat = FakeChatProvider(OK)
    gateway = await FakeGateway({"a": chat}, keys=[a_key("pk_a", requests(10))]).started()

    outcomes = await asyncio.gather(*(ask(gateway) for _ in range(200)), return_exceptions=True)

    assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 10
    assert all(isinstance(outcome, AllCandidatesFailed) for outcome in outcomes if isinstance(outcome, BaseException))
    assert len(chat.calls) == 10


async def test_where_every_quota_is_used_up_the_client_is_told_when_the_first_resets() -> None:
    gateway = await FakeGateway({"a": FakeChatProvider(OK)}, keys=[a_key("pk_a", requests(1))]).started()
    await ask(gateway)

    error = await refused(gateway)

    assert (error.code, getattr(error, "retry_after_seconds", None)) == ("rate_limit_exceeded", 12 * 3600)
    state = gateway.availability.key_state("pk_a", "m")
    assert (state.condition, state.until) == (KeyCondition.EXHAUSTED, NOW + timedelta(hours=12))
    gateway.clock.advance(12 * 3600)
    await ask(gateway)


async def test_tokens_are_set_right_to_what_the_answer_used() -> None:
    quota = KeyQuota(dimension="tokens", limit=1_200, window="day")
    chat = FakeChatProvider(OK)
    gateway = await FakeGateway({"a": chat}, keys=[a_key("pk_a", quota)]).started()

    await ask(gateway)
    await ask(gateway)

    [standing] = gateway.availability.quotas("pk_a", "pk_a")
    assert (standing.used, standing.remaining, standing.source) == (1_000, 200, "admin")
    await ask(gateway)
    assert (await refused(gateway)).code == "rate_limit_exceeded"
    assert len(chat.calls) == 3


async def test_a_call_that_was_never_sent_uses_nothing() -> None:
    chat = FakeChatProvider(failure(FailureKind.CONNECT), OK)
    gateway = await FakeGateway({"a": chat}, keys=[a_key("pk_a", requests(1))]).started()
    await refused(gateway)

    await ask(gateway)

    assert gateway.availability.quotas("pk_a", "pk_a")[0].used == 1


async def test_of_two_keys_the_one_with_more_left_is_asked_first_and_one_without_quota_last() -> None:
    chat = FakeChatProvider(OK)
    keys = [a_key("pk_paid"), a_key("pk_small", requests(2)), a_key("pk_large", requests(4))]
    gateway = await FakeGateway({"a": chat}, keys=keys).started()

    for _ in range(8):
        await ask(gateway)

    asked = [call.key.id for call in chat.calls if call.key]
    assert sorted(asked[:6]) == ["pk_large"] * 4 + ["pk_small"] * 2
    assert asked[6:] == ["pk_paid"] * 2


async def test_models_of_a_pool_share_one_count_and_others_go_on() -> None:
    chat = FakeChatProvider(OK)
    settings = ProviderSettings(models=("x:free", "y:free", "z"))
    pool = requests(2, pool="free models", models=("*:free",))
    gateway = await FakeGateway(
        {"a": chat}, providers=[a_provider("a", settings=settings)], keys=[a_key("pk_a", pool)]
    ).started()

    await ask(gateway, model="x:free")
    await ask(gateway, model="y:free")

    assert (await refused(gateway, model="x:free")).code == "rate_limit_exceeded"
    await ask(gateway, model="z")
    assert gateway.availability.key_state("pk_a").condition is KeyCondition.AVAILABLE
    assert {state.model for state in gateway.availability.resting_models("pk_a")} == {"x:free", "y:free"}


async def test_a_quota_of_the_provider_counts_over_all_its_keys() -> None:
    chat = FakeChatProvider(OK)
    settings = ProviderSettings(models=("m",), quota=(requests(3),))
    keys = [a_key("pk_1"), a_key("pk_2")]
    gateway = await FakeGateway({"a": chat}, providers=[a_provider("a", settings=settings)], keys=keys).started()

    for _ in range(3):
        await ask(gateway)

    assert (await refused(gateway)).code == "rate_limit_exceeded"
    assert len(chat.calls) == 3


async def test_what_was_used_is_known_after_a_restart() -> None:
    gateway = await FakeGateway({"a": FakeChatProvider(OK)}, keys=[a_key("pk_a", requests(5))]).started()
    for _ in range(3):
        await ask(gateway)
        await gateway.keeper.flush()

    policy = AutomaticAvailability(gateway.clock)
    keeper = AvailabilityKeeper(gateway.store, policy, gateway.clock)
    await keeper.restore()
    keeper.follow(gateway.state)

    assert policy.quotas("pk_a", "pk_a")[0].used == 3


async def test_processes_that_share_a_store_count_together() -> None:
    gateway = await FakeGateway({"a": FakeChatProvider(OK)}, keys=[a_key("pk_a", requests(5))]).started()
    other = AutomaticAvailability(gateway.clock)
    keeper = AvailabilityKeeper(gateway.store, other, gateway.clock, shared=True)
    keeper.follow(gateway.state)
    hold = other.take_quota("pk_a", "m", lambda: (1, 1))
    assert hold is not None
    await ask(gateway)
    await gateway.keeper.flush()

    await keeper.flush()
    await keeper.flush()

    assert other.quotas("pk_a", "pk_a")[0].used == 2


FREE = FreeTier(
    kind="renewing",
    quotas=(Quota("requests", 2, "day", firm=True), Quota("tokens", 10**6, "day", firm=True)),
    as_of=date(2026, 11, 20),
    source="https://free.example",
)


async def with_registry(tier: FreeTier, chat: FakeChatProvider) -> FakeGateway:
    preset = ProviderPreset(
        "a", "openai", "A", "https://a.example/v1", ("A_KEY",), 1, models=("m", "n"), free_tier=tier
    )
    return await FakeGateway(
        {"a": chat}, providers=[a_provider("a")], keys=[a_provider_key("pk_a", "a")], presets=[preset]
    ).started()


async def test_the_registry_says_what_an_account_has_where_no_admin_does_each_model_its_own() -> None:
    gateway = await with_registry(FREE, FakeChatProvider(OK))

    await ask(gateway)
    await ask(gateway)

    assert (await refused(gateway)).code == "rate_limit_exceeded"
    await ask(gateway, model="n")
    shown = [(each.models, each.used, each.source) for each in gateway.availability.quotas("pk_a", "pk_a")]
    assert (("m",), 2, "registry") in shown
    assert (("n",), 1, "registry") in shown


async def test_headers_that_tell_of_more_end_what_the_registry_thought() -> None:
    """A paid account is not held to the figures of a free one."""
    told = RateLimitWindow("requests", "day", 14_400, 14_399, 60.0, by_model=True)
    gateway = await with_registry(FREE, FakeChatProvider(OK))
    gateway.availability.record_success("a", "pk_a", (told,), "m")

    for _ in range(5):
        await ask(gateway)

    assert [each.source for each in gateway.availability.quotas("pk_a", "pk_a")] == ["observed"]


async def test_what_nobody_has_confirmed_is_tried_by_one_request_and_then_holds() -> None:
    chat = FakeChatProvider(OK, OK, failure(FailureKind.QUOTA_EXHAUSTED), OK)
    tier = FreeTier(kind="renewing", quotas=(Quota("requests", 2, "day"),), as_of=date(2026, 11, 20))
    gateway = await with_registry(tier, chat)
    for _ in range(2):
        await ask(gateway)

    assert {(await refused(gateway)).code for _ in range(5)} == {"rate_limit_exceeded"}

    assert len(chat.calls) == 3


async def test_what_nobody_has_confirmed_is_forgotten_once_a_call_beyond_it_was_served() -> None:
    chat = FakeChatProvider(OK)
    tier = FreeTier(kind="renewing", quotas=(Quota("requests", 2, "day"),), as_of=date(2026, 11, 20))
    gateway = await with_registry(tier, chat)

    for _ in range(6):
        await ask(gateway)

    assert len(chat.calls) == 6


async def test_an_answer_says_how_much_others_have_used_of_the_same_account() -> None:
    told = RateLimitWindow("requests", "day", 5, 1, 3600.0)
    gateway = await FakeGateway({"a": FakeChatProvider(OK)}, keys=[a_key("pk_a", requests(5))]).started()
    gateway.availability.record_success("a", "pk_a", (told,), "m")

    await ask(gateway)

    assert (await refused(gateway)).code == "rate_limit_exceeded"
