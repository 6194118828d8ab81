"""`POST /v1/images/generations` and `POST /v1/images/edits`."""

import msgspec
from litestar.datastructures import UploadFile

from application.inference.calls import IMAGE_EDITS, IMAGES
from domain.images import ImageEditForm, ImageEditRequest, ImageRequest
from domain.payload import Payload
from domain.routing import AUTO_MODEL
from entrypoints.http.edge.exchange import Exchange
from entrypoints.http.inference.form_body import FORM, ClientForm, FormBody, content_type_of, missing
from entrypoints.http.inference.json_body import JsonBody, complaint
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
    request_example={"model": "gpt-image-2", "prompt": "A lighthouse at dawn", "size": "1024x1024"},
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


_TYPED = frozenset(ImageEditRequest.__struct_fields__) - {"models", "provider", "images", "mask", "model"}


def _edit_of(form: ClientForm) -> ImageEditForm:
    """A picture may come as a file, or as its address in a field that is text."""
    form.required("prompt")
    if form.last("image") is None and form.last("image[]") is None:
        form.file_of("image")
    typed: dict[str, object] = {name: value for name, value in form.fields if name in _TYPED and value}
    typed["model"] = form.last("model") or AUTO_MODEL
    try:
        request = msgspec.convert(typed, type=ImageEditForm, strict=False)
    except msgspec.ValidationError as error:
        raise complaint(error) from None
    request.files, request.form = form.files, form.fields
    request.models, request.provider = form.models(), form.preferences()
    return request


EDIT_FORM = FormBody("An edit of a picture", _edit_of)
_EDIT_JSON = JsonBody(ImageEditRequest)


async def _edit(exchange: Exchange, body: bytes) -> Payload[ImageEditRequest]:
    if content_type_of(exchange).lower().startswith(FORM):
        form = await EDIT_FORM(exchange, body)
        return Payload(form.value, form.fields, form.size_bytes)
    payload = await _EDIT_JSON(exchange, body)
    if not payload.value.images and "image" not in payload.fields:
        raise missing("images")
    return payload


edit_images = Serving(decode=_edit, answering=IMAGE_EDITS, streaming=IMAGE_EDITS)


class ImageEditFields(msgspec.Struct):
    """The fields of the form. Those that are not listed are sent on."""

    image: list[UploadFile]
    prompt: str
    model: str | None = None
    mask: UploadFile | None = None
    n: int | None = None
    size: str | None = None
    quality: str | None = None
    background: str | None = None
    input_fidelity: str | None = None
    output_format: str | None = None
    output_compression: int | None = None
    partial_images: int | None = None
    stream: bool | None = None
    user: str | None = None


EDIT_IMAGES = InferenceRoute(
    path="/v1/images/edits",
    method="POST",
    operation_id="editImages",
    tag="Images",
    summary="Make images out of others and a prompt",
    description=(
        "OpenAI's edits: a form with up to 16 pictures as `image` or `image[]` and a `mask`, or JSON with `images` "
        "of addresses and data URLs. With `stream: true` the answer is a stream of `image_edit.*` events, where the "
        "provider has them."
    ),
    handler=edit_images,
    request=ImageEditFields,
    request_type=FORM,
    request_example={"image": ["(a picture)"], "model": "gpt-image-2", "prompt": "The same at night"},
    response=ImageList,
    response_example={
        "created": 1795262400,
        "data": [{"b64_json": "iVBORw0KGgo…"}],
        "usage": {"input_tokens": 1611, "output_tokens": 4160, "total_tokens": 5771},
    },
    streams=True,
    stream_example=(
        'event: image_edit.partial_image\ndata: {"type":"image_edit.partial_image",'
        '"partial_image_index":0,"b64_json":"…"}\n\n'
        'event: image_edit.completed\ndata: {"type":"image_edit.completed","b64_json":"…"}\n\n'
    ),
)
