"""Pictures of messages: told by their bytes, never by what is said of them, and never anything but a picture."""

import base64
import re

from application.chat.people import Person
from domain.conversations import Picture
from domain.errors import NotFound, RequestInvalid
from domain.ports.conversations import ChatStore
from domain.ports.runtime import Clock, IdFactory

MAX_BYTES = 8 * 1024 * 1024

_SIGNATURES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
)


class Pictures:
    """A person's pictures."""

    def __init__(self, chats: ChatStore, ids: IdFactory, clock: Clock) -> None:
        self._chats = chats
        self._ids = ids
        self._clock = clock

    async def add(self, person: Person, data: bytes) -> Picture:
        """Raises `RequestInvalid` for what is too large, or no PNG, JPEG, WebP or GIF."""
        if len(data) > MAX_BYTES:
            raise RequestInvalid("A picture may have 8 MiB.", code="request_too_large", param="file")
        content_type = content_type_of(data)
        if content_type is None:
            raise RequestInvalid("This is no picture: PNG, JPEG, WebP and GIF are known.", param="file")
        picture = Picture(self._ids.new("file"), person.user_id, content_type, data, self._clock.now())
        await self._chats.add_picture(picture)
        return picture

    async def get(self, person: Person, file_id: str) -> Picture:
        """Raises `NotFound`."""
        found = await self._chats.picture(person.user_id, file_id)
        if found is None:
            raise NotFound(f"There is no file '{file_id}'.")
        return found


def content_type_of(data: bytes) -> str | None:
    """What kind of picture the bytes are; None where they are none that is served."""
    return next((kind for signature, kind in _SIGNATURES if signature.match(data)), None)


def data_url(picture: Picture) -> str:
    """The picture as providers take it."""
    return f"data:{picture.content_type};base64,{base64.b64encode(picture.data).decode()}"
