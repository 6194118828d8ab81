"""An answer that ends properly without content is an answer: at every ingress, of every decoder, whole and streamed.

After a tool's result a model may have nothing to add; a filter, a limit or a pause may come before its first word.
"""

import json
from typing import Any, Final, NamedTuple

import pytest

from tests.contracts.ingress.driving import Stage
from tests.contracts.ingress.grammars import GRAMMARS, Told
from tests.contracts.ingress.test_whole_answers import RESPONSE
from tests.unit.adapters.dialects.bedrock.samples import frame

SSE: Final = "text/event-stream"
_CHUNK = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}


class Ending(NamedTuple):
    kind: str
    content_type: str
    pieces: list[bytes]
    endpoint: str = "chat"


def events(*data: Any, named: bool = False) -> list[bytes]:
    return [
        (b"event: %b\n" % one["type"].encode() if named else b"") + b"data: " + json.dumps(one).encode() + b"\n\n"
        for one in data
    ]


def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {**_CHUNK, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


DONE = b"data: [DONE]\n\n"
USAGE = {**_CHUNK, "choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 0, "total_tokens": 7}}
ROLE = chunk(role="assistant", content="")


def openai(finish: str, *before: dict[str, Any]) -> Ending:
    return Ending("openai", SSE, [*events(*before, chunk(finish), USAGE), DONE])


def anthropic(reason: str, *blocks: dict[str, Any]) -> Ending:
    start = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-5", "content": []}
    usage = {"input_tokens": 7, "output_tokens": 0}
    received: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**start, "stop_reason": None, "stop_sequence": None, "usage": usage}}
    ]
    for index, block in enumerate(blocks):
        received.append({"type": "content_block_start", "index": index, "content_block": block})
        received.append({"type": "content_block_stop", "index": index})
    end = {"stop_reason": reason, "stop_sequence": None}
    received += ({"type": "message_delta", "delta": end, "usage": {"output_tokens": 1}}, {"type": "message_stop"})
    return Ending("anthropic", SSE, events(*received, named=True))


def gemini(**candidate: Any) -> Ending:
    usage = {"promptTokenCount": 7, "totalTokenCount": 7}
    return Ending("gemini", SSE, events({"candidates": [{"index": 0, **candidate}], "usageMetadata": usage}))


def cohere(reason: str) -> Ending:
    end = {"finish_reason": reason, "usage": {"tokens": {"input_tokens": 7, "output_tokens": 0}}}
    start = {"type": "message-start", "id": "c1", "delta": {"message": {"role": "assistant"}}}
    return Ending("cohere", SSE, events(start, {"type": "message-end", "delta": end}, named=True))


def ollama(reason: str) -> Ending:
    line = {"model": "m", "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": reason}
    return Ending("ollama", "application/x-ndjson", [json.dumps({**line, "prompt_eval_count": 7}).encode() + b"\n"])


def bedrock(reason: str) -> Ending:
    usage = {"usage": {"inputTokens": 7, "outputTokens": 0, "totalTokens": 7}}
    frames = [
        frame("messageStart", {"role": "assistant"}),
        frame("messageStop", {"stopReason": reason}),
        frame("metadata", usage),
    ]
    return Ending("bedrock", "application/vnd.amazon.eventstream", frames)


def responses(status: str, *output: dict[str, Any], reason: str | None = None) -> Ending:
    begun = {**RESPONSE, "status": "in_progress", "output": [], "usage": None}
    details = {"reason": reason} if reason else None
    ended = {**RESPONSE, "status": status, "output": list(output), "incomplete_details": details}
    received: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
    ]
    for index, item in enumerate(output):
        received.append({"type": "response.output_item.added", "output_index": index, "item": item})
        received.append({"type": "response.output_item.done", "output_index": index, "item": item})
    received.append({"type": f"response.{status}", "response": ended})
    numbered = [{**one, "sequence_number": number} for number, one in enumerate(received)]
    return Ending("azure", SSE, events(*numbered, named=True), "responses")


