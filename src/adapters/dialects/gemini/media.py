"""Images, recordings, films and documents in a message, as Gemini's parts.

Source: google-genai 3.4 types; ai.google.dev image, audio and document understanding (read 2026-11).
"""

import mimetypes
from typing import Final
from urllib.parse import urlsplit

from adapters.dialects.gemini.settings import GeminiSettings
from adapters.wire.chat_history import HistoryPart
from adapters.wire.data_url import read_data_url
from adapters.wire.sift import unsupported
from domain.errors import UpstreamFailure
from domain.failover import FailureKind

Part = dict[str, object]

_ADDRESSES: Final = ("https://", "http://", "gs://")
_AUDIO: Final = {"mp3": "audio/mp3", "wav": "audio/wav", "pcm16": "audio/pcm"}


def media_part(part: HistoryPart, where: str, settings: GeminiSettings) -> Part:
    """The part of a message that is no text. `where` names it in errors; raises `UNSUPPORTED`."""
    if part.type == "image_url" and part.image_url is not None:
        return _by_address(part.image_url.url, f"{where}.image_url", settings)
    if part.type == "video_url" and part.video_url is not None:
        return _by_address(part.video_url.url, f"{where}.video_url", settings)
    if part.type == "input_audio" and part.input_audio is not None:
        form = part.input_audio.format
        return _inline(_AUDIO.get(form, f"audio/{form}"), part.input_audio.data)
    if part.type == "file" and part.file is not None:
        given = part.file.file_data or part.file.file_id or ""
        if part.file.file_data is None and not given.startswith(_ADDRESSES):
            raise unsupported(f"{where}.file.file_id", "send the file's content, or its address")
        if given.startswith(("data:", *_ADDRESSES)):
            return _by_address(given, f"{where}.file", settings, part.file.filename)
        return _inline(_type_of(part.file.filename or "") or "application/pdf", given)
    raise unsupported(f"{where}.type", f"there is no place for {part.type!r}")


def _by_address(url: str, where: str, settings: GeminiSettings, filename: str | None = None) -> Part:
    try:
        data = read_data_url(url)
    except ValueError as error:
        raise _broken(where, str(error)) from None
    if data is not None:
        return _inline(data.media_type, data.base64)
    if not url.startswith(_ADDRESSES):
        raise _broken(where, "it is neither a data URL nor an https address")
    media_type = _type_of(filename or "") or _type_of(urlsplit(url).path)
    if media_type is None and settings.typed_files:
        raise unsupported(where, "an address must end in a file name that tells its type; send a data URL")
    told = {"fileUri": url} if media_type is None else {"fileUri": url, "mimeType": media_type}
    return {"fileData": told}


def _inline(media_type: str, base64: str) -> Part:
    return {"inlineData": {"mimeType": media_type, "data": base64}}


def _type_of(name: str) -> str | None:
    return mimetypes.guess_type(name, strict=False)[0]


def _broken(where: str, why: str) -> UpstreamFailure:
    return UpstreamFailure(
        FailureKind.CLIENT_FAULT,
        f"Invalid '{where}': {why}.",
        status=400,
        type_="invalid_request_error",
        code="invalid_value",
        param=where,
    )
