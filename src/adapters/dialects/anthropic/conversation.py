"""Turns OpenAI's messages into Anthropic's `system` and turns.

    in:  [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
    out: system [{"type": "text", "text": "Be brief."}],
         turns [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]

What always holds: the first turn is the user's; two turns of one role are one; the results of tool calls come first in
the user's turn after the calls; thoughts come first in the model's, and only those that are signed. Empty texts are
refused there; images are JPEG, PNG, GIF or WebP; documents are PDF or plain text.

Read, too, is what clients add for Anthropic: `cache_control` on parts, messages and tools, and `thinking_blocks` on
answers, as LiteLLM's clients send them, with their place among texts and calls; `prompt_cache_breakpoint` is OpenAI's.

Source: platform.claude.com Messages API, vision, PDF, extended thinking, mid-conversation system messages;
anthropic-python 2.11 and openai-python 3.52 types; LiteLLM (read 2026-11).
"""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.dialects.anthropic.errors import invalid
from adapters.dialects.anthropic.thoughts import signed_thoughts
from adapters.wire.chat_history import safe_id
from adapters.wire.files import DataUrl, read_data_url
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.sift import unsupported
from adapters.wire.signatures import in_order

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
    for index, raw in enumerate(content):
        where = f"{param}.content.{index}"
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
    """PDF as it is, any text decoded. Data without a media type is known by its first bytes."""
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


_SYSTEM: Final = frozenset({"system", "developer"})
_RESULTS: Final = frozenset({"tool", "function"})
_NO_BEGINNING: Final = "(The conversation begins with the assistant.)"
_IDS = re.compile(r"[a-zA-Z0-9_-]+")

_decode_object = msgspec.json.Decoder(dict[str, Raw]).decode


class AnthropicTurn(msgspec.Struct):
    role: str
    content: list[Block]

    def has(self, *types: str) -> bool:
        return any(block["type"] in types for block in self.content)


class Conversation(msgspec.Struct):
    """What a chat's messages become."""

    system: list[Block] = []
    turns: list[AnthropicTurn] = []

    def called_tools(self) -> list[str]:
        """The names of the tools called so far, each once."""
        calls = (block for turn in self.turns for block in turn.content if block["type"] == "tool_use")
        return list(dict.fromkeys(str(block["name"]) for block in calls))

    def calls_without_thinking(self) -> bool:
        """Whether the results at the end answer calls that were made without thoughts to send back."""
        if len(self.turns) < 2 or not self.turns[-1].has("tool_result"):
            return False
        calling = next((turn for turn in reversed(self.turns) if turn.role == "assistant"), None)
        return calling is not None and not calling.has("thinking", "redacted_thinking")


def converse(history: Sequence[Turn], *, mid_system: bool, inline_only: bool) -> Conversation:
    """With `mid_system` the model takes system turns after a user's turn; all others go into `system`.

    Raises `UNSUPPORTED` or `CLIENT_FAULT` for content that cannot be carried over.
    """
    conversation = Conversation([], [])
    for index, turn in enumerate(history):
        param = f"messages.{index}"
        blocks = blocks_of(turn.content, param, inline_only=inline_only)
        if turn.role in _SYSTEM:
            _mark_last(blocks, turn)
            if mid_system and _may_be_a_turn(conversation, history[index + 1 :]):
                _add(conversation, "system", blocks)
            else:
                conversation.system.extend(blocks)
        elif turn.role in _RESULTS:
            _add_result(conversation, turn, blocks)
        else:
            if turn.role == "assistant":
                blocks = _answer(turn, blocks)
            _mark_last(blocks, turn)
            _add(conversation, turn.role, blocks)
    _begin_and_end(conversation)
    return conversation


def _may_be_a_turn(conversation: Conversation, rest: Sequence[Turn]) -> bool:
    """System turns stand after a user's turn, and before the model's or at the end."""
    following = next((turn.role for turn in rest if turn.role not in _SYSTEM), "assistant")
    return following == "assistant" and bool(conversation.turns) and conversation.turns[-1].role in {"user", "system"}


def _mark_last(blocks: list[Block], turn: Turn) -> None:
    if blocks:
        cached(blocks[-1], turn)


def _add(conversation: Conversation, role: str, blocks: list[Block]) -> None:
    if not blocks:
        return
    if conversation.turns and conversation.turns[-1].role == role:
        conversation.turns[-1].content.extend(blocks)
    else:
        conversation.turns.append(AnthropicTurn(role, blocks))


def _answer(turn: Turn, texts: list[Block]) -> list[Block]:
    thoughts, calls = (
        signed_thoughts(turn.thinking_blocks or ()),
        [_use(call) for call in turn.tool_calls or () if call.custom or call.function],
    )
    if not isinstance(turn.content, list) and any(place != (0, 0) for place, _ in thoughts):
        said = in_order(turn.content or "", calls, thoughts)
        blocks = [piece[0] if not isinstance(piece, str) else text_block(piece) for piece in said if _says(piece)]
    else:
        blocks = [*(thought for _, thought in thoughts), *texts]
        if not texts and turn.refusal:
            blocks.append(text_block(turn.refusal))
        blocks += calls
    if turn.function_call is not None:
        name = turn.function_call.name or ""
        blocks.append(_tool_use(f"call_{name}", name, _arguments(turn.function_call.arguments)))
    return blocks


def _says(piece: object) -> bool:
    return not isinstance(piece, str) or bool(piece.strip())


def _use(call: Call) -> Block:
    if call.custom is not None:
        return _tool_use(call.id, call.custom.name, {"input": call.custom.input or ""})
    function = call.function or Function()
    return _tool_use(call.id, function.name, _arguments(function.arguments))


def _tool_use(call_id: str, name: str | None, made: object) -> Block:
    return {"type": "tool_use", "id": safe_id(call_id, _IDS), "name": name or "", "input": made}


def _arguments(text: str | None) -> object:
    """The arguments as an object. What a model left half written is kept as text."""
    if not text or not text.strip():
        return {}
    try:
        _decode_object(text)
    except UNDECODABLE:
        return {"arguments": text}
    return Raw(text.encode())


def _add_result(conversation: Conversation, turn: Turn, blocks: list[Block]) -> None:
    """Results stand before everything else in their turn."""
    call_id = turn.tool_call_id or f"call_{turn.name or ''}"
    result: Block = {"type": "tool_result", "tool_use_id": safe_id(call_id, _IDS)}
    mark = next((block.pop("cache_control") for block in blocks if "cache_control" in block), None)
    if blocks:
        plain = len(blocks) == 1 and blocks[0]["type"] == "text"
        result["content"] = blocks[0]["text"] if plain else blocks
    if mark is not None:
        result["cache_control"] = mark
    cached(result, turn)
    if conversation.turns and conversation.turns[-1].role == "user":
        content = conversation.turns[-1].content
        after = sum(1 for block in content if block["type"] == "tool_result")
        content.insert(after, result)
    else:
        conversation.turns.append(AnthropicTurn("user", [result]))


def _begin_and_end(conversation: Conversation) -> None:
    if not conversation.turns and conversation.system:
        conversation.turns, conversation.system = [AnthropicTurn("user", conversation.system)], []
    if conversation.turns and conversation.turns[0].role == "assistant":
        conversation.turns.insert(0, AnthropicTurn("user", [text_block(_NO_BEGINNING)]))
    if conversation.turns and conversation.turns[-1].role == "assistant":
        last = conversation.turns[-1].content[-1]
        if last["type"] == "text":
            last["text"] = str(last["text"]).rstrip()
