"""A conversation as Converse takes it: the system apart, roles alternating, a user first, no text blank.

    in:  [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
    out: system [{"text": "Be brief."}], messages [{"role": "user", "content": [{"text": "Hello"}]}]

Images, documents and recordings are bytes: Converse fetches nothing. A message that holds a document must hold a text,
too; the last assistant text may not end in white space; a text that is blank, or a document's name with other
characters, is a ValidationException. Source: botocore 1.44.5 service model and the user guide (read 2026-11).
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from adapters.dialects.bedrock.families import Family
from adapters.wire.chat_history import CacheMark, HistoryCall, HistoryMessage, HistoryPart, safe_id
from adapters.wire.files import DataUrl, read_data_url
from adapters.wire.sift import unsupported
from adapters.wire.signatures import in_order, place_of

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
    """The blocks of one message's parts. Raises `UNSUPPORTED`, naming the part by its path.

    A cache point stands behind what it marks; but not behind a document of text, nor behind nothing: Claude refuses
    the request ("content.2.type: Field required"). Source: strands-agents/harness-sdk#1966, #2001 (read 2026-11).
    """
    begun = False
    for index, part in enumerate(parts):
        block = _block(part, f"{where}.content.{index}", names)
        if block is None:
            continue
        before = _is_text_document(block)
        if part.cache_control is not None and before and begun:
            yield cache_point(part.cache_control)
        yield block
        begun = True
        if part.cache_control is not None and not before:
            yield cache_point(part.cache_control)


def _is_text_document(block: Block) -> bool:
    document = block.get("document")
    return isinstance(document, dict) and document.get("format") != "pdf"


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


_ID: Final = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_NOTHING: Final = "(empty)"
_BEGIN: Final = "(The conversation continues.)"


def conversation(
    messages: Sequence[HistoryMessage], family: Family, instructions: Sequence[str] = ()
) -> tuple[list[Block], list[Block]]:
    """The blocks of `system` and the `messages`. `instructions` are said after the client's own system."""
    names = DocumentNames()
    system: list[Block] = []
    turns: list[tuple[str, list[Block]]] = []
    for index, message in enumerate(messages):
        where = f"messages.{index}"
        if message.role in {"system", "developer"}:
            system.extend(content_blocks(message.parts, where, names))
            continue
        role = "assistant" if message.role == "assistant" else "user"
        blocks = list(_blocks(message, where, family, names))
        if turns and turns[-1][0] == role:
            turns[-1][1].extend(blocks)
        elif blocks:
            turns.append((role, blocks))
    system.extend({"text": text} for text in instructions)
    if not turns or turns[0][0] == "assistant":
        turns.insert(0, ("user", [{"text": _BEGIN if turns else _NOTHING}]))
    return system, [{"role": role, "content": _ordered(role, blocks)} for role, blocks in _trimmed(turns)]


def _blocks(message: HistoryMessage, where: str, family: Family, names: DocumentNames) -> Iterator[Block]:
    if message.role in {"tool", "function"}:
        yield _tool_result(message, where, names)
        yield from (cache_point(part.cache_control) for part in message.parts if part.cache_control is not None)
        return
    if message.role != "assistant":
        yield from content_blocks(message.parts, where, names)
        return
    thoughts = list(_thoughts(message, family))
    calls = [_tool_use(call) for call in message.tool_calls or ()]
    if not isinstance(message.content, list) and any(place != (0, 0) for place, _ in thoughts):
        for said in in_order(message.content or "", calls, thoughts):
            if not isinstance(said, str):
                yield said[0]
            elif said.strip():
                yield {"text": said}
        return
    yield from (thought for _, thought in thoughts)
    yield from content_blocks(message.parts, where, names)
    if not message.parts and message.refusal:
        yield {"text": message.refusal}
    yield from calls


def _tool_use(call: HistoryCall) -> Block:
    name = call.name if _NAME.fullmatch(call.name) else re.sub(r"[^a-zA-Z0-9_-]", "_", call.name)[:64] or "tool"
    return {"toolUse": {"toolUseId": safe_id(call.id, _ID), "name": name, "input": call.arguments()}}


def _thoughts(message: HistoryMessage, family: Family) -> Iterator[tuple[tuple[int, int], Block]]:
    """Only those that are signed, and only to those who signed: anything else is refused. With where they stood."""
    for block in message.thinking_blocks or () if family.is_claude else ():
        thought: Block | None = None
        if block.type == "redacted_thinking" and block.data:
            thought = {"redactedContent": block.data}
        elif block.type == "thinking" and block.signature:
            thought = {"reasoningText": {"text": block.thinking, "signature": block.signature}}
        if thought is not None:
            yield place_of(block.omg_place), {"reasoningContent": thought}


def _tool_result(message: HistoryMessage, where: str, names: DocumentNames) -> Block:
    content = [block for block in content_blocks(message.parts, where, names) if "cachePoint" not in block]
    call_id = safe_id(message.tool_call_id or message.name or "call", _ID)
    return {"toolResult": {"toolUseId": call_id, "content": content or [{"text": _NOTHING}]}}


def _trimmed(turns: list[tuple[str, list[Block]]]) -> list[tuple[str, list[Block]]]:
    """An answer to be continued may not end in white space."""
    role, blocks = turns[-1]
    text = blocks[-1].get("text") if blocks else None
    if role == "assistant" and isinstance(text, str):
        blocks[-1] = {"text": text.rstrip()}
    return turns


def _ordered(role: str, blocks: list[Block]) -> list[Block]:
    """Results of tools first, as Claude wants them; a text beside each document."""
    if role == "user":
        blocks = [*(block for block in blocks if "toolResult" in block), *(b for b in blocks if "toolResult" not in b)]
    if any("document" in block for block in blocks) and not any("text" in block for block in blocks):
        blocks = [*blocks, {"text": "(see the document)"}]
    return blocks
