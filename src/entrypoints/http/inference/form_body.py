"""Bodies that come as forms: files and some fields, bounded like every body, parsed once.

Source: openai-python and openai-node send `multipart/form-data` with lists as `name[]` (November 2026).
"""

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import Final, Generic, NamedTuple, TypeVar

import msgspec
from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser, parse_options_header

from domain.errors import RequestInvalid
from domain.forms import UploadedFile
from domain.inference import GATEWAY_FIELDS, InferenceRequest
from domain.payload import Payload
from domain.routing import ProviderPreferences
from entrypoints.http.edge.body import DECODE_ASIDE_BYTES
from entrypoints.http.edge.exchange import Exchange
from entrypoints.http.inference.json_body import complaint

MAX_FIELDS: Final = 64
MAX_FIELD_BYTES: Final = 64 * 1024

_FILE: Final = "file"
_PIECE_BYTES: Final = 256 * 1024
_YES: Final = frozenset({"true", "1", "yes", "on"})
_BRACKETS: Final = re.compile(r"\[\d*\]$")

_encode = msgspec.json.Encoder().encode

R = TypeVar("R", bound=InferenceRequest)


class ClientForm(NamedTuple):
    """A form as it came, in its order; names keep their brackets."""

    files: tuple[UploadedFile, ...]
    fields: tuple[tuple[str, str], ...]

    def last(self, name: str) -> str | None:
        """What is said of it last; None where nothing is."""
        return next((value for given, value in reversed(self.fields) if given == name), None)

    def is_set(self, name: str) -> bool:
        """Whether a field that is a yes or a no says yes."""
        return (self.last(name) or "").strip().lower() in _YES

    def required(self, name: str) -> str:
        """Raises `RequestInvalid` where it is missing or empty."""
        value = self.last(name)
        if not value:
            raise missing(name)
        return value

    def models(self) -> list[str] | None:
        """Further candidates."""
        return [value for name, value in self.fields if plain_name(name) == "models"] or None

    def preferences(self) -> ProviderPreferences | None:
        """The gateway's own `provider`, as JSON. Raises `RequestInvalid`."""
        wished = self.last("provider")
        try:
            return msgspec.json.decode(wished, type=ProviderPreferences) if wished else None
        except msgspec.MsgspecError as error:
            raise complaint(error) from None

    def file_of(self, *names: str) -> tuple[UploadedFile, ...]:
        """The files of these parts. Raises `RequestInvalid` where there is none."""
        found = tuple(file for file in self.files if plain_name(file.field) in names)
        if not found:
            raise missing(names[0])
        return found


class FormBody(Generic[R]):
    """Decodes the form of one request type; `what` is what messages call it, `build` raises `RequestInvalid`."""

    def __init__(self, what: str, build: Callable[[ClientForm], R]) -> None:
        self._what = what
        self._build = build

    async def __call__(self, exchange: Exchange, body: bytes) -> Payload[R]:
        """Raises `RequestInvalid` for what is no such form. Large ones are parsed in a thread."""
        given, model = content_type_of(exchange), exchange.deployment
        if len(body) > DECODE_ASIDE_BYTES:
            return await asyncio.to_thread(self.decode, body, given, model)
        return self.decode(body, given, model)

    def decode(self, body: bytes, content_type: str, deployment: str = "") -> Payload[R]:
        """The same, here and now. `deployment` is a model that the path names."""
        kind, options = parse_options_header(content_type)
        boundary = options.get("boundary", "")
        if kind != FORM or not boundary:
            raise RequestInvalid(f"{self._what} is sent as {FORM} with a boundary.", code="unsupported_content_type")
        try:
            form = _parse(body, boundary)
        except ParserLimitReached:
            raise RequestInvalid(
                f"The form has more than {MAX_FIELDS} fields, or one that is no file and larger than "
                f"{MAX_FIELD_BYTES} bytes.",
                code="request_too_large",
            ) from None
        except (MultipartError, UnicodeDecodeError):
            raise _broken() from None
        if deployment:
            form = form._replace(fields=(*form.fields, ("model", deployment)))
        return Payload(self._build(form), _raw(form.fields), len(body))


FORM: Final = "multipart/form-data"


def content_type_of(exchange: Exchange) -> str:
    """The request's, as it was sent; empty where there is none."""
    headers = exchange.scope["headers"]
    return next((value for name, value in headers if name == b"content-type"), b"").decode("latin-1")


def read_file(body: bytes, boundary: str) -> bytes:
    """The file of a form that has no other fields. Raises `RequestInvalid`."""
    try:
        form = _parse(body, boundary)
    except (MultipartError, UnicodeDecodeError):
        raise _broken() from None
    return form.file_of(_FILE)[0].data


def plain_name(name: str) -> str:
    """Without the brackets of a list: `image[]` and `image[0]` are `image`."""
    return _BRACKETS.sub("", name)


def missing(name: str) -> RequestInvalid:
    return RequestInvalid(f"Missing required parameter: '{name}'.", code="missing_required_parameter", param=name)


def _broken() -> RequestInvalid:
    return RequestInvalid("The body is not valid multipart/form-data, or it is cut off.")


def _parse(body: bytes, boundary: str) -> ClientForm:
    files: list[UploadedFile] = []
    fields: list[tuple[str, str]] = []
    segment: MultipartSegment | None = None
    parts: list[bytes] = []
    size = 0
    with PushMultipartParser(boundary, max_segment_count=MAX_FIELDS) as parser:
        for start in range(0, len(body), _PIECE_BYTES):
            for event in parser.parse(body[start : start + _PIECE_BYTES]):
                if isinstance(event, MultipartSegment):
                    segment, parts, size = event, [], 0
                elif event:
                    parts.append(bytes(event))
                    size += len(event)
                    if size > MAX_FIELD_BYTES and segment is not None and segment.filename is None:
                        raise ParserLimitReached("a field is too large")
                elif segment is not None:
                    content = b"".join(parts)
                    if segment.filename is None:
                        fields.append((segment.name, content.decode()))
                    else:
                        kind = segment.content_type or "application/octet-stream"
                        files.append(UploadedFile(segment.filename, kind, content, segment.name))
    return ClientForm(tuple(files), tuple(fields))


def _raw(fields: Iterable[tuple[str, str]]) -> dict[str, msgspec.Raw]:
    """What the parameters' tables are held against, by name without brackets."""
    return {
        plain_name(name): msgspec.Raw(_encode(value))
        for name, value in fields
        if plain_name(name) not in GATEWAY_FIELDS
    }
