"""The limits of a request on its way: taken before it goes upstream, and set right whatever becomes of it."""

import asyncio

import pytest

from application.admission.limits import tightest
from application.inference.calls import CHAT, CallTrace
from domain.errors import GatewayError, LimitExceeded
from domain.failover import FailureKind
from domain.keys import Principal
from domain.limits import RateLimits
from domain.ports.limits import Allowance
from domain.subject_limits import Limit, Subject, SubjectRules
from domain.usage import TokenUsage
from tests.builders import a_chat_payload
from tests.fakes.gateway import FakeGateway
from tests.fakes.providers import FakeChatProvider, Step, failure

OK = TokenUsage(3, 5)
KEY = Subject("key", "key_1")


def a_caller(**limits: int) -> Principal:
    return Principal("virtual_key", KEY.id, "ten_default", rules=(SubjectRules(KEY, RateLimits(**limits)),))


async def ask(gateway: FakeGateway, caller: Principal, **fields: object) -> CallTrace:
    call = gateway.call(a_chat_payload(**fields), caller)
    await gateway.pipeline.complete(CHAT, call)
    return call.trace


async def test_a_request_over_the_limit_is_refused_before_anybody_is_asked() -> None:
    provider = FakeChatProvider(OK, OK)
    gateway = await FakeGateway({"a": provider}).started()
    caller = a_caller(rpm=1)
    await ask(gateway, caller)

    with pytest.raises(LimitExceeded, match="1 requests a minute of key 'key_1'"):
        await ask(gateway, caller)

    assert len(provider.calls) == 1
    assert gateway.ledger.last.attempts == ()
    assert gateway.ledger.last.error_code == "rate_limit_exceeded"


async def test_failover_is_one_request_to_the_limit() -> None:
    failing, serving = FakeChatProvider(failure(FailureKind.CONNECT)), FakeChatProvider(OK, OK)
    gateway = await FakeGateway({"a": failing, "b": serving}).started()
    caller = a_caller(rpm=2)

    await ask(gateway, caller)
    await ask(gateway, caller)

    assert len(serving.calls) == 2


@pytest.mark.parametrize(
    "step", [OK, failure(FailureKind.CONNECT), failure(FailureKind.TRUNCATED), failure(FailureKind.CLIENT_FAULT)]
)
async def test_a_slot_is_free_again_however_the_request_ends(step: Step) -> None:
    gateway = await FakeGateway({"a": FakeChatProvider(step, step)}).started()
    caller = a_caller(parallel=1)

    for _ in range(2):
        code = ""
        try:
            await ask(gateway, caller)
        except GatewayError as error:
            code = error.code
        assert code != "rate_limit_exceeded"


async def test_a_slot_is_free_again_when_the_client_leaves() -> None:
    gateway = await FakeGateway({"a": FakeChatProvider("waits for ever", OK)}).started()
    caller = a_caller(parallel=1)
    leaving = asyncio.create_task(ask(gateway, caller))
    for _ in range(20):
        await asyncio.sleep(0)
    with pytest.raises(LimitExceeded):
        await ask(gateway, caller)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving

    await ask(gateway, caller)


async def test_what_nobody_could_be_asked_for_takes_nothing() -> None:
    provider = FakeChatProvider(failure(FailureKind.RATE_LIMITED), OK)
    gateway = await FakeGateway({"a": provider}).started()
    caller = a_caller(rpm=2)
    with pytest.raises(GatewayError):
        await ask(gateway, caller)  # sent, and refused by the provider
    with pytest.raises(GatewayError):
        await ask(gateway, caller)  # its key rests: nobody is asked
    gateway.availability.retry_key("pk_a")

    await ask(gateway, caller)

    with pytest.raises(LimitExceeded):
        await ask(gateway, caller)


async def test_a_request_that_was_sent_and_failed_counts_as_one() -> None:
    gateway = await FakeGateway({"a": FakeChatProvider(failure(FailureKind.CLIENT_FAULT), OK)}).started()
    caller = a_caller(rpm=1)
    with pytest.raises(GatewayError):
        await ask(gateway, caller)

    with pytest.raises(LimitExceeded):
        await ask(gateway, caller)


async def test_tokens_are_taken_as_estimated_and_settled_as_used() -> None:
    gateway = await FakeGateway({"a": FakeChatProvider(*[OK] * 9)}).started()
    caller = a_caller(tpm=120)

    first = await ask(gateway, caller, max_tokens=100)

    assert first.limits is not None
    assert [(left.limit.dimension, left.remaining < 20) for left in first.limits.allowances] == [("tpm", True)]
    await ask(gateway, caller, max_tokens=100)


async def test_an_answer_that_is_longer_than_thought_counts_in_full() -> None:
    gateway = await FakeGateway({"a": FakeChatProvider(TokenUsage(3, 500), OK)}).started()
    caller = a_caller(tpm=300)
    await ask(gateway, caller, max_tokens=10)

    with pytest.raises(LimitExceeded):
        await ask(gateway, caller, max_tokens=10)


@pytest.mark.parametrize("limits", [{}, {"rpm": 9}, {"rpd": 9}, {"parallel": 9}, {"rpm": 9, "rpd": 9, "parallel": 9}])
async def test_tokens_that_nobody_limits_are_not_counted(limits: dict[str, int]) -> None:
    gateway = await FakeGateway({"a": FakeChatProvider(OK)}).started()
    counted: list[object] = []

    def count(request: object) -> int:
        counted.append(request)
        return 1

    gateway.limits.count_tokens = count

    await ask(gateway, a_caller(**limits))
    assert counted == []

    await ask(gateway, a_caller(tpm=1_000_000, **limits))
    assert len(counted) == 1


async def test_a_key_without_limits_has_nothing_to_take() -> None:
    gateway = await FakeGateway({"a": FakeChatProvider(OK)}).started()
    call = gateway.call(a_chat_payload())

    await gateway.pipeline.complete(CHAT, call)

    assert call.trace.limits is None


def test_the_tightest_of_each_kind_is_told_by_the_share_that_is_left() -> None:
    def left(dimension: str, amount: int, remaining: int) -> Allowance:
        return Allowance(Limit(KEY, dimension, amount), remaining, 1.0)  # type: ignore[arg-type]  # a literal

    found = tightest([left("rpm", 10, 5), left("rpd", 1000, 100), left("tpm", 100, 50), left("otpm", 10, 1)])

    assert [each.limit.dimension for each in found] == ["rpd", "otpm"]
