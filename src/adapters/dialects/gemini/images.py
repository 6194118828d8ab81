"""Imagen's images, at Vertex AI's `:predict`.

Source: Vertex AI Imagen reference; google-genai 3.4 types (November 2026). A picture that the filters took away is
missing from the predictions, or has a `raiFilteredReason` in its place.
"""

from typing import Final, NoReturn

import msgspec

from adapters.dialects.gemini.answer import NO_ERROR
from adapters.dialects.gemini.errors import answered_failure, reported_failure
from adapters.dialects.gemini.params import IMAGE_FIDELITY
from adapters.wire.call import DialectCall, Encoded, PlainAnswer
from adapters.wire.charges import with_units
from adapters.wire.errors import unreadable
from adapters.wire.rate_limits import RawHeaders
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.sift import keep_strict, sift, unsupported
from domain.availability import RateLimitWindow
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.images import ImageRequest

_WHAT: Final = "a list of images"
_MAX_IMAGES: Final = 4
_RATIOS: Final = {"1:1": 1.0, "3:4": 0.75, "4:3": 4 / 3, "9:16": 9 / 16, "16:9": 16 / 9}
_TYPES: Final = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/jpeg"}

_encode = msgspec.json.Encoder().encode


class _Prediction(msgspec.Struct, rename="camel"):
    bytes_base64_encoded: str | None = None
    mime_type: str | None = None
    prompt: str | None = None
    rai_filtered_reason: str | None = None


class _ImagenResponse(msgspec.Struct):
    predictions: list[_Prediction] | None = None
    error: msgspec.Raw = NO_ERROR


_decode = msgspec.json.Decoder(_ImagenResponse).decode


class ImagenImages:
    """Pictures from a prompt."""

    stream_types: frozenset[str] = frozenset()

    def encode(self, call: DialectCall[ImageRequest], *, stream: bool) -> Encoded:
        if stream:
            raise unsupported("stream", "Imagen answers whole")
        request = call.payload.value
        dropped = sift(call.payload.fields, IMAGE_FIDELITY)
        count = request.n or 1
        if count > _MAX_IMAGES:
            raise unsupported("n", f"at most {_MAX_IMAGES}")
        parameters: dict[str, object] = {"sampleCount": count, **_size(request), **_output(request)}
        if request.moderation == "low":
            parameters["safetySetting"] = "block_only_high"
        body = {"instances": [{"prompt": request.prompt}], "parameters": parameters}
        return Encoded(_encode(body), keep_strict(dropped, strict=call.strict))

    def read(self, body: bytes, call: DialectCall[ImageRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        try:
            answer = _decode(body)
        except UNDECODABLE:
            raise unreadable(body[:200], call.secret, _WHAT) from None
        if answer.error != NO_ERROR:
            raise reported_failure(bytes(answer.error), call)
        made = [one for one in answer.predictions or () if one.bytes_base64_encoded]
        if not made:
            reasons = [one.rai_filtered_reason for one in answer.predictions or () if one.rai_filtered_reason]
            raise _filtered(reasons[0] if reasons else "no image was given, as where its filters took it away")
        by_address = call.payload.value.response_format == "url"
        data = [_image(one, by_address=by_address) for one in made]
        form = (made[0].mime_type or "image/png").removeprefix("image/")
        usage = with_units(None, {"image": len(made)})
        return PlainAnswer(_encode({"created": call.created, "data": data, "output_format": form}), call.model, usage)

    def decoder(self, call: DialectCall[ImageRequest], content_type: str) -> NoReturn:  # noqa: ARG002 - never streamed
        raise unsupported("stream", "Imagen answers whole")

    def replay(self, answer: PlainAnswer, call: DialectCall[ImageRequest]) -> None:
        """Imagen is never asked for a stream."""

    def failure(
        self, status: int, headers: RawHeaders, body: bytes, call: DialectCall[ImageRequest]
    ) -> UpstreamFailure:
        return answered_failure(status, headers, body, call)

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:  # noqa: ARG002 - it tells none
        return ()


def _image(one: _Prediction, *, by_address: bool) -> dict[str, object]:
    data = one.bytes_base64_encoded or ""
    image: dict[str, object] = {"b64_json": data}
    if by_address:
        image = {"url": f"data:{one.mime_type or 'image/png'};base64,{data}"}
    return image | ({"revised_prompt": one.prompt} if one.prompt else {})


def _size(request: ImageRequest) -> dict[str, object]:
    """The nearest shape; `auto` leaves it to the model."""
    if request.size is None or request.size == "auto":
        return {}
    if request.size in _RATIOS:
        return {"aspectRatio": request.size}
    width, _, height = request.size.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise unsupported("size", "WIDTHxHEIGHT, a ratio as 16:9, or auto")
    wanted = int(width) / int(height)
    return {"aspectRatio": min(_RATIOS, key=lambda name: abs(_RATIOS[name] - wanted))}


def _output(request: ImageRequest) -> dict[str, object]:
    if request.output_format is None and request.output_compression is None:
        return {}
    options: dict[str, object] = {}
    if request.output_format is not None:
        if request.output_format not in _TYPES:
            raise unsupported("output_format", "png, jpeg or webp")
        options["mimeType"] = _TYPES[request.output_format]
    if request.output_compression is not None:
        options["compressionQuality"] = request.output_compression
    return {"outputOptions": options}


def _filtered(reason: str) -> UpstreamFailure:
    return UpstreamFailure(
        FailureKind.CLIENT_FAULT,
        f"The provider's filters gave no image: {reason}",
        status=400,
        type_="image_generation_user_error",
        code="moderation_blocked",
    )
