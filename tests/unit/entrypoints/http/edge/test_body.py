"""The body reader: who is asked first, how much is read, how long, and in which encoding (F4, S-31)."""

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest
from typing_extensions import override

from entrypoints.http.edge.config import EdgeConfig
from tests.unit.entrypoints.http.harness import AUTH, CHAT, EDGE, Client, Harness

CHAT_PATH = "/v1/chat/completions"
BODY = json.dumps(CHAT).encode()


def megabytes(count: int) -> Iterator[bytes]:
    chunk = b" " * 65536
    return (chunk for _ in range(count * 16))


async def test_a_large_body_with_a_bad_key_is_refused_unread() -> None:
    http = await Harness.make()
    client = http.client()

    answer = await client.request(
        "POST", CHAT_PATH, ((b"authorization", b"Bearer wrong-wrong-wrong-wrong"), (b"content-length", b"104857600"))
    )

    assert (answer.status, answer.code, client.reads) == (401, "invalid_api_key", 0)
    assert answer.headers["connection"] == "close"


async def test_a_declared_length_over_the_limit_is_refused_unread() -> None:
    client = (await Harness.make()).client()

    answer = await client.request("POST", CHAT_PATH, (AUTH, (b"content-length", b"104857600")))

    assert (answer.status, answer.code, client.reads) == (413, "request_too_large", 0)
    assert answer.headers["connection"] == "close"


async def test_a_body_that_grows_past_the_limit_is_not_gathered() -> None:
    http = await Harness.make(EdgeConfig(allowed_hosts=("localhost",), max_body_bytes=1024 * 1024))
    client = http.client()
    tracemalloc.start()

    answer = await client.request("POST", CHAT_PATH, (AUTH, (b"transfer-encoding", b"chunked")), megabytes(100))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (answer.status, answer.code) == (413, "request_too_large")
    assert client.reads == 17
    assert peak < 20 * 1024 * 1024
    assert answer.headers["connection"] == "close"


async def test_a_small_body_left_unread_does_not_cost_the_connection() -> None:
    answer = await (await Harness.make()).client().request("POST", CHAT_PATH, ((b"content-length", b"400"),), BODY)

    assert answer.status == 401
    assert "connection" not in answer.headers


async def test_a_body_that_does_not_arrive_in_time_is_refused() -> None:
    http = await Harness.make(EdgeConfig(allowed_hosts=("localhost",), receive_seconds=0.02))
    client = http.client()

    await client.start("POST", CHAT_PATH, (AUTH,), BODY[:10], ends=False)

    assert client.messages[0]["status"] == 408  # type: ignore[typeddict-item]  # the first message is the start


async def test_a_client_that_leaves_within_its_body_is_not_answered() -> None:
    http = await Harness.make()
    client = http.client()
    client.leave()

    await client.start("POST", CHAT_PATH, (AUTH,), ())

    assert client.messages == []
    assert http.pipeline.calls == []


@pytest.mark.parametrize(
    ("encoding", "body"),
    [(b"gzip", gzip.compress(BODY, mtime=0)), (b"GZIP", gzip.compress(BODY, mtime=0)),
     (b"deflate", zlib.compress(BODY)), (b"identity", BODY)],
    ids=["gzip", "GZIP", "deflate", "identity"],
)  # fmt: skip
async def test_compressed_bodies_are_understood(encoding: bytes, body: bytes) -> None:
    http = await Harness.make()

    answer = await http.client().request("POST", CHAT_PATH, (AUTH, (b"content-encoding", encoding)), body)

    assert answer.status == 200
    assert http.pipeline.calls[0].payload.value.model == "m"


@pytest.mark.parametrize(
    ("encoding", "body", "status", "code"),
    [
        (b"br", BODY, 415, "unsupported_content_encoding"),
        (b"gzip, gzip", BODY, 415, "unsupported_content_encoding"),
        (b"gzip", BODY, 400, "invalid_value"),
        (b"gzip", gzip.compress(BODY, mtime=0)[:-9], 400, "invalid_value"),
        (b"gzip", gzip.compress(b" " * 50_000_000, mtime=0), 413, "request_too_large"),
        (b"deflate", zlib.compress(b" " * 3_000_000, 9), 413, "request_too_large"),
    ],
    ids=["brotli", "twice", "not gzip", "cut", "bomb", "ratio"],
)
async def test_other_encodings_and_bombs_are_refused(encoding: bytes, body: bytes, status: int, code: str) -> None:
    http = await Harness.make()

    answer = await http.client().request("POST", CHAT_PATH, (AUTH, (b"content-encoding", encoding)), body)

    assert (answer.status, answer.code) == (status, code)


async def test_neither_content_type_nor_accept_is_asked_for() -> None:
    http = await Harness.make(EDGE)
    for headers in ((), ((b"content-type", b"text/plain"),), ((b"accept", b"image/png"),)):
        assert (await http.client().request("POST", CHAT_PATH, (AUTH, *headers), BODY)).status == 200


async def test_a_large_body_is_decoded_aside_and_arrives_whole() -> None:
    http = await Harness.make()
    long = "x" * 600_000

    answer = await http.chat(messages=[{"role": "user", "content": long}])

    assert answer.status == 200
    assert http.pipeline.calls[0].payload.value.messages[0].content == long


class Arrived(Client):
    """A client all of whose body came with its head."""

    body: bytes = b""

    @override
    def whole_body(self) -> bytes | None:
        return self.body


@pytest.mark.parametrize(("size", "status"), [(0, 200), (2048, 413)], ids=["small", "too large"])
async def test_a_body_that_came_with_its_head_is_taken_at_once_within_its_limit(size: int, status: int) -> None:
    http = await Harness.make(EdgeConfig(allowed_hosts=("localhost",), max_body_bytes=1024))
    client = Arrived(http.app)
    client.body = BODY + b" " * size

    answer = await client.request("POST", CHAT_PATH, (AUTH,))

    assert (answer.status, client.reads) == (status, 0)
