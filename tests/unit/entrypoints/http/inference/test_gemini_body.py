"""Bodies of Google's API, and streams as one array."""

import json
from typing import Any

import pytest
from litestar.types import Message

from domain.errors import RequestInvalid
from domain.generate_content import CountTokensRequest, EmbedContentRequest, GenerateContentRequest
from entrypoints.http.inference.gemini_body import ContentBody, in_array

HI: dict[str, Any] = {"contents": [{"parts": [{"text": "hi"}]}]}


def start(kind: bytes = b"text/event-stream") -> Message:
    return {"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind), (b"x", b"y")]}


def body(*blocks: bytes) -> list[Message]:
    return [
        {"type": "http.response.body", "body": block, "more_body": place < len(blocks) - 1}
        for place, block in enumerate(blocks)
    ]


async def sent(*messages: Message) -> tuple[dict[bytes, bytes], bytes]:
    received: list[Any] = []

    async def send(message: Message) -> None:
        received.append(message)

    through = in_array(send)
    for message in messages:
        await through(message)
    return dict(received[0]["headers"]), b"".join(message["body"] for message in received[1:])


@pytest.mark.parametrize("stream", [True, False])
def test_the_address_says_which_model_and_whether_it_streams_whatever_the_body_says(stream: bool) -> None:
    given = json.dumps(HI | {"model": "another", "stream": not stream}).encode()

    payload = ContentBody(GenerateContentRequest, stream=stream).decode(given, "openai/gpt:free")

    assert (payload.value.model, payload.value.streams) == ("openai/gpt:free", stream)
    assert payload.size_bytes == len(given)


def test_a_count_may_be_of_a_whole_request() -> None:
    given = {"generateContentRequest": {"model": "models/x", **HI, "system_instruction": "Be brief."}}

    payload = ContentBody(CountTokensRequest).decode(json.dumps(given).encode(), "m")

    assert {*payload.fields} == {"contents", "systemInstruction", "model"}
    assert payload.value.model == "m"


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({}, "contents"),
        ({"contents": []}, "contents"),
        (HI | {"generationConfig": {"temperature": 3}}, "generationConfig.temperature"),
        (HI | {"generation_config": {"max_output_tokens": 0}}, "generationConfig.maxOutputTokens"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(given: dict[str, Any], param: str) -> None:
    with pytest.raises(RequestInvalid) as refused:
        ContentBody(GenerateContentRequest).decode(json.dumps(given).encode(), "m")

    assert refused.value.param == param


@pytest.mark.parametrize("given", [b"{", b"[]", b'{"a_b":'])
def test_what_is_no_object_is_refused(given: bytes) -> None:
    with pytest.raises(RequestInvalid):
        ContentBody(GenerateContentRequest).decode(given, "m")


def test_a_request_that_embeds_nothing_is_refused() -> None:
    with pytest.raises(RequestInvalid):
        ContentBody(EmbedContentRequest).decode(b"{}", "m")


async def test_events_become_elements_of_one_array() -> None:
    headers, array = await sent(
        start(), *body(b'data: {"a":1}\n\ndata: {"a":2}\n\n', b"\n\n", b'data: {"a":3}\n\n', b"")
    )

    assert headers == {b"content-type": b"application/json", b"x": b"y"}
    assert json.loads(array) == [{"a": 1}, {"a": 2}, {"a": 3}]


async def test_a_stream_of_nothing_is_an_empty_array() -> None:
    assert json.loads((await sent(start(), *body(b"")))[1]) == []


async def test_what_is_no_stream_passes_as_it_is() -> None:
    headers, passed = await sent(start(b"text/html"), *body(b"data: no stream"))

    assert (headers[b"content-type"], passed) == (b"text/html", b"data: no stream")
