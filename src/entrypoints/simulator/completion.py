"""An answer in OpenAI's words: the plain object, and the chunks of a stream.

Source: openai-python 3.52 types and captures of the official SDKs (read 2026-11).
"""

from collections.abc import Iterator
from typing import Any

from entrypoints.simulator.answers import SimulatedAnswer, words_of

CREATED = 1_795_226_595
"""Unix seconds, the same on every answer: what the simulator says depends on the request alone."""


def completion(request: dict[str, Any], answer: SimulatedAnswer, identity: str) -> dict[str, Any]:
    """A `chat.completion` with as many choices as were asked for."""
    body: dict[str, Any] = {
        "id": identity,
        "object": "chat.completion",
        "created": CREATED,
        "model": request.get("model"),
        "system_fingerprint": "fp_simulator",
        "choices": [_choice(request, answer, index) for index in range(_count(request))],
    }
    if answer.usage is not None:
        body["usage"] = answer.usage
    return body


def _choice(request: dict[str, Any], answer: SimulatedAnswer, index: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None if answer.tool_calls else answer.text}
    message["refusal"] = answer.refusal
    if answer.refusal is not None:
        message["content"] = None
    if answer.reasoning is not None:
        message["reasoning_content"] = answer.reasoning
    if answer.tool_calls:
        message["tool_calls"] = [_tool_call(call) for call in answer.tool_calls]
    logprobs = _logprobs(request, answer.pieces)
    return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": answer.finish_reason}


def chunks(request: dict[str, Any], answer: SimulatedAnswer, identity: str) -> Iterator[dict[str, Any]]:
    """The chunks of a stream: roles, text or tool calls, finish reasons, and usage last where it was asked for."""
    head = {"id": identity, "object": "chat.completion.chunk", "created": CREATED, "model": request.get("model")}
    options = request.get("stream_options")
    with_usage = isinstance(options, dict) and options.get("include_usage") is True
    tail: dict[str, Any] = {"usage": None} if with_usage else {}
    indices = range(_count(request))
    for delta, piece in _deltas(answer):
        logprobs = _logprobs(request, (piece,) if piece else ())
        for index in indices:
            choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": None}
            yield {**head, "choices": [choice], **tail}
    for index in indices:
        choice = {"index": index, "delta": {}, "logprobs": None, "finish_reason": answer.finish_reason}
        yield {**head, "choices": [choice], **tail}
    if with_usage and answer.usage is not None:
        yield {**head, "choices": [], "usage": answer.usage}


def word_chunk(request: dict[str, Any], identity: str, number: int) -> dict[str, Any]:
    """One chunk of an endless stream; number 0 carries the role."""
    delta = {"content": f"word{number} "} if number else {"role": "assistant", "content": ""}
    head = {"id": identity, "object": "chat.completion.chunk", "created": CREATED, "model": request.get("model")}
    return {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}]}


def _deltas(answer: SimulatedAnswer) -> Iterator[tuple[dict[str, Any], str]]:
    yield {"role": "assistant", "content": None if answer.tool_calls else "", "refusal": None}, ""
    if answer.reasoning is not None:
        for word in words_of(answer.reasoning):
            yield {"reasoning_content": word}, ""
    for word in words_of(answer.refusal or ""):
        yield {"refusal": word}, ""
    for piece in answer.pieces:
        yield {"content": piece}, piece
    for number, call in enumerate(answer.tool_calls):
        opening = {**_tool_call({**call, "arguments": ""}), "index": number}
        yield {"tool_calls": [opening]}, ""
        half = (len(call["arguments"]) + 1) // 2
        for part in (call["arguments"][:half], call["arguments"][half:]):
            if part:
                yield {"tool_calls": [{"index": number, "function": {"arguments": part}}]}, ""


def _tool_call(call: dict[str, str]) -> dict[str, Any]:
    function = {"name": call["name"], "arguments": call["arguments"]}
    return {"id": call["id"], "type": "function", "function": function}


def _logprobs(request: dict[str, Any], pieces: tuple[str, ...]) -> dict[str, Any] | None:
    if request.get("logprobs") is not True or not pieces:
        return None
    alternatives = range(int(request.get("top_logprobs") or 0))
    return {
        "content": [
            {
                "token": piece,
                "logprob": -0.5,
                "bytes": list(piece.encode()),
                "top_logprobs": [
                    {"token": piece, "logprob": -0.5 - rank, "bytes": list(piece.encode())} for rank in alternatives
                ],
            }
            for piece in pieces
        ],
        "refusal": None,
    }


def _count(request: dict[str, Any]) -> int:
    wanted = request.get("n")
    return wanted if isinstance(wanted, int) and wanted > 1 else 1
