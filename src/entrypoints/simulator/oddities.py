"""Streams as bytes: the clean form, and the odd ones that real upstreams were seen to send.

The names are those of the reaction table of real clients: each breaks some client where a gateway passes
it on as it came. Source: captures of the official SDKs against such streams (2026-11).
"""

import copy
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from entrypoints.simulator.behaviour import Oddity

Chunk = dict[str, Any]

DONE = b"data: [DONE]\n\n"


def event(value: object) -> bytes:
    """One `data:` event."""
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def blocks_of(chunks: Iterable[Chunk], odd: Oddity | None) -> list[bytes]:
    """The stream as the blocks to write, `[DONE]` included; one block a chunk as far as the oddity allows."""
    changed = _CHUNKS.get(odd or "", list)(copy.deepcopy(list(chunks)))
    return framed([*map(event, changed), DONE], odd)


def framed(blocks: Iterable[bytes], odd: Oddity | None) -> list[bytes]:
    """Blocks of any event stream, written as oddly as scripted; oddities of what chunks say change nothing here."""
    return _BLOCKS.get(odd or "", list)(list(blocks))


# --- oddities of what the chunks say


def _deltas(chunks: list[Chunk]) -> Iterable[dict[str, Any]]:
    return (choice["delta"] for chunk in chunks for choice in chunk["choices"])


def _calls(chunks: list[Chunk]) -> Iterable[dict[str, Any]]:
    return (call for delta in _deltas(chunks) for call in delta.get("tool_calls", ()))


def _error_null(chunks: list[Chunk]) -> list[Chunk]:
    return [{**chunk, "error": None} for chunk in chunks]


def _role_repeat(chunks: list[Chunk]) -> list[Chunk]:
    for delta in _deltas(chunks):
        delta["role"] = "assistant"
    return chunks


def _no_role(chunks: list[Chunk]) -> list[Chunk]:
    for delta in _deltas(chunks):
        delta.pop("role", None)
    return chunks


def _empty_choices_first(chunks: list[Chunk]) -> list[Chunk]:
    return [{**chunks[0], "choices": [], "prompt_filter_results": []}, *chunks]


def _content_null(chunks: list[Chunk]) -> list[Chunk]:
    for delta in _deltas(chunks):
        delta.setdefault("content", None)
    return chunks


def _finish_twice(chunks: list[Chunk]) -> list[Chunk]:
    last = max(index for index, chunk in enumerate(chunks) if chunk["choices"])
    return [*chunks[: last + 1], copy.deepcopy(chunks[last]), *chunks[last + 1 :]]


def _no_finish(chunks: list[Chunk]) -> list[Chunk]:
    return [chunk for chunk in chunks if all(choice["finish_reason"] is None for choice in chunk["choices"])]


def _usage_then_more(chunks: list[Chunk]) -> list[Chunk]:
    usage = [chunk for chunk in chunks if not chunk["choices"]]
    others = [chunk for chunk in chunks if chunk["choices"]]
    return [*others[:-1], *usage, others[-1]]


def _usage_every_chunk(chunks: list[Chunk]) -> list[Chunk]:
    usage = next((chunk["usage"] for chunk in chunks if not chunk["choices"]), None)
    return [{**chunk, "usage": usage} for chunk in chunks if chunk["choices"]]


def _tool_repeat(chunks: list[Chunk]) -> list[Chunk]:
    known: dict[int, dict[str, Any]] = {}
    for call in _calls(chunks):
        first = known.setdefault(call["index"], call)
        call["id"] = first["id"]
        call["type"] = "function"
        call["function"]["name"] = first["function"]["name"]
    return chunks


def _tool_no_index(chunks: list[Chunk]) -> list[Chunk]:
    whole = _whole_calls(chunks)
    for call in _calls(whole):
        del call["index"]
    return whole


def _tool_index_1(chunks: list[Chunk]) -> list[Chunk]:
    for call in _calls(chunks):
        call["index"] += 1
    return chunks


