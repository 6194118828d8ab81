"""A chat that asks for a picture, served by an upstream's images."""

import json
from typing import Any

import msgspec
import pytest
from typing_extensions import override

from adapters.ingress.pictures.carrier import ChatOverImages
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.images import ImageRequest
from domain.payload import Payload
from domain.ports.providers import ImageProvider, ProviderAnswer, ProviderCall, ProviderStream
from domain.usage import TokenUsage
from tests.contracts.providers.test_chat_providers import Progress

PNG = "iVBORw0KGgoAAAANSUhEUg=="


class FakeImages(ImageProvider):
    """Answers with what it was given, and keeps what it was asked."""

    def __init__(self, *data: dict[str, Any]) -> None:
        self.data = data
        self.asked: list[ProviderCall[ImageRequest]] = []

    @override
    async def complete(self, call: ProviderCall[ImageRequest]) -> ProviderAnswer:
        self.asked.append(call)
        body = json.dumps({"created": 1, "data": self.data}).encode()
        return ProviderAnswer(body, "painter-1", TokenUsage(12, 4_000), dropped_params=("style",))

    @override
    async def stream(self, call: ProviderCall[ImageRequest]) -> ProviderStream:
        raise AssertionError("a picture comes whole")


def a_call(*messages: dict[str, Any], include_usage: bool = False, **fields: Any) -> ProviderCall[ChatRequest]:
    body = {"model": "auto", "messages": list(messages)} | fields
    request = msgspec.convert(body, ChatRequest)
    raw = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in body.items()}
    return ProviderCall(Payload(request, raw), "painter-1", None, include_usage, Progress())


USER = {"role": "user", "content": "a lighthouse at dawn"}


async def test_the_picture_is_in_the_message() -> None:
    images = FakeImages({"b64_json": PNG, "revised_prompt": "A lighthouse."})

    answer = await ChatOverImages(images, lambda: 7.0).complete(a_call(USER))

    body = json.loads(answer.body)
    assert (body["object"], body["created"], body["model"]) == ("chat.completion", 7, "painter-1")
    (choice,) = body["choices"]
    assert choice["finish_reason"] == "stop"
    assert choice["message"]["content"] == "A lighthouse."
    assert choice["message"]["images"] == [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}]
    assert body["usage"]["completion_tokens"] == 4_000
    assert (answer.usage, answer.dropped_params) == (TokenUsage(12, 4_000), ("style",))


async def test_a_picture_that_lies_elsewhere_is_told_by_its_address() -> None:
    answer = await ChatOverImages(FakeImages({"url": "https://pictures.example/1.png"})).complete(a_call(USER))

    message = json.loads(answer.body)["choices"][0]["message"]
    assert message["images"][0]["image_url"]["url"] == "https://pictures.example/1.png"
    assert message["content"] is None


@pytest.mark.parametrize(
    ("start", "kind"),
    [("/9j/4AAQ", "image/jpeg"), ("UklGRiQA", "image/webp"), ("R0lGODlh", "image/gif"), ("AAAA", "image/png")],
)
async def test_what_kind_it_is_is_told_by_its_first_bytes(start: str, kind: str) -> None:
    answer = await ChatOverImages(FakeImages({"b64_json": start})).complete(a_call(USER))

    url = json.loads(answer.body)["choices"][0]["message"]["images"][0]["image_url"]["url"]
    assert url == f"data:{kind};base64,{start}"


async def test_people_are_asked_for_by_what_they_said_last_and_before() -> None:
    images = FakeImages({"b64_json": PNG})
    parts = [{"type": "text", "text": "make it red"}]

    await ChatOverImages(images).complete(
        a_call({"role": "system", "content": "no"}, USER, {"role": "assistant", "content": "here"},
               {"role": "user", "content": parts}, n=2)
    )  # fmt: skip

    (asked,) = images.asked
    assert asked.payload.value.prompt == "a lighthouse at dawn\nmake it red"
    assert asked.payload.fields.keys() == {"prompt", "n"}
    assert asked.model == "painter-1"


async def test_a_stream_gives_it_in_one_event_and_then_ends() -> None:
    stream = await ChatOverImages(FakeImages({"b64_json": PNG})).stream(a_call(USER, include_usage=True))

    blocks = [block async for block in stream]

    events = [json.loads(line[6:]) for line in b"".join(blocks).split(b"\n\n") if line]
    assert [event["object"] for event in events] == ["chat.completion.chunk"] * 3
    assert events[0]["choices"][0]["delta"]["images"][0]["image_url"]["url"].startswith("data:image/png")
    assert events[1]["choices"][0]["finish_reason"] == "stop"
    assert events[2]["usage"]["completion_tokens"] == 4_000
    assert (stream.ending, stream.has_content, stream.usage) == (b"data: [DONE]\n\n", True, TokenUsage(12, 4_000))


async def test_an_answer_without_a_picture_is_the_providers_failure() -> None:
    with pytest.raises(UpstreamFailure):
        await ChatOverImages(FakeImages()).complete(a_call(USER))


async def test_without_a_text_there_is_nothing_to_paint() -> None:
    with pytest.raises(UpstreamFailure) as refused:
        await ChatOverImages(FakeImages({"b64_json": PNG})).complete(a_call({"role": "system", "content": "x"}))

    assert refused.value.param == "messages"
