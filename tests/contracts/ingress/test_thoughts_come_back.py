"""What a model thought reaches it again as it gave it: through every API of clients, whole and streamed.

Claude signs its thoughts and wants them where they stood among texts and calls; OpenRouter's models want their
`reasoning_details`. The client sends back what it got; the test looks at what the upstream is asked next.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from tests.contracts.ingress.driving import Stage
from tests.contracts.ingress.odd_answers import chunk
from tests.unit.adapters.ingress.responses.grammar import follow

Json = dict[str, Any]

_USER: Final = {"role": "user", "content": "x"}
_TOOL: Final = {"name": "f", "description": "F", "parameters": {"type": "object", "properties": {}}}
_CHAT_TOOLS: Final = [{"type": "function", "function": _TOOL}]
_MESSAGE_TOOLS: Final = [{"name": "f", "input_schema": {"type": "object", "properties": {}}}]
_RESPONSE_TOOLS: Final = [{"type": "function", **_TOOL}]


def _events(*data: Json, named: bool = False) -> bytes:
    return b"".join(
        (b"event: %b\n" % one["type"].encode() if named else b"") + b"data: " + json.dumps(one).encode() + b"\n\n"
        for one in data
    )


# --- how a client of each API sends back what it got


async def _through_chat(stage: Stage, body: bytes, *, stream: bool) -> None:
    if stream:
        message: Json = {"role": "assistant", "content": ""}
        heard = await stage.hear("chat", [body], messages=[_USER], tools=_CHAT_TOOLS)
        assert heard.failure is None, heard.failure
        for line in heard.body.split(b"\n\n"):
            data = json.loads(line[6:]) if line.startswith(b"data: {") else {"choices": []}
            for choice in data["choices"]:
                _add(message, choice["delta"])
    else:
        answer = await stage.answer("chat", body, messages=[_USER], tools=_CHAT_TOOLS)
        message = json.loads(answer)["choices"][0]["message"]
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "ok"} for call in message["tool_calls"]]
    await stage.hear("chat", [body], messages=[_USER, message, *results], tools=_CHAT_TOOLS)


def _add(message: Json, delta: Json) -> None:
    for name, value in delta.items():
        if name in {"thinking_blocks", "reasoning_details"}:
            message.setdefault(name, []).extend(value)
        elif name == "tool_calls":
            for call in value:
                calls = message.setdefault(name, [])
                if call["index"] == len(calls):
                    calls.append({"id": call["id"], "type": "function", "function": dict(call["function"])})
                else:
                    calls[call["index"]]["function"]["arguments"] += call["function"]["arguments"]
        elif name in {"content", "reasoning_content"} and value:
            message[name] = (message.get(name) or "") + value


async def _through_messages(stage: Stage, body: bytes, *, stream: bool) -> None:
    if stream:
        heard = await stage.hear("messages", [body], messages=[_USER], tools=_MESSAGE_TOOLS)
        assert heard.failure is None, heard.failure
        blocks: list[Json] = []
        for event in heard.body.split(b"\n\n"):
            data = json.loads(event.partition(b"\ndata: ")[2] or b"{}")
            if data.get("type") == "content_block_start":
                blocks.append(data["content_block"])
            elif data.get("type") == "content_block_delta":
                _fill(blocks[-1], data["delta"])
    else:
        blocks = json.loads(await stage.answer("messages", body, messages=[_USER], tools=_MESSAGE_TOOLS))["content"]
    results = [
        {"type": "tool_result", "tool_use_id": block["id"], "content": "ok"}
        for block in blocks
        if block["type"] == "tool_use"
    ]
    turns = [_USER, {"role": "assistant", "content": blocks}, {"role": "user", "content": results}]
    await stage.hear("messages", [body], messages=turns, tools=_MESSAGE_TOOLS)


def _fill(block: Json, delta: Json) -> None:
    for name, value in delta.items():
        if name in {"text", "thinking", "signature"}:
            block[name] += value


async def _through_responses(stage: Stage, body: bytes, *, stream: bool) -> None:
    asked: Json = {"tools": _RESPONSE_TOOLS, "store": False, "input": [_USER]}
    if stream:
        heard = await stage.hear("responses", [body], **asked)
        assert heard.failure is None, heard.failure
        output = follow(heard.whole)["output"]
    else:
        output = json.loads(await stage.answer("responses", body, **asked))["output"]
    results = [
        {"type": "function_call_output", "call_id": item["call_id"], "output": "ok"}
        for item in output
        if item["type"] == "function_call"
    ]
    await stage.hear("responses", [body], **{**asked, "input": [_USER, *output, *results]})


_Round = Callable[..., Awaitable[None]]
ROUNDS: Final[dict[str, _Round]] = {
    "chat": _through_chat,
    "messages": _through_messages,
    "responses": _through_responses,
}


# --- thinking between texts and calls


def _thought(number: int) -> Json:
    return {"type": "thinking", "thinking": f"t{number}", "signature": f"S{number}"}


def _use(number: int) -> Json:
    return {"type": "tool_use", "id": f"toolu_{number}", "name": "f", "input": {}}


def _said(text: str) -> Json:
    return {"type": "text", "text": text}


REDACTED: Final = {"type": "redacted_thinking", "data": "Em"}
ORDERS: Final = {
    "first": [_thought(1), _said("a"), _use(1)],
    "between text and call": [_thought(1), _said("a"), _thought(2), _use(1)],
    "between calls": [_thought(1), _use(1), _thought(2), _use(2)],
    "behind a text alone": [_said("a"), _thought(1), _use(1)],
    "everywhere": [_thought(1), _said("ä"), _thought(2), _said("b c"), _thought(3), _use(1), _thought(4), _use(2)],
    "redacted between": [_thought(1), _said("a"), REDACTED, _use(1)],
}


def _claude_answer(blocks: list[Json], *, stream: bool) -> bytes:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-5"}
    usage = {"input_tokens": 7, "output_tokens": 5}
    if not stream:
        end = {"stop_reason": "tool_use", "stop_sequence": None}
        return json.dumps({**message, "content": blocks, "usage": usage, **end}).encode()
    events: list[Json] = [{"type": "message_start", "message": {**message, "content": [], "usage": usage}}]
    for index, block in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events.append({"type": "content_block_stop", "index": index})
    end = {"stop_reason": "tool_use", "stop_sequence": None}
    events.append({"type": "message_delta", "delta": end, "usage": {"output_tokens": 5}})
    return _events(*events, {"type": "message_stop"}, named=True)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("ingress", ["chat", "responses"])  # Messages are passed on as they are
async def test_claude_gets_its_thoughts_back_where_they_stood(ingress: str, order: str, stream: bool) -> None:
    blocks = ORDERS[order]
    stage = Stage("anthropic", "text/event-stream" if stream else "application/json")

    await ROUNDS[ingress](stage, _claude_answer(blocks, stream=stream), stream=stream)

    (answered,) = (turn for turn in stage.asked[-1]["messages"] if turn["role"] == "assistant")
    assert [{key: block[key] for key in block if key != "cache_control"} for block in answered["content"]] == blocks


async def test_no_other_upstream_is_told_where_thoughts_stood() -> None:
    stage = Stage("openrouter", "application/json")
    message = {"role": "assistant", "content": "a", "thinking_blocks": [{**_thought(1), "omg_place": [1, 0]}]}

    await stage.answer("chat", _chat_answer(DETAILS), messages=[_USER, message, _USER])

    assert stage.asked[-1]["messages"][1]["thinking_blocks"] == [_thought(1)]


# --- OpenRouter's details

DETAILS: Final = [
    {"type": "reasoning.text", "text": "think hard", "format": "google-gemini-v1", "index": 0},
    {"type": "reasoning.encrypted", "data": "EoED", "id": "call_1", "format": "google-gemini-v1", "index": 0},
    {"type": "reasoning.encrypted", "data": "AbCd", "id": "call_2", "format": "google-gemini-v1", "index": 0},
]
SIGNED: Final = [
    {"type": "reasoning.text", "text": "think hard", "signature": "S", "format": "anthropic-claude-v1", "index": 0}
]
_CALL: Final = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def _chat_answer(details: list[Json]) -> bytes:
    message = {"role": "assistant", "content": "", "reasoning": "think hard", "reasoning_details": details}
    choice = {"index": 0, "message": {**message, "tool_calls": [_CALL]}, "finish_reason": "tool_calls"}
    return json.dumps(
        {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    ).encode()


def _chat_stream(details: list[Json]) -> bytes:
    """The text in two pieces, what is encrypted behind the call."""
    first, rest = details[0], details[1:]
    signature = [{**first, "text": None}] if "signature" in first else []
    pieces = [{**first, "text": "think ", "signature": None}, {**first, "text": "hard", "signature": None}]
    if "signature" not in first:
        pieces = [{name: value for name, value in piece.items() if name != "signature"} for piece in pieces]
    return (
        _events(
            chunk(role="assistant", content=""),
            *(chunk(reasoning=piece["text"], reasoning_details=[piece]) for piece in pieces),
            *(chunk(reasoning_details=[piece]) for piece in signature),
            chunk(tool_calls=[{"index": 0, **_CALL}]),
            chunk(content="", reasoning_details=rest) if rest else chunk(content=""),
            chunk("tool_calls"),
        )
        + b"data: [DONE]\n\n"
    )


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("details", [DETAILS, SIGNED], ids=["encrypted", "signed"])
@pytest.mark.parametrize("ingress", ROUNDS)
async def test_openrouter_gets_its_details_back_whole(ingress: str, details: list[Json], stream: bool) -> None:
    body = _chat_stream(details) if stream else _chat_answer(details)
    stage = Stage("openrouter", "text/event-stream" if stream else "application/json")

    await ROUNDS[ingress](stage, body, stream=stream)

    (answered,) = (turn for turn in stage.asked[-1]["messages"] if turn["role"] == "assistant")
    if stream and ingress == "chat":  # the client joins them, or not: they pass as they came
        assert [detail.get("data") for detail in answered["reasoning_details"]][-len(details[1:]) or None :] == [
            *([detail["data"] for detail in details[1:]] or [None, None, None])
        ]
    else:
        assert answered["reasoning_details"] == details
    assert "redacted_thinking" not in json.dumps(stage.asked[-1])


@pytest.mark.parametrize("kind", ["groq", "gemini", "ollama"])
async def test_details_of_one_provider_do_not_reach_another(kind: str) -> None:
    router = Stage("openrouter", "application/json")
    message = json.loads(await router.answer("messages", _chat_answer(DETAILS), messages=[_USER]))
    result = {"type": "tool_result", "tool_use_id": "call_1", "content": "ok"}
    turns = [_USER, {"role": "assistant", "content": message["content"]}, {"role": "user", "content": [result]}]
    stage = Stage(kind, "application/json")

    await stage.hear("messages", [b"{}"], messages=turns, tools=_MESSAGE_TOOLS)

    assert "EoED" not in json.dumps(stage.asked[-1])
    assert "omg1." not in json.dumps(stage.asked[-1])
