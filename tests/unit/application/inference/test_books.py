"""Every request that is begun is ended exactly once in the books, whatever ends it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import nullcontext

import pytest
from typing_extensions import override

from application.admission.access import Admission
from application.inference.calls import CHAT
from domain.chat import ChatRequest
from domain.completions import CompletionRequest
from domain.errors import GatewayError, UpstreamFailure
from domain.failover import FailureKind
from domain.payload import Payload
from domain.ports.providers import ProviderAnswer, ProviderCall, ProviderStream
from domain.records import RequestRecord
from domain.routing import Plan
from domain.usage import TokenUsage
from tests.builders import a_chat_payload
from tests.fakes.gateway import FakeGateway
from tests.fakes.providers import FOREVER, FakeChatProvider, FakeStream, failure

HELLO, WORLD = b'data: {"content":"hello"}\n\n', b'data: {"content":"world"}\n\n'
OK = TokenUsage(3, 5)


class Interrupt(BaseException):
    """Stands for what is no `Exception`: an interpreter that is told to exit, a closed generator."""


def raising(error: BaseException) -> Callable[..., object]:
    def broken(*_: object, **__: object) -> object:
        raise error

    return broken


def put(target: object, name: str, broken: Callable[..., object]) -> None:
    """Put a bug into one of our own objects."""
    setattr(target, name, broken)


class BrokenProvider(FakeChatProvider):
    """Raises what no provider may raise, from the call itself."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    @override
    async def complete(self, call: ProviderCall[ChatRequest]) -> ProviderAnswer:
        raise self.error

    @override
    async def stream(self, call: ProviderCall[ChatRequest]) -> ProviderStream:
        raise self.error


class BrokenStream(FakeStream):
    """Raises what no stream may raise, after its blocks."""

    def __init__(self, error: BaseException, *blocks: bytes) -> None:
        super().__init__(*blocks)
        self.error = error

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        for block in self._steps:
            assert isinstance(block, bytes)
            self.has_content = True
            yield block
        raise self.error


Place = Callable[[FakeGateway, BaseException], None]


def in_planning(gateway: FakeGateway, error: BaseException) -> None:
    put(gateway.router, "plan", raising(error))


def in_admission(gateway: FakeGateway, error: BaseException) -> None:
    put(gateway.gate, "admit", raising(error))


def in_the_dispatcher(gateway: FakeGateway, error: BaseException) -> None:
    put(gateway.availability, "healthy", raising(error))


def in_the_call(gateway: FakeGateway, error: BaseException) -> None:
    gateway.registry.chats["a"] = BrokenProvider(error)


def before_content(gateway: FakeGateway, error: BaseException) -> None:
    gateway.registry.chats["a"] = FakeChatProvider(BrokenStream(error))


def after_the_answer(gateway: FakeGateway, error: BaseException) -> None:
    put(gateway.availability, "record_success", raising(error))


def in_metering(gateway: FakeGateway, error: BaseException) -> None:
    put(gateway.meter, "answered", raising(error))


def in_pricing(gateway: FakeGateway, error: BaseException) -> None:
    put(gateway.prices, "find", raising(error))


PLAIN: Sequence[Place] = (in_planning, in_admission, in_the_dispatcher, in_the_call, after_the_answer, in_metering,
                          in_pricing)  # fmt: skip
OPENING: Sequence[Place] = (in_planning, in_admission, in_the_dispatcher, in_the_call, before_content, after_the_answer)
ERRORS = (TypeError("a bug"), asyncio.CancelledError(), Interrupt(), GeneratorExit(), failure(FailureKind.CONNECT))


