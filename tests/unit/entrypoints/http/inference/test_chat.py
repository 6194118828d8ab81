"""Chat completions at the edge: headers, streams, and clients that leave (contract 5, R-01, R-07, R-35)."""

import asyncio
import json
from collections.abc import Callable
from datetime import date

import pytest

from domain.errors import AllCandidatesFailed, ClientRejected, StreamBroken
from domain.lifecycle import Retirement
from entrypoints.http.edge.config import EdgeConfig
from entrypoints.http.error_styles import OPENAI_ERRORS
from tests.fakes.pipeline import ANSWER, DONE, FIRST, SECOND
from tests.unit.entrypoints.http.harness import AUTH, CHAT, Client, Harness
from tests.waiting import HANG_SECONDS, until

pytestmark = pytest.mark.virtual_time

BODY = json.dumps(CHAT).encode()
STREAM = json.dumps(CHAT | {"stream": True}).encode()
PATH = "/v1/chat/completions"


@pytest.fixture
async def http() -> Harness:
    return await Harness.make()


async def test_a_plain_answer_is_the_providers_bytes_and_says_who_served_it(http: Harness) -> None:
    http.pipeline.dropped_params = ("logit_bias", "seed")

    answer = await http.chat()

    assert (answer.status, answer.body) == (200, ANSWER)
    expected = {
        "content-type": "application/json",
        "content-length": str(len(ANSWER)),
        "x-omg-provider": "alpha",
        "x-omg-model": "upstream-model",
        "x-omg-attempts": "1",
        "x-omg-decision": "dec_1",
        "x-omg-overhead-ms": "0.00",
        "x-omg-dropped-params": "logit_bias, seed",
        "x-omg-cost": "unpriced",
    }
    assert {name: answer.headers.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("last_day", "shown"),
    [(date(2026, 11, 1), "2026-11-01"), (date(2027, 2, 19), "2027-02-19"), (date(2027, 2, 20), None), (None, None)],
)
async def test_an_answer_says_that_its_model_retires_within_ninety_days(
    http: Harness, last_day: date | None, shown: str | None
) -> None:
    if last_day is not None:
        http.directory.ends["alpha", "upstream-model"] = Retirement(last_day, "x")

    answer = await http.chat()

    assert answer.headers.get("x-omg-model-retires") == shown


@pytest.mark.parametrize(
    ("cost", "headers"),
    [
        (None, {"x-omg-cost": "unpriced"}),
        (0, {"x-omg-cost-usd": "0.00"}),
        (123_456, {"x-omg-cost-usd": "0.000123456"}),
    ],
)
async def test_a_plain_answer_says_what_it_cost(http: Harness, cost: int | None, headers: dict[str, str]) -> None:
    """Not knowing a price is not the same as a price of zero."""
    http.pipeline.cost_nano_usd = cost

    answer = await http.chat()

    received = {name: value for name, value in answer.headers.items() if name.startswith("x-omg-cost")}
    assert received == headers


async def test_the_pipeline_is_told_who_asks_and_for_what(http: Harness) -> None:
    await http.chat((b"x-request-id", b"trace-1"), temperature=0)

    call = http.pipeline.calls[0]
    principal, payload = call.principal, call.payload
    assert (principal.kind, principal.key_id) == ("virtual_key", "key_1")
    assert (call.request_id, call.pinned_provider, http.pipeline.endpoints) == ("trace-1", None, ["chat.completions"])
    assert payload.value.temperature == 0


async def test_a_routed_error_says_how_it_was_routed(http: Harness) -> None:
    http.pipeline.error = AllCandidatesFailed("all limited", code="rate_limit_exceeded", retry_after_seconds=7.5)
    http.pipeline.attempts = 3

    for stream in (False, True):
        answer = await http.chat(stream=stream)
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (429, "rate_limit_exceeded", "8")
        assert (answer.headers["x-omg-attempts"], answer.headers["content-type"]) == ("3", "application/json")
        assert answer.complete


