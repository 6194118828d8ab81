"""The attempt loop does what contract section 7 says, row by row."""

import msgspec
import pytest

from application.inference.calls import CHAT, CallTrace
from domain.availability import KeyCondition
from domain.errors import (
    AllCandidatesFailed,
    ClientRejected,
    GatewayError,
    NotFound,
    RequestInvalid,
)
from domain.failover import BEFORE_WORK, MAX_CALLS_WITH_REFUSALS, REACTIONS, FailureKind
from domain.providers import Offering, ProviderSettings
from domain.usage import TokenUsage
from tests.builders import NOW, a_chat_payload, a_provider, a_provider_key
from tests.fakes.gateway import ANYONE, FakeGateway
from tests.fakes.providers import FakeChatProvider, failure

OK = TokenUsage(3, 5)


async def ask(gateway: FakeGateway, **fields: object) -> CallTrace:
    """One plain request; returns its trace."""
    call = gateway.call(a_chat_payload(**fields))
    await gateway.pipeline.complete(CHAT, call)
    return call.trace


async def refused(gateway: FakeGateway, **fields: object) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await ask(gateway, **fields)
    return caught.value


def two_keys() -> list[object]:
    return [a_provider_key("pk_a1", "a"), a_provider_key("pk_a2", "a"), a_provider_key("pk_b", "b")]


# (kind, calls of the first provider with two keys, whether the second provider was asked)
ROWS = [
    (FailureKind.CONNECT, 1, True),
    (FailureKind.SERVER_ERROR, 2, True),
    (FailureKind.OVERLOADED, 2, True),
    (FailureKind.RATE_LIMITED, 2, True),
    (FailureKind.QUOTA_EXHAUSTED, 2, True),
    (FailureKind.OVER_ALLOWANCE, 2, True),
    (FailureKind.INVALID_CREDENTIAL, 2, True),
    (FailureKind.ADDRESS_REFUSED, 1, True),
    (FailureKind.MODEL_ABSENT, 1, True),
    (FailureKind.MODEL_BLOCKED, 2, True),
    (FailureKind.FEATURE_REFUSED, 1, True),
    (FailureKind.ADDED_FIELD_REFUSED, 2, True),
    (FailureKind.UNEXPECTED_ANSWER, 1, True),
    (FailureKind.LOCAL_SHORTAGE, 1, True),
    (FailureKind.TIMEOUT, 1, True),
    (FailureKind.TRUNCATED, 1, True),
    (FailureKind.CONTEXT_LENGTH, 1, True),
    (FailureKind.CLIENT_FAULT, 1, False),
    (FailureKind.CONTENT_POLICY, 1, False),
]


@pytest.mark.parametrize(("kind", "first_calls", "second_asked"), ROWS)
async def test_each_failure_goes_where_the_table_says(kind: FailureKind, first_calls: int, second_asked: bool) -> None:
    first, second = FakeChatProvider(failure(kind)), FakeChatProvider(OK)
    gateway = await FakeGateway({"a": first, "b": second}, keys=two_keys()).started()  # type: ignore[arg-type]  # keys

    if second_asked:
        trace = await ask(gateway)
        assert (trace.provider_id, len(trace.attempts)) == ("b", first_calls + 1)
    else:
        assert isinstance(await refused(gateway), ClientRejected)
    assert len(first.calls) == first_calls
    assert len(second.calls) == int(second_asked)
    keys = {call.key.id for call in first.calls if call.key}
    assert len(keys) == (2 if REACTIONS[kind].next_key else 1)


def test_every_kind_of_failure_has_its_row() -> None:
    told_elsewhere = {FailureKind.UNSUPPORTED, FailureKind.AFTER_CONTENT}

    assert {kind for kind, _, _ in ROWS} == set(FailureKind) - told_elsewhere


async def test_a_rate_limited_a_failing_and_a_working_provider_give_an_answer_at_once() -> None:
    """The last of three calls goes to the provider that was not asked yet, not to the one that just failed."""
    chats = {
        "limited": FakeChatProvider(failure(FailureKind.RATE_LIMITED)),
        "failing": FakeChatProvider(failure(FailureKind.SERVER_ERROR, status=500)),
        "working": FakeChatProvider(OK),
    }
    gateway = await FakeGateway(chats).started()

    for _ in range(200):
        assert (await ask(gateway)).provider_id == "working"
    assert len(chats["limited"].calls) == 1


