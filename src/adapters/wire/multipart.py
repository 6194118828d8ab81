"""Writes `multipart/form-data` (RFC 7578), copying its file once."""

import secrets
from collections.abc import Iterable
from typing import NamedTuple


class Form(NamedTuple):
    """A form ready to send."""

    body: bytes
    content_type: str


class FormFile(NamedTuple):
    """The one file of a form."""

    field: str
    name: str
    content_type: str
    data: bytes


def write_form(fields: Iterable[tuple[str, str]], file: FormFile) -> Form:
    """Fields first, so that a server has them all before the file comes."""
    boundary = f"omg-{secrets.token_hex(16)}"  # 128 random bits are in no recording
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n'
        for name, value in fields
    ]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(file.field)}"; '
        f'filename="{_quoted(file.name)}"\r\nContent-Type: {file.content_type}\r\n\r\n'
    )
    before = ("".join(parts) + head).encode(errors="replace")
    return Form(
        b"".join((before, file.data, f"\r\n--{boundary}--\r\n".encode())), f"multipart/form-data; boundary={boundary}"
    )


def _quoted(name: str) -> str:
    """As browsers escape names (WHATWG): a name cannot end its header line."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
