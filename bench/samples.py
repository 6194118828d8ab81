"""The answers every upstream and reference of the benchmark gives: one plain, one of 60 events."""

import json

MODES = ("plain", "burst", "paced", "held", "faulty", "cut")
"""One answer; 60 events at once; 60 events 5 ms apart; a stream that stays open after its first events; a plain answer
that is a 500 every other time; a burst whose connection breaks after `CUT_AFTER_EVENTS`."""
PLAIN_MODES = frozenset({"plain", "faulty"})

EVENTS = 60
HELD_EVENTS = 2  # the role, and a word
CUT_AFTER_EVENTS = 20
EVENT_GAP_SECONDS = 0.005  # of the paced stream: about what a fast model does
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
    head = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": "stream"}
    words = (REPLY * 2).split(" ")[: EVENTS - 3]

    def event(delta: dict[str, str], finish: str | None = None) -> bytes:
        chunk = head | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        return b"data: " + json.dumps(chunk).encode() + b"\n\n"

    events = [event({"role": "assistant", "content": ""})]
    events += [event({"content": word + " "}) for word in words]
    events.append(event({}, "stop"))
    if usage:
        totals = {"prompt_tokens": 60, "completion_tokens": len(words), "total_tokens": 60 + len(words)}
        events.append(b"data: " + json.dumps(head | {"choices": [], "usage": totals}).encode() + b"\n\n")
    return [*events, b"data: [DONE]\n\n"]
