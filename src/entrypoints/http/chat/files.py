"""`/api/files`: pictures for messages, served from the gateway's own origin and never as anything but a picture."""

from typing import Annotated

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import PathParameter
from multipart import parse_options_header

from application.chat.people import Person
from application.chat.pictures import Pictures
from domain.errors import RequestInvalid
from entrypoints.http.admin.operations import ITEM_ERRORS
from entrypoints.http.chat.people import PRESENT, person_of, require_person
from entrypoints.http.edge.exchange import Exchange
from entrypoints.http.inference.form_body import read_file
from entrypoints.http.inference.route import InferenceRoute

MAX_FORM_BYTES = 9 * 1024 * 1024

_encode = msgspec.json.Encoder().encode


class UploadForm(msgspec.Struct):
    """A form with one file."""

    file: bytes


class UploadedFile(msgspec.Struct, frozen=True):
    """What a message names it by."""

    id: str
    content_type: str
    bytes: int


async def upload_file(exchange: Exchange) -> None:
    person = await person_of(exchange)
    pictures = await exchange.services.container.get(Pictures)
    body = await exchange.reader(MAX_FORM_BYTES).read()
    headers = exchange.scope["headers"]
    given = next((value for name, value in headers if name == b"content-type"), b"").decode("latin-1")
    kind, options = parse_options_header(given)
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise RequestInvalid(
            "A picture is sent as multipart/form-data, in the field 'file'.", code="unsupported_content_type"
        )
    picture = await pictures.add(person, read_file(body, options["boundary"]))
    answer = UploadedFile(picture.id, picture.content_type, len(picture.data))
    await exchange.send_json(201, _encode(answer))


UPLOAD_FILE = InferenceRoute(
    path="/api/files",
    method="POST",
    operation_id="uploadFile",
    tag="Chat app",
    summary="Upload a picture",
    description="PNG, JPEG, WebP or GIF, told by its bytes, at most 8 MiB. A message names it by its id.",
    handler=upload_file,
    request=UploadForm,
    request_type="multipart/form-data",
    request_example={"file": "…"},
    response=UploadedFile,
    response_example={"id": "file_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f", "content_type": "image/png", "bytes": 4711},
    pinned=False,
    status=201,
)


class FileController(Controller):
    path = "/api/files"
    tags = ("Chat app",)
    guards = (require_person,)
    dependencies = PRESENT

    @get(
        "/{file_id:str}",
        operation_id="getFile",
        summary="Fetch a picture",
        description="One's own only, with the type that its bytes have.",
        responses={
            200: ResponseSpec(
                bytes,
                generate_examples=False,
                media_type="image/png",
                description="The picture",
                examples=[Example(summary="A picture", value="…")],
            ),
            **ITEM_ERRORS,
        },
    )
    @inject
    async def get_one(
        self,
        pictures: FromDishka[Pictures],
        person: NamedDependency[Person],
        file_id: Annotated[str, PathParameter(description="The id of a picture")],
    ) -> Response[bytes]:
        found = await pictures.get(person, file_id)
        headers = {"cache-control": "private, max-age=31536000, immutable", "content-disposition": "inline"}
        return Response(found.data, media_type=found.content_type, headers=headers)
