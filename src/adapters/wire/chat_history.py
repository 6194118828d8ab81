"""A chat's messages as translating dialects need them, with the thoughts and cache marks the typed request omits."""

import hashlib
import re
from typing import Literal

import msgspec

from adapters.wire.sift import invalid
from domain.chat import ChatRequest
from domain.inference import Json
from domain.payload import Payload


class CacheMark(msgspec.Struct):
    """Anthropic's `cache_control`, which OpenAI's clients send along for models that know it."""

    type: str = "ephemeral"
    ttl: str | None = None


class ImageReference(msgspec.Struct):
    url: str
    detail: str | None = None


class Recording(msgspec.Struct):
    """Audio inside a message: base64 and its format (`wav`, `mp3`)."""

    data: str = ""
    format: str = ""


class AttachedFile(msgspec.Struct):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class HistoryPart(msgspec.Struct):
    """One part of a message. Which fields are there depends on `type`."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: ImageReference | None = None
    input_audio: Recording | None = None
    file: AttachedFile | None = None
    video_url: ImageReference | None = None
    cache_control: CacheMark | None = None


class ThinkingBlock(msgspec.Struct):
    """A thought as Anthropic's models sign it, sent back so that the model accepts its own turn."""

    type: str
    thinking: str = ""
    signature: str = ""
    data: str = ""  # of a redacted one
    omg_place: object = None  # where it stood, as `signatures.PLACE` says


class CalledFunction(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class GoogleContent(msgspec.Struct):
    thought_signature: str | None = None


class ExtraContent(msgspec.Struct):
    """What Google puts beside OpenAI's fields, and wants back."""

    google: GoogleContent | None = None


class HistoryCall(msgspec.Struct):
    """A tool call of an earlier turn."""

    id: str
    type: str = "function"
    function: CalledFunction | None = None
    extra_content: ExtraContent | None = None

    @property
    def name(self) -> str:
        return (self.function.name if self.function else None) or ""

    def arguments(self) -> dict[str, object]:
        """As an object. What a model wrote that is none is kept under one name rather than lost."""
        text = (self.function.arguments if self.function else None) or ""
        if not text.strip():
            return {}
        try:
            value: object = msgspec.json.decode(text)
        except msgspec.DecodeError:
            return {"arguments": text}
        return value if isinstance(value, dict) else {"arguments": value}


class HistoryMessage(msgspec.Struct):
    role: Literal["developer", "system", "user", "assistant", "tool", "function"]
    content: str | list[HistoryPart] | None = None
    name: str | None = None
    tool_calls: list[HistoryCall] | None = None
    tool_call_id: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    thinking_blocks: list[ThinkingBlock] | None = None
    cache_control: CacheMark | None = None

    @property
    def parts(self) -> list[HistoryPart]:
        """The content in one form; a mark on the message stands on its last part."""
        content = self.content
        parts = [HistoryPart("text", text=content)] if isinstance(content, str) else list(content or ())
        if self.cache_control is not None and parts and parts[-1].cache_control is None:
            parts[-1] = msgspec.structs.replace(parts[-1], cache_control=self.cache_control)
        return parts

    def text(self) -> str:
        """Everything said in words."""
        return "\n".join(text for part in self.parts if (text := part.text or part.refusal))


class OfferedFunction(msgspec.Struct):
    name: str
    description: str | None = None
    parameters: dict[str, Json] | None = None
    strict: bool | None = None
    cache_control: CacheMark | None = None


class OfferedTool(msgspec.Struct):
    """A tool on offer."""

    type: str
    function: OfferedFunction | None = None
    cache_control: CacheMark | None = None


_decode_messages = msgspec.json.Decoder(list[HistoryMessage]).decode
_decode_tools = msgspec.json.Decoder(list[OfferedTool] | None).decode


def history(payload: Payload[ChatRequest]) -> list[HistoryMessage]:
    """The conversation. Raises `UpstreamFailure` (`CLIENT_FAULT`) where a part has a shape no upstream takes."""
    try:
        return _decode_messages(payload.fields["messages"])
    except msgspec.ValidationError as error:
        raise invalid(f"Invalid 'messages': {error}.", "messages") from None


def offered_tools(payload: Payload[ChatRequest]) -> list[OfferedTool]:
    """The tools on offer. Raises `UpstreamFailure` (`CLIENT_FAULT`)."""
    try:
        return _decode_tools(payload.fields.get("tools", b"null")) or []
    except msgspec.ValidationError as error:
        raise invalid(f"Invalid 'tools': {error}.", "tools") from None


def safe_id(call_id: str, allowed: re.Pattern[str]) -> str:
    """The id of a call as an upstream with a narrower alphabet takes it; the same each time it is asked."""
    if allowed.fullmatch(call_id):
        return call_id
    return "call_" + hashlib.sha256(call_id.encode()).hexdigest()[:24]
