"""What a user or a tool says: Anthropic's blocks as the parts of a chat message."""

from collections.abc import Iterable, Sequence

from adapters.dialects.messages.blocks import Block, Source, is_cached, read_blocks, read_source
from adapters.wire.sift import unsupported

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