def _tool_dict_args(chunks: list[Chunk]) -> list[Chunk]:
    whole = _whole_calls(chunks)
    for call in _calls(whole):
        call["function"]["arguments"] = json.loads(call["function"]["arguments"] or "{}")
    return whole


def _whole_calls(chunks: list[Chunk]) -> list[Chunk]:
    """Each call in one chunk, its fragments joined."""
    first: dict[int, dict[str, Any]] = {}
    kept = []
    for chunk in chunks:
        calls = list(_calls([chunk]))
        for call in calls:
            if call["index"] in first:
                first[call["index"]]["function"]["arguments"] += call["function"]["arguments"]
        if not calls or any(call["index"] not in first for call in calls):
            kept.append(chunk)
        first |= {call["index"]: call for call in calls if call["index"] not in first}
    return kept


_CHUNKS: Mapping[str, Callable[[list[Chunk]], list[Chunk]]] = {
    "error-null": _error_null,
    "role-repeat": _role_repeat,
    "no-role": _no_role,
    "empty-choices-first": _empty_choices_first,
    "content-null": _content_null,
    "finish-twice": _finish_twice,
    "no-finish": _no_finish,
    "usage-then-more": _usage_then_more,
    "usage-every-chunk": _usage_every_chunk,
    "tool-repeat": _tool_repeat,
    "tool-no-index": _tool_no_index,
    "tool-index-1": _tool_index_1,
    "tool-dict-args": _tool_dict_args,
}

# --- oddities of how they are written


def _comments(blocks: list[bytes]) -> list[bytes]:
    first, *rest = blocks
    return [b": keep-alive\n\n" + first, *(b": ping\n\n\n\n" + block for block in rest)]


def _id_field(blocks: list[bytes]) -> list[bytes]:
    first, *rest = blocks
    return [b"id: 1\n" + first + b": ping\n\n", *rest]


def _event_only(blocks: list[bytes]) -> list[bytes]:
    first, *rest = blocks
    return [b"event: ping\n\n" + first, *rest]


def _event_message(blocks: list[bytes]) -> list[bytes]:
    return [b"event: message\n" + block for block in blocks]


def _no_done(blocks: list[bytes]) -> list[bytes]:
    """Without its last block: `[DONE]`, `message_stop` or what else ends a stream of this API."""
    return blocks[:-1]


def _crlf(blocks: list[bytes]) -> list[bytes]:
    return [block.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for block in blocks]


def _no_space(blocks: list[bytes]) -> list[bytes]:
    return [block.replace(b"data: ", b"data:", 1) for block in blocks]


def _multi_line(blocks: list[bytes]) -> list[bytes]:
    """The JSON over several `data:` lines, which SSE joins with line feeds."""
    return [_spread(block) for block in blocks]


def _spread(block: bytes) -> bytes:
    head, _, data = block.partition(b"data: ")
    if not data.startswith(b"{"):
        return block
    lines = json.dumps(json.loads(data), ensure_ascii=False, indent=1).encode().replace(b"\n", b"\ndata: ")
    return head + b"data: " + lines + b"\n\n"


def _bom(blocks: list[bytes]) -> list[bytes]:
    first, *rest = blocks
    return [b"\xef\xbb\xbf" + first, *rest]


def _error_string(blocks: list[bytes]) -> list[bytes]:
    return [*blocks[:2], event({"error": "plain"}), DONE]


def _one_write(blocks: list[bytes]) -> list[bytes]:
    return [b"".join(blocks)]


def _byte_by_byte(blocks: list[bytes]) -> list[bytes]:
    return [bytes([byte]) for byte in b"".join(blocks)]


_BLOCKS: Mapping[str, Callable[[list[bytes]], list[bytes]]] = {
    "comment": _comments,
    "id-field": _id_field,
    "event-only": _event_only,
    "event-message": _event_message,
    "no-done": _no_done,
    "no-finish": _no_done,
    "crlf": _crlf,
    "no-space": _no_space,
    "multi-line": _multi_line,
    "bom": _bom,
    "error-string": _error_string,
    "one-write": _one_write,
    "byte-by-byte": _byte_by_byte,
}
