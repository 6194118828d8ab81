"""OpenAI's images, passed on. Source: openai-python 3.52 types (November 2026)."""

from typing import Final

import msgspec
from typing_extensions import override

from adapters.dialects.openai.endpoint import NULL, Fields, OpenAIEndpoint, decode_any, encode, raw
from adapters.dialects.openai.named_events import NamedEvents
from adapters.wire.answer import PlainAnswer
from adapters.wire.call import WireCall
from adapters.wire.events import EventStreamDecoder
from adapters.wire.large_events import LargeEventCutter
from adapters.wire.undecodable import UNDECODABLE
from domain.images import ImageRequest
from domain.usage import TokenUsage


class _Details(msgspec.Struct):
    image_tokens: int | None = None


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: _Details | None = None


_ABOUT_ALL: Final = ("size", "quality", "background", "output_format")

_decode_usage = msgspec.json.Decoder(_Usage).decode


class OpenAIImages(OpenAIEndpoint[ImageRequest]):
    """One upstream's images. Only some models report usage."""

    name = "images.generations"
    answer_name = "a list of images"

    def read(self, body: bytes, call: WireCall[ImageRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        fields = self.fields_of(body, call, "data")
        data: object = decode_any(fields["data"])
        if not isinstance(data, list) or not data:
            raise self.unreadable(body[:200], call)
        usage = image_usage(fields.get("usage", NULL))
        told = body if fields.get("created", NULL) != NULL else _with_time(fields, call)
        return PlainAnswer(told, call.model, usage)

    @override
    def decoder(self, call: WireCall[ImageRequest], content_type: str) -> EventStreamDecoder:
        reader = NamedEvents(
            call.model,
            lambda error: self.told_failure(error, call),
            ("image_generation.completed",),
            ("b64_json", "url"),
            image_usage,
        )
        return EventStreamDecoder(reader, lambda told: self.unreadable(told, call), cutter=LargeEventCutter())

    @override
    def replay(self, answer: PlainAnswer, call: WireCall[ImageRequest]) -> bytes | None:
        """An upstream that cannot stream answers whole: each image is told as one that is complete."""
        fields = msgspec.json.decode(answer.body, type=Fields)
        head: Fields = {"type": raw("image_generation.completed"), "created_at": fields["created"]}
        head.update((name, fields[name]) for name in _ABOUT_ALL if name in fields)
        events = [head | image for image in msgspec.json.decode(fields["data"], type=list[Fields])]
        if "usage" in fields:
            events[-1]["usage"] = fields["usage"]  # of all of them, so told once
        return b"".join(b"event: image_generation.completed\ndata: %b\n\n" % encode(event) for event in events)


def image_usage(value: msgspec.Raw) -> TokenUsage | None:
    """None where there is nothing to read."""
    try:
        usage = _decode_usage(value)
    except UNDECODABLE:
        return None
    if usage.input_tokens is None and usage.output_tokens is None:
        return None
    details = usage.input_tokens_details or _Details()
    return TokenUsage(usage.input_tokens or 0, usage.output_tokens or 0, image_tokens=details.image_tokens or 0)


def _with_time(fields: Fields, call: WireCall[ImageRequest]) -> bytes:
    return encode({"created": raw(call.created), **{k: v for k, v in fields.items() if k != "created"}})
