"""The answers every upstream and reference of the benchmark gives: one plain, one of 60 events."""

import json

MODES = ("plain", "burst", "paced", "held", "faulty", "cut", "tools")
"""One answer; 60 events at once; 60 events 5 ms apart; a stream that stays open after its first events; a plain answer
that is a 500 every other time; a burst whose connection breaks after `CUT_AFTER_EVENTS`; a stream that calls a tool."""
PLAIN_MODES = frozenset({"plain", "faulty"})

EVENTS = 60
HELD_EVENTS = 2  # the role, and a word
CUT_AFTER_EVENTS = 20
EVENT_GAP_SECONDS = 0.005  # of the paced stream: about what a fast model does
ARGUMENT_EVENTS = 20  # of the stream that calls a tool
REPLY = "The capital of France is Paris, which lies on the Seine and has done so for two thousand years. " * 4


def request_body(mode: str) -> bytes:
    """A chat of ordinary size; the mock upstream reads the mode off the end of the model's name."""
    body = {
        "model": f"bench/{mode}",
        "messages": [
            {"role": "system", "content": "You answer in one sentence, and name your sources. " * 4},
            {"role": "user", "content": "What is the capital of France, and since when?"},
        ],
        "temperature": 0.2,
        "max_tokens": 200,
    }
    if mode not in PLAIN_MODES:
        body["stream"] = True
    if mode == "tools":
        body["tools"] = [{"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}]
    return json.dumps(body).encode()


def plain_answer() -> bytes:
    """A chat completion of about 800 bytes."""
    message = {"role": "assistant", "content": REPLY}
    usage = {"prompt_tokens": 60, "completion_tokens": 90, "total_tokens": 150}
    return json.dumps(
        {
            "id": "chatcmpl-bench",
            "object": "chat.completion",
            "created": 1_790_000_000,
            "model": "plain",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
            "usage": usage,
        }
    ).encode()


def stream_events(*, usage: bool) -> list[bytes]:
    """`EVENTS` whole events; with `usage` (the client or the gateway asked) one more before `[DONE]`."""
    words = (REPLY * 2).split(" ")[: EVENTS - 3]
    deltas: list[dict[str, object]] = [{"content": word + " "} for word in words]
    return _events([{"role": "assistant", "content": ""}, *deltas], "stop", len(words) if usage else 0)


def tool_events(*, usage: bool) -> list[bytes]:
    """A call of one tool, its arguments in `ARGUMENT_EVENTS` pieces."""
    call = {"index": 0, "id": "call_bench", "type": "function", "function": {"name": "find", "arguments": ""}}
    pieces = ['{"city": "', *["Paris "] * (ARGUMENT_EVENTS - 2), '"}']
    deltas: list[dict[str, object]] = [{"role": "assistant", "content": None, "tool_calls": [call]}]
    deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in pieces]
    return _events(deltas, "tool_calls", len(pieces) if usage else 0)


def _events(deltas: list[dict[str, object]], finish: str, tokens: int) -> list[bytes]:
    """Whole events; with `tokens` their usage as well."""
    head = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": "stream"}

    def event(**fields: object) -> bytes:
        return b"data: " + json.dumps(head | fields).encode() + b"\n\n"

    events = [event(choices=[{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
    events.append(event(choices=[{"index": 0, "delta": {}, "finish_reason": finish}]))
    if tokens:
        totals = {"prompt_tokens": 60, "completion_tokens": tokens, "total_tokens": 60 + tokens}
        events.append(event(choices=[], usage=totals))
    return [*events, b"data: [DONE]\n\n"]
