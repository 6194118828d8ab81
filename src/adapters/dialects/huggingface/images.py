"""Text to image as OpenAI's images. Source: huggingface_hub 2.4 (read 2026-11): the answer is the image itself."""

import base64
import re
from typing import Final

import msgspec

from adapters.dialects.huggingface.params import IMAGE_FIDELITY
from adapters.dialects.huggingface.task import HuggingFaceTask
from adapters.wire.answer import Encoded, PlainAnswer
from adapters.wire.call import WireCall
from adapters.wire.sift import keep_strict, sift, unsupported
from domain.images import ImageRequest

_SIZE = re.compile(r"(\d{2,5})x(\d{2,5})")
_MEDIA_TYPE = re.compile(r"image/[a-z0-9.+-]{1,32}")
_OWN_CHOICE: Final = (None, "auto")

_encode = msgspec.json.Encoder().encode


class HuggingFaceImages(HuggingFaceTask[ImageRequest]):
    """One image from a prompt."""

    answer_name = "an image"

    def encode(self, call: WireCall[ImageRequest], *, stream: bool) -> Encoded:
        request = call.payload.value
        if stream:
            raise unsupported("stream", "it answers whole")
        dropped = sift(call.payload.fields, IMAGE_FIDELITY, ignored=("model", "prompt"))
        body: dict[str, object] = {"inputs": request.prompt}
        if request.size not in _OWN_CHOICE:
            size = _SIZE.fullmatch(request.size or "")
            if size is None:
                raise unsupported("size", "it takes WIDTHxHEIGHT")
            body["parameters"] = {"width": int(size[1]), "height": int(size[2])}
        return Encoded(_encode(body), keep_strict(dropped, strict=call.strict), headers=(("accept", "image/*"),))

    def read(self, body: bytes, call: WireCall[ImageRequest], content_type: str) -> PlainAnswer:
        if not _MEDIA_TYPE.fullmatch(content_type) or not body:
            raise self.refusal_or_unreadable(body, call)
        data = base64.b64encode(body).decode()
        wants_url = call.payload.value.response_format == "url"
        image = {"url": f"data:{content_type};base64,{data}"} if wants_url else {"b64_json": data}
        return PlainAnswer(_encode({"created": call.created, "data": [image]}), call.model, None)
