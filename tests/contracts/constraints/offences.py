"""For each rule a conversation that breaks it, said once, and written as each ingress has it."""

from typing import Any, Final

Json = dict[str, Any]

NAME: Final = "mcp.server/tool:" + "x" * 120
IDS: Final = ("functions.get_weather:0", "toolu_" + "y" * 70)
PNG: Final = "iVBORw0KGgo="
BILLING: Final = "x-anthropic-billing-header: cc_version=1; cch=71fea;"
MARK: Final = {"cache_control": {"type": "ephemeral"}}
FOREIGN: Final = "made-by-another"
INGRESSES: Final = ("chat", "messages", "responses")

_PLAIN_SCHEMA: Final = {"type": "object", "properties": {}}
_ALTERNATIVES: Final = {"anyOf": [{"type": "object", "properties": {"a": {"type": "string"}}}, {"type": "object"}]}


class Turn:
    """One thing said: by a `role` (`system`, `user`, `assistant`), a `call` of a tool, or its `result`."""

    def __init__(
        self, kind: str, *texts: str, call_id: str = "c1", name: str = "tool", extra: Json | None = None
    ) -> None:
        self.kind = kind
        self.texts = texts
        self.call_id = call_id
        self.name = name
        self.extra = extra or {}


_TALK: Final = (Turn("user", "u1"), Turn("call"), Turn("result", "r1"))

OFFENCES: Final[dict[str, tuple[Turn, ...]]] = {
    "tool_names": (Turn("user", "u1"), Turn("call", name=NAME), Turn("result", "r1", name=NAME)),
    "call_ids": (
        Turn("user", "u1"),
        Turn("call", call_id=IDS[0]),
        Turn("result", "r1", call_id=IDS[0]),
        Turn("call", call_id=IDS[1]),
        Turn("result", "r2", call_id=IDS[1]),
    ),
    "systems": (
        Turn("system", "S1"),
        Turn("user", "u1"),
        Turn("system", "S2"),
        Turn("assistant", "a1"),
        Turn("user", "u2"),
    ),
    "equal_roles": (
        Turn("user", "u1"),
        Turn("user", "u2"),
        Turn("assistant", "a1"),
        Turn("call"),
        Turn("result", "r1"),
    ),
    "after_tool": (*_TALK, Turn("user", "u2")),
    "texts": (Turn("system", "S1", "S2"), Turn("user", "u1", "u2"), Turn("call"), Turn("result", "r1", "r2")),
    "image_types": (Turn("image", f"data:image/JPG;base64,{PNG}"),),
    "empty": (
        Turn("user", "u1"),
        Turn("assistant", ""),
        Turn("user", "", " "),
        Turn("assistant", "a1"),
        Turn("user", ""),
    ),
    "cache_marks": (Turn("system", "S1", extra=MARK), Turn("user", "u1", extra=MARK), *_TALK[1:]),
    "tool_schemas": _TALK,
    "billing_line": (Turn("system", f"{BILLING}\nS1"), Turn("user", "u1")),
    "foreign_thoughts": (Turn("user", "u1"), Turn("thought"), Turn("call"), Turn("result", "r1")),
    "betas": (Turn("user", "u1"),),
}
"""`response_call_ids` is `call_ids` for an upstream's own Responses."""

INEXPRESSIBLE: Final = {
    ("cache_marks", "responses"): "Responses has no place for a mark",
    ("betas", "chat"): "beta names are Anthropic's",
    ("betas", "responses"): "beta names are Anthropic's",
}
"""What an ingress has no words for."""


def body_of(rule: str, ingress: str) -> Json:
    """The offending request, as a client of this ingress sends it."""
    turns = OFFENCES[rule]
    tool = _tool(rule, ingress)
    if ingress == "chat":
        called = any(turn.kind == "call" for turn in turns)
        return {"messages": [_chat(turn) for turn in turns], **({"tools": [tool]} if called else {})}
    if ingress == "messages":
        first = turns[0] if turns[0].kind == "system" else None
        body: Json = {"max_tokens": 99, "tools": [tool]}
        if first is not None:
            body["system"] = _blocks(first) if len(first.texts) > 1 or first.extra else first.texts[0]
        return body | {"messages": [_message(turn) for turn in turns if turn is not first]}
    return {"store": False, "tools": [tool], "input": [item for turn in turns for item in _items(turn)]}