def ended_once(gateway: FakeGateway, error: BaseException) -> RequestRecord:
    assert len(gateway.ledger.starts) <= 1
    assert len(gateway.ledger.records) == len(gateway.sink.records) == 1
    record = gateway.ledger.last
    assert record.outcome == ("error" if isinstance(error, Exception) else "interrupted")
    if isinstance(error, TypeError):
        assert (record.status, record.error_code) == (599, "internal_error")
    return record


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("place", PLAIN, ids=lambda place: place.__name__)
async def test_a_plain_request_is_ended_once_wherever_and_by_whatever_it_breaks(
    place: Place, error: BaseException
) -> None:
    gateway = FakeGateway({"a": FakeChatProvider(OK)})
    place(gateway, error)
    await gateway.started()

    with pytest.raises(BaseException):  # noqa: B017, PT011 - whichever it is
        await gateway.pipeline.complete(CHAT, gateway.call(a_chat_payload()))

    record = ended_once(gateway, error)
    assert len(record.attempts) == len(gateway.ledger.starts)
    assert all(live.lease is None or live.lease.idle for live in gateway.state.current.live)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("place", OPENING, ids=lambda place: place.__name__)
async def test_a_stream_that_does_not_begin_is_ended_once(place: Place, error: BaseException) -> None:
    gateway = FakeGateway({"a": FakeChatProvider(FakeStream(HELLO, FOREVER))})
    place(gateway, error)
    await gateway.started()

    with pytest.raises(BaseException):  # noqa: B017, PT011 - whichever it is
        await gateway.pipeline.stream(CHAT, gateway.call(a_chat_payload(stream=True)))

    ended_once(gateway, error)
    assert all(live.lease is None or live.lease.idle for live in gateway.state.current.live)


@pytest.mark.parametrize("where", ["decoder", "meter", "prices", "availability", "reader"])
async def test_a_stream_that_has_begun_is_ended_once_whatever_breaks(where: str) -> None:
    bug = TypeError("a bug")
    stream = BrokenStream(bug if where == "decoder" else failure(FailureKind.TRUNCATED), HELLO)
    gateway = await FakeGateway({"a": FakeChatProvider(stream)}).started()
    reply = await gateway.pipeline.stream(CHAT, gateway.call(a_chat_payload(stream=True)))
    if where == "meter":
        in_metering(gateway, bug)
    elif where == "prices":
        in_pricing(gateway, bug)
    elif where == "availability":
        put(gateway.availability, "record_failure", raising(bug))

    async def read() -> None:
        try:
            async for _ in reply:
                if where == "reader":
                    raise bug
        finally:
            await reply.aclose()

    with pytest.raises(Exception):  # noqa: B017, PT011 - the bug, or the broken stream
        await read()

    assert stream.closed
    assert len(gateway.ledger.records) == 1
    record = gateway.ledger.last
    assert record.outcome == ("interrupted" if where == "reader" else "error")
    assert [attempt.number for attempt in record.attempts] == [1]


class UnwritableAnswers(FakeChatProvider):
    """Reports more tokens than any record can hold."""

    @override
    async def complete(self, call: ProviderCall[ChatRequest]) -> ProviderAnswer:
        return ProviderAnswer(b"{}", "m", TokenUsage(10**30, 1))


async def test_a_record_that_cannot_be_written_whole_is_ended_all_the_same() -> None:
    gateway = await FakeGateway({"a": UnwritableAnswers()}).started()
    written = gateway.ledger.end

    def refuse_large(record: RequestRecord) -> None:
        if record.usage is not None:
            raise OverflowError
        written(record)

    put(gateway.ledger, "end", refuse_large)  # as an encoder does

    await gateway.pipeline.complete(CHAT, gateway.call(a_chat_payload()))

    assert [(record.outcome, record.attempts) for record in gateway.ledger.records] == [("ok", ())]


async def test_a_start_knows_where_the_first_call_goes_and_what_its_prompt_costs() -> None:
    """What a process that is killed leaves behind is booked with it."""
    gateway = await FakeGateway({"a": FakeChatProvider(OK)}).started()

    await gateway.pipeline.complete(
        CHAT, gateway.call(a_chat_payload(messages=[{"role": "user", "content": "x" * 400}]))
    )

    (start,) = gateway.ledger.starts
    assert (start.provider_id, start.provider_key_id, start.model) == ("a", "pk_a", "m")
    assert start.input_tokens == gateway.ledger.last.attempts[0].number * 107