ENDINGS: Final = {
    "openai, stop": openai("stop", ROLE),
    "openai, stop without a role": openai("stop"),
    "openai, length": openai("length", ROLE),
    "openai, content filter": openai("content_filter", ROLE),
    "openai, no reason": Ending("openai", SSE, [*events(ROLE), DONE]),
    "openai, nothing but reasons": Ending("openai", SSE, events(chunk("stop"))),
    "azure, a verdict on the prompt": Ending(
        "azure", SSE, [*events({**_CHUNK, "id": "", "model": "", "choices": []}, ROLE, chunk("content_filter")), DONE]
    ),
    **{
        f"anthropic, {reason}": anthropic(reason)
        for reason in ("end_turn", "max_tokens", "refusal", "pause_turn", "stop_sequence", "tool_use")
    },
    "anthropic, an empty text": anthropic("end_turn", {"type": "text", "text": ""}),
    "anthropic, an empty thought": anthropic("max_tokens", {"type": "thinking", "thinking": "", "signature": ""}),
    **{f"gemini, {reason}": gemini(finishReason=reason) for reason in ("STOP", "MAX_TOKENS", "SAFETY", "RECITATION")},
    "gemini, empty parts": gemini(content={"role": "model", "parts": []}, finishReason="STOP"),
    "gemini, an empty text": gemini(content={"role": "model", "parts": [{"text": ""}]}, finishReason="STOP"),
    "gemini, a blocked prompt": Ending("gemini", SSE, events({"promptFeedback": {"blockReason": "SAFETY"}})),
    **{f"cohere, {reason}": cohere(reason) for reason in ("COMPLETE", "MAX_TOKENS", "STOP_SEQUENCE")},
    **{f"ollama, {reason}": ollama(reason) for reason in ("stop", "length", "load")},
    **{
        f"bedrock, {reason}": bedrock(reason)
        for reason in ("end_turn", "max_tokens", "stop_sequence", "guardrail_intervened", "content_filtered")
    },
    "responses, nothing": responses("completed"),
    "responses, its limit": responses("incomplete", reason="max_output_tokens"),
    "responses, a filter": responses("incomplete", reason="content_filter"),
    "responses, a thought alone": responses("completed", {"id": "rs_1", "type": "reasoning", "summary": []}),
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_stream_that_says_nothing_ends_properly_at_every_ingress(ending: str) -> None:
    kind, content_type, pieces, endpoint = ENDINGS[ending]
    stage = Stage(kind, content_type, endpoint=endpoint)

    for ingress in stage.ingresses:
        for cut in (pieces, [b"".join(pieces)]):
            heard = await stage.hear(ingress, cut)
            assert heard.failure is None, (ingress, heard.failure)
            assert GRAMMARS[ingress](heard.whole) == [Told()], ingress


WHOLE: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    **{
        f"openai, {reason}": (
            "openai",
            {
                **_CHUNK,
                "object": "chat.completion",
                "choices": [{"index": 0, "message": {"role": "assistant", **said}, "finish_reason": reason}],
            },
        )
        for reason, said in (("stop", {"content": ""}), ("length", {"content": None}), ("content_filter", {}))
    },
    **{
        f"anthropic, {reason}": (
            "anthropic",
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": "claude-opus-5",
                "content": [],
                "stop_reason": reason,
                "stop_sequence": None,
                "usage": {"input_tokens": 7, "output_tokens": 0},
            },
        )
        for reason in ("end_turn", "max_tokens", "refusal", "pause_turn")
    },
    **{
        f"gemini, {reason}": ("gemini", {"candidates": [{"index": 0, "finishReason": reason}]})
        for reason in ("STOP", "MAX_TOKENS", "SAFETY")
    },
    "gemini, a blocked prompt": ("gemini", {"promptFeedback": {"blockReason": "SAFETY"}}),
    **{
        f"cohere, {reason}": ("cohere", {"id": "c1", "finish_reason": reason, "message": {"role": "assistant"}})
        for reason in ("COMPLETE", "MAX_TOKENS")
    },
    **{
        f"ollama, {reason}": (
            "ollama",
            {"model": "m", "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": reason},
        )
        for reason in ("stop", "length")
    },
    **{
        f"bedrock, {reason}": (
            "bedrock",
            {"output": {"message": {"role": "assistant", "content": []}}, "stopReason": reason, "usage": None},
        )
        for reason in ("end_turn", "max_tokens", "guardrail_intervened")
    },
}


@pytest.mark.parametrize("ending", WHOLE)
async def test_a_whole_answer_that_says_nothing_is_one_at_every_ingress(ending: str) -> None:
    kind, body = WHOLE[ending]
    stage = Stage(kind, "application/json")

    for ingress, (api, _) in stage.ingresses.items():
        answer = await stage.answer(ingress, json.dumps(body).encode())
        assert json.loads(answer), (ingress, api)
        heard = await stage.hear(ingress, [json.dumps(body).encode()])
        assert heard.failure is None, (ingress, heard.failure)
        assert GRAMMARS[ingress](heard.whole) == [Told()], ingress
