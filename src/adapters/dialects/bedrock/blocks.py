"""Content parts of OpenAI's chat as Converse's content blocks.

Images, documents and recordings are bytes: Converse fetches nothing. Source: botocore 1.44.5 service model (read
2026-11); a text that is blank, or a document's name with other characters, is a ValidationException.
"""

import re
from collections.abc import Iterator
from typing import Final

from adapters.wire.chat_history import CacheMark, HistoryPart
from adapters.wire.data_url import DataUrl, read_data_url
from adapters.wire.sift import unsupported

Block = dict[str, object]

_IMAGES: Final = {
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/jpg": "jpeg",
    "image/gif": "gif",
    "image/webp": "webp",
}
_DOCUMENTS: Final = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
_AUDIO: Final = frozenset("mp3 opus wav aac flac mp4 ogg mkv m4a mpeg pcm webm".split())
_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9 ()\[\]-]+")


class DocumentNames:
    """Names for documents: of the allowed characters, and each once in a request."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def take(self, filename: str | None) -> str:
        stem = (filename or "document").rpartition(".")[0] or filename or "document"
        name = " ".join(_NOT_IN_A_NAME.sub(" ", stem).split())[:180] or "document"
        numbered, count = name, 1
        while numbered in self._used:
            count += 1
            numbered = f"{name} {count}"
        self._used.add(numbered)
        return numbered


def content_blocks(parts: list[HistoryPart], where: str, names: DocumentNames) -> Iterator[Block]:
    """The blocks of one message's parts. Raises `UNSUPPORTED`, naming the part by its path."""
    for index, part in enumerate(parts):
        block = _block(part, f"{where}.content.{index}", names)
        if block is not None:
            yield block
        if part.cache_control is not None:
            yield cache_point(part.cache_control)


def cache_point(mark: CacheMark) -> Block:
    """Everything before it is cached; five minutes where the mark does not say an hour."""
    return {"cachePoint": {"type": "default", **({"ttl": "1h"} if mark.ttl == "1h" else {})}}


def text_block(text: str | None) -> Block | None:
    """None for a text that is blank: Converse refuses it."""
    return {"text": text} if text and not text.isspace() else None


def _block(part: HistoryPart, where: str, names: DocumentNames) -> Block | None:
    if part.type in {"text", "refusal"}:
        return text_block(part.text if part.type == "text" else part.refusal)
    if part.type == "image_url" and part.image_url is not None:
        return _image(part.image_url.url, f"{where}.image_url")
    if part.type == "file" and part.file is not None:
        data = _data(part.file.file_data or "", f"{where}.file", "send the file itself in file_data, as a data URL")
        return _document(data, part.file.filename, where, names)
    if part.type == "input_audio" and part.input_audio is not None:
        given = part.input_audio.format.lower()
        if given not in _AUDIO:
            raise unsupported(f"{where}.input_audio", f"recordings of format '{given}' are not taken")
        return {"audio": {"format": given, "source": {"bytes": part.input_audio.data}}}
    raise unsupported(where, f"parts of type '{part.type}' are not taken")


def _image(url: str, where: str) -> Block:
    data = _data(url, where, "Bedrock fetches no images; send it as a data URL")
    kind = _IMAGES.get(data.media_type.lower())
    if kind is None:
        raise unsupported(where, f"images are PNG, JPEG, GIF or WebP, not {data.media_type}")
    return {"image": {"format": kind, "source": {"bytes": data.base64}}}


def _document(data: DataUrl, filename: str | None, where: str, names: DocumentNames) -> Block:
    media_type = data.media_type.lower()
    if media_type in _IMAGES:
        return {"image": {"format": _IMAGES[media_type], "source": {"bytes": data.base64}}}
    extension = (filename or "").rpartition(".")[2].lower()
    kind = _DOCUMENTS.get(media_type) or (extension if extension in _DOCUMENTS.values() else None)
    if kind is None:
        raise unsupported(f"{where}.file", f"documents of type {data.media_type} are not taken")
    return {"document": {"format": kind, "name": names.take(filename), "source": {"bytes": data.base64}}}


def _data(url: str, where: str, instead: str) -> DataUrl:
    try:
        data = read_data_url(url)
    except ValueError as error:
        raise unsupported(where, str(error)) from None
    if data is None:
        raise unsupported(where, instead)
    return data
