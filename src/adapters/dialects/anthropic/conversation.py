"""Turns OpenAI's messages into Anthropic's `system` and turns.

Source: platform.claude.com Messages API, extended thinking, mid-conversation system messages (read 2026-11).
What always holds: the first turn is the user's; two turns of one role are one; the results of tool calls come
first in the user's turn after the calls; thoughts come first in the model's, and only those that are signed.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.dialects.anthropic.content import Block, blocks_of, cached, text_block
from adapters.dialects.anthropic.history import Raw, ThinkingBlock, Turn
from adapters.wire.chat_history import safe_id
from adapters.wire.undecodable import UNDECODABLE

_SYSTEM: Final = frozenset({"system", "developer"})
_RESULTS: Final = frozenset({"tool", "function"})
_NO_BEGINNING: Final = "(The conversation begins with the assistant.)"
_IDS = re.compile(r"[a-zA-Z0-9_-]+")

_decode_object = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_thinking = msgspec.json.Decoder(ThinkingBlock).decode


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

    def thoughtless_calls(self) -> bool:
        """Whether the results at the end answer calls that were made without thoughts to send back."""
        if len(self.turns) < 2 or not self.turns[-1].has("tool_result"):
            return False
        calling = next((turn for turn in reversed(self.turns) if turn.role == "assistant"), None)
        return calling is not None and not calling.has("thinking", "redacted_thinking")


def converse(history: Sequence[Turn], *, mid_system: bool, inline_only: bool) -> Conversation:
    """With `mid_system` the model takes system turns after a user's turn; all others go into `system`.

    Raises `UNSUPPORTED` or `CLIENT_FAULT` for content that cannot be carried over.
    """
    told = Conversation([], [])
    for place, turn in enumerate(history):
        param = f"messages.{place}"
        blocks = blocks_of(turn.content, param, inline_only=inline_only)
        if turn.role in _SYSTEM:
            _mark_last(blocks, turn)
            if mid_system and _may_stand(told, history[place + 1 :]):
                _add(told, "system", blocks)
            else:
                told.system.extend(blocks)
        elif turn.role in _RESULTS:
            _add_result(told, turn, blocks)
        else:
            if turn.role == "assistant":
                blocks = _answer(turn, blocks)
            _mark_last(blocks, turn)
            _add(told, turn.role, blocks)
    _begin_and_end(told)
    return told


def _may_stand(told: Conversation, rest: Sequence[Turn]) -> bool:
    """System turns stand after a user's turn, and before the model's or at the end."""
    following = next((turn.role for turn in rest if turn.role not in _SYSTEM), "assistant")
    return following == "assistant" and bool(told.turns) and told.turns[-1].role in {"user", "system"}


def _mark_last(blocks: list[Block], turn: Turn) -> None:
    if blocks:
        cached(blocks[-1], turn)


def _add(told: Conversation, role: str, blocks: list[Block]) -> None:
    if not blocks:
        return
    if told.turns and told.turns[-1].role == role:
        told.turns[-1].content.extend(blocks)
    else:
        told.turns.append(AnthropicTurn(role, blocks))


def _answer(turn: Turn, texts: list[Block]) -> list[Block]:
    blocks = [*_thoughts(turn), *texts]
    if not texts and turn.refusal:
        blocks.append(text_block(turn.refusal))
    for call in turn.tool_calls or ():
        if call.custom is not None:
            made: object = {"input": call.custom.input or ""}
            blocks.append(_tool_use(call.id, call.custom.name, made))
        elif call.function is not None:
            blocks.append(_tool_use(call.id, call.function.name, _arguments(call.function.arguments)))
    if turn.function_call is not None:
        name = turn.function_call.name or ""
        blocks.append(_tool_use(f"call_{name}", name, _arguments(turn.function_call.arguments)))
    return blocks


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


def _thoughts(turn: Turn) -> list[Block]:
    """Signed thoughts as they came; unsigned ones would be refused."""
    kept: list[Block] = []
    for raw in turn.thinking_blocks or ():
        try:
            block = _decode_thinking(raw)
            fields = _decode_object(raw)
        except UNDECODABLE:
            continue
        signed = block.type == "thinking" and block.signature
        if signed or (block.type == "redacted_thinking" and block.data):
            kept.append({**fields, "type": block.type})
    return kept


def _add_result(told: Conversation, turn: Turn, blocks: list[Block]) -> None:
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
    if told.turns and told.turns[-1].role == "user":
        content = told.turns[-1].content
        after = sum(1 for block in content if block["type"] == "tool_result")
        content.insert(after, result)
    else:
        told.turns.append(AnthropicTurn("user", [result]))


def _begin_and_end(told: Conversation) -> None:
    if not told.turns and told.system:
        told.turns, told.system = [AnthropicTurn("user", told.system)], []
    if told.turns and told.turns[0].role == "assistant":
        told.turns.insert(0, AnthropicTurn("user", [text_block(_NO_BEGINNING)]))
    if told.turns and told.turns[-1].role == "assistant":
        last = told.turns[-1].content[-1]
        if last["type"] == "text":
            last["text"] = str(last["text"]).rstrip()
