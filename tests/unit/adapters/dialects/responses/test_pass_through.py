"""Responses at an upstream that has them: bytes pass, ids say where they are kept, complete only at the end (R-08)."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.dialects.responses.pass_through import NO_RESPONSES, ResponsesPassThrough
from adapters.dialects.responses.stream import NativeStreamDecoder
from adapters.wire.call import DialectCall
from adapters.wire.errors import Refusals
from adapters.wire.sse import EVENT_STREAM
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.response_ids import kept_id
from domain.responses import ResponsesRequest
from domain.secrets import Secret
from domain.usage import TokenUsage
from tests.unit.adapters.ingress.responses.grammar import Json, follow
from tests.unit.adapters.ingress.responses.samples import NOW, USAGE, call, delta, payload, play

DIALECT = ResponsesPassThrough("alpha", Refusals(), drop=("truncation",))
UPSTREAM_ID = "resp_t0"
KEPT_ID = kept_id("alpha", UPSTREAM_ID)
STREAM = play(
    delta(reasoning_content="hm"),
    delta(content="wörld"),
    call(0, id="call_1", function={"name": "f", "arguments": "{}"}),
    delta("tool_calls"),
)


def a_call(*, strict: bool = False, **body: object) -> DialectCall[ResponsesRequest]:
    return DialectCall(
        payload({"input": "hi", **body}), "real-model", Secret("sk-canary-012345"), lambda: float(NOW), strict=strict
    )


def encoded(**body: Any) -> Json:
    made: Json = json.loads(DIALECT.encode(a_call(**body), stream=False).body)
    return made


def decoder() -> NativeStreamDecoder:
    return DIALECT.decoder(a_call(stream=True), "text/event-stream")


def test_what_came_goes_on_with_the_models_name() -> None:
    made = DIALECT.encode(a_call(vendor={"a": [1, None]}, tools=[{"type": "web_search"}], models=["b"]), stream=True)

    assert json.loads(made.body) == {
        "model": "real-model",
        "input": "hi",
        "vendor": {"a": [1, None]},
        "tools": [{"type": "web_search"}],
        "stream": True,
    }
    assert made.dropped == ()


def test_what_codex_tells_openai_stays_here_without_a_word() -> None:
    made = DIALECT.encode(a_call(client_metadata={"a": "b"}), stream=False)

    assert "client_metadata" not in json.loads(made.body)
    assert made.dropped == ()


def test_what_an_operator_drops_is_told_and_refused_for_a_strict_key() -> None:
    assert DIALECT.encode(a_call(truncation="auto"), stream=False).dropped == ("truncation",)
    with pytest.raises(UpstreamFailure) as refused:
        DIALECT.encode(a_call(truncation="auto", strict=True), stream=False)
    assert refused.value.kind is FailureKind.UNSUPPORTED


def test_a_body_cannot_choose_where_it_goes() -> None:
    """S-07."""
    made = DIALECT.encode(a_call(api_base="https://evil.example", api_key="sk"), stream=False)

    assert json.loads(made.body).keys() == {"model", "input"}
    assert made.dropped == ("api_base", "api_key")


def test_the_previous_responses_own_id_is_put_back() -> None:
    assert encoded(previous_response_id=KEPT_ID)["previous_response_id"] == UPSTREAM_ID


@pytest.mark.parametrize("previous", ["resp_1", kept_id("beta", "resp_1"), "resp_omg_!!_x", "resp_omg_me"])
def test_a_response_that_is_kept_elsewhere_is_refused(previous: str) -> None:
    with pytest.raises(UpstreamFailure) as refused:
        encoded(previous_response_id=previous)

    assert refused.value.code == "previous_response_not_found"


def test_reasoning_sealed_here_is_left_out_and_an_upstreams_own_is_not() -> None:
    own: Json = {"type": "reasoning", "id": "rs_omg_1", "summary": [], "encrypted_content": "omg1.e30="}
    theirs: Json = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
    said: Json = {"role": "user", "content": '"rs_omg'}

    assert encoded(input=[own, theirs, said])["input"] == [theirs, said]


def test_a_plain_response_tells_where_it_is_kept() -> None:
    body = {"id": UPSTREAM_ID, "model": "m-1", "status": "completed", "output": [], "previous_response_id": "resp_0"}
    usage = {"input_tokens": 7, "input_tokens_details": {"cached_tokens": 2}, "output_tokens": 3, "total_tokens": 10}

    answer = DIALECT.read(json.dumps({**body, "usage": usage}).encode(), a_call(), "application/json")

    received = json.loads(answer.body)
    assert (received["id"], received["previous_response_id"]) == (KEPT_ID, kept_id("alpha", "resp_0"))
    assert answer.model == "m-1"
    assert answer.usage == TokenUsage(7, 3, 2)
    assert received["usage"] == usage


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>", FailureKind.SERVER_ERROR),
        (b"{}", FailureKind.SERVER_ERROR),
        (b'{"id":"resp_1","status":"completed"}', FailureKind.SERVER_ERROR),
        (b'{"error":{"message":"slow","code":"rate_limit_exceeded"}}', FailureKind.RATE_LIMITED),
        (
            b'{"id":"resp_1","status":"failed","output":[],"error":{"code":"server_error","message":"x"}}',
            FailureKind.SERVER_ERROR,
        ),
    ],
)
def test_what_is_no_response_is_a_failure(body: bytes, kind: FailureKind) -> None:
    with pytest.raises(UpstreamFailure) as failed:
        DIALECT.read(body, a_call(), "application/json")

    assert failed.value.kind is kind


def test_a_stream_passes_and_its_last_event_is_held_back() -> None:
    reading = decoder()

    output = reading.feed(STREAM)

    assert reading.done
    assert reading.failure is None
    assert output + reading.ending == STREAM.replace(UPSTREAM_ID.encode(), KEPT_ID.encode())
    assert reading.ending.startswith(b"event: response.completed\n")
    assert follow(output + reading.ending)["id"] == KEPT_ID
    assert reading.usage == USAGE
    assert reading.model == "m"
    assert reading.output_text() == "hmwörld{}"
    assert reading.output_bytes == 10
    assert reading.content_type == EVENT_STREAM


def test_the_first_events_are_no_content() -> None:
    reading = decoder()

    reading.feed(b"\n\n".join(STREAM.split(b"\n\n")[:2]) + b"\n\n")

    assert not reading.has_content


def test_a_stream_knows_how_its_response_stands() -> None:
    reading, failing, not_kept = decoder(), decoder(), decoder()
    stored = STREAM.replace(b'"store":false', b'"store":true')
    first = stored.split(b"\n\n")[0] + b"\n\n"

    reading.feed(first)
    began = reading.kept()
    reading.feed(stored[len(first) :])
    not_kept.feed(STREAM)
    ended = reading.kept()
    failing.feed(first + b'event: error\ndata: {"type":"error","message":"busy"}\n\n')
    failed = failing.kept()

    assert decoder().kept() is None
    assert not_kept.kept() is None
    assert began is not None
    assert ended is not None
    assert failed is not None
    assert (began.upstream_id, began.runs, ended.runs, failed.runs) == (UPSTREAM_ID, True, False, False)


def test_long_opening_events_wait_until_the_model_begins() -> None:
    """R-07: a failure right behind them goes to another provider."""
    events = [event + b"\n\n" for event in STREAM.split(b"\n\n")[:-1]]
    created = events[0].replace(b'"instructions":null', b'"instructions":"' + b"x" * 100_000 + b'"')
    reading, failing = decoder(), decoder()

    assert reading.feed(created) == b""
    assert reading.feed(events[1]) == b""
    assert reading.feed(events[2]).startswith(b"event: response.created\n")
    assert reading.feed(events[3]).startswith(events[3][:20])
    assert failing.feed(created) == b""
    assert failing.feed(b'event: error\ndata: {"type":"error","message":"busy"}\n\n') == b""
    assert failing.failure is not None
    assert not failing.has_content


def test_an_item_without_content_is_none_yet() -> None:
    reading = decoder()

    reading.feed(STREAM[: STREAM.index(b"event: response.reasoning_summary_text.delta")])
    assert not reading.has_content
    reading.feed(STREAM[STREAM.index(b"event: response.reasoning_summary_text.delta") :])
    assert reading.has_content


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_any_split_gives_the_same(cuts: list[int]) -> None:
    whole, reading = decoder(), decoder()

    output = b"".join(reading.feed(STREAM[start:end]) for start, end in pairwise([0, *sorted(cuts), len(STREAM)]))

    assert output == whole.feed(STREAM)
    assert reading.ending == whole.ending


@pytest.mark.slow
def test_a_cut_at_any_byte_is_never_complete() -> None:
    """R-08: but where the terminal event lacks its blank line alone."""
    for cut in range(len(STREAM) - 2):
        reading = decoder()
        reading.feed(STREAM[:cut])
        reading.finish()
        assert not reading.done
        assert reading.failure is not None
        assert reading.failure.kind is FailureKind.TRUNCATED
        assert reading.ending == b""


@pytest.mark.parametrize(
    "stream", [STREAM.replace(b"\n", b"\r\n"), b": ping\n\n" + STREAM, STREAM + b"data: [DONE]\n\n"]
)
def test_odd_frames_make_no_difference(stream: bytes) -> None:
    reading = decoder()

    assert reading.feed(stream) + reading.ending == decoder().feed(STREAM) + reading.ending
    assert reading.done


@pytest.mark.parametrize(
    ("event", "kind", "message"),
    [
        (
            {"type": "error", "code": "server_is_overloaded", "message": "busy", "param": None},
            FailureKind.OVERLOADED,
            "busy",
        ),
        (
            {"type": "error", "error": {"type": "tokens", "code": "rate_limit_exceeded", "message": "slow"}},
            FailureKind.RATE_LIMITED,
            "slow",
        ),
        (
            {
                "type": "response.failed",
                "response": {"id": "resp_1", "error": {"code": "server_error", "message": "with sk-canary-012345"}},
            },
            FailureKind.SERVER_ERROR,
            "with ***",
        ),
    ],
)
def test_an_error_in_the_stream_is_a_failure(event: Json, kind: FailureKind, message: str) -> None:
    reading = decoder()

    before = reading.feed(STREAM[: STREAM.index(b"event: response.output_item.done")])
    after = reading.feed(b"event: x\ndata: " + json.dumps({**event, "sequence_number": 9}).encode() + b"\n\n")

    assert before
    assert after == b""
    assert reading.failure is not None
    assert reading.failure.kind is kind
    assert reading.failure.message == message
    assert not reading.done


def test_what_is_no_event_is_a_failure() -> None:
    reading = decoder()

    assert reading.feed(b"data: {oops\n\n") == b""
    assert reading.failure is not None
    assert reading.failure.code == "invalid_response"


@pytest.mark.parametrize(
    "body",
    [
        b'{"detail":"Not Found"}',
        b'{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}',
        b'{"error":"Unexpected endpoint or method. (POST /v1/responses)"}',
        b"404 page not found",
        b"<html>nginx</html>",
        b'{"error":{"message":"Unknown request URL: POST /v1/responses.","type":"invalid_request_error"}}',
        b"",
    ],
)
def test_a_server_without_the_api_says_nothing_of_its_models(body: bytes) -> None:
    failed = DIALECT.failure(404, (), body, a_call())

    assert failed.kind is FailureKind.UNSUPPORTED
    assert failed.code == NO_RESPONSES


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"error":{"message":"The model `x` does not exist","code":"model_not_found"}}', FailureKind.MODEL_ABSENT),
        (b'{"detail":"Model x not found"}', FailureKind.MODEL_ABSENT),
    ],
)
def test_a_missing_model_is_one(body: bytes, kind: FailureKind) -> None:
    assert DIALECT.failure(404, (), body, a_call()).kind is kind
