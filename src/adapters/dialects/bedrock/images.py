"""Images by InvokeModel: Amazon's Titan Image Generator and Nova Canvas, which take one body.

Source: Amazon Bedrock user guide and Nova user guide, "Request and response structure for image generation" (read
2026-11). PNG in base64 alone; a refusal is an `error` beside no images, also with status 200.
"""

import re
from typing import Final

import msgspec

from adapters.dialects.bedrock.errors import failure_from_bedrock
from adapters.wire.call import DialectCall, Encoded, PlainAnswer
from adapters.wire.charges import picture, with_units
from adapters.wire.errors import shown, unreadable
from adapters.wire.rate_limits import RawHeaders
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.replay import Replay
from adapters.wire.sift import keep_strict, sift, unsupported
from domain.availability import RateLimitWindow
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.fidelity import Fidelity, dropped, mapped, refused
from domain.images import ImageRequest

BEDROCK_IMAGE_PARAMS: Final[Fidelity] = {
    "background": dropped(),
    "moderation": dropped(),
    "n": mapped("imageGenerationConfig.numberOfImages", "at most 5"),
    "output_compression": dropped(),
    "output_format": dropped("images are PNG"),
    "partial_images": dropped(),
    "quality": mapped("imageGenerationConfig.quality", "high and hd are premium, all others standard"),
    "response_format": refused("images come in base64: ask for b64_json"),
    "size": mapped("imageGenerationConfig.width, height", "auto is 1024x1024"),
    "stream": refused("images come whole"),
    "style": dropped(),
    "user": dropped(),
}

_SIZE: Final = re.compile(r"(\d{2,5})x(\d{2,5})")
_SAYS_NOTHING: Final = {"response_format": b'"b64_json"', "output_format": b'"png"', "stream": b"false"}
_MOST_IMAGES: Final = 5
_PREMIUM: Final = frozenset({"high", "hd"})

_encode = msgspec.json.Encoder().encode


class _ImageResponse(msgspec.Struct):
    images: list[str] | None = None
    error: str | None = None


_decode = msgspec.json.Decoder(_ImageResponse).decode


class BedrockImages:
    """Images from a prompt."""

    stream_types: frozenset[str] = frozenset()

    def encode(self, call: DialectCall[ImageRequest], *, stream: bool) -> Encoded:
        """Raises `UNSUPPORTED`."""
        if stream:
            raise unsupported("stream", "images come whole")
        if "stability." in call.model:
            raise unsupported("model", "of image models, Titan and Nova Canvas are known here")
        request = call.payload.value
        fields = {name: raw for name, raw in call.payload.fields.items() if bytes(raw) != _SAYS_NOTHING.get(name)}
        lost = sift(fields, BEDROCK_IMAGE_PARAMS, ignored=("model", "prompt"))
        if request.n is not None and request.n > _MOST_IMAGES:
            raise unsupported("n", f"at most {_MOST_IMAGES} images a request")
        config: dict[str, object] = {"numberOfImages": request.n or 1}
        if request.size is not None and request.size != "auto":
            size = _SIZE.fullmatch(request.size)
            if size is None:
                raise unsupported("size", "write it as 1024x1024")
            config |= {"width": int(size[1]), "height": int(size[2])}
        if request.quality is not None and request.quality != "auto":
            config["quality"] = "premium" if request.quality in _PREMIUM else "standard"
        body = {
            "taskType": "TEXT_IMAGE",
            "textToImageParams": {"text": request.prompt},
            "imageGenerationConfig": config,
        }
        return Encoded(_encode(body), keep_strict(lost, strict=call.strict))

    def read(self, body: bytes, call: DialectCall[ImageRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        """Raises `UpstreamFailure` for a prompt the model would not draw."""
        try:
            answer = _decode(body)
        except UNDECODABLE:
            raise unreadable(body, call.secret, "a list of images") from None
        if not answer.images:
            if answer.error is None:
                raise unreadable(body, call.secret, "a list of images")
            raise UpstreamFailure(
                FailureKind.CLIENT_FAULT,
                shown(answer.error, call.secret),
                status=400,
                type_="image_generation_user_error",
                code="content_policy_violation",
            )
        data = [{"b64_json": image} for image in answer.images]
        quality = "premium" if call.payload.value.quality in _PREMIUM else "standard"
        usage = with_units(None, {picture(call.payload.value.size, quality): len(data)})
        return PlainAnswer(_encode({"created": call.created, "data": data}), call.model, usage)

    def decoder(self, call: DialectCall[ImageRequest], content_type: str) -> "NoStream":  # noqa: ARG002 - there is none
        return NoStream(call.model)

    def replay(self, answer: PlainAnswer, call: DialectCall[ImageRequest]) -> Replay | None:  # noqa: ARG002 - never so
        return None

    def failure(
        self, status: int, headers: RawHeaders, body: bytes, call: DialectCall[ImageRequest]
    ) -> UpstreamFailure:
        return failure_from_bedrock(status, headers, body, secret=call.secret, now=call.now())

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:  # noqa: ARG002 - it sends none
        return ()


class NoStream:
    """The decoder of a format that has no streams: whatever arrives is not complete."""

    done = False
    usage = None
    has_content = False
    output_bytes = 0
    ending = b""
    content_type = "application/json"

    def __init__(self, model: str) -> None:
        self.model = model
        self.failure: UpstreamFailure | None = None

    def output_text(self) -> str:
        return ""

    def feed(self, data: bytes) -> bytes:
        self.failure = unreadable(data, None, "an event stream")
        return b""

    def finish(self) -> bytes:
        self.failure = self.failure or unreadable(b"", None, "an event stream")
        return b""
