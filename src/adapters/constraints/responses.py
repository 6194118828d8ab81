"""A request for an upstream's own Responses API made to follow a row of constraints.

Thoughts that a provider encrypted are read by it alone, and refused by every other ("could not be verified"). Who made
them is told by a mark that the gateway puts before them on the way to the client, and takes off on the way back; what
another provider made stays here. Source: BerriAI/litellm#22651, alibaba/higress#3841 (read 2026-11).
"""

from typing import Any, Final

import msgspec

from adapters.constraints.changes import Changes, misfit
from adapters.constraints.media import canonical_data_url, is_odd_data_url
from adapters.constraints.rules import Constraints
from adapters.wire.billing import is_billed, without_billing_line
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.sift import unsupported
from adapters.wire.signatures import MARK
from adapters.wire.tool_schemas import input_schema, is_plain_object
from domain.payload import Payload
from domain.responses import ResponsesRequest

Json = dict[str, Any]  # opaque JSON

_OWNED: Final = "omg-of:"
_INSTRUCTING: Final = frozenset({"system", "developer"})
_NAMED: Final = frozenset({"function_call", "custom_tool_call"})


class _Part(msgspec.Struct):
    type: str = ""
    text: str | None = None
    image_url: str | None = None


class _Item(msgspec.Struct):
    type: str = "message"
    role: str | None = None
    call_id: str | None = None
    name: str | None = None
    encrypted_content: str | None = None
    content: str | list[_Part] | None = None


class _Tool(msgspec.Struct):
    type: str = ""
    name: str | None = None
    parameters: dict[str, msgspec.Raw] | None = None
    tools: "list[_Tool] | None" = None  # of a namespace


_decode_items = msgspec.json.Decoder(list[_Item]).decode
_decode_tools = msgspec.json.Decoder(list[_Tool]).decode
_decode_list = msgspec.json.Decoder(list[Json]).decode
_decode_any = msgspec.json.Decoder().decode
_decode_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def owner_mark(provider_id: str) -> str:
    """What stands before thoughts that this provider encrypted. Example: `omg-of:openai:gAAAA…`."""
    return f"{_OWNED}{provider_id}:"


def conform_responses(
    payload: Payload[ResponsesRequest], row: Constraints, provider_id: str, changes: Changes, lost: set[str]
) -> Payload[ResponsesRequest]:
    """The same payload where nothing is amiss.

    Raises `UNSUPPORTED` for a compacted conversation that another provider encrypted: without it nothing is left.
    """
    fields = payload.fields
    edited: dict[str, msgspec.Raw] = {}
    edit = _Edit(row, owner_mark(provider_id), changes, lost)
    try:
        if row.billing_line == "removed" and is_billed(payload.value.instructions or ""):
            edited["instructions"] = msgspec.Raw(_encode(without_billing_line(payload.value.instructions or "")))
        if isinstance(payload.value.input, list) and edit.items_amiss(fields["input"]):
            items = [item for item in _decode_list(fields["input"]) if edit.item(item)]
            if row.systems == "first":
                items = _without_instructions(items, payload.value.instructions, edited)
            edited["input"] = msgspec.Raw(_encode(items))
        if payload.value.tools and edit.tools_amiss(fields["tools"]):
            edited["tools"] = msgspec.Raw(_encode([edit.tool(tool) for tool in _decode_list(fields["tools"])]))
        if isinstance(payload.value.tool_choice, dict) and changes.names_in(
            choice := _decode_any(fields["tool_choice"]), row.tool_names
        ):
            edited["tool_choice"] = msgspec.Raw(_encode(choice))
    except UNDECODABLE:
        return payload
    if not edited:
        return payload
    return msgspec.structs.replace(payload, value=_value(payload.value, edited), fields=fields | edited)


def _value(request: ResponsesRequest, edited: dict[str, msgspec.Raw]) -> ResponsesRequest:
    values: dict[str, Any] = {name: _decode_raws(edited[name]) for name in ("input", "tools") if name in edited}
    if "tool_choice" in edited:
        values["tool_choice"] = _decode_fields(edited["tool_choice"])
    if "instructions" in edited:
        values["instructions"] = _decode_any(edited["instructions"])
    return msgspec.structs.replace(request, **values)


