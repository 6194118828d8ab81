"""OpenAI's images, new ones and edited ones, passed on. Source: openai-python 3.52 types (November 2026)."""

from typing import Final

import msgspec
from typing_extensions import TypeVar, override

from adapters.dialects.openai.endpoint import (
    NULL,
    Fields,
    NamedEvents,
    OpenAIEndpoint,
    decode_any,
    encode,
    raw,
    text_of,
)
from adapters.wire.call import DialectCall, Encoded, PlainAnswer
from adapters.wire.charges import BillingFields, picture, with_billing, with_units
from adapters.wire.raw_json import UNDECODABLE, TolerantDecoder
from adapters.wire.read_stream import EventStreamDecoder
from adapters.wire.replay import Replay, event, fields_on_one_line
from adapters.wire.sse import MAX_LARGE_EVENT_BYTES, EventCutter
from domain.images import ImageEditForm, ImageEditRequest, ImageRequest
from domain.usage import TokenUsage


class _Details(msgspec.Struct):
    image_tokens: int | None = None


class _Usage(BillingFields):
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: _Details | None = None
    output_tokens_details: _Details | None = None  # without it, all of the output is the picture


_ABOUT_ALL: Final = ("size", "quality", "background", "output_format")

_decode_usage = TolerantDecoder(_Usage)


R = TypeVar("R", bound=ImageRequest, default=ImageRequest)


class OpenAIImages(OpenAIEndpoint[R]):
    """One upstream's images. Only some models report usage."""

    name = "images.generations"
    answer_name = "a list of images"
    completed = "image_generation.completed"

    def read(self, body: bytes, call: DialectCall[R], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        fields = self.fields_of(body, call, "data")
        data: object = decode_any(fields["data"])
        if not isinstance(data, list) or not data:
            raise self.unreadable(body[:200], call)
        usage = with_units(image_usage(fields.get("usage", NULL)), {_kind(fields, call): len(data)})
        answer = body if fields.get("created", NULL) != NULL else _with_time(fields, call)
        return PlainAnswer(answer, call.model, usage)

    @override
    def decoder(self, call: DialectCall[R], content_type: str) -> EventStreamDecoder:
        reader = NamedEvents(
            call.model,
            lambda error: self.reported_failure(error, call),
            (self.completed,),
            ("b64_json", "url"),
            image_usage,
            units=lambda fields: {_kind(fields, call): 1},
        )
        return EventStreamDecoder(
            reader, lambda beginning: self.unreadable(beginning, call), cutter=EventCutter(MAX_LARGE_EVENT_BYTES)
        )

    @override
    def replay(self, answer: PlainAnswer, call: DialectCall[R]) -> Replay:
        """An upstream that cannot stream answers whole: each image is given as one that is complete."""
        fields = fields_on_one_line(answer.body)
        head: Fields = {"type": raw(self.completed), "created_at": fields["created"]}
        head.update((name, fields[name]) for name in _ABOUT_ALL if name in fields)
        events = [head | image for image in msgspec.json.decode(fields["data"], type=list[Fields])]
        if "usage" in fields:
            events[-1]["usage"] = fields["usage"]  # of all of them, so given once
        return Replay(b"".join(event(image, self.completed) for image in events))


class OpenAIImageEdits(OpenAIImages[ImageEditRequest]):
    """One upstream's edits: a form goes on as a form, JSON as JSON."""

    name = "images.edits"
    completed = "image_edit.completed"

    @override
    def encode(self, call: DialectCall[ImageEditRequest], *, stream: bool) -> Encoded:
        request = call.payload.value
        if isinstance(request, ImageEditForm):
            return self.encode_form(call, request.form, request.files, stream=stream)
        return super().encode(call, stream=stream)


def _kind(fields: Fields, call: DialectCall[R]) -> str:
    """What was drawn, by what the answer says of it, else by what was asked for."""
    request = call.payload.value
    return picture(text_of(fields, "size") or request.size, text_of(fields, "quality") or request.quality)


def image_usage(value: msgspec.Raw) -> TokenUsage | None:
    """None where there is nothing to read."""
    try:
        usage = _decode_usage(value)
    except UNDECODABLE:
        return None
    if usage.input_tokens is None and usage.output_tokens is None:
        return None
    details = usage.input_tokens_details or _Details()
    drawn = (usage.output_tokens_details or _Details(usage.output_tokens)).image_tokens or 0
    tokens = TokenUsage(usage.input_tokens or 0, usage.output_tokens or 0, image_tokens=details.image_tokens or 0)
    return with_billing(tokens, usage, {"image_output": drawn})


def _with_time(fields: Fields, call: DialectCall[R]) -> bytes:
    return encode({"created": raw(call.created), **{k: v for k, v in fields.items() if k != "created"}})
