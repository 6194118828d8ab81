"""All bodies in flight share one budget (S-40)."""

import asyncio
import gzip
import json

import pytest

from domain.errors import ServiceUnavailable
from entrypoints.http.edge.body import BodyBudget
from entrypoints.http.edge.config import ConnectionLimits
from tests.unit.entrypoints.http.edge.serving import BODY, request, served
from tests.unit.entrypoints.http.harness import AUTH, CHAT, Harness
from tests.waiting import until

CHAT_PATH = "/v1/chat/completions"
LARGE = json.dumps(CHAT | {"user": "x" * 100_000}).encode()


def test_what_was_taken_is_given_back() -> None:
    budget = BodyBudget(100)
    budget.take(60)
    with pytest.raises(ServiceUnavailable) as caught:
        budget.take(60)
    budget.give(60)
    budget.take(100)

    assert (caught.value.code, caught.value.retry_after_seconds) == ("overloaded", 2)


def test_a_body_alone_fits_whatever_the_budget() -> None:
    BodyBudget(1).take(1000)


async def with_budget(limit: int) -> Harness:
    http = await Harness.make()
    object.__setattr__(http.services, "bodies", BodyBudget(limit))
    return http


@pytest.mark.parametrize(
    "headers",
    [((b"content-length", b"%d" % len(LARGE)),), ((b"transfer-encoding", b"chunked"),)],
    ids=["sized", "chunked"],
)
async def test_a_body_beyond_the_budget_is_refused_until_another_is_answered(
    headers: tuple[tuple[bytes, bytes], ...],
) -> None:
    http = await with_budget(150_000)
    http.pipeline.delay_seconds = 0.1
    first = asyncio.create_task(http.client().request("POST", CHAT_PATH, (AUTH, *headers), LARGE))
    await http.pipeline.called.wait()

    refused = await http.client().request("POST", CHAT_PATH, (AUTH, *headers), LARGE)
    small = await http.client().request("POST", CHAT_PATH, (AUTH,), BODY)
    answered = await first
    again = await http.client().request("POST", CHAT_PATH, (AUTH, *headers), LARGE)

    assert (refused.status, refused.code, refused.headers["retry-after"]) == (503, "overloaded", "2")
    assert (small.status, answered.status, again.status) == (200, 200, 200)
    assert http.services.bodies.in_flight_bytes == 0


async def test_an_open_stream_has_given_its_body_back() -> None:
    http = await with_budget(150_000)
    http.pipeline.steps = (b"data: {}\n\n", 0.2, b"data: [DONE]\n\n")
    client = http.client()
    streaming = asyncio.create_task(
        client.request("POST", CHAT_PATH, (AUTH,), LARGE.replace(b"{", b'{"stream":true,', 1))
    )
    await client.first_block.wait()

    assert http.services.bodies.in_flight_bytes == 0
    assert (await streaming).status == 200


@pytest.mark.parametrize(
    ("body", "headers"),
    [(b"{", ()), (gzip.compress(LARGE, mtime=0), ((b"content-encoding", b"gzip"),)),
     (gzip.compress(LARGE, mtime=0)[:-9], ((b"content-encoding", b"gzip"),)),
     (LARGE, ((b"content-length", b"999999999"),)), (LARGE, ((b"content-encoding", b"br"),))],
    ids=["no JSON", "compressed", "compressed and cut", "too large", "unknown coding"],
)  # fmt: skip
async def test_whatever_becomes_of_a_request_its_bytes_are_given_back(
    body: bytes, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    http = await with_budget(10_000_000)
    await http.client().request("POST", CHAT_PATH, (AUTH, *headers), body)
    await http.client().request("POST", "/admin/things", (AUTH, *headers), body)

    assert http.services.bodies.in_flight_bytes == 0


async def test_a_client_that_leaves_gives_its_bytes_back_and_one_that_is_refused_hears_of_it() -> None:
    async with served(ConnectionLimits()) as server:
        object.__setattr__(server.http.services, "bodies", BodyBudget(150_000))
        budget = server.http.services.bodies
        half = await server.connect()
        whole = request(b"POST", CHAT_PATH.encode(), LARGE)
        await half.send(whole[:-10])
        await until(lambda: budget.in_flight_bytes > 0)
        status, headers, _ = await server.exchange(whole)
        half.reset()
        await until(lambda: budget.in_flight_bytes == 0)

        assert (status, headers["retry-after"], headers["connection"]) == (503, "2", "close")
        assert (await server.exchange(whole))[0] == 200
