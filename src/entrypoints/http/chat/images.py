"""`POST /api/images/generate`: a picture from a prompt, kept in a conversation like any other answer."""

import asyncio
import base64
import binascii

import msgspec

from application.chat.people import Person
from application.chat.pictures import Pictures
from application.chat.turns import Asked, Ending, Turns
from application.inference.calls import IMAGES
from domain.conversations import Part
from domain.images import ImageRequest
from entrypoints.http.chat.answers import MESSAGE_EXAMPLE, SubmitAnswer, message_answer
from entrypoints.http.chat.turns import SUBMIT_CHAT, arrived, device_of, verdict
from entrypoints.http.edge.body import ClientGone
from entrypoints.http.edge.exchange import Exchange
from entrypoints.http.inference.images import ImageList
from entrypoints.http.inference.json_body import JsonBody
from entrypoints.http.inference.route import InferenceRoute
from entrypoints.http.inference.serving import ClientWatch

_encode = msgspec.json.Encoder().encode
_decode_images = msgspec.json.Decoder(ImageList).decode
_payload = JsonBody(ImageRequest)


class PictureAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A prompt, and the model that is to draw it."""

    prompt: str
    model: str = "auto"
    size: str | None = None
    conversation_id: str | None = None
    tenant_id: str | None = None


async def generate_image(exchange: Exchange) -> None:
    container = exchange.services.container
    turns, pictures = await container.get(Turns), await container.get(Pictures)
    asked_by = await arrived(exchange, PictureAsked, "chat.images")
    if asked_by is None:
        return
    person, principal, asked = asked_by
    wanted = Asked(asked.model, asked.prompt, asked.conversation_id)
    turn = await turns.begin(person, wanted, device_of(exchange), exchange.request_id)
    fields: dict[str, object] = {"model": asked.model, "prompt": asked.prompt, "n": 1}
    if asked.size:
        fields["size"] = asked.size
    call = exchange.call(principal, _payload.decode(_encode(fields)))
    parts: tuple[Part, ...] = ()
    problem: Exception | None = None
    try:
        with ClientWatch(exchange, call.trace):
            reply = await exchange.services.pipeline.complete(IMAGES, call)
            parts = await _kept(pictures, person, reply.body)
    except Exception as error:  # noqa: BLE001 - kept with the message, and raised below
        problem = error
    status, words = verdict(problem)
    message = await asyncio.shield(turns.end(person, turn, Ending(status, parts, "", call.trace.record, words)))
    if problem is None:
        await exchange.send_json(200, _encode(SubmitAnswer(turn.conversation.id, message_answer(message))))
    elif not isinstance(problem, ClientGone):
        raise problem


async def _kept(pictures: Pictures, person: Person, body: bytes) -> tuple[Part, ...]:
    """The pictures of an answer, as files of the person. One that is only an address stays an address: a link."""
    parts: list[Part] = []
    for image in _decode_images(body).data:
        if image.b64_json is None:
            parts.append(Part("text", image.url or ""))
            continue
        try:
            picture = await pictures.add(person, base64.b64decode(image.b64_json))
        except binascii.Error:
            parts.append(Part("text", "The provider's picture could not be read."))
            continue
        parts.append(Part("image", file_id=picture.id))
    return tuple(parts)


_PICTURE = {"type": "image", "file_id": "file_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f"}
_PICTURE["url"] = f"/api/files/{_PICTURE['file_id']}"

GENERATE_IMAGE = InferenceRoute(
    path="/api/images/generate",
    method="POST",
    operation_id="generateImage",
    tag="Chat app",
    summary="Have a picture made",
    description="The prompt and the picture become messages of a conversation, a new one where none is named.",
    handler=generate_image,
    request=PictureAsked,
    request_example={"prompt": "A lighthouse at dawn", "model": "gpt-image-2", "size": "1024x1024"},
    response=SubmitAnswer,
    response_example={
        "conversation_id": "conv_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
        "message": MESSAGE_EXAMPLE | {"content": [_PICTURE]},
    },
    errors=SUBMIT_CHAT.errors,
    pinned=False,
)