async def test_never_more_than_three_calls_that_may_have_done_work_are_made_for_a_request() -> None:
    """R-09."""
    chats = {name: FakeChatProvider(failure(FailureKind.SERVER_ERROR, status=500)) for name in "abcde"}
    gateway = await FakeGateway(chats).started()

    error = await refused(gateway)

    assert sum(len(chat.calls) for chat in chats.values()) == 3
    assert isinstance(error, AllCandidatesFailed)
    assert error.code == "upstream_error"
    assert [attempt.outcome for attempt in gateway.sink.last.attempts] == ["server_error"] * 3


@pytest.mark.parametrize("kind", sorted(BEFORE_WORK - {FailureKind.ADDED_FIELD_REFUSED}))
async def test_refusals_before_any_work_do_not_count_among_the_three_but_end_at_eight(kind: FailureKind) -> None:
    chats = {f"p{number}": FakeChatProvider(failure(kind)) for number in range(10)}
    gateway = await FakeGateway(chats).started()

    await refused(gateway)

    assert sum(len(chat.calls) for chat in chats.values()) == MAX_CALLS_WITH_REFUSALS == 8


async def test_an_uncertain_outcome_is_tried_elsewhere_at_most_once() -> None:
    """R-09: the second provider may have done the work as well, so there is no third."""
    chats = {name: FakeChatProvider(failure(FailureKind.TRUNCATED)) for name in "abc"}
    gateway = await FakeGateway(chats).started()

    error = await refused(gateway)

    assert [len(chat.calls) for chat in chats.values()] == [1, 1, 0]
    assert error.code == "upstream_truncated"


async def test_a_rate_limited_key_is_not_asked_again_until_its_wait_is_over() -> None:
    first = FakeChatProvider(failure(FailureKind.RATE_LIMITED, retry_after_seconds=10.0), OK)
    gateway = await FakeGateway({"a": first}).started()

    error = await refused(gateway)
    assert (error.code, isinstance(error, AllCandidatesFailed)) == ("rate_limit_exceeded", True)
    gateway.clock.advance(4)
    again = await refused(gateway)
    assert isinstance(again, AllCandidatesFailed)
    assert again.retry_after_seconds == pytest.approx(6)
    assert len(first.calls) == 1
    gateway.clock.advance(7)
    assert (await ask(gateway)).provider_id == "a"


async def test_the_client_is_told_the_smallest_wait() -> None:
    """R-43."""
    chats = {
        "a": FakeChatProvider(failure(FailureKind.RATE_LIMITED, retry_after_seconds=90.0)),
        "b": FakeChatProvider(failure(FailureKind.RATE_LIMITED, retry_after_seconds=20.0)),
    }
    error = await refused(await FakeGateway(chats).started())

    assert isinstance(error, AllCandidatesFailed)
    assert error.retry_after_seconds == 20


async def test_refused_credentials_are_never_a_401_to_the_client() -> None:
    gateway = await FakeGateway({"a": FakeChatProvider(failure(FailureKind.INVALID_CREDENTIAL, status=401))}).started()

    for _ in range(2):
        assert (await refused(gateway)).code == "upstream_auth_failed"
    assert gateway.availability.key_state("pk_a").condition is KeyCondition.INVALID


async def test_a_model_that_no_provider_has_is_not_found_and_not_asked_again() -> None:
    first = FakeChatProvider(failure(FailureKind.MODEL_ABSENT, status=404))
    gateway = await FakeGateway({"a": first}).started()

    assert isinstance(await refused(gateway), NotFound)
    assert isinstance(await refused(gateway), NotFound)
    assert len(first.calls) == 1
    gateway.clock.advance(301)
    await refused(gateway)
    assert len(first.calls) == 2


async def test_a_prompt_too_long_goes_to_a_larger_window_only() -> None:
    chats = {
        "small": FakeChatProvider(failure(FailureKind.CONTEXT_LENGTH, status=400)),
        "same": FakeChatProvider(OK),
        "large": FakeChatProvider(OK),
    }
    gateway = FakeGateway(chats)
    for name, window in (("small", 8_000), ("same", 8_000), ("large", 128_000)):
        async with gateway.store.write() as unit:
            await unit.offerings.replace(name, NOW, [Offering("m", context_window=window)])
    await gateway.directory.load()
    await gateway.started()

    assert (await ask(gateway)).provider_id == "large"
    assert chats["same"].calls == []


