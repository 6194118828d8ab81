"""Turns OpenAI's message content into Anthropic's blocks.

Source: anthropic-python 2.11 types, platform.claude.com vision and PDF pages (read 2026-11). Empty texts are
refused there; images are JPEG, PNG, GIF or WebP; documents are PDF or plain text.
"""

import base64
import binascii
from typing import Final

import msgspec

from adapters.dialects.anthropic.errors import invalid
from adapters.dialects.anthropic.history import ABSENT, Cacheable, FileContent, Part, Raw, read_part
from adapters.wire.data_url import DataUrl, read_data_url
from adapters.wire.sift import unsupported

Block = dict[str, object]

_IMAGES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_NATIVE: Final = frozenset({"image", "document", "search_result", "container_upload"})
_PDF: Final = "application/pdf"


def blocks_of(content: str | list[Raw] | None, param: str, *, inline_only: bool) -> list[Block]:
    """The blocks of a message's content, without empty texts. `param` names the message in errors.

    Raises `UNSUPPORTED` for what Claude cannot see, and with `inline_only` for media by URL.
    """
    if content is None:
        return []
    if isinstance(content, str):
        return [text_block(content)] if content.strip() else []
    blocks: list[Block] = []
    for place, raw in enumerate(content):
        where = f"{param}.content.{place}"
        part = read_part(raw, where)
        block = _block(part, raw, where, inline_only=inline_only)
        if block is not None:
            blocks.append(cached(block, part) if part.type not in _NATIVE else block)
    return blocks


def text_block(text: str) -> Block:
    return {"type": "text", "text": text}


def cached(block: Block, source: Cacheable) -> Block:
    """The block with the mark its source has for the cache."""
    if source.cache_control != ABSENT:
        block["cache_control"] = source.cache_control
    elif source.prompt_cache_breakpoint is not None:
        long = source.prompt_cache_breakpoint.ttl == "1h"  # a longer one after a shorter one would be refused
        block["cache_control"] = {"type": "ephemeral", "ttl": "1h"} if long else {"type": "ephemeral"}
    return block


def _block(part: Part, raw: Raw, where: str, *, inline_only: bool) -> Block | None:
    if part.type in {"text", "input_text", "output_text", "refusal"}:
        text = part.text or part.refusal or ""
        return text_block(text) if text.strip() else None
    if part.type == "image_url" and part.image_url is not None:
        url = part.image_url if isinstance(part.image_url, str) else part.image_url.url
        return {"type": "image", "source": _image_source(url, where, inline_only=inline_only)}
    if part.type == "file" and part.file is not None:
        return _document(part.file, where, inline_only=inline_only)
    if part.type in _NATIVE:
        return msgspec.json.decode(raw, type=dict[str, Raw])  # type: ignore[return-value]  # raw JSON is an object too
    raise unsupported(where, f"Claude takes no content of type '{part.type}'")


def _image_source(url: str, where: str, *, inline_only: bool) -> Block:
    data = _data_url(url, where)
    if data is None:
        return _by_url(url, where, inline_only=inline_only)
    media_type = "image/jpeg" if data.media_type == "image/jpg" else data.media_type.lower()
    if media_type not in _IMAGES:
        raise unsupported(where, f"Claude sees JPEG, PNG, GIF and WebP, not {media_type}")
    return {"type": "base64", "media_type": media_type, "data": data.base64}


def _document(file: FileContent, where: str, *, inline_only: bool) -> Block:
    block: Block = {"type": "document"}
    if file.file_data:
        block["source"] = _file_source(file.file_data, where)
    elif file.file_url:
        block["source"] = _by_url(file.file_url, where, inline_only=inline_only)
    else:
        raise unsupported(where, "a file id means nothing to another provider; send file_data")
    if file.filename:
        block["title"] = file.filename
    return block


def _file_source(given: str, where: str) -> Block:
    """PDF as it is, any text decoded. Data without a media type is told by its first bytes."""
    data = _data_url(given, where)
    if data is None or data.media_type == "application/octet-stream":
        encoded = given if data is None else data.base64
        data = DataUrl(_PDF if encoded.startswith("JVBERi") else "text/plain", encoded)
    if data.media_type == _PDF:
        return {"type": "base64", "media_type": _PDF, "data": data.base64}
    if not (data.media_type.startswith("text/") or data.media_type == "application/json"):
        raise unsupported(where, f"Claude reads PDF and plain text, not {data.media_type}")
    try:
        text = base64.b64decode(data.base64, validate=True).decode()
    except (binascii.Error, ValueError):
        raise invalid(f"Invalid '{where}': the file is no base64 of a text in UTF-8.", where) from None
    return {"type": "text", "media_type": "text/plain", "data": text}


def _by_url(url: str, where: str, *, inline_only: bool) -> Block:
    if not url.startswith(("https://", "http://")):
        raise invalid(f"Invalid '{where}': a URL begins with https:// or data:.", where)
    if inline_only:
        raise unsupported(where, "it takes images and documents as data URLs alone")
    return {"type": "url", "url": url}


def _data_url(url: str, where: str) -> DataUrl | None:
    try:
        return read_data_url(url)
    except ValueError as error:
        raise invalid(f"Invalid '{where}': {error}.", where) from None
