"""Odd ways to send the same stream, each seen from a real upstream and each fatal to some client: none gets through.

Source: the reaction tables of OpenAI's and Anthropic's SDKs, wire facts of November 2026.
"""

import json
from collections.abc import Callable

import pytest

from tests.contracts.ingress.driving import Stage
from tests.contracts.ingress.grammars import GRAMMARS, Told
from tests.contracts.ingress.recordings import RECORDINGS, SSE, Recording
from tests.contracts.ingress.test_recordings import expected, heard_at, named

Oddity = Callable[[list[bytes]], bytes]


def joined(events: list[bytes]) -> bytes:
    return b"".join(event + b"\n\n" for event in events)


def between(more: bytes) -> Oddity:
    """`more` before each event."""
    return lambda events: b"".join(more + event + b"\n\n" for event in events)


def without_spaces(events: list[bytes]) -> bytes:
    return joined([event.replace(b"data: ", b"data:", 1).replace(b"event: ", b"event:", 1) for event in events])


def on_many_lines(events: list[bytes]) -> bytes:
    """Each event's JSON on two lines, which a client joins again."""
    halves = [event.partition(b"data: {") for event in events]
    return joined([b"data: {\ndata: ".join((head, rest)) if rest else head for head, _, rest in halves])


ODDITIES: dict[str, Oddity] = {
    "CRLF": lambda events: joined(events).replace(b"\n", b"\r\n"),
    "CR": lambda events: joined(events).replace(b"\n", b"\r"),
    "byte order mark": lambda events: b"\xef\xbb\xbf" + joined(events),
    "comments": between(b": keep-alive\n\n"),
    "comments in events": between(b": keep-alive\n"),
    "empty lines": between(b"\n\n\n"),
    "ids": between(b"id: 7\n"),
    "ids alone": between(b"id: 7\n\n"),
    "retry times": between(b"retry: 3000\n"),
    "pings": between(b"event: ping\n\n"),
    "pings with data": between(b'event: ping\ndata: {"type": "ping"}\n\n'),
    "no spaces": without_spaces,
    "many lines": on_many_lines,
}
NOT_SAID = {("responses", "pings with data")}
"""By API: what no upstream of it was seen to do. An event that is not known is passed on."""

STREAMS = [recording for recording in RECORDINGS if recording.fails is None and recording.content_type == SSE]


@pytest.mark.parametrize(
    ("recording", "oddity"),
    [
        pytest.param(recording, oddity, id=f"{named(recording)}-{oddity}")
        for number, recording in enumerate(STREAMS)
        for place, oddity in enumerate(ODDITIES)
        if (recording.endpoint, oddity) not in NOT_SAID
        and (recording.endpoint != "chat" or (number + place) % 2)  # each oddity with every other stream: time
    ],
)
async def test_an_oddly_framed_stream_says_the_same_in_each_grammar(recording: Recording, oddity: str) -> None:
    """R-08, P-35."""
    stage = recording.stage()
    plain = recording.stream.replace(b"\r\n", b"\n")
    odd = ODDITIES[oddity]([event for event in plain.split(b"\n\n") if event])

    for ingress, (api, _) in stage.ingresses.items():
        heard = await stage.hear(ingress, [odd])
        assert heard.failure is None, (ingress, heard.failure)
        assert GRAMMARS[ingress](heard.whole) == heard_at(api, expected(recording)), ingress


async def test_one_answer_where_a_stream_was_asked_for_is_told_as_one() -> None:
    message = {
        "role": "assistant",
        "content": "wörld",
        "reasoning_content": "hm",
        "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}],
    }
    answer = {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
    }
    stage = Stage("openai", "application/json")

    for ingress, (api, _) in stage.ingresses.items():
        heard = await stage.hear(ingress, [json.dumps(answer).encode()])
        assert heard.failure is None
        assert GRAMMARS[ingress](heard.whole) == heard_at(api, [Told("wörld", "hm", (("f", {"a": 1}),))]), ingress
