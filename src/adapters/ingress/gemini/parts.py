"""Parts of Google's contents, read as far as a chat can carry them, and what one carries of others' signatures.

Source: google-genai 3.6 types (November 2026).
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.sift import invalid, unsupported
from adapters.wire.signatures import Sealed, seal, unseal
from domain.inference import Json

NOTHING: Final = msgspec.Raw(b"null")


class Blob(msgspec.Struct, rename="camel"):
    """Bytes in base64."""

    mime_type: str = ""
    data: str = ""
    display_name: str | None = None


class FileData(msgspec.Struct, rename="camel"):
    file_uri: str = ""
    mime_type: str = ""


class FunctionCall(msgspec.Struct, rename="camel"):
    name: str
    id: str | None = None
    args: Json = NOTHING


class FunctionResponse(msgspec.Struct, rename="camel"):
    name: str = ""
    id: str | None = None
    response: Json = NOTHING
    parts: list[Json] | None = None


class Part(msgspec.Struct, rename="camel"):
    """Any part: one of the fields says what it is."""

    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    executable_code: Json = NOTHING
    code_execution_result: Json = NOTHING
    tool_call: Json = NOTHING
    tool_response: Json = NOTHING

    @property
    def lost(self) -> str | None:
        """The kind of a part that a chat has no place for."""
        kinds = {
            "executableCode": self.executable_code,
            "codeExecutionResult": self.code_execution_result,
            "toolCall": self.tool_call,
            "toolResponse": self.tool_response,
        }
        return next((name for name, raw in kinds.items() if bytes(raw) != b"null"), None)


class Turn(msgspec.Struct):
    role: str | None = None
    parts: list[Json] | Json = NOTHING


_decode_turn = msgspec.json.Decoder(Turn).decode
_decode_part = msgspec.json.Decoder(Part).decode
_decode_parts = msgspec.json.Decoder(list[Json]).decode


def read_turn(raw: Json, where: str) -> tuple[str, Sequence[Part]]:
    """The role, `user` where none is said, and the parts. Raises `UpstreamFailure` (the client's fault)."""
    try:
        turn = _decode_turn(raw)
        return (turn.role or "user").lower(), read_parts(turn.parts)
    except UNDECODABLE as error:
        raise invalid(f"`{where}` cannot be read: {error}.", where) from None


def read_parts(given: Sequence[Json] | Json) -> list[Part]:
    """A list of parts, or one alone; a text alone is one. Raises one of `UNDECODABLE`."""
    if not isinstance(given, msgspec.Raw):
        return [_part(raw) for raw in given]
    if bytes(given) == b"null":
        return []
    if bytes(given).startswith(b"["):
        return [_part(raw) for raw in _decode_parts(given)]
    return [_part(given)]


def _part(raw: Json) -> Part:
    if bytes(raw).startswith(b'"'):
        return Part(text=msgspec.json.decode(raw, type=str))
    return _decode_part(raw)


ChatPart = dict[str, object]

_AUDIO_FORMATS: Final = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav", "l16": "pcm16", "pcm": "pcm16"}


def chat_part(part: Part, where: str) -> ChatPart | None:
    """A text, a picture, sound or a file; None for a part that is none. Raises `UNSUPPORTED`."""
    if part.inline_data is not None:
        return _inline(part.inline_data, where)
    if part.file_data is not None:
        return _by_address(part.file_data, where)
    return {"type": "text", "text": part.text} if part.text else None


def _inline(blob: Blob, where: str) -> ChatPart:
    kind, _, form = blob.mime_type.lower().partition("/")
    form = form.partition(";")[0]
    data = blob.data.translate(_TO_STANDARD)
    data += "=" * (-len(data) % 4)
    if kind == "text":
        try:
            return {"type": "text", "text": base64.b64decode(data).decode(errors="replace")}
        except binascii.Error:
            raise invalid(f"`{where}.inlineData.data` is no base64.", "contents") from None
    url = f"data:{blob.mime_type or 'application/octet-stream'};base64,{data}"
    if kind == "image":
        return {"type": "image_url", "image_url": {"url": url}}
    if kind == "audio":
        return {"type": "input_audio", "input_audio": {"data": data, "format": _AUDIO_FORMATS.get(form, form)}}
    if kind == "video":
        return {"type": "video_url", "video_url": {"url": url}}
    name = blob.display_name or f"document.{form or 'bin'}"
    return {"type": "file", "file": {"filename": name, "file_data": url}}


_TO_STANDARD: Final = str.maketrans("-_", "+/")  # pydantic, and so Google's client, writes the other alphabet
_GOOGLES: Final = ("gs://", "files/", "https://generativelanguage.googleapis.com/")


def _by_address(file: FileData, where: str) -> ChatPart:
    kind = file.mime_type.partition("/")[0].lower()
    if file.file_uri.startswith(_GOOGLES) or not file.file_uri.startswith(("https://", "http://")):
        raise unsupported("contents", f"the file of {where} can be read by Google only")
    if kind == "image":
        return {"type": "image_url", "image_url": {"url": file.file_uri}}
    if kind == "video":
        return {"type": "video_url", "video_url": {"url": file.file_uri}}
    raise unsupported("contents", f"of {where} only pictures can be sent by their address; send the file's content")


def signature_of(sealed: Sealed) -> str | None:
    """What other providers want back, as a `thoughtSignature`, which is base64; None where there is nothing."""
    text = seal(sealed)
    return None if text is None else base64.b64encode(text.encode()).decode()


def sealed_in(signature: str | None) -> Sealed | None:
    """None for a signature that is not ours: Google's own, or a word that stands for one."""
    if not signature:
        return None
    text = signature.translate(_TO_STANDARD)
    try:
        return unseal(base64.b64decode(text + "=" * (-len(text) % 4)).decode())
    except (binascii.Error, ValueError):
        return None
