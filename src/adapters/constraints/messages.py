"""A request in Anthropic's own words made to follow a row of constraints.

Claude Code's conversations are long and nearly always right: they are looked at in one pass, and what follows the row
goes on byte for byte, which keeps Anthropic's cache and the signatures of its thoughts. What cannot be read is left for
Anthropic to refuse in its own words.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from adapters.constraints.changes import Changes, misfit
from adapters.constraints.media import true_type
from adapters.constraints.rules import BETA_FIELDS, BETA_PARAMS, NOTHING, Constraints, MarkPlace
from adapters.wire.billing import is_billed, without_billing_line
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.signatures import MARK
from adapters.wire.tool_schemas import input_schema, is_plain_object
from domain.messages import MessageParam, MessagesRequest
from domain.payload import Payload

Json = dict[str, Any]  # opaque JSON
Headers = tuple[tuple[str, str], ...]

BETA_HEADER: Final = "anthropic-beta"

_TOOL_FIELDS: Final = ("defer_loading", "input_examples", "allowed_callers", "eager_input_streaming")
_NAME_FIELDS: Final = {"tool_use": "name", "tool_reference": "tool_name"}


class _Source(msgspec.Struct):
    media_type: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")  # never copied: it may be most of a large body


class _Block(msgspec.Struct):
    type: str = ""
    id: str | None = None
    tool_use_id: str | None = None
    name: str | None = None
    tool_name: str | None = None
    text: str | None = None
    signature: str | None = None
    data: str | None = None
    source: _Source | str | None = None
    content: "str | list[_Block] | dict[str, msgspec.Raw] | None" = None


class _Turn(msgspec.Struct):
    role: str = ""
    content: str | list[_Block] = ""
    output_config: msgspec.Raw = msgspec.Raw()


class _Tool(msgspec.Struct):
    type: str | None = None
    name: str | None = None
    input_schema: dict[str, msgspec.Raw] | None = None


_NULL: Final = msgspec.Raw(b"null")

_decode_turns = msgspec.json.Decoder(list[_Turn]).decode
_decode_tools = msgspec.json.Decoder(list[_Tool]).decode
_decode_list = msgspec.json.Decoder(list[Json]).decode
_decode_any = msgspec.json.Decoder().decode
_decode_params = msgspec.json.Decoder(list[MessageParam]).decode
_decode_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def known_betas(row: Constraints, headers: Headers) -> Headers:
    """The client's headers with those beta names alone that the target takes."""
    if row.betas is None:
        return headers
    kept = []
    for name, value in headers:
        if name != BETA_HEADER:
            kept.append((name, value))
        elif betas := [beta for listed in value.split(",") if (beta := listed.strip()) in row.betas]:
            kept.append((name, ",".join(betas)))
    return tuple(kept)


def _unknown(row: Constraints, headers: Headers) -> frozenset[str]:
    """What the target does not know of, beside the beta names that are sent."""
    if row.betas is None:
        return frozenset()
    sent = {beta.strip() for name, value in headers if name == BETA_HEADER for beta in value.split(",")}
    return frozenset(name for name, betas in (BETA_FIELDS | BETA_PARAMS).items() if betas.isdisjoint(sent))


def conform_messages(
    payload: Payload[MessagesRequest], row: Constraints, headers: Headers, changes: Changes, lost: set[str]
) -> Payload[MessagesRequest]:
    """The same payload where nothing is amiss. `headers` are those that are sent; `lost` takes what is left out."""
    fields = payload.fields
    edited: dict[str, msgspec.Raw] = {}
    unknown = _unknown(row, headers)
    if gone := [name for name in BETA_PARAMS if name in unknown and name in fields]:
        lost.update(name for name in gone if fields[name] != _NULL)
        fields = {name: raw for name, raw in fields.items() if name not in gone}
        payload = msgspec.structs.replace(payload, fields=fields)
    edit = _Edit(row, unknown, changes, lost)
    try:
        if "system" in fields and edit.system_amiss(fields["system"]):
            edited["system"] = msgspec.Raw(_encode(edit.system(_decode_any(fields["system"]))))
        if "tools" in fields and edit.tools_amiss(fields["tools"]):
            edited["tools"] = msgspec.Raw(_encode([edit.tool(tool) for tool in _decode_list(fields["tools"])]))
        if "tool_choice" in fields and edit.choice_amiss(payload.value.tool_choice):
            edited["tool_choice"] = msgspec.Raw(_encode(edit.choice(_decode_any(fields["tool_choice"]))))
        if edit.turns_amiss(fields["messages"]):
            turns = [turn for turn in _decode_list(fields["messages"]) if edit.turn(turn)]
            edited["messages"] = msgspec.Raw(_encode(turns))
            if edit.moved:
                before = _decode_any(edited.get("system", fields.get("system", _NULL)))
                edited["system"] = msgspec.Raw(_encode([*_as_blocks(before), *edit.moved]))
        if "scope" in unknown and b'"scope"' in bytes(fields.get("cache_control", b"")):
            edited["cache_control"] = msgspec.Raw(_encode(edit.mark(_decode_any(fields["cache_control"]))))
    except UNDECODABLE:
        return payload
    if not edited:
        return payload
    return msgspec.structs.replace(payload, value=_value(payload.value, edited), fields=fields | edited)


