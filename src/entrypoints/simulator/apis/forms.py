"""Forms as clients send them (`multipart/form-data`): what came, told apart from how it was sent."""

from email.parser import BytesParser
from email.policy import HTTP

import msgspec
from typing_extensions import override


class UploadedPart(msgspec.Struct, frozen=True):
    """A file of a form. As text it says its name, its size and its type."""

    field: str
    name: str
    media_type: str
    size: int

    @override
    def __str__(self) -> str:
        return f"{self.name} has {self.size} bytes of {self.media_type}"


class Upload(msgspec.Struct, frozen=True):
    """A form: of a field that comes twice the last counts."""

    fields: dict[str, str] = {}
    files: tuple[UploadedPart, ...] = ()

    def file(self, field: str) -> UploadedPart | None:
        """The first of this part."""
        return next((file for file in self.files if file.field == field), None)


def is_form(content_type: str) -> bool:
    """Whether a request says that it is one."""
    return content_type.startswith("multipart/form-data")


def read_form(content_type: str, body: bytes) -> Upload:
    """An empty one for what is none."""
    if not is_form(content_type):
        return Upload()
    message = BytesParser(policy=HTTP).parsebytes(f"content-type: {content_type}\r\n\r\n".encode() + body)
    fields: dict[str, str] = {}
    files: list[UploadedPart] = []
    searched = 0
    for part in message.iter_parts():
        name = str(part.get_param("name", header="content-disposition"))
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes):
            continue
        if part.get_filename() is None:
            fields[name] = content.decode(errors="replace")
            continue
        size, searched = _file_size(body, content, searched)
        files.append(UploadedPart(name, part.get_filename() or "file", part.get_content_type(), size))
    return Upload(fields, tuple(files))


def _file_size(body: bytes, content: bytes, searched: int) -> tuple[int, int]:
    """The next file's length in the body itself, and where it ends: a parser of mail may mend line ends."""
    begin = body.find(b'filename="', searched)
    start = body.find(b"\r\n\r\n", begin) + 4
    boundary = body[: body.find(b"\r\n")]
    end = body.find(b"\r\n" + boundary, start)
    return (end - start, end) if begin > 0 and end >= start else (len(content), searched)
