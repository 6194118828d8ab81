"""A whole message as the events that Anthropic streams it in.

Source: platform.claude.com, streaming messages (read 2026-11): text, thoughts and the input of tools come in deltas;
blocks of other types come whole in their start.
"""

import msgspec

from adapters.wire.call import PlainAnswer
from adapters.wire.replay import NULL, Fields, Replay, event, fields_on_one_line

_encode = msgspec.json.Encoder().encode
_EMPTY_TEXT = msgspec.Raw(b'""')
_ENDING = ("stop_reason", "stop_sequence", "stop_details", "container", "context_management")


def message_replay(answer: PlainAnswer) -> Replay:
    """`message_stop` is the ending."""
    message = fields_on_one_line(answer.body)
    end: Fields = {name: message.pop(name) for name in _ENDING if name in message}
    blocks = message.pop("content", NULL)
    usage = message.get("usage", NULL)
    counted: Fields = msgspec.json.decode(usage, type=Fields) if usage != NULL else {}
    start: dict[str, object] = {
        **message,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 0, **counted, "output_tokens": 0},
    }
    events = [_named("message_start", message=start)]
    for index, block in enumerate(msgspec.json.decode(blocks, type=list[Fields] | None) or []):
        begun, deltas = _in_deltas(block)
        events.append(_named("content_block_start", index=index, content_block=begun))
        events += (_named("content_block_delta", index=index, delta=delta) for delta in deltas)
        events.append(_named("content_block_stop", index=index))
    delta: dict[str, object] = {"stop_reason": "end_turn", "stop_sequence": None, **end}
    events.append(_named("message_delta", delta=delta, usage={"output_tokens": 0, **counted}))
    return Replay(b"".join(events), _named("message_stop"))


def _in_deltas(block: Fields) -> tuple[dict[str, object], list[dict[str, object]]]:
    """A block as it begins, and what is then added to it."""
    kind: object = msgspec.json.decode(block.get("type", NULL))
    begun: dict[str, object] = {**block}
    if kind == "text":
        citations = msgspec.json.decode(block.get("citations", NULL), type=list[msgspec.Raw] | None) or []
        begun.pop("citations", None)
        deltas: list[dict[str, object]] = [{"type": "text_delta", "text": block.get("text", _EMPTY_TEXT)}]
        deltas += ({"type": "citations_delta", "citation": citation} for citation in citations)
        return begun | {"text": ""}, deltas
    if kind == "thinking":
        deltas = [{"type": "thinking_delta", "thinking": block.get("thinking", _EMPTY_TEXT)}]
        if "signature" in block:
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        return begun | {"thinking": "", "signature": ""}, deltas
    if "input" in block:
        partial = bytes(block["input"]).decode()
        return begun | {"input": {}}, [{"type": "input_json_delta", "partial_json": partial}]
    return begun, []


def _named(name: str, **data: object) -> bytes:
    return event({"type": name, **data}, name)
