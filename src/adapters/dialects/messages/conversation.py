"""A message's turns as a chat's, in the order a chat wants them."""

from collections.abc import Sequence

import msgspec

from adapters.dialects.messages.blocks import Block, is_cached, is_told, read_blocks, wrong
from adapters.dialects.messages.parts import Part, parts_of, plain, result_text
from adapters.wire.carried_extras import unpack
from domain.inference import Json
from domain.messages import MessageParam

ChatMessage = dict[str, object]

_BILLING = "x-anthropic-billing-header:"
"""Claude Code's first system block counts requests for Anthropic; no other model should read it."""

_IN_SYSTEM_TURNS = frozenset({"tool_addition", "tool_removal"})  # they change the tools, and are read there

_encode = msgspec.json.Encoder().encode


def chat_messages(
    system: str | Sequence[Json] | None, turns: Sequence[MessageParam], lost: set[str], *, extras: bool = False
) -> list[ChatMessage]:
    """`lost` takes the names of what has no place in a chat. Raises `UpstreamFailure` as its parts do.

    With `extras` calls get back what a provider had hung on them; others than that provider may refuse it.
    """
    messages: list[ChatMessage] = []
    told = _system_text(read_blocks(system, "system"), lost)
    if told:
        messages.append({"role": "system", "content": told})
    for turn in turns:
        blocks = read_blocks(turn.content)
        if turn.role == "assistant":
            messages.append(_assistant(blocks, lost, extras=extras))
        elif turn.role == "system":
            told = _system_text([block for block in blocks if block.type not in _IN_SYSTEM_TURNS], lost)
            messages += [{"role": "system", "content": told}] if told else []
        else:
            messages += _user(blocks, lost)
    return messages


def _system_text(blocks: Sequence[Block], lost: set[str]) -> str:
    if blocks and (blocks[0].text or "").startswith(_BILLING):
        blocks = blocks[1:]
    if any(is_cached(block) for block in blocks):
        lost.add("cache_control")
    return "\n".join(block.text for block in blocks if block.type == "text" and block.text)


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
            raise wrong("A tool result needs the `tool_use_id` of its call", "messages")
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
    if calls:
        message["tool_calls"] = calls
    return message


def _call(block: Block, extra: Json | None) -> dict[str, object]:
    if not block.id or not block.name:
        raise wrong("A tool use needs an `id` and a `name`", "messages")
    arguments = bytes(block.input) if is_told(block.input) else b"{}"
    function = {"name": block.name, "arguments": msgspec.json.format(arguments, indent=-1).decode()}
    call: dict[str, object] = {"id": block.id, "type": "function", "function": function}
    return call if extra is None else call | {"extra_content": extra}
