"""Files as they travel: inside JSON as data URLs, in forms, and as an answer that is a file (speech)."""

import base64
import binascii
import re
import secrets
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from typing_extensions import override

from adapters.wire.error_body import MAX_BODY_BYTES
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import TokenUsage


class DataUrl(NamedTuple):
    """What a data URL holds: its media type, and its bytes in base64 without line ends."""

    media_type: str
    base64: str


def read_data_url(url: str) -> DataUrl | None:
    """None for any other URL. Raises `ValueError` for a data URL that is broken."""
    if url[:5].lower() != "data:":
        return None
    head, comma, data = url[5:].partition(",")
    if not comma:
        raise ValueError("a data URL has a comma before its data")
    media_type, _, parameters = head.partition(";")
    data = "".join(data.split())
    if not parameters.lower().endswith("base64"):
        return DataUrl(media_type or "text/plain", base64.b64encode(data.encode()).decode())
    try:
        base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise ValueError(f"the data URL is not valid base64: {error}") from None
    return DataUrl(media_type or "application/octet-stream", data)


class Form(NamedTuple):
    """A form ready to send."""

    body: bytes
    content_type: str


class FormFile(NamedTuple):
    """One file of a form."""

    field: str
    name: str
    content_type: str
    data: bytes


def write_form(fields: Iterable[tuple[str, str]], *files: FormFile) -> Form:
    """Fields first, so that a server has them all before the files come."""
    boundary = f"omg-{secrets.token_hex(16)}"  # 128 random bits are in no recording
    texts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n'
        for name, value in fields
    ]
    pieces = ["".join(texts).encode(errors="replace")]
    for file in files:
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(file.field)}"; '
            f'filename="{_quoted(file.name)}"\r\nContent-Type: {_media_type(file.content_type)}\r\n\r\n'
        )
        pieces += (head.encode(errors="replace"), file.data, b"\r\n")
    pieces.append(f"--{boundary}--\r\n".encode())
    return Form(b"".join(pieces), f"multipart/form-data; boundary={boundary}")


_MEDIA_TYPE = re.compile(r"(?:audio|image|video|application)/[a-z0-9.+-]{1,64}", re.IGNORECASE)


def _media_type(given: str) -> str:
    """What a client calls its file, if that is a name of a type and nothing else."""
    return given if _MEDIA_TYPE.fullmatch(given) else "application/octet-stream"


def _quoted(name: str) -> str:
    """As browsers escape names (WHATWG): a name cannot end its header line."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


AUDIO_TYPES: Final = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
"""By the `response_format` of OpenAI's speech."""


class FileDecoder:
    """A `StreamDecoder` of bytes that mean nothing here. Nobody reports usage beside a file.

    A file has no event that ends it: HTTP says whether it came whole, and the transport raises where it did not.
    """

    def __init__(self, model: str, content_type: str, usage: TokenUsage | None = None) -> None:
        """`usage` is what is known of it without a word from the upstream."""
        self.failure: UpstreamFailure | None = None
        self.done = False
        self.content_type = content_type
        self.model = model
        self.usage = usage
        self.has_content = False
        self.output_bytes = 0  # of text, and there is none
        self.ending = b""

    def output_text(self) -> str:
        return ""

    def feed(self, data: bytes) -> bytes:
        self.has_content = self.has_content or bool(data)
        return data

    def finish(self) -> bytes:
        if self.has_content:
            self.done = True
        else:
            self.failure = UpstreamFailure(
                FailureKind.SERVER_ERROR, "The provider's answer is an empty file.", status=200, code="invalid_response"
            )
        return b""


class TextInsteadOfFile(FileDecoder):
    """Of an answer that says it is text: its failure is made of what it says, once that has come."""

    def __init__(self, model: str, failure_of: Callable[[bytes], UpstreamFailure]) -> None:
        super().__init__(model, "application/octet-stream")
        self._failure_of = failure_of
        self._beginning = bytearray()

    @override
    def feed(self, data: bytes) -> bytes:
        self._beginning += data
        if len(self._beginning) > MAX_BODY_BYTES:
            self.failure = self._failure_of(bytes(self._beginning[:MAX_BODY_BYTES]))
        return b""

    @override
    def finish(self) -> bytes:
        self.failure = self.failure or self._failure_of(bytes(self._beginning))
        return b""
