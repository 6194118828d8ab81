"""Edits a chat, by a row of constraints: what `conform` found amiss, and nothing else."""

from typing import Any, Final

import msgspec

from adapters.constraints.changes import Changes
from adapters.constraints.media import canonical_data_url
from adapters.constraints.order import gathered_systems, with_bridges, with_merged_roles
from adapters.constraints.rules import NOTHING, Constraints
from adapters.wire.billing import is_billed, without_billing_line
from adapters.wire.tool_schemas import input_schema
from domain.chat import ChatRequest, Message, Tool
from domain.payload import Payload

Json = dict[str, Any]  # opaque JSON

_INSTRUCTING: Final = frozenset({"system", "developer"})
_MARK: Final = "cache_control"
_SAYING: Final = ("refusal", "audio", "reasoning_content", "reasoning", "reasoning_details", "thinking_blocks")
"""What an assistant may say besides its text and its calls."""
TOP_MARKS: Final = frozenset({_MARK})
"""Parameters that are marks for a cache themselves."""

_encode = msgspec.json.Encoder().encode
_decode_list = msgspec.json.Decoder(list[Json]).decode
_decode_any = msgspec.json.Decoder().decode
_decode_messages = msgspec.json.Decoder(list[Message]).decode
_decode_tools = msgspec.json.Decoder(list[Tool]).decode


def edited_chat(
    payload: Payload[ChatRequest], row: Constraints, changes: Changes, lost: set[str], amiss: frozenset[str]
) -> Payload[ChatRequest]:
    """The payload with its `amiss` fields (`messages`, `tools`, `tool_choice`) edited.

    `lost` takes the names of what is left out.
    """
    fields = payload.fields
    edited: dict[str, msgspec.Raw] = {}
    values: dict[str, Any] = {}
    if "messages" in amiss:
        messages = _edited_messages(_decode_list(fields["messages"]), row, changes, lost)
        edited["messages"] = msgspec.Raw(_encode(messages))
        values["messages"] = _decode_messages(edited["messages"])
    if "tools" in amiss:
        tools = [_edited_tool(tool, row, changes, lost) for tool in _decode_list(fields["tools"])]
        edited["tools"] = msgspec.Raw(_encode(tools))
        values["tools"] = _decode_tools(edited["tools"])
    gone = amiss & TOP_MARKS
    lost |= gone
    if "tool_choice" in amiss:
        choice = _decode_any(fields["tool_choice"])
        changes.names_in(choice, row.tool_names)
        edited["tool_choice"] = msgspec.Raw(_encode(choice))
        values["tool_choice"] = msgspec.json.decode(edited["tool_choice"], type=dict[str, msgspec.Raw])
    value = msgspec.structs.replace(payload.value, **values)
    kept = {name: raw for name, raw in fields.items() if name not in gone}
    return msgspec.structs.replace(payload, value=value, fields=kept | edited)


def _edited_messages(messages: list[Json], row: Constraints, changes: Changes, lost: set[str]) -> list[Json]:
    kept = [message for message in messages if _edit_message(message, row, changes, lost)]
    if row.systems == "first":
        kept = gathered_systems(kept)
    if row.equal_roles == "merged":
        kept = with_merged_roles(kept)
    if row.after_tool == "assistant":
        kept = with_bridges(kept)
    if row.texts == "strings":
        for message in kept:
            message["content"] = _as_string(message.get("content"))
    return kept


def _edit_message(message: Json, row: Constraints, changes: Changes, lost: set[str]) -> bool:
    """Whether anything of the message is left to send."""
    place = "system" if message["role"] in _INSTRUCTING else "messages"
    parts = message.get("content")
    marked = [message, *(parts if isinstance(parts, list) else ())]
    if place not in row.cache_marks:
        for holder in marked:
            if holder.pop(_MARK, None) is not None:
                lost.add(_MARK)
    if row.image_types == "registered":
        for part in marked[1:]:
            _register(part)
    for call in message.get("tool_calls") or ():
        call["id"] = changes.call_id(call.get("id") or "", row.call_ids)
        for kind in ("function", "custom"):
            if isinstance(call.get(kind), dict) and isinstance(call[kind].get("name"), str):
                call[kind]["name"] = changes.name(call[kind]["name"], row.tool_names)
        if row.foreign_thoughts == "removed" and call.pop("extra_content", None) is not None:
            lost.add("messages.extra_content")
    if isinstance(message.get("tool_call_id"), str):
        message["tool_call_id"] = changes.call_id(message["tool_call_id"], row.call_ids)
    if message["role"] in {"tool", "function"} and isinstance(message.get("name"), str):
        message["name"] = changes.name(message["name"], row.tool_names)
    if row.billing_line == "removed" and place == "system" and not _unbill(message):
        return False
    return row.empty == "kept" or _fill(message)


def _register(part: Json) -> None:
    file = part.get("file")
    if isinstance(file, dict) and isinstance(file.get("file_data"), str):
        file["file_data"] = canonical_data_url(file["file_data"])
    image = part.get("image_url")
    if isinstance(image, str):
        part["image_url"] = canonical_data_url(image)
    elif isinstance(image, dict) and isinstance(image.get("url"), str):
        image["url"] = canonical_data_url(image["url"])


def _unbill(message: Json) -> bool:
    content = message.get("content")
    if isinstance(content, str):
        message["content"] = without_billing_line(content)
        return bool(message["content"]) or not content
    parts: list[Json] = content or []
    for part in parts:
        if part.get("type") == "text" and is_billed(part.get("text") or ""):
            part["text"] = without_billing_line(part["text"])
    message["content"] = [part for part in parts if part.get("text") != ""]
    return bool(message["content"])


def _fill(message: Json) -> bool:
    """Blank texts go; of a user who said nothing something must be left, and of others nothing."""
    content = message.get("content")
    if isinstance(content, list):
        message["content"] = content = [
            part for part in content if part.get("type") != "text" or _says(part.get("text"))
        ]
        says = bool(content)
    else:
        says = _says(content)
    if says or message.get("tool_calls") or message.get("function_call") or message["role"] in {"tool", "function"}:
        return True
    if any(message.get(name) for name in _SAYING):
        return True
    message["content"] = NOTHING
    return bool(message["role"] == "user")


def _says(text: object) -> bool:
    return isinstance(text, str) and bool(text) and not text.isspace()


def _as_string(content: object) -> object:
    """Texts alone as one; nothing as an empty one."""
    if content is None:
        return ""
    if isinstance(content, list) and all(part.get("type") == "text" for part in content):
        return "\n\n".join(part.get("text") or "" for part in content)
    return content


def _edited_tool(tool: Json, row: Constraints, changes: Changes, lost: set[str]) -> Json:
    function = tool.get("function")
    for holder in (tool, function):
        if isinstance(holder, dict) and "tools" not in row.cache_marks and holder.pop(_MARK, None) is not None:
            lost.add(_MARK)
    if isinstance(function, dict):
        function["name"] = changes.name(function["name"], row.tool_names)
        if row.tool_schemas != "any" and function.get("parameters") is not None:
            function["parameters"] = input_schema(function["parameters"])
    return tool