async def test_a_clients_fault_found_by_the_provider_is_passed_on(http: Harness) -> None:
    http.pipeline.error = ClientRejected("no such tool", status=422, code="bad_tool", param="tools")

    answer = await http.chat()

    assert (answer.status, answer.code, answer.error["param"]) == (422, "bad_tool", "tools")


async def test_a_stream_is_passed_on_block_by_block(http: Harness) -> None:
    answer = await http.chat(stream=True)

    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.headers["x-omg-provider"] == "alpha"
    assert "x-omg-cost" not in answer.headers
    assert answer.blocks == [FIRST, SECOND, DONE, b""]
    assert answer.complete
    assert http.pipeline.reply
    assert http.pipeline.reply.closed.is_set()


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (StreamBroken("upstream cut the answer", code="upstream_truncated"), "upstream_truncated"),
        (RuntimeError("secret detail"), "internal_error"),
    ],
)
async def test_a_failure_after_content_is_one_error_event_and_no_done(
    http: Harness, failure: Exception, code: str
) -> None:
    http.pipeline.steps = (FIRST, failure)

    answer = await http.chat(stream=True)

    assert answer.status == 200
    assert answer.blocks[0] == FIRST
    event = answer.blocks[1].decode()
    assert event.startswith("data: ")
    assert event.endswith("\n\n")
    error = json.loads(event[6:])["error"]
    assert (error["code"], error["type"], set(error)) == (code, "api_error", {"message", "type", "param", "code"})
    assert b"[DONE]" not in answer.body
    assert "secret" not in event
    assert answer.complete
    assert http.pipeline.reply
    assert http.pipeline.reply.closed.is_set()


async def test_silence_is_filled_with_pings_between_events_only() -> None:
    http = await Harness.make(EdgeConfig(allowed_hosts=("localhost",), ping_seconds=0.03))
    http.pipeline.steps = (FIRST, 0.1, SECOND, DONE)

    answer = await http.chat(stream=True)

    assert answer.blocks[0] == FIRST
    assert answer.blocks[1:-3] == [OPENAI_ERRORS.ping] * len(answer.blocks[1:-3])
    assert 2 <= len(answer.blocks[1:-3]) <= 4
    assert answer.blocks[-3:] == [SECOND, DONE, b""]


async def test_a_stream_that_never_pauses_gets_no_pings() -> None:
    http = await Harness.make(EdgeConfig(allowed_hosts=("localhost",), ping_seconds=0.05))
    http.pipeline.steps = (*(step for _ in range(12) for step in (FIRST, 0.01)), DONE)

    answer = await http.chat(stream=True)

    assert OPENAI_ERRORS.ping not in answer.blocks


def leave_before_headers(http: Harness) -> tuple[bytes, asyncio.Event]:
    http.pipeline.delay_seconds = 60
    return STREAM, http.pipeline.called


def leave_before_the_first_token(http: Harness) -> tuple[bytes, asyncio.Event]:
    """The pipeline holds the stream until its first content, so this is the same wait, seen from here."""
    return leave_before_headers(http)


def leave_in_mid_stream(http: Harness) -> tuple[bytes, asyncio.Event | None]:
    http.pipeline.steps = (FIRST, 60.0, DONE)
    return STREAM, None


def leave_a_plain_call(http: Harness) -> tuple[bytes, asyncio.Event]:
    http.pipeline.delay_seconds = 60
    return BODY, http.pipeline.called


@pytest.mark.parametrize(
    "phase", [leave_before_headers, leave_before_the_first_token, leave_in_mid_stream, leave_a_plain_call]
)
async def test_a_client_that_leaves_stops_the_upstream_call_at_once(
    http: Harness, phase: Callable[[Harness], tuple[bytes, asyncio.Event | None]]
) -> None:
    body, reached = phase(http)
    client = http.client()
    request = asyncio.create_task(client.start("POST", PATH, (AUTH,), body))
    await (reached or client.first_block).wait()

    client.leave()
    async with asyncio.timeout(HANG_SECONDS):
        await request

    assert not request.cancelled()
    assert http.pipeline.calls[0].trace.client_left
    if http.pipeline.reply is None:
        assert http.pipeline.client_left is True
        assert client.messages == []
    else:
        assert http.pipeline.reply.closed.is_set()
        assert http.pipeline.reply.sent == 1
        assert not client.aborted
    assert http.services.drain.in_flight == 0


