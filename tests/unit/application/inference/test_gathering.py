"""Plain answers that a budget may have to end are asked for as streams."""

import msgspec
import pytest

from domain.errors import GatewayError, LimitExceeded
from domain.failover import FailureKind
from tests.fakes.gateway import FakeGateway
from tests.fakes.providers import FakeChatProvider, FakeStream, failure
from tests.unit.application.admission.test_spending import (
    TEN_OUT,
    Talking,
    a_caller,
    a_gateway,
    a_price,
    ask,
    spent_tokens,
)


async def test_a_plain_answer_that_a_budget_may_end_is_asked_for_as_a_stream_and_gathered() -> None:
    """R-16: with its own maximum as it is, or none."""
    for asked in {"max_tokens": 64_000}, {}:
        gateway = await a_gateway(Talking(10_000))
        caller = a_caller(20_000)

        reply, trace = await ask(gateway, caller, **asked)

        (call,) = gateway.chats["a"].calls
        assert call.payload.value.max_tokens == asked.get("max_tokens")
        assert call.include_usage
        assert msgspec.json.decode(reply.body)["object"] == "chat.completion"
        assert trace.limits is not None
        assert not trace.limits.cut
        assert await spent_tokens(gateway, caller) == 10_000
        assert not gateway.ledger.last.stream


async def test_what_closes_a_stream_is_part_of_the_answer() -> None:
    """Of a response it is the response itself, of Google's answers the reason why it ended, and usage."""
    talking = Talking(1_000)
    talking.ending = b'data: {"choices":[],"system_fingerprint":"fp_last"}\n\n'
    gateway = await a_gateway(talking)

    reply, _ = await ask(gateway, a_caller(20_000))

    assert msgspec.json.decode(reply.body)["system_fingerprint"] == "fp_last"


async def test_a_plain_answer_that_would_pass_the_limit_is_cut_there_and_says_so() -> None:
    """P-06."""
    talking = Talking(60_000)
    gateway = await a_gateway(talking)
    caller = a_caller(6_000)

    reply, trace = await ask(gateway, caller, max_tokens=64_000)

    (choice,) = msgspec.json.decode(reply.body)["choices"]
    assert choice["finish_reason"] == "length"
    assert choice["message"]["content"]
    assert trace.limits is not None
    assert trace.limits.cut
    assert talking.closed
    assert 5_500 <= await spent_tokens(gateway, caller) <= 6_000
    assert gateway.ledger.last.outcome == "ok"


async def test_of_a_target_that_cannot_stream_the_whole_maximum_is_held() -> None:
    gateway = await a_gateway(failure(FailureKind.UNSUPPORTED), TEN_OUT, failure(FailureKind.UNSUPPORTED))
    caller = a_caller(20_000)

    await ask(gateway, caller, max_tokens=10_000)
    with pytest.raises(GatewayError):
        await ask(gateway, caller, max_tokens=64_000)

    assert await spent_tokens(gateway, caller) == 10


async def test_what_cannot_be_had_as_a_stream_is_held_whole() -> None:
    """Sound, and endpoints that have none."""
    gateway = await a_gateway(TEN_OUT)
    sound = {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "mp3"}}

    with pytest.raises(LimitExceeded):
        await ask(gateway, a_caller(20_000), max_tokens=64_000, **sound)
    await ask(gateway, a_caller(20_000), max_tokens=15_000, **sound)

    assert len(gateway.chats["a"].calls) == 1


async def test_a_gathered_answer_that_breaks_midway_is_asked_of_another_provider() -> None:
    broken = FakeStream(b'data: {"content":"x"}\n\n', failure(FailureKind.TRUNCATED))
    chats = {"a": FakeChatProvider(broken), "b": FakeChatProvider(Talking(1_000))}
    gateway = await FakeGateway(chats, prices=(a_price("a"), a_price("b"))).started()

    _, trace = await ask(gateway, a_caller(20_000), max_tokens=64_000)

    assert trace.provider_id == "b"
    assert broken.closed
