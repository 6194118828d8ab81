"""Parts of content, from Responses into chat."""

from collections.abc import Sequence

from msgspec import UNSET

from adapters.dialects.responses.complaints import not_over_chat
from adapters.dialects.responses.items import Part

ChatPart = dict[str, object]

_TEXT = frozenset({"input_text", "output_text", "text", "summary_text", "reasoning_text"})


def chat_content(content: str | Sequence[Part] | None) -> str | list[ChatPart]:
    """Text alone stays text: every upstream takes that."""
    if content is None or isinstance(content, str):
        return content or ""
    if len(content) == 1 and content[0].type in _TEXT and content[0].prompt_cache_breakpoint is UNSET:
        return content[0].text or ""
    return [chat_part(part) for part in content]


def texts(content: str | Sequence[Part] | None, between: str = "") -> str:
    """The text of all parts that have one."""
    if content is None or isinstance(content, str):
        return content or ""
    return between.join(part.text for part in content if part.type in _TEXT and part.text)


def others(content: str | Sequence[Part] | None) -> list[ChatPart]:
    """The parts that are no text."""
    if content is None or isinstance(content, str):
        return []
    return [chat_part(part) for part in content if part.type not in _TEXT and part.type != "refusal"]


def chat_part(part: Part) -> ChatPart:
    """Raises `UpstreamFailure` for a part chat has nothing for."""
    made = _made(part)
    if part.prompt_cache_breakpoint is not UNSET:
        made["prompt_cache_breakpoint"] = part.prompt_cache_breakpoint
    return made


def _made(part: Part) -> ChatPart:
    if part.type in _TEXT:
        return {"type": "text", "text": part.text or ""}
    if part.type == "refusal":
        return {"type": "text", "text": part.refusal or ""}
    if part.type == "input_image" and part.image_url is not None:
        image = {"url": part.image_url} | ({"detail": part.detail} if part.detail else {})
        return {"type": "image_url", "image_url": image}
    if part.type == "input_file" and part.file_url is None:
        told = {"file_id": part.file_id, "file_data": part.file_data, "filename": part.filename}
        return {"type": "file", "file": {name: value for name, value in told.items() if value is not None}}
    if part.type == "input_audio" and part.input_audio is not UNSET:
        return {"type": "input_audio", "input_audio": part.input_audio}
    how = ""
    if part.type == "input_image":
        how = " without `image_url`"
    elif part.type == "input_file":
        how = " with `file_url`: send the file itself as `file_data`"
    raise not_over_chat(f"'input' has a part of type '{part.type}'{how}.", "input", "unsupported_value")
