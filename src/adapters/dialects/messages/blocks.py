"""Anthropic's content blocks, read as far as a chat can carry them.

Source: anthropic-python 2.11 types (November 2026).
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.wire.undecodable import UNDECODABLE
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.inference import Json

NOTHING: Final = msgspec.Raw()
"""Stands for JSON that is not there; told apart from what is by `is_told`."""


class Source(msgspec.Struct):
    """Where the bytes of an image or a document are."""

    type: str  # base64, url, file, text, content
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    content: str | list[Json] | None = None


class ToolChange(msgspec.Struct):
    """What a `tool_addition` or `tool_removal` is about: a tool by its name, or one defined here."""

    type: str
    name: str | None = None
    definition: Json = NOTHING


class Block(msgspec.Struct):
    """Any block. Which fields are there depends on its type; types the gateway does not know hold none of them."""

    type: str
    text: str | None = None
    source: Json = NOTHING  # an object, but for search results, where it is a string
    title: str | None = None
    context: str | None = None
    content: str | list[Json] | None = None
    id: str | None = None
    name: str | None = None
    input: Json = NOTHING
    tool_use_id: str | None = None
    is_error: bool | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    tool_name: str | None = None  # of a `tool_reference`
    tool: ToolChange | None = None
    cache_control: Json = NOTHING


class _AnyBlock(msgspec.Struct):
    """Enough to name a block whose other fields are none of ours."""

    type: str


_decode = msgspec.json.Decoder(Block).decode
_decode_type = msgspec.json.Decoder(_AnyBlock).decode
_decode_source = msgspec.json.Decoder(Source).decode

_READ = frozenset(
    "text image document search_result tool_use tool_result thinking redacted_thinking tool_reference "
    "tool_addition tool_removal".split()
)


def read_blocks(content: str | Sequence[Json] | None, place: str = "messages") -> list[Block]:
    """The blocks of a content, a plain text as one. Raises `UpstreamFailure` (the client's fault) for what is none."""
    if content is None:
        return []
    if isinstance(content, str):
        return [Block("text", text=content)]
    return [_block(raw, place) for raw in content]


def read_source(block: Block) -> Source:
    """Raises `UpstreamFailure` (the client's fault) where there is none."""
    try:
        return _decode_source(block.source)
    except UNDECODABLE:
        raise wrong(f"A block of type '{block.type}' needs a `source`", "messages") from None


def is_cached(block: Block) -> bool:
    """Whether the block carries a cache breakpoint."""
    return is_told(block.cache_control)


def is_told(raw: Json) -> bool:
    """Whether there is a value, and not `null`."""
    return bytes(raw) not in (b"", b"null")


def wrong(what: str, param: str) -> UpstreamFailure:
    """The request itself is at fault: no other provider would take it either."""
    return UpstreamFailure(FailureKind.CLIENT_FAULT, f"{what}.", status=400, type_="invalid_request_error", param=param)


def _block(raw: Json, place: str) -> Block:
    try:
        kind = _decode_type(raw).type
        return _decode(raw) if kind in _READ else Block(kind)
    except UNDECODABLE as error:
        raise wrong(f"A content block in `{place}` cannot be read: {error}", place) from None