async def test_an_overloaded_provider_is_asked_again_only_after_a_short_wait() -> None:
    patient = FakeChatProvider(failure(FailureKind.OVERLOADED, status=503, retry_after_seconds=30.0), OK)
    gateway = await FakeGateway({"a": patient, "b": FakeChatProvider(OK)}).started()

    assert (await ask(gateway)).provider_id == "b"
    assert len(patient.calls) == 1


async def test_a_provider_that_keeps_failing_is_left_alone_and_probed_later() -> None:
    dead, alive = FakeChatProvider(failure(FailureKind.CONNECT)), FakeChatProvider(OK)
    gateway = await FakeGateway({"dead": dead, "alive": alive}).started()

    for _ in range(20):
        assert (await ask(gateway)).provider_id == "alive"
    assert len(dead.calls) == 5
    gateway.clock.advance(31)
    await ask(gateway)
    assert len(dead.calls) == 6


async def test_a_provider_without_a_key_is_passed_over_and_one_that_needs_none_is_asked() -> None:
    models = ProviderSettings(models=("m",))
    providers = [a_provider("a", settings=models), a_provider("b", kind="keyless", priority=200, settings=models)]
    chats = {"a": FakeChatProvider(OK), "b": FakeChatProvider(OK)}
    gateway = await FakeGateway(chats, keys=[], providers=providers).started()

    assert (await ask(gateway)).provider_id == "b"
    assert chats["b"].calls[0].key is None
    only_a = await FakeGateway({"a": FakeChatProvider(OK)}, keys=[], providers=providers[:1]).started()
    assert (await refused(only_a)).code == "no_provider_available"


async def test_keys_share_calls_by_their_weight() -> None:
    chat = FakeChatProvider(OK)
    keys = [a_provider_key("pk_heavy", "a", weight=3), a_provider_key("pk_light", "a", weight=1)]
    gateway = await FakeGateway({"a": chat}, keys=keys).started()

    for _ in range(8):
        await ask(gateway)

    used = [call.key.id for call in chat.calls if call.key]
    assert (used.count("pk_heavy"), used.count("pk_light")) == (6, 2)


async def test_what_one_provider_cannot_do_is_asked_of_the_next_and_costs_no_attempt() -> None:
    unable = FakeChatProvider(failure(FailureKind.UNSUPPORTED, status=400, param="logprobs"))
    able = FakeChatProvider(OK)
    gateway = await FakeGateway({"a": unable, "b": able}).started()

    trace = await ask(gateway)

    assert (trace.provider_id, len(trace.attempts)) == ("b", 1)
    assert [attempt.provider_id for attempt in gateway.sink.records[0].attempts] == ["b"]


async def test_what_no_provider_can_do_is_the_clients_fault_and_names_the_parameter() -> None:
    unable = failure(FailureKind.UNSUPPORTED, status=400, code="unsupported_parameter", param="logprobs")
    gateway = await FakeGateway({"a": FakeChatProvider(unable), "b": FakeChatProvider(unable)}).started()

    error = await refused(gateway)

    assert isinstance(error, ClientRejected)
    assert (error.status, error.code, error.param) == (400, "unsupported_parameter", "logprobs")


async def test_a_provider_without_the_endpoint_is_passed_over() -> None:
    gateway = FakeGateway({"a": FakeChatProvider(OK)})
    gateway.registry.chats["a"] = None
    await gateway.started()

    error = await refused(gateway)

    assert isinstance(error, RequestInvalid)
    assert (error.code, error.param) == ("endpoint_not_supported", "model")


async def test_a_strict_key_tells_the_provider_to_refuse_what_it_would_drop() -> None:
    provider = FakeChatProvider(OK)
    gateway = await FakeGateway({"a": provider}).started()
    strict = msgspec.structs.replace(ANYONE, strict=True)

    await gateway.pipeline.complete(CHAT, gateway.call(a_chat_payload(), strict))
    await gateway.pipeline.complete(CHAT, gateway.call(a_chat_payload()))

    assert [call.strict for call in provider.calls] == [True, False]


async def test_no_call_is_made_once_the_requests_deadline_has_passed() -> None:
    """P-31: the request's deadline bounds all attempts together."""
    first = FakeChatProvider(failure(FailureKind.CONNECT))
    second = FakeChatProvider(OK)
    gateway = await FakeGateway({"a": first, "b": second}).started()
    call = gateway.call(a_chat_payload())
    gateway.clock.advance(301)

    with pytest.raises(AllCandidatesFailed):
        await gateway.pipeline.complete(CHAT, call)
    assert first.calls == second.calls == []