def _value(request: MessagesRequest, edited: dict[str, msgspec.Raw]) -> MessagesRequest:
    values: dict[str, Any] = {}
    if "messages" in edited:
        values["messages"] = _decode_params(edited["messages"])
    if "tools" in edited:
        values["tools"] = _decode_raws(edited["tools"])
    if "tool_choice" in edited:
        values["tool_choice"] = _decode_fields(edited["tool_choice"])
    if "system" in edited:
        values["system"] = msgspec.json.decode(edited["system"], type=str | list[msgspec.Raw])
    return msgspec.structs.replace(request, **values)


class _Edit:
    """One request held to one row. `unknown` are the fields of `BETA_FIELDS` that the target does not know now."""

    def __init__(self, row: Constraints, unknown: frozenset[str], changes: Changes, lost: set[str]) -> None:
        self._row = row
        self._unknown = unknown
        self._changes = changes
        self._lost = lost
        self.moved: list[Json] = []  # what system turns said, where they may not stand

    def system_amiss(self, raw: msgspec.Raw) -> bool:
        text = bytes(raw)
        billed = self._row.billing_line == "removed" and b"billing-header:" in text[:4096]
        return (
            billed
            or self._marked(text, "system")
            or (self._row.empty == "filled" and text.startswith(b"[") and _blank_in(text))
        )

    def tools_amiss(self, raw: msgspec.Raw) -> bool:
        text, row = bytes(raw), self._row
        if self._marked(text, "tools") or any(
            f'"{name}"'.encode() in text for name in _TOOL_FIELDS if name in self._unknown
        ):
            return True
        own = [tool for tool in _decode_tools(raw) if tool.type in (None, "custom")]
        if misfit((tool.name for tool in own), row.tool_names):
            return True
        return row.tool_schemas == "object" and any(not is_plain_object(tool.input_schema) for tool in own)

    def choice_amiss(self, choice: dict[str, msgspec.Raw] | None) -> bool:
        name = _decode_any(choice["name"]) if choice and "name" in choice else None
        return isinstance(name, str) and misfit((name,), self._row.tool_names)

    def turns_amiss(self, raw: msgspec.Raw) -> bool:
        if self._marked(bytes(raw), "messages"):
            return True
        ids: list[str | None] = []
        names: list[str | None] = []
        if any(self._turn_amiss(turn, ids, names) for turn in _decode_turns(raw)):
            return True
        return misfit(ids, self._row.call_ids) or misfit(names, self._row.tool_names)

    def _marked(self, text: bytes, place: MarkPlace) -> bool:
        """Whether a mark for the cache, or its scope, is more than what is taken there."""
        if b'"cache_control"' not in text:
            return False
        return place not in self._row.cache_marks or ("scope" in self._unknown and b'"scope"' in text)

    def _turn_amiss(self, turn: _Turn, ids: list[str | None], names: list[str | None]) -> bool:
        if "output_config" in self._unknown and bytes(turn.output_config):
            return True
        if turn.role == "system":
            return self._row.systems == "first"
        if isinstance(turn.content, str):
            return self._row.empty == "filled" and not turn.content.strip()
        return (self._row.empty == "filled" and not turn.content) or self._blocks_amiss(turn.content, ids, names)

    def _blocks_amiss(self, blocks: Iterable[_Block], ids: list[str | None], names: list[str | None]) -> bool:
        """Whether a block is no good by itself; ids and names are collected, to be looked at together."""
        row = self._row
        for block in blocks:
            if block.type == "text":
                if row.empty == "filled" and not (block.text or "").strip():
                    return True
            elif block.type in {"tool_use", "tool_result", "tool_reference"}:
                ids += (block.id, block.tool_use_id)
                names += (block.name, block.tool_name)
                if isinstance(block.content, list) and self._blocks_amiss(block.content, ids, names):
                    return True
            else:
                foreign = row.foreign_thoughts == "removed" and _is_foreign(block.type, block.signature, block.data)
                if foreign or (row.image_types == "registered" and _is_odd(block.source)):
                    return True
        return False

    def system(self, system: Any) -> Any:
        if isinstance(system, str):
            return without_billing_line(system) if self._row.billing_line == "removed" else system
        kept = []
        for block in system:
            text = block.get("text")
            if isinstance(text, str) and self._row.billing_line == "removed" and is_billed(text):
                block["text"] = text = without_billing_line(text)
                if not text:
                    continue
            if self._row.empty == "filled" and block.get("type") == "text" and not (text or "").strip():
                continue
            self._unmark(block, "system")
            kept.append(block)
        return kept

    def tool(self, tool: Json) -> Json:
        for name in _TOOL_FIELDS:
            if name in self._unknown and tool.pop(name, None) is not None:
                self._lost.add(f"tools.{name}")
        self._unmark(tool, "tools")
        if tool.get("type") in (None, "custom"):
            tool["name"] = self._changes.name(tool.get("name") or "", self._row.tool_names)
            if self._row.tool_schemas == "object" and not _is_plain(tool.get("input_schema")):
                tool["input_schema"] = input_schema(tool["input_schema"])
        return tool

    def choice(self, choice: Json) -> Json:
        return choice | {"name": self._changes.name(choice["name"], self._row.tool_names)}

    def turn(self, turn: Json) -> bool:
        """Whether anything of the turn is left."""
        if "output_config" in self._unknown and turn.pop("output_config", None) is not None:
            self._lost.add("messages.output_config")
            if turn.get("role") == "system" and not turn.get("content"):
                return False
        content = turn.get("content")
        if turn.get("role") == "system":
            return self._system_turn(content)
        if isinstance(content, str):
            if self._row.empty == "kept" or content.strip():
                return True
        else:
            turn["content"] = content = self._blocks(content or [])
            if content or self._row.empty == "kept":
                return bool(content)
        turn["content"] = NOTHING
        return turn.get("role") == "user"

    def _system_turn(self, content: Any) -> bool:
        """Whether it may stand where it stands. Else its texts are moved; changes of tools have no other place."""
        blocks = _as_blocks(content)
        if self._row.systems == "anywhere":
            for block in blocks if isinstance(content, list) else ():
                self._unmark(block, "messages")
            return True
        for block in blocks:
            self._unmark(block, "system")
            if block.get("type") != "text":
                self._lost.add(f"messages.{block.get('type')}")
            elif (block.get("text") or "").strip():
                self.moved.append(block)
        return False

    def _blocks(self, blocks: list[Json]) -> list[Json]:
        return [block for block in blocks if self._keep(block)]

    def _keep(self, block: Json) -> bool:
        kind, row = block.get("type"), self._row
        self._unmark(block, "messages")
        if kind == "text":
            return row.empty == "kept" or bool((block.get("text") or "").strip())
        if row.foreign_thoughts == "removed" and _is_foreign(kind, block.get("signature"), block.get("data")):
            self._lost.add("messages.thinking")
            return False
        if kind in {"tool_use", "tool_result", "tool_reference"}:
            for name in ("id", "tool_use_id"):
                if isinstance(block.get(name), str):
                    block[name] = self._changes.call_id(block[name], row.call_ids)
            named = _NAME_FIELDS.get(kind, "")
            if isinstance(block.get(named), str):
                block[named] = self._changes.name(block[named], row.tool_names)
            self._result(block)
        source = block.get("source")
        if row.image_types == "registered" and isinstance(source, dict) and isinstance(source.get("media_type"), str):
            source["media_type"] = true_type(source["media_type"], str(source.get("data") or "")[:16])
        return True

    def _result(self, block: Json) -> None:
        """Of a result of nothing the content is left out."""
        if isinstance(block.get("content"), list):
            block["content"] = self._blocks(block["content"])
            if not block["content"]:
                del block["content"]

    def _unmark(self, holder: Json, place: MarkPlace) -> None:
        if not isinstance(holder.get("cache_control"), dict):
            return
        if place in self._row.cache_marks:
            holder["cache_control"] = self.mark(holder["cache_control"])
        else:
            del holder["cache_control"]
            self._lost.add("cache_control")

    def mark(self, mark: Json) -> Json:
        """A cache mark without the scope that the target does not know."""
        if "scope" in self._unknown and mark.pop("scope", None) is not None:
            self._lost.add("cache_control.scope")
        return mark


def _is_odd(source: _Source | str | None) -> bool:
    """Whether the image's type is written otherwise than it is registered, or is another."""
    if not isinstance(source, _Source) or source.media_type is None:
        return False
    begun = bytes(memoryview(source.data)[1:17]).decode(errors="replace")
    return true_type(source.media_type, begun) != source.media_type


def _is_foreign(kind: object, signature: object, data: object) -> bool:
    """Whether these are thoughts that Anthropic never signed: another provider's, or none that it could read."""
    if kind == "redacted_thinking":
        return not isinstance(data, str) or not data or data.startswith(MARK)
    return kind == "thinking" and (not isinstance(signature, str) or not signature or signature.startswith(MARK))


def _as_blocks(content: Any) -> list[Json]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return list(content or ())


def _is_plain(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return True
    return is_plain_object({name: msgspec.Raw(_encode(value)) for name, value in schema.items()})


def _blank_in(text: bytes) -> bool:
    return any(block.get("type") == "text" and not (block.get("text") or "").strip() for block in _decode_list(text))
