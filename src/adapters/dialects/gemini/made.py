"""What a Gemini made, as the fields of OpenAI's messages: tool calls with their signatures, images, recordings."""

import base64
import binascii
import re
import secrets
from typing import Final

import msgspec

from adapters.dialects.gemini.answer import InlineData, Part
from adapters.wire.chat_answer import MadeToolCall

_RATE: Final = re.compile(r"rate=(\d+)")
_USUAL_RATE: Final = 24_000
_KEPT_SECONDS: Final = 3600

_encode = msgspec.json.Encoder().encode


def tool_call(part: Part) -> MadeToolCall | None:
    """None for a part that is no call. An id is made where there is none, and a signature kept for the next turn."""
    made = part.function_call
    if made is None:
        return None
    signature = part.thought_signature
    extra: dict[str, object] | None = (
        {"extra_content": {"google": {"thought_signature": signature}}} if signature else None
    )
    call_id = made.id or f"call_{secrets.token_hex(12)}"
    return MadeToolCall(call_id, made.name, _encode(made.args or {}).decode(), extra)


def image(data: InlineData) -> dict[str, object] | None:
    """As OpenRouter and others give images that a chat model made; None for anything else."""
    if not data.mime_type.startswith("image/"):
        return None
    return {"type": "image_url", "image_url": {"url": f"data:{data.mime_type};base64,{data.data}"}}


def is_audio(data: InlineData) -> bool:
    return data.mime_type.startswith("audio/")


def audio(pieces: list[InlineData], form: str, call_id: str, created: int) -> dict[str, object]:
    """The recording of a whole answer, raw samples in a WAV file where that was asked for."""
    samples = b"".join(_bytes(piece.data) for piece in pieces)
    if form == "wav" and not samples.startswith(b"RIFF"):
        samples = _wav(samples, pieces[0].mime_type)
    data = base64.b64encode(samples).decode()
    return {"id": f"audio_{call_id}", "data": data, "expires_at": created + _KEPT_SECONDS, "transcript": ""}


def _wav(samples: bytes, mime_type: str) -> bytes:
    """One channel of signed 16-bit numbers, which is what `audio/L16;rate=24000` holds."""
    found = _RATE.search(mime_type)
    rate = int(found[1]) if found is not None else _USUAL_RATE
    size = len(samples).to_bytes(4, "little")
    whole = (len(samples) + 36).to_bytes(4, "little")
    numbers = b"".join(
        value.to_bytes(width, "little")
        for value, width in ((16, 4), (1, 2), (1, 2), (rate, 4), (rate * 2, 4), (2, 2), (16, 2))
    )
    return b"RIFF" + whole + b"WAVEfmt " + numbers + b"data" + size + samples


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except binascii.Error:
        return b""