async def test_a_further_call_is_written_down_when_it_begins() -> None:
    chats = {"a": FakeChatProvider(failure(FailureKind.CONNECT)), "b": FakeChatProvider(OK)}
    gateway = await FakeGateway(chats).started()

    await gateway.pipeline.complete(CHAT, gateway.call(a_chat_payload()))

    assert [start.provider_id for start in gateway.ledger.starts] == ["a"]
    assert [(p.attempt, p.provider_id, p.key_id, p.model) for p in gateway.ledger.progresses] == [(2, "b", "pk_b", "m")]


async def test_what_is_never_sent_upstream_has_an_end_without_a_start() -> None:
    gateway = await FakeGateway({"a": FakeChatProvider(OK)}).started()

    with pytest.raises(Exception, match="no provider 'none'"):
        await gateway.pipeline.complete(CHAT, gateway.call(a_chat_payload(model="none"), pinned="none"))

    assert gateway.ledger.starts == []
    assert gateway.ledger.last.attempts == ()


class Witness:
    """A claim that remembers how it ended."""

    def __init__(self) -> None:
        self.ends: list[str] = []

    def settle(self, record: RequestRecord) -> None:
        self.ends.append(f"settled {record.outcome}")

    def release(self) -> None:
        self.ends.append("released")


@pytest.mark.parametrize(
    ("step", "end"),
    [
        (OK, "settled ok"),
        (failure(FailureKind.CONNECT), "released"),
        (failure(FailureKind.RATE_LIMITED), "released"),
        (failure(FailureKind.TRUNCATED), "settled error"),
    ],
)
async def test_an_admission_is_settled_where_something_may_cost_and_released_elsewhere(
    step: UpstreamFailure | TokenUsage, end: str
) -> None:
    gateway = await FakeGateway({"a": FakeChatProvider(step)}).started()
    first, second = Witness(), Witness()
    put(gateway.gate, "admit", lambda principal, request, plan, tags: Admission(plan, (first, second)))

    with nullcontext() if end == "settled ok" else pytest.raises(GatewayError):
        await gateway.pipeline.complete(CHAT, gateway.call(a_chat_payload()))

    assert first.ends == second.ends == [end]


async def test_a_claim_that_breaks_keeps_neither_the_others_nor_the_answer() -> None:
    gateway = await FakeGateway({"a": FakeChatProvider(OK)}).started()
    broken, whole = Witness(), Witness()
    put(broken, "settle", raising(TypeError("a bug")))
    put(gateway.gate, "admit", lambda principal, request, plan, tags: Admission(plan, (broken, whole)))

    await gateway.pipeline.complete(CHAT, gateway.call(a_chat_payload()))

    assert whole.ends == ["settled ok"]


async def test_an_admission_ends_once() -> None:
    witness = Witness()
    admission = Admission(Plan(()), (witness,))

    admission.release()
    admission.release()

    assert witness.ends == ["released"]


async def test_a_streams_estimate_counts_token_ids_though_its_body_was_let_go() -> None:
    gateway = await FakeGateway({"a": FakeChatProvider(OK)}).started()
    request = CompletionRequest(model="m", prompt=[1, 2, 3, 4, 5], stream=True)
    entry = gateway.books.open(gateway.call(Payload(request, {})), "completions")
    (candidate,) = gateway.plan(request, None, "completions", auto=True)
    attempt = entry.begin_attempt(candidate, None)

    entry.streaming()
    entry.stream_ended(attempt, FakeStream(HELLO), None, whole=True)

    usage = gateway.ledger.last.usage
    assert usage is not None
    assert usage.input_tokens == gateway.meter.input_tokens(request) == 5