def _tool(rule: str, ingress: str) -> Json:
    name = NAME if rule == "tool_names" else "tool"
    schema = _ALTERNATIVES if rule == "tool_schemas" else _PLAIN_SCHEMA
    mark = MARK if rule == "cache_marks" else {}
    if ingress == "chat":
        return {"type": "function", "function": {"name": name, "description": "d", "parameters": schema}, **mark}
    if ingress == "messages":
        beta = {"defer_loading": True, "eager_input_streaming": True} if rule == "betas" else {}
        return {"name": name, "description": "d", "input_schema": schema, **mark, **beta}
    return {"type": "function", "name": name, "description": "d", "parameters": schema}


def _chat(turn: Turn) -> Json:
    if turn.kind == "call":
        call = {"id": turn.call_id, "type": "function", "function": {"name": turn.name, "arguments": "{}"}}
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    if turn.kind == "thought":
        call = {"id": "c0", "type": "function", "function": {"name": "tool", "arguments": "{}"}}
        signed = {"google": {"thought_signature": FOREIGN}}
        return {
            "role": "assistant",
            "content": "a1",
            "tool_calls": [call | {"extra_content": signed}],
            "thinking_blocks": [{"type": "thinking", "thinking": FOREIGN, "signature": ""}],
        }
    if turn.kind == "result":
        content = [{"type": "text", "text": text} for text in turn.texts] if len(turn.texts) > 1 else turn.texts[0]
        return {"role": "tool", "tool_call_id": turn.call_id, "content": content}
    if turn.kind == "image":
        return {"role": "user", "content": [{"type": "image_url", "image_url": {"url": turn.texts[0]}}]}
    if len(turn.texts) == 1 and not turn.extra:
        return {"role": turn.kind, "content": turn.texts[0]}
    return {"role": turn.kind, "content": [{"type": "text", "text": text, **turn.extra} for text in turn.texts]}


def _message(turn: Turn) -> Json:
    if turn.kind == "call":
        return {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": turn.call_id, "name": turn.name, "input": {}}],
        }
    if turn.kind == "thought":
        return {"role": "assistant", "content": [{"type": "thinking", "thinking": FOREIGN, "signature": ""}]}
    if turn.kind == "result":
        content: Any = _blocks(turn) if len(turn.texts) > 1 else turn.texts[0]
        return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": turn.call_id, "content": content}]}
    if turn.kind == "image":
        media_type, _, data = turn.texts[0].removeprefix("data:").partition(";base64,")
        source = {"type": "base64", "media_type": media_type, "data": data}
        return {"role": "user", "content": [{"type": "image", "source": source}]}
    return {"role": turn.kind, "content": _blocks(turn) if len(turn.texts) > 1 or turn.extra else turn.texts[0]}


def _blocks(turn: Turn) -> list[Json]:
    return [{"type": "text", "text": text, **turn.extra} for text in turn.texts]


def _items(turn: Turn) -> list[Json]:
    if turn.kind == "call":
        return [{"type": "function_call", "call_id": turn.call_id, "name": turn.name, "arguments": "{}"}]
    if turn.kind == "result":
        return [{"type": "function_call_output", "call_id": turn.call_id, "output": "\n".join(turn.texts)}]
    if turn.kind == "thought":
        return [{"type": "reasoning", "summary": [], "encrypted_content": f"omg-of:elsewhere:{FOREIGN}"}]
    if turn.kind == "image":
        return [{"role": "user", "content": [{"type": "input_image", "image_url": turn.texts[0]}]}]
    kind = "output_text" if turn.kind == "assistant" else "input_text"
    return [{"role": turn.kind, "content": [{"type": kind, "text": text} for text in turn.texts]}]
