"""A conversation as Converse takes it: the system apart, roles alternating, a user first, no text blank.

Source: botocore 1.44.5 service model and the user guide (read 2026-11). A message that holds a document must hold a
text, too; the last assistant text may not end in white space.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from adapters.dialects.bedrock.blocks import Block, DocumentNames, cache_point, content_blocks
from adapters.dialects.bedrock.families import Family
from adapters.wire.chat_history import HistoryMessage, safe_id

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
    return system, [{"role": role, "content": _sound(role, blocks)} for role, blocks in _trimmed(turns)]


def _blocks(message: HistoryMessage, where: str, family: Family, names: DocumentNames) -> Iterator[Block]:
    if message.role in {"tool", "function"}:
        yield _tool_result(message, where, names)
        yield from (cache_point(part.cache_control) for part in message.parts if part.cache_control is not None)
        return
    if message.role == "assistant":
        yield from _thoughts(message, family)
    yield from content_blocks(message.parts, where, names)
    if message.role == "assistant":
        if not message.parts and message.refusal:
            yield {"text": message.refusal}
        for call in message.tool_calls or ():
            name = call.name if _NAME.fullmatch(call.name) else re.sub(r"[^a-zA-Z0-9_-]", "_", call.name)[:64] or "tool"
            yield {"toolUse": {"toolUseId": safe_id(call.id, _ID), "name": name, "input": call.arguments()}}


def _thoughts(message: HistoryMessage, family: Family) -> Iterator[Block]:
    """Only those that are signed, and only to those who signed: anything else is refused."""
    if not family.is_claude:
        return
    for block in message.thinking_blocks or ():
        if block.type == "redacted_thinking" and block.data:
            yield {"reasoningContent": {"redactedContent": block.data}}
        elif block.type == "thinking" and block.signature:
            yield {"reasoningContent": {"reasoningText": {"text": block.thinking, "signature": block.signature}}}


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


def _sound(role: str, blocks: list[Block]) -> list[Block]:
    """Results of tools first, as Claude wants them; a text beside each document."""
    if role == "user":
        blocks = [*(block for block in blocks if "toolResult" in block), *(b for b in blocks if "toolResult" not in b)]
    if any("document" in block for block in blocks) and not any("text" in block for block in blocks):
        blocks = [*blocks, {"text": "(see the document)"}]
    return blocks
