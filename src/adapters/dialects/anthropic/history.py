"""The conversation of a chat request as this dialect reads it: OpenAI's messages with what clients add for Anthropic.

`cache_control` on parts, messages and tools, and `thinking_blocks` on answers, as LiteLLM's clients send them;
`prompt_cache_breakpoint` is OpenAI's own. Source: openai-python 3.52 types, LiteLLM (read 2026-11).
"""

import msgspec

from adapters.dialects.anthropic.errors import invalid
from adapters.wire.undecodable import UNDECODABLE

Raw = msgspec.Raw

ABSENT = Raw(b"null")
"""Stands for a field that is not there: null says the same. (msgspec reads `Raw | None` as null alone.)"""


class Breakpoint(msgspec.Struct):
    """OpenAI's mark of what to cache up to here."""

    mode: str | None = None
    ttl: str | None = None


class Cacheable(msgspec.Struct, kw_only=True):
    cache_control: Raw = ABSENT
    prompt_cache_breakpoint: Breakpoint | None = None


class ImageUrl(msgspec.Struct):
    url: str


class FileContent(msgspec.Struct):
    file_data: str | None = None
    file_id: str | None = None
    file_url: str | None = None
    filename: str | None = None


class Part(Cacheable, kw_only=True):
    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: ImageUrl | str | None = None
    file: FileContent | None = None


class Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class CustomCall(msgspec.Struct):
    name: str | None = None
    input: str | None = None


class Call(msgspec.Struct):
    id: str = ""
    function: Function | None = None
    custom: CustomCall | None = None


class ThinkingBlock(msgspec.Struct):
    """What tells whether a block of thoughts may go back; the block itself is sent as it came."""

    type: str = ""
    signature: str | None = None
    data: str | None = None


class Turn(Cacheable, kw_only=True):
    role: str
    content: str | list[Raw] | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None
    name: str | None = None
    function_call: Function | None = None
    refusal: str | None = None
    thinking_blocks: list[Raw] | None = None


_decode_turns = msgspec.json.Decoder(list[Turn]).decode
_decode_part = msgspec.json.Decoder(Part).decode


def read_turns(raw: Raw) -> list[Turn]:
    """Raises `CLIENT_FAULT` for messages that are none."""
    try:
        return _decode_turns(raw)
    except UNDECODABLE as error:
        raise invalid(f"Invalid messages: {error}.", "messages") from None


def read_part(raw: Raw, param: str) -> Part:
    """Raises `CLIENT_FAULT` for a part that is none."""
    try:
        return _decode_part(raw)
    except UNDECODABLE as error:
        raise invalid(f"Invalid message content: {error}.", param) from None
