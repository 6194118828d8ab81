"""What a refusal costs a request, and what it leaves to the next: keys, models and windows (contract 7)."""

import pytest

from domain.availability import KeyCondition
from domain.errors import AllCandidatesFailed, ClientRejected, ServiceUnavailable, UpstreamFailure
from domain.failover import FailureKind, FailureScope
from domain.providers import Offering, ProviderSettings
from domain.usage import TokenUsage
from tests.builders import NOW, a_provider, a_provider_key
from tests.fakes.gateway import FakeGateway
from tests.fakes.providers import FakeChatProvider, failure
from tests.unit.application.inference.test_dispatch import OK, ask, refused


@pytest.mark.parametrize(
    "kind",
    [
        FailureKind.INVALID_CREDENTIAL,
        FailureKind.RATE_LIMITED,
        FailureKind.QUOTA_EXHAUSTED,
        FailureKind.OVER_ALLOWANCE,
        FailureKind.MODEL_BLOCKED,
    ],
)
async def test_of_five_keys_of_which_four_are_dead_the_fifth_serves_the_first_request(kind: FailureKind) -> None:
    chat = FakeChatProvider(*[failure(kind)] * 4, OK)
    keys = [a_provider_key(f"pk_{number}", "a") for number in range(5)]
    gateway = await FakeGateway({"a": chat}, keys=keys).started()

    trace = await ask(gateway)

    assert len(trace.attempts) == 5
    assert len({call.key.id for call in chat.calls if call.key}) == 5


async def test_many_dead_keys_leave_a_call_to_the_next_provider() -> None:
    dead, alive = FakeChatProvider(failure(FailureKind.INVALID_CREDENTIAL)), FakeChatProvider(OK)
    keys = [*(a_provider_key(f"pk_{number}", "a") for number in range(20)), a_provider_key("pk_b", "b")]
    gateway = await FakeGateway({"a": dead, "b": alive}, keys=keys).started()

    assert (await ask(gateway)).provider_id == "b"
    assert len(dead.calls) == 7


async def test_a_refused_key_is_asked_again_by_one_request_and_serves_again_when_it_is_good() -> None:
    chat = FakeChatProvider(failure(FailureKind.INVALID_CREDENTIAL), failure(FailureKind.INVALID_CREDENTIAL), OK)
    keys = [a_provider_key("pk_1", "a"), a_provider_key("pk_2", "a")]
    gateway = await FakeGateway({"a": chat}, keys=keys).started()
    assert (await refused(gateway)).code == "upstream_auth_failed"
    gateway.clock.advance(59)
    assert (await refused(gateway)).code == "upstream_auth_failed"
    assert len(chat.calls) == 2

    gateway.clock.advance(1)
    await ask(gateway)

    assert len(chat.calls) == 3
    states = [gateway.availability.key_state(key.id).condition for key in keys]
    assert sorted(states) == [KeyCondition.AVAILABLE, KeyCondition.INVALID]


async def test_a_refused_key_is_asked_before_the_good_ones_once_its_time_has_come() -> None:
    chat = FakeChatProvider(failure(FailureKind.INVALID_CREDENTIAL), OK)
    gateway = await FakeGateway(
        {"a": chat}, keys=[a_provider_key("pk_1", "a", weight=9), a_provider_key("pk_2", "a")]
    ).started()
    await ask(gateway)
    gateway.clock.advance(60)

    await ask(gateway)

    asked = [call.key.id for call in chat.calls if call.key]
    assert asked == ["pk_1", "pk_2", "pk_1"]
    assert gateway.availability.key_state("pk_1").condition is KeyCondition.AVAILABLE


async def test_a_limit_of_one_model_leaves_the_others_of_the_key() -> None:
    spent = failure(FailureKind.QUOTA_EXHAUSTED, status=429, retry_after_seconds=3600.0, scope=FailureScope.MODEL)
    chat = FakeChatProvider(spent, OK)
    providers = [a_provider("a", settings=ProviderSettings(models=("m", "other")))]
    gateway = await FakeGateway({"a": chat}, providers=providers).started()
    await refused(gateway)

    assert (await ask(gateway, model="other")).provider_id == "a"
    assert isinstance(await refused(gateway), AllCandidatesFailed)
    assert len(chat.calls) == 2


async def test_what_a_request_is_too_large_for_is_told_in_the_providers_words() -> None:
    large = failure(FailureKind.OVER_ALLOWANCE, status=400)
    gateway = await FakeGateway({"a": FakeChatProvider(large, OK)}).started()

    error = await refused(gateway)

    assert (error.code, isinstance(error, AllCandidatesFailed)) == ("rate_limit_exceeded", True)
    assert large.message in error.message
    assert (await ask(gateway)).provider_id == "a"


async def test_a_shortage_of_our_own_is_no_providers_fault() -> None:
    short = FakeChatProvider(failure(FailureKind.LOCAL_SHORTAGE))
    gateway = await FakeGateway({"a": short}).started()

    for _ in range(20):
        error = await refused(gateway)
        assert (type(error), error.code) == (ServiceUnavailable, "overloaded")

    assert gateway.availability.healthy("a")
    assert gateway.availability.key_state("pk_a").condition is KeyCondition.AVAILABLE


async def test_an_overload_keeps_its_name() -> None:
    busy = failure(FailureKind.OVERLOADED, status=529, retry_after_seconds=30.0)
    gateway = await FakeGateway({"a": FakeChatProvider(busy)}).started()

    error = await refused(gateway)

    assert isinstance(error, AllCandidatesFailed)
    assert (error.code, error.retry_after_seconds) == ("overloaded", 30.0)


@pytest.mark.parametrize(
    ("windows", "served_by"),
    [
        ((8_000, 128_000, None), "second"),
        ((8_000, None, None), "second"),
        ((None, 128_000, None), "second"),
        ((None, None, None), "second"),
        ((8_000, 8_000, None), "third"),
    ],
)
async def test_an_unknown_window_counts_as_perhaps_larger(windows: tuple[int | None, ...], served_by: str) -> None:
    gateway, _ = await with_windows(windows, OK)

    assert (await ask(gateway)).provider_id == served_by


async def test_an_unknown_window_counts_as_perhaps_larger_once() -> None:
    gateway, chats = await with_windows((8_000, None, None), failure(FailureKind.CONTEXT_LENGTH, status=400))

    assert isinstance(await refused(gateway), ClientRejected)
    assert [len(chat.calls) for chat in chats.values()] == [1, 1, 0]


async def with_windows(
    windows: tuple[int | None, ...], after: TokenUsage | UpstreamFailure
) -> tuple[FakeGateway, dict[str, FakeChatProvider]]:
    """Three providers with these windows; the first finds the prompt too long, the others do `after`."""
    names = ("first", "second", "third")
    chats = {name: FakeChatProvider(after) for name in names}
    chats["first"] = FakeChatProvider(failure(FailureKind.CONTEXT_LENGTH, status=400))
    gateway = FakeGateway(chats)
    for name, window in zip(names, windows, strict=True):
        async with gateway.store.write() as unit:
            await unit.offerings.replace(name, NOW, [Offering("m", context_window=window)])
    await gateway.directory.load()
    return await gateway.started(), chats
