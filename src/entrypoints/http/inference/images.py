"""`POST /v1/images/generations`."""

import msgspec

from application.inference.operations import IMAGES
from domain.images import ImageRequest
from entrypoints.http.inference.json_body import JsonBody
from entrypoints.http.inference.route import InferenceRoute
from entrypoints.http.inference.serving import Serving


class Image(msgspec.Struct, omit_defaults=True):
    """One image, where it is or what it is."""

    b64_json: str | None = None
    url: str | None = None
    revised_prompt: str | None = None


class ImageUsage(msgspec.Struct):
    input_tokens: int
    output_tokens: int
    total_tokens: int


class ImageList(msgspec.Struct, omit_defaults=True):
    """Fields the provider adds are kept on the wire."""

    created: int
    data: list[Image]
    usage: ImageUsage | None = None


create_images = Serving(decode=JsonBody(ImageRequest), answering=IMAGES, streaming=IMAGES)

CREATE_IMAGES = InferenceRoute(
    path="/v1/images/generations",
    method="POST",
    operation_id="createImages",
    tag="Images",
    summary="Make images from a prompt",
    description=(
        "OpenAI's images. With `stream: true` the answer is a stream of `image_generation.*` events, where the "
        "provider has them."
    ),
    handler=create_images,
    request=ImageRequest,
    request_example={"model": "gpt-image-1", "prompt": "A lighthouse at dawn", "size": "1024x1024"},
    response=ImageList,
    response_example={
        "created": 1795262400,
        "data": [{"b64_json": "iVBORw0KGgo…"}],
        "usage": {"input_tokens": 11, "output_tokens": 4160, "total_tokens": 4171},
    },
    streams=True,
    stream_example=(
        'event: image_generation.partial_image\ndata: {"type":"image_generation.partial_image",'
        '"partial_image_index":0,"b64_json":"…"}\n\n'
        'event: image_generation.completed\ndata: {"type":"image_generation.completed","b64_json":"…"}\n\n'
    ),
)
