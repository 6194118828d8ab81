"""The items of a Responses request's `input`, read as far as chat can carry them.

Source: openai-python 3.52 types; `type` may be absent of messages (Vercel's AI SDK) and of references (2026-11).
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from adapters.dialects.responses.complaints import invalid, not_over_chat
from adapters.wire.undecodable import UNDECODABLE
from domain.inference import Json


class Part(msgspec.Struct):
    """One part of a message's content, of a tool's output, or of a reasoning item."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    detail: str | None = None
    file_id: str | None = None
    file_data: str | None = None
    file_url: str | None = None
    filename: str | None = None
    input_audio: Json | UnsetType = UNSET
    prompt_cache_breakpoint: Json | UnsetType = UNSET


class Item(msgspec.Struct):
    """Any item that chat can carry; which fields are told depends on its type."""

    type: str | None = None
    id: str | None = None
    role: str = ""
    content: str | list[Part] | None = None
    call_id: str | None = None
    name: str = ""
    namespace: str | None = None
    arguments: str = ""
    input: str = ""
    output: str | list[Part] | None = None
    summary: list[Part] | None = None
    encrypted_content: str | None = None


class _Kind(msgspec.Struct):
    type: str | None = None
    role: str | None = None


CARRIED: Final = frozenset(
    {
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
    }
)
LEFT_OUT: Final = frozenset(
    {
        "web_search_call",
        "file_search_call",
        "code_interpreter_call",
        "image_generation_call",
        "mcp_list_tools",
        "mcp_call",
        "tool_search_call",
        "tool_search_output",
    }
)
"""What an upstream did with tools of its own: what came of it is in its message."""

_decode_kind = msgspec.json.Decoder(_Kind).decode
_decode_item = msgspec.json.Decoder(Item).decode


def read_items(given: str | Sequence[Json] | None) -> tuple[list[Item], list[str]]:
    """The items chat can carry, with their types, and what is left out (`input.web_search_call`).

    Raises `UpstreamFailure` for an item that is none, and for one that chat has nothing for.
    """
    if given is None:
        raise invalid("Missing required parameter: 'input'.", "input", "missing_required_parameter")
    if isinstance(given, str):
        return [Item("message", role="user", content=given)], []
    items: list[Item] = []
    left_out: list[str] = []
    for place, raw in enumerate(given):
        where = f"input.{place}"
        try:
            kind = _decode_kind(raw)
            type_ = kind.type or ("message" if kind.role else "item_reference")
            if type_ in CARRIED:
                item = _decode_item(raw)
                item.type = type_
                items.append(item)
                continue
        except UNDECODABLE as error:
            raise invalid(f"Invalid '{where}': {error}.", where, "invalid_type") from None
        if type_ not in LEFT_OUT:
            raise _not_carried(type_, where)
        left_out.append(f"input.{type_}")
    return items, left_out


def _not_carried(type_: str, where: str) -> Exception:
    if type_ == "item_reference":
        return not_over_chat(
            f"'{where}' refers to an item by its id, and no items are kept: send the items themselves "
            "(in OpenAI's clients `store: false`).",
            where,
            "unsupported_value",
        )
    return not_over_chat(f"'{where}' is an item of type '{type_}'.", where, "unsupported_value")
