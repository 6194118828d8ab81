"""One JSON body where a stream was asked for is told as a stream, however it is called and written."""

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import pytest

from domain.usage import TokenUsage
from tests.contracts.ingress.driving import Stage
from tests.contracts.ingress.grammars import GRAMMARS, Told
from tests.contracts.ingress.test_recordings import heard_at

TEXT, THOUGHT, INPUT = 'wörld\n\n"data: x"', "hm", {"a": 1}
SAID: Final = [Told(TEXT, THOUGHT, (("f", INPUT),))]
_CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": json.dumps(INPUT)}}


class Upstream(NamedTuple):
    kind: str
    body: dict[str, Any]
    endpoint: str = "chat"
    said: list[Told] = SAID


def choice(**message: Any) -> dict[str, Any]:
    return {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "tool_calls"}


OPENAI = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [choice(content=TEXT, reasoning_content=THOUGHT, tool_calls=[_CALL])],
    "usage": {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12},
}
ANTHROPIC = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-5",
    "content": [
        {"type": "thinking", "thinking": THOUGHT, "signature": "c2ln"},
        {"type": "text", "text": TEXT},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": INPUT},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 7, "output_tokens": 5},
}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "status": "completed",
    "model": "m",
    "output": [
        {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": THOUGHT}]},
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": TEXT, "annotations": []}],
        },
        {
            "id": "fc_1",
            "type": "function_call",
            "status": "completed",
            "call_id": "call_1",
            "name": "f",
            "arguments": json.dumps(INPUT),
        },
    ],
    "usage": {
        "input_tokens": 7,
        "output_tokens": 5,
        "total_tokens": 12,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    },
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "temperature": 1,
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1,
}
UPSTREAMS: Final = {
    "openai": Upstream("openai", OPENAI),
    "anthropic": Upstream("anthropic", ANTHROPIC),
    "gemini": Upstream(
        "gemini",
        {
            "candidates": [
                {
                    "index": 0,
                    "content": {
                        "role": "model",
                        "parts": [
                            {"text": THOUGHT, "thought": True},
                            {"text": TEXT},
                            {"functionCall": {"name": "f", "args": INPUT}},
                        ],
                    },
                    "finishReason": "STOP",
                }
            ],
            "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 5, "totalTokenCount": 12},
        },
    ),
    "cohere": Upstream(
        "cohere",
        {
            "id": "c1",
            "finish_reason": "TOOL_CALL",
            "message": {
                "role": "assistant",
                "content": [{"type": "thinking", "thinking": THOUGHT}, {"type": "text", "text": TEXT}],
                "tool_calls": [_CALL],
            },
            "usage": {"tokens": {"input_tokens": 7, "output_tokens": 5}},
        },
    ),
    "ollama": Upstream(
        "ollama",
        {
            "model": "m",
            "message": {
                "role": "assistant",
                "thinking": THOUGHT,
                "content": TEXT,
                "tool_calls": [{"function": {"name": "f", "arguments": INPUT}}],
            },
            "done": True,
            "done_reason": "stop",
            "prompt_eval_count": 7,
            "eval_count": 5,
        },
    ),
    "bedrock": Upstream(
        "bedrock",
        {
            "output": {
                "message": {
                    "role": "assistant",
                    "content": [
                        {"reasoningContent": {"reasoningText": {"text": THOUGHT, "signature": "c2ln"}}},
                        {"text": TEXT},
                        {"toolUse": {"toolUseId": "t1", "name": "f", "input": INPUT}},
                    ],
                }
            },
            "stopReason": "tool_use",
            "usage": {"inputTokens": 7, "outputTokens": 5, "totalTokens": 12},
        },
    ),
    "azure's responses": Upstream("azure", RESPONSE, "responses"),
    "openai's completions": Upstream(
        "openai",
        {
            "id": "cmpl-1",
            "object": "text_completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "text": TEXT, "logprobs": None, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12},
        },
        "completions",
        [Told(TEXT)],
    ),
}

LABELS: Final = ("application/json; charset=utf-8", "text/event-stream", "text/plain", "")
Form = Callable[[dict[str, Any]], list[bytes]]
FORMS: Final[dict[str, Form]] = {
    "on one line": lambda body: [json.dumps(body).encode()],
    "pretty-printed": lambda body: [json.dumps(body, indent=2).encode()],
    "behind blank lines": lambda body: [b"\n", b"  \n\n", json.dumps(body, indent="\t").replace("\n", "\r\n").encode()],
    "with a byte order mark": lambda body: [b"\xef\xbb\xbf" + json.dumps(body, indent=1).encode()],
    "byte by byte": lambda body: [bytes([byte]) for byte in json.dumps(body, indent=1).encode()],
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("name", UPSTREAMS)
async def test_one_body_is_told_as_a_stream_and_counted_once(name: str, label: str, form: str) -> None:
    upstream = UPSTREAMS[name]
    stage = Stage(upstream.kind, label, endpoint=upstream.endpoint)

    for ingress, (api, _) in stage.ingresses.items():
        heard = await stage.hear(ingress, FORMS[form](upstream.body))
        assert heard.failure is None, (ingress, heard.failure)
        assert GRAMMARS[ingress](heard.whole) == heard_at(api, upstream.said), ingress
        assert isinstance(heard.usage, TokenUsage)
        assert (heard.usage.input_tokens, heard.usage.output_tokens) == (7, 5), ingress


@pytest.mark.parametrize("name", UPSTREAMS)
async def test_a_body_that_is_no_answer_is_a_failure_at_every_ingress(name: str) -> None:
    upstream = UPSTREAMS[name]
    stage = Stage(upstream.kind, "text/event-stream", endpoint=upstream.endpoint)

    for ingress in stage.ingresses:
        for body in (b'{\n"error": {"message": "no"}}', b'{\n"cut": ', b"{\n}", b"[\n]"):
            assert (await stage.hear(ingress, [body])).failure is not None, (ingress, body)
