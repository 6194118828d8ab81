"""Anthropic's content blocks, read as far as a chat can carry them.

Source: anthropic-python 2.11 types (November 2026).
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from adapters.wire.billing import without_billing_line
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.sift import invalid, unsupported
from adapters.wire.signatures import unpack, unseal
from domain.inference import Json
from domain.messages import MessageParam

NOTHING: Final = msgspec.Raw()
"""Stands for JSON that is not there; `is_given` tells it apart; see `is_given`."""


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


_decode_block = msgspec.json.Decoder(Block).decode
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
        raise invalid(f"A block of type '{block.type}' needs a `source`.", "messages") from None


def is_cached(block: Block) -> bool:
    """Whether the block carries a cache breakpoint."""
    return is_given(block.cache_control)


def is_given(raw: Json) -> bool:
    """Whether there is a value, and not `null`."""
    return bytes(raw) not in (b"", b"null")


def _block(raw: Json, place: str) -> Block:
    try:
        kind = _decode_type(raw).type
        return _decode_block(raw) if kind in _READ else Block(kind)
    except UNDECODABLE as error:
        raise invalid(f"A content block in `{place}` cannot be read: {error}.", place) from None


Part = dict[str, object]

_ERROR_PREFIX = "Error: "


def parts_of(blocks: Iterable[Block], lost: set[str]) -> list[Part]:
    """Text, images and documents in their order. `lost` takes the names of what has no place in a chat.

    Raises `UpstreamFailure`: `UNSUPPORTED` for a file that only Anthropic could fetch.
    """
    parts: list[Part] = []
    for block in blocks:
        if is_cached(block):
            lost.add("cache_control")
        parts += _parts(block, lost)
    return parts


def plain(parts: Sequence[Part]) -> str | list[Part]:
    """Texts alone as one string, which every upstream takes; anything else as it is."""
    return texts_of(parts) if all(part["type"] == "text" for part in parts) else list(parts)


def texts_of(parts: Iterable[Part]) -> str:
    """The texts among the parts, as one."""
    return "\n\n".join(str(part["text"]) for part in parts if part["type"] == "text")


def result_text(block: Block, lost: set[str]) -> tuple[str, list[Part]]:
    """A tool's result as text, and the parts of it that are none: a `tool` message holds only text in most places."""
    parts = parts_of(read_blocks(block.content), lost)
    text = texts_of(parts)
    if block.is_error:
        text = _ERROR_PREFIX + text
    return text, [part for part in parts if part["type"] != "text"]


def _parts(block: Block, lost: set[str]) -> list[Part]:
    match block.type:
        case "text":
            return [_text(block.text)] if block.text else []
        case "image":
            return [_image(read_source(block))]
        case "document":
            return _document(block, lost)
        case "search_result":
            inner = parts_of(read_blocks(block.content), lost)
            return [_text(_titled(block, texts_of(inner)))]
        case "tool_reference":
            return [_text(f"The tool {block.tool_name} is available now.")]
        case kind:
            lost.add(f"messages.{kind}")
            return []


def _text(text: str | None) -> Part:
    return {"type": "text", "text": text or ""}


def _image(source: Source) -> Part:
    if source.type == "base64":
        url = f"data:{source.media_type or 'image/png'};base64,{source.data or ''}"
    elif source.type == "url" and source.url:
        url = source.url
    else:
        raise unsupported("messages", f"an image by '{source.type}' can be read by Anthropic only")
    return {"type": "image_url", "image_url": {"url": url}}


def _document(block: Block, lost: set[str]) -> list[Part]:
    source = read_source(block)
    if source.type == "text":
        return [_text(_titled(block, source.data or ""))]
    if source.type == "content":
        title = _titled(block, "")
        inner = parts_of(read_blocks(source.content), lost)
        return [_text(title), *inner] if title else inner
    if source.type != "base64":
        raise unsupported("messages", f"a document by '{source.type}' can be read by Anthropic only")
    media_type = source.media_type or "application/pdf"
    file = {"filename": block.title or "document.pdf", "file_data": f"data:{media_type};base64,{source.data or ''}"}
    part: Part = {"type": "file", "file": file}
    return [_text(block.context), part] if block.context else [part]


def _titled(block: Block, text: str) -> str:
    """A source's title and context stand before its text, as they do for Claude."""
    return "\n".join(line for line in (block.title, block.context, text) if line)


