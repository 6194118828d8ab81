"""An answer in Anthropic's words: the whole message, and the events of a stream.

Source: anthropic-python 2.11 types and captures of the official SDKs (read 2026-11).
"""

import json
from collections.abc import Iterator
from typing import Any

from entrypoints.simulator.answers import SimulatedAnswer, words_of
from entrypoints.simulator.apis.anthropic_checks import signature_of
from entrypoints.simulator.apis.endpoint import halves

Event = dict[str, Any]

_STOP_REASONS = {"length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}


def message_of(answer: SimulatedAnswer, identity: str, model: str) -> dict[str, Any]:
    """A whole `message`."""
    body: dict[str, Any] = {"id": identity, "type": "message", "role": "assistant", "model": model}
    body |= {"content": _content(answer)} | _ending(answer)
    return body if answer.usage is None else body | {"usage": usage_of(answer)}


def events_of(answer: SimulatedAnswer, identity: str, model: str) -> Iterator[Event]:
    """From `message_start` to `message_stop`."""
    message = message_of(answer, identity, model)
    begun = message | {"content": [], "stop_reason": None, "stop_sequence": None, "stop_details": None}
    counted = usage_of(answer)
    if answer.usage is not None:
        begun["usage"] = counted | {"output_tokens": min(1, counted["output_tokens"])}
    yield {"type": "message_start", "message": begun}
    yield {"type": "ping"}
    for index, block in enumerate(message["content"]):
        yield {"type": "content_block_start", "index": index, "content_block": _opening(block)}
        for delta in _deltas(block, answer):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ending = {"type": "message_delta", "delta": _ending(answer)}
    yield ending if answer.usage is None else ending | {"usage": _last_usage(counted)}
    yield {"type": "message_stop"}


def usage_of(answer: SimulatedAnswer) -> dict[str, Any]:
    """Anthropic's count: `input_tokens` has no cached ones in it."""
    usage = answer.usage or {"prompt_tokens": 0, "completion_tokens": 0}
    before = usage.get("prompt_tokens_details", {"cached_tokens": 0, "cache_write_tokens": 0})
    read, written = before["cached_tokens"], before["cache_write_tokens"]
    hour = answer.cached_for_an_hour
    thought = usage.get("completion_tokens_details", {}).get("reasoning_tokens", 0)
    return {
        "input_tokens": usage["prompt_tokens"] - read - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "cache_creation": {"ephemeral_5m_input_tokens": written - hour, "ephemeral_1h_input_tokens": hour},
        "output_tokens": usage["completion_tokens"],
        "output_tokens_details": {"thinking_tokens": thought},
        "server_tool_use": None,
        "service_tier": "standard",
    }


def _last_usage(counted: dict[str, Any]) -> dict[str, Any]:
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
    return {name: counted[name] for name in (*names, "output_tokens_details")}


def _ending(answer: SimulatedAnswer) -> dict[str, Any]:
    reason = _STOP_REASONS.get(answer.finish_reason, answer.finish_reason)
    if reason == "stop":
        reason = "stop_sequence" if answer.stop_sequence else "end_turn"
    ending: dict[str, Any] = {"stop_reason": reason, "stop_sequence": answer.stop_sequence, "stop_details": None}
    if answer.refusal is not None:
        ending["stop_reason"] = "refusal"
        ending["stop_details"] = {"type": "refusal", "category": None, "explanation": answer.refusal}
    return ending


def _content(answer: SimulatedAnswer) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if answer.reasoning is not None:
        signed = signature_of(answer.reasoning)
        blocks.append({"type": "thinking", "thinking": answer.reasoning, "signature": signed})
    if answer.text:
        blocks.append({"type": "text", "text": answer.text, "citations": None})
    for call in answer.tool_calls:
        identity = call["id"].replace("call_", "toolu_", 1)
        blocks.append({"type": "tool_use", "id": identity, "name": call["name"], "input": _input(call["arguments"])})
    return blocks


def _input(arguments: str) -> Any:
    """The arguments as an object; text that is no JSON stays as it is, for those who script it."""
    try:
        return json.loads(arguments or "{}")
    except ValueError:
        return arguments


def _opening(block: dict[str, Any]) -> dict[str, Any]:
    match block["type"]:
        case "thinking":
            return {"type": "thinking", "thinking": "", "signature": ""}
        case "text":
            return {"type": "text", "text": "", "citations": None}
        case _:
            return block | {"input": {}}


def _deltas(block: dict[str, Any], answer: SimulatedAnswer) -> Iterator[dict[str, Any]]:
    match block["type"]:
        case "thinking":
            for word in words_of(block["thinking"]):
                yield {"type": "thinking_delta", "thinking": word}
            yield {"type": "signature_delta", "signature": block["signature"]}
        case "text":
            for piece in answer.pieces:
                yield {"type": "text_delta", "text": piece}
        case _:
            yield {"type": "input_json_delta", "partial_json": ""}
            given = block["input"]
            whole = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False) if given else ""
            for part in halves(whole):
                yield {"type": "input_json_delta", "partial_json": part}
