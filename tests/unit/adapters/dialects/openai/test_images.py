"""Images and moderations, passed on; streams of images, whose events are larger than any other."""

import json
from typing import Any

import pytest

from adapters.dialects.openai.endpoint import OpenAIModerations
from adapters.dialects.openai.images import OpenAIImages
from adapters.dialects.openai.quirks import EndpointQuirks, Quirks
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import BillingFacts, TokenUsage
from tests.unit.adapters.dialects.openai.endpoint_calls import (
    image_call,
    moderation_call,
    never_complete_when_cut,
    played,
    splits,
)

DIALECT = OpenAIImages(Quirks(), EndpointQuirks())
USAGE = {
    "input_tokens": 20,
    "output_tokens": 100,
    "total_tokens": 120,
    "input_tokens_details": {"text_tokens": 15, "image_tokens": 5},
}
ANSWER = {"created": 1, "data": [{"b64_json": "aGk="}], "usage": USAGE}


def drawn(pictures: int, inputs: int = 0, outputs: int = 0, image_tokens: int = 0, kind: str = "image") -> TokenUsage:
    facts = BillingFacts(counts={"image_output": outputs} if outputs else {}, units={kind: pictures})
    return TokenUsage(inputs, outputs, image_tokens=image_tokens, billing=facts)


def event(kind: str, **fields: Any) -> bytes:
    name = f"image_generation.{kind}"
    return f"event: {name}\ndata: {json.dumps({'type': name, **fields})}\n\n".encode()


STREAM = event("partial_image", b64_json="aGk=", partial_image_index=0) + event(
    "completed", b64_json="aGk=", usage=USAGE
)


def test_a_plain_answer_passes_with_its_usage() -> None:
    body = json.dumps(ANSWER).encode()

    answer = DIALECT.read(body, image_call(), "application/json")

    assert answer.body is body
    assert answer.usage == drawn(1, 20, 100, 5)


def test_an_answer_without_usage_or_time_gets_a_time_and_its_pictures_are_counted() -> None:
    answer = DIALECT.read(b'{"data": [{"url": "https://x.example/i.png"}]}', image_call(), "application/json")

    assert json.loads(answer.body)["created"] == 1795222800
    assert answer.usage == drawn(1)


@pytest.mark.parametrize(
    ("asked", "said", "kind"),
    [
        ({"size": "1024x1024", "quality": "hd"}, {}, "image:1024x1024/hd"),
        ({"size": "auto", "quality": "auto"}, {"size": "1536x1024", "quality": "medium"}, "image:1536x1024/medium"),
        ({"size": "512x512"}, {}, "image:512x512"),
        ({"quality": "high"}, {}, "image:*/high"),
        ({"size": "auto"}, {}, "image"),
    ],
)
def test_a_picture_is_of_the_kind_that_the_answer_says_else_of_the_one_asked_for(
    asked: dict[str, str], said: dict[str, str], kind: str
) -> None:
    body = json.dumps({"created": 1, "data": [{"b64_json": "a"}] * 3} | said).encode()

    assert DIALECT.read(body, image_call(**asked), "application/json").usage == drawn(3, kind=kind)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"data": []}', b'{"data": {}}', b'{"error": {"message": "no"}}'])
def test_what_is_no_image_is_a_failure(body: bytes) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        DIALECT.read(body, image_call(), "application/json")

    assert caught.value.kind is FailureKind.SERVER_ERROR


def test_a_stream_passes_as_the_bytes_it_came_in() -> None:
    decoder = DIALECT.decoder(image_call(stream=True), "text/event-stream")

    assert played(decoder, STREAM) == STREAM
    assert decoder.done
    assert decoder.has_content
    assert decoder.usage == drawn(1, 20, 100, 5)
    assert decoder.output_bytes == 0
    assert decoder.ending == b""


def test_of_several_images_usage_is_added_up() -> None:
    decoder = DIALECT.decoder(image_call(stream=True, n=2), "")

    played(decoder, STREAM + STREAM + b"data: [DONE]\n\n")

    assert decoder.usage == drawn(2, 40, 200, 10)


def test_an_image_of_three_megabytes_is_one_event() -> None:
    stream = event("completed", b64_json="A" * 3_000_000)
    decoder = DIALECT.decoder(image_call(stream=True), "")

    received = b"".join(decoder.feed(stream[i : i + 65_536]) for i in range(0, len(stream), 65_536)) + decoder.finish()

    assert received == stream
    assert decoder.done


def test_an_event_larger_than_any_image_is_given_up() -> None:
    decoder = DIALECT.decoder(image_call(stream=True), "")

    decoder.feed(b"data: ")
    for _ in range(33):
        decoder.feed(b"A" * 1024 * 1024)

    assert decoder.failure is not None


@pytest.mark.parametrize("seed", range(20))
def test_any_split_of_a_stream_gives_the_same(seed: int) -> None:
    """R-08."""
    stream = STREAM.replace(b"\n", b"\r\n")

    assert played(DIALECT.decoder(image_call(), ""), stream, splits(seed)) == STREAM


def test_a_cut_stream_is_never_complete() -> None:
    """R-08."""
    never_complete_when_cut(lambda: DIALECT.decoder(image_call(), ""), STREAM, len(STREAM) - 2)


def test_an_error_event_is_a_failure() -> None:
    for said in (
        b'event: error\ndata: {"message": "boom"}\n\n',
        b'data: {"type": "error", "error": {"code": "x"}}\n\n',
    ):
        decoder = DIALECT.decoder(image_call(), "")
        played(decoder, said)
        assert decoder.failure is not None


def test_a_plain_answer_instead_of_a_stream_is_told_as_completed() -> None:
    call = image_call(stream=True)
    two = ANSWER | {"data": [{"b64_json": "aGk="}, {"b64_json": "aG8="}]}
    replayed = DIALECT.replay(DIALECT.read(json.dumps(two).encode(), call, "application/json"), call)
    decoder = DIALECT.decoder(call, "")

    received = played(decoder, replayed.events)

    assert decoder.done
    lines = [line[6:] for line in received.split(b"\n") if line.startswith(b"data: ")]
    assert [json.loads(line)["b64_json"] for line in lines] == ["aGk=", "aG8="]
    assert decoder.usage == drawn(2, 20, 100, 5)


def test_moderations_pass() -> None:
    body = json.dumps({"id": "modr-1", "model": "omni", "results": [{"flagged": False}]}).encode()
    dialect = OpenAIModerations(Quirks(), EndpointQuirks())

    answer = dialect.read(body, moderation_call(), "application/json")
    encoded = dialect.encode(moderation_call(input=[{"type": "text", "text": "x"}]), stream=False)

    assert (answer.body, answer.model, answer.usage) == (body, "omni", None)
    assert json.loads(encoded.body) == {"model": "asked-model", "input": [{"type": "text", "text": "x"}]}
    with pytest.raises(UpstreamFailure):
        dialect.read(b'{"id": "x"}', moderation_call(), "application/json")
    with pytest.raises(UpstreamFailure):
        dialect.decoder(moderation_call(), "")