ChatMessage = dict[str, object]

_IN_SYSTEM_TURNS = frozenset({"tool_addition", "tool_removal"})  # they change the tools, and are read there

_encode = msgspec.json.Encoder().encode


def chat_messages(
    system: str | Sequence[Json] | None, turns: Sequence[MessageParam], lost: set[str], *, extras: bool = False
) -> list[ChatMessage]:
    """`lost` takes the names of what has no place in a chat. Raises `UpstreamFailure` as its parts do.

    With `extras` calls get back what a provider had hung on them; others than that provider may refuse it.
    """
    messages: list[ChatMessage] = []
    text = _system_text(read_blocks(system, "system"), lost)
    if text:
        messages.append({"role": "system", "content": text})
    for turn in turns:
        blocks = read_blocks(turn.content)
        if turn.role == "assistant":
            messages.append(_assistant(blocks, lost, extras=extras))
        elif turn.role == "system":
            text = _system_text([block for block in blocks if block.type not in _IN_SYSTEM_TURNS], lost)
            messages += [{"role": "system", "content": text}] if text else []
        else:
            messages += _user(blocks, lost)
    return messages


def _system_text(blocks: Sequence[Block], lost: set[str]) -> str:
    if any(is_cached(block) for block in blocks):
        lost.add("cache_control")
    texts = (without_billing_line(block.text or "") for block in blocks if block.type == "text")
    return "\n".join(text for text in texts if text)


def _user(blocks: Sequence[Block], lost: set[str]) -> list[ChatMessage]:
    """Each tool result is a message of its own, and they come first: they answer the turn before."""
    messages: list[ChatMessage] = []
    shown: list[Part] = []
    rest: list[Block] = []
    for block in blocks:
        if block.type != "tool_result":
            rest.append(block)
            continue
        if not block.tool_use_id:
            raise invalid("A tool result needs the `tool_use_id` of its call.", "messages")
        if is_cached(block):
            lost.add("cache_control")
        text, others = result_text(block, lost)
        messages.append({"role": "tool", "tool_call_id": block.tool_use_id, "content": text})
        shown += others
    parts = [*shown, *parts_of(rest, lost)]
    if parts or not messages:
        messages.append({"role": "user", "content": plain(parts)})
    return messages


def _assistant(blocks: Sequence[Block], lost: set[str], *, extras: bool) -> ChatMessage:
    """Thoughts stand beside the text, for upstreams that take them back; signed ones whole, for Anthropic's own."""
    texts, thoughts, signed, calls = [], [], [], []
    carried: dict[str, Json] = {}
    details: list[object] = []
    for block in blocks:
        if is_cached(block):
            lost.add("cache_control")
        if block.type == "text":
            texts.append(block.text or "")
        elif block.type == "thinking":
            thoughts.append(block.thinking or "")
            if block.signature:
                signed.append({"type": "thinking", "thinking": block.thinking or "", "signature": block.signature})
        elif block.type == "redacted_thinking" and (own := unpack(block.data or "")) is not None:
            carried[own.id] = own.extra_content
        elif block.type == "redacted_thinking" and (sealed := unseal(block.data)) is not None:
            details += sealed.reasoning_details
        elif block.type == "redacted_thinking":
            signed.append({"type": "redacted_thinking", "data": block.data or ""})
        elif block.type == "tool_use":
            calls.append(_call(block, carried.get(block.id or "") if extras else None))
        else:
            lost.add(f"messages.{block.type}")
    message: ChatMessage = {"role": "assistant", "content": "".join(texts) or (None if calls else "")}
    if any(thoughts):
        message["reasoning_content"] = "\n\n".join(thought for thought in thoughts if thought)
    if signed:
        message["thinking_blocks"] = signed
    if details:
        message["reasoning_details"] = details
    if calls:
        message["tool_calls"] = calls
    return message


def _call(block: Block, extra: Json | None) -> dict[str, object]:
    if not block.id or not block.name:
        raise invalid("A tool use needs an `id` and a `name`.", "messages")
    arguments = bytes(block.input) if is_given(block.input) else b"{}"
    function = {"name": block.name, "arguments": msgspec.json.format(arguments, indent=-1).decode()}
    call: dict[str, object] = {"id": block.id, "type": "function", "function": function}
    return call if extra is None else call | {"extra_content": extra}