class _Edit:
    """One request held to one row."""

    def __init__(self, row: Constraints, owner: str, changes: Changes, lost: set[str]) -> None:
        self._row = row
        self._owner = owner
        self._changes = changes
        self._lost = lost

    def items_amiss(self, raw: msgspec.Raw) -> bool:
        row = self._row
        for index, item in enumerate(_decode_items(raw)):
            if item.encrypted_content is not None and item.encrypted_content.startswith((_OWNED, MARK)):
                return True
            if misfit((item.call_id,), row.response_call_ids):
                return True
            if item.type in _NAMED and misfit((item.name,), row.tool_names):
                return True
            if item.role in _INSTRUCTING and ((row.systems == "first" and index) or self._billed(item.content)):
                return True
            parts = item.content if isinstance(item.content, list) and row.image_types == "registered" else ()
            if any(part.image_url is not None and is_odd_data_url(part.image_url) for part in parts):
                return True
        return False

    def _billed(self, content: str | list[_Part] | None) -> bool:
        if self._row.billing_line == "kept" or not content:
            return False
        return is_billed(content if isinstance(content, str) else content[0].text or "")

    def item(self, item: Json) -> bool:
        """Whether the item is to be sent."""
        encrypted = item.get("encrypted_content")
        if isinstance(encrypted, str) and encrypted.startswith((_OWNED, MARK)):
            if not encrypted.startswith(self._owner):
                if item.get("type") != "reasoning":
                    raise unsupported("input", "another provider encrypted the conversation so far")
                self._lost.add("input.reasoning")
                return False
            item["encrypted_content"] = encrypted.removeprefix(self._owner)
        if isinstance(item.get("call_id"), str):
            item["call_id"] = self._changes.call_id(item["call_id"], self._row.response_call_ids)
        if item.get("type") in _NAMED and isinstance(item.get("name"), str):
            item["name"] = self._changes.name(item["name"], self._row.tool_names)
        content = item.get("content")
        if item.get("role") in _INSTRUCTING and self._row.billing_line == "removed":
            if isinstance(content, str):
                item["content"] = without_billing_line(content)
            elif content and is_billed(content[0].get("text") or ""):
                content[0]["text"] = without_billing_line(content[0]["text"])
        if self._row.image_types == "registered" and isinstance(content, list):
            for part in content:
                if isinstance(part.get("image_url"), str):
                    part["image_url"] = canonical_data_url(part["image_url"])
        return True

    def tools_amiss(self, raw: msgspec.Raw) -> bool:
        return any(self._tool_amiss(tool) for tool in _decode_tools(raw))

    def _tool_amiss(self, tool: _Tool) -> bool:
        if tool.tools is not None:
            return any(self._tool_amiss(inner) for inner in tool.tools)
        if tool.type in {"function", "custom"} and misfit((tool.name,), self._row.tool_names):
            return True
        named = self._row.tool_schemas == "properties"
        return self._row.tool_schemas != "any" and not is_plain_object(tool.parameters, properties=named)

    def tool(self, tool: Json) -> Json:
        if isinstance(tool.get("tools"), list):
            tool["tools"] = [self.tool(inner) for inner in tool["tools"]]
            return tool
        if tool.get("type") in {"function", "custom"} and isinstance(tool.get("name"), str):
            tool["name"] = self._changes.name(tool["name"], self._row.tool_names)
        if self._row.tool_schemas != "any" and tool.get("parameters") is not None:
            tool["parameters"] = input_schema(tool["parameters"])
        return tool


def _without_instructions(items: list[Json], instructions: str | None, edited: dict[str, msgspec.Raw]) -> list[Json]:
    """Those that stand among the items are said with the request's own, before everything."""
    said = _decode_any(edited["instructions"]) if "instructions" in edited else instructions
    texts = [said] if said else []
    others = []
    for item in items:
        text = _text(item.get("content")) if item.get("role") in _INSTRUCTING else None
        if text is None:
            others.append(item)
        elif text:
            texts.append(text)
    if texts:
        edited["instructions"] = msgspec.Raw(_encode("\n\n".join(texts)))
    return others


def _text(content: Any) -> str | None:
    """None for what is more than texts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or any(not isinstance(part.get("text"), str) for part in content):
        return None
    return "\n".join(part["text"] for part in content)
