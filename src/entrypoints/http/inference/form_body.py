"""The form of a transcription: one file and some fields, bounded like every body, parsed once.

Source: openai-python and openai-node send `multipart/form-data` with lists as `name[]` (November 2026).
"""

import asyncio
from typing import Final

import msgspec
from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser, parse_options_header

from domain.audio import AudioFile, TranscriptionRequest
from domain.errors import RequestInvalid
from domain.inference import GATEWAY_FIELDS
from domain.routing import ProviderPreferences
from domain.wire import Payload
from entrypoints.http.edge.body import DECODE_ASIDE_BYTES
from entrypoints.http.edge.exchange import Exchange
from entrypoints.http.inference.json_body import complaint

MAX_FIELDS: Final = 64
MAX_FIELD_BYTES: Final = 64 * 1024

_FILE: Final = "file"
_PIECE_BYTES: Final = 256 * 1024
_YES: Final = frozenset({"true", "1", "yes", "on"})

_encode = msgspec.json.Encoder().encode


async def transcription_form(exchange: Exchange, body: bytes) -> Payload[TranscriptionRequest]:
    """Raises `RequestInvalid` for what is no such form. Large ones are parsed in a thread."""
    headers = exchange.scope["headers"]
    given = next((value for name, value in headers if name == b"content-type"), b"").decode("latin-1")
    if len(body) > DECODE_ASIDE_BYTES:
        return await asyncio.to_thread(read_form, body, given)
    return read_form(body, given)


def read_form(body: bytes, content_type: str) -> Payload[TranscriptionRequest]:
    """The same, here and now."""
    kind, options = parse_options_header(content_type)
    boundary = options.get("boundary", "")
    if kind != "multipart/form-data" or not boundary:
        raise RequestInvalid(
            "A transcription is sent as multipart/form-data with a boundary.", code="unsupported_content_type"
        )
    try:
        file, fields = _parse(body, boundary)
    except ParserLimitReached:
        raise RequestInvalid(
            f"The form has more than {MAX_FIELDS} fields, or one that is no file and larger than "
            f"{MAX_FIELD_BYTES} bytes.",
            code="request_too_large",
        ) from None
    except (MultipartError, UnicodeDecodeError):
        raise RequestInvalid("The body is not valid multipart/form-data, or it is cut off.") from None
    if file is None:
        raise _missing(_FILE)
    return Payload(_request(file, fields), _raw(fields), len(body))


def _parse(body: bytes, boundary: str) -> tuple[AudioFile | None, list[tuple[str, str]]]:
    file: AudioFile | None = None
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
                    elif segment.name == _FILE and file is None:
                        kind = segment.content_type or "application/octet-stream"
                        file = AudioFile(segment.filename, kind, content)
    return file, fields


def _request(file: AudioFile, fields: list[tuple[str, str]]) -> TranscriptionRequest:
    last = dict(fields)
    models = [value for name, value in fields if name in ("models", "models[]")]
    wished = last.get("provider")
    try:
        preferences = msgspec.json.decode(wished, type=ProviderPreferences) if wished else None
    except msgspec.MsgspecError as error:
        raise complaint(error) from None
    model = last.get("model", "")
    if not model:
        raise _missing("model")
    return TranscriptionRequest(
        file=file,
        form=tuple(fields),
        model=model,
        models=models or None,
        provider=preferences,
        task=last.get("task"),
        response_format=last.get("response_format"),
        stream=last.get("stream", "").strip().lower() in _YES,
    )


def _raw(fields: list[tuple[str, str]]) -> dict[str, msgspec.Raw]:
    """What the parameters' tables are held against, by name without brackets."""
    return {
        name.removesuffix("[]"): msgspec.Raw(_encode(value))
        for name, value in fields
        if name.removesuffix("[]") not in GATEWAY_FIELDS
    }


def _missing(name: str) -> RequestInvalid:
    return RequestInvalid(f"Missing required parameter: '{name}'.", code="missing_required_parameter", param=name)