async def test_a_client_that_leaves_is_noticed_under_any_asgi_server(http: Harness) -> None:
    http.pipeline.delay_seconds = 60
    client = http.client()
    client.own_server = False
    request = asyncio.create_task(client.start("POST", PATH, (AUTH,), BODY))
    await http.pipeline.called.wait()

    client.leave()
    async with asyncio.timeout(HANG_SECONDS):
        await request

    assert http.pipeline.client_left is True


async def test_a_hundred_clients_that_leave_leave_nothing_behind(http: Harness) -> None:
    http.pipeline.delay_seconds = 60
    before = len(asyncio.all_tasks())
    clients = [http.client() for _ in range(100)]
    requests = [asyncio.create_task(client.start("POST", PATH, (AUTH,), BODY)) for client in clients]
    await until(lambda: len(http.pipeline.calls) == 100)

    for client in clients:
        client.leave()
    async with asyncio.timeout(HANG_SECONDS):
        await asyncio.gather(*requests)

    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == before


async def test_cancelling_the_server_task_is_not_taken_for_a_client_that_left(http: Harness) -> None:
    http.pipeline.delay_seconds = 60
    request = asyncio.create_task(http.client().start("POST", PATH, (AUTH,), BODY))
    await http.pipeline.called.wait()

    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request

    assert http.pipeline.client_left is False


async def stalled_client(http: Harness) -> Client:
    client = http.client()
    client.blocked = asyncio.Event()
    request = asyncio.create_task(client.start("POST", PATH, (AUTH,), STREAM))
    await client.first_block.wait()
    client.blocked.set()
    async with asyncio.timeout(HANG_SECONDS):
        await request
    return client


@pytest.mark.parametrize("where", ["between blocks", "at the end"])
async def test_a_client_that_takes_nothing_is_dropped(where: str) -> None:
    """R-35: the write waits for a bounded time, then the upstream is closed and the connection dropped."""
    http = await Harness.make(EdgeConfig(allowed_hosts=("localhost",), write_stall_seconds=0.05, ping_seconds=5))
    http.pipeline.steps = (FIRST, 0.02, SECOND, DONE) if where == "between blocks" else (FIRST, 0.02)

    client = await stalled_client(http)

    assert client.aborted
    assert http.pipeline.reply
    assert http.pipeline.reply.closed.is_set()
    assert http.pipeline.calls[0].trace.client_left is (where == "between blocks")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_shutdown_ends_a_call_that_has_not_answered_with_503(http: Harness, stream: bool) -> None:
    http.pipeline.delay_seconds = 60
    request = asyncio.create_task(http.chat(stream=stream))
    await http.pipeline.called.wait()

    assert http.services.drain.interrupt_all() == 1
    answer = await request

    assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "shutting_down", "1")
    assert http.pipeline.client_left is False


async def test_a_shutdown_ends_a_stream_with_an_error_event(http: Harness) -> None:
    http.pipeline.steps = (FIRST, 60.0, DONE)
    client = http.client()
    request = asyncio.create_task(client.request("POST", PATH, (AUTH,), STREAM))
    await client.first_block.wait()

    http.services.drain.interrupt_all()
    answer = await request

    assert json.loads(answer.blocks[1][6:])["error"]["code"] == "shutting_down"
    assert answer.complete
    assert http.pipeline.reply
    assert http.pipeline.reply.closed.is_set()


async def test_more_body_after_the_body_is_no_disconnect(http: Harness) -> None:
    """Some servers send an empty last part; only `http.disconnect` means that the client left."""
    http.pipeline.delay_seconds = 0.01

    answer = await http.client().request("POST", PATH, (AUTH,), (BODY[:9], BODY[9:]))

    assert answer.status == 200
