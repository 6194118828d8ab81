"""One streamed chunk as upstreams send it, read leanly, and the edits that make it OpenAI's.

Only the fields that decide something are read; the rest stays raw and survives an edit byte for byte.
"""

from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from adapters.dialects.openai.tool_calls import ToolDelta

OBJECT: Final = "chat.completion.chunk"
NULL: Final = msgspec.Raw(b"null")

OptionalRaw = msgspec.Raw | UnsetType
Fields = dict[str, msgspec.Raw]


class Delta(msgspec.Struct):
    role: str | None = None
    content: str | list[object] | None = None
    tool_calls: list[ToolDelta] | None = None
    reasoning_content: OptionalRaw = UNSET
    reasoning: OptionalRaw = UNSET
    reasoning_details: OptionalRaw = UNSET
    refusal: OptionalRaw = UNSET
    function_call: OptionalRaw = UNSET
    audio: OptionalRaw = UNSET

    def other_content_bytes(self) -> int:
        """Bytes of generated content that is neither text nor a tool call."""
        fields = (self.reasoning_content, self.reasoning, self.reasoning_details)
        size = sum(_content_bytes(field) for field in fields)
        return size + sum(_content_bytes(field) for field in (self.refusal, self.function_call, self.audio))


class Choice(msgspec.Struct):
    index: int | None = None
    delta: Delta | None = None
    finish_reason: str | None = None
    usage: OptionalRaw = UNSET  # Moonshot
    error: OptionalRaw = UNSET  # OpenRouter


class GroqExtra(msgspec.Struct):
    usage: OptionalRaw = UNSET
    error: OptionalRaw = UNSET


class Chunk(msgspec.Struct):
    choices: list[Choice] | UnsetType | None = UNSET
    id: str | None = None
    object: str | None = None
    created: int | float | None = None
    model: str | None = None
    usage: OptionalRaw = UNSET
    error: OptionalRaw = UNSET
    x_groq: GroqExtra | None = None


class ChoiceEdit(msgspec.Struct):
    """New values for a choice's fields and its delta's; None removes one."""

    fields: dict[str, msgspec.Raw | None] = {}
    delta: dict[str, msgspec.Raw | None] = {}

    def __bool__(self) -> bool:
        return bool(self.fields or self.delta)


_decode_fields = msgspec.json.Decoder(Fields).decode
_decode_choices = msgspec.json.Decoder(list[Fields]).decode
_encode = msgspec.json.Encoder().encode
decode_chunk = msgspec.json.Decoder(Chunk).decode


def told(value: OptionalRaw) -> msgspec.Raw | None:
    """The value where there is one: not absent, null, false or empty."""
    if isinstance(value, UnsetType) or value == NULL or bytes(value) in (b"{}", b'""', b"false", b"[]"):
        return None
    return value


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(_encode(value))


def edited(data: bytes, head: dict[str, msgspec.Raw | None], choices: list[ChoiceEdit]) -> bytes:
    """The chunk with `head`'s fields and each choice's edit applied."""
    fields = _decode_fields(data)
    _update(fields, head)
    if any(choices):
        raw_choices = _decode_choices(fields["choices"])
        for choice, edit in zip(raw_choices, choices, strict=True):
            _update(choice, edit.fields)
            if edit.delta or "delta" not in choice or choice["delta"] == NULL:
                delta = _decode_fields(choice["delta"]) if told(choice.get("delta", UNSET)) is not None else {}
                _update(delta, edit.delta)
                choice["delta"] = raw(delta)
        fields["choices"] = raw(raw_choices)
    return _encode(fields)


def _update(fields: Fields, changes: dict[str, msgspec.Raw | None]) -> None:
    for name, value in changes.items():
        if value is None:
            fields.pop(name, None)
        else:
            fields[name] = value


def _content_bytes(value: OptionalRaw) -> int:
    given = told(value)
    return 0 if given is None else len(bytes(given))
