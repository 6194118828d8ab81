"""Usage in every name and form that upstreams were seen to write it in: each field is read by itself.

One count that cannot be read loses itself, never the others; a stream's later count takes the earlier one's place.
"""

import copy
import json
from collections.abc import Callable
from typing import Any, Final

import msgspec
import pytest

from domain.usage import TokenUsage
from tests.contracts.ingress.driving import Stage
from tests.contracts.ingress.odd_answers import clean_answer, clean_chunks
from tests.contracts.ingress.test_whole_answers import UPSTREAMS

Json = dict[str, Any]

SEEN: Final[dict[str, tuple[Json, TokenUsage]]] = {
    "OpenAI": (
        {
            "prompt_tokens": 90,
            "completion_tokens": 50,
            "total_tokens": 140,
            "prompt_tokens_details": {"cached_tokens": 40, "audio_tokens": 1},
            "completion_tokens_details": {"reasoning_tokens": 30, "accepted_prediction_tokens": 0},
        },
        TokenUsage(90, 50, 40, reasoning_tokens=30, audio_input_tokens=1),
    ),
    "OpenRouter": (
        {
            "prompt_tokens": 90,
            "completion_tokens": 50,
            "total_tokens": 140,
            "cost": 0.017,
            "is_byok": False,
            "prompt_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 20, "audio_tokens": None},
            "cost_details": {"upstream_inference_cost": None},
        },
        TokenUsage(90, 50, 40, 20),
    ),
    "LiteLLM in front of Claude": (
        {
            "prompt_tokens": 90,
            "completion_tokens": 50,
            "total_tokens": 140,
            "prompt_tokens_details": {"cached_tokens": 40, "cache_creation_tokens": 20, "text_tokens": None},
            "cache_creation_input_tokens": 20,
            "cache_read_input_tokens": 40,
        },
        TokenUsage(90, 50, 40, 20),
    ),
    "cache_creation_tokens on top": (
        {"prompt_tokens": 90, "completion_tokens": 50, "total_tokens": 140, "cache_creation_tokens": 20},
        TokenUsage(90, 50, 0, 20),
    ),
    "Anthropic's names beside OpenAI's": (
        {
            "prompt_tokens": 90,
            "completion_tokens": 50,
            "total_tokens": 140,
            "cache_read_input_tokens": 40,
            "cache_creation_input_tokens": 20,
        },
        TokenUsage(90, 50, 40, 20),
    ),
    "a prompt without what was cached": (
        {"prompt_tokens": 10, "completion_tokens": 50, "total_tokens": 60, "cache_read_input_tokens": 40},
        TokenUsage(50, 50, 40),
    ),
    "Anthropic's names alone": (
        {
            "input_tokens": 30,
            "output_tokens": 50,
            "cache_read_input_tokens": 40,
            "cache_creation_input_tokens": 20,
            "cache_creation": {"ephemeral_5m_input_tokens": 15, "ephemeral_1h_input_tokens": 5},
        },
        TokenUsage(90, 50, 40, 20, cache_write_1h_tokens=5),
    ),
    "Responses' names": (
        {
            "input_tokens": 90,
            "output_tokens": 50,
            "total_tokens": 140,
            "input_tokens_details": {"cached_tokens": 40},
            "output_tokens_details": {"reasoning_tokens": 30},
        },
        TokenUsage(90, 50, 40, reasoning_tokens=30),
    ),
    "DeepSeek": (
        {
            "prompt_tokens": 90,
            "completion_tokens": 50,
            "total_tokens": 140,
            "prompt_cache_hit_tokens": 40,
            "prompt_cache_miss_tokens": 50,
        },
        TokenUsage(90, 50, 40),
    ),
    "Moonshot": (
        {"prompt_tokens": 90, "completion_tokens": 50, "total_tokens": 140, "cached_tokens": 40},
        TokenUsage(90, 50, 40),
    ),
    "Perplexity": (
        {"prompt_tokens": 90, "completion_tokens": 50, "total_tokens": 140, "reasoning_tokens": 30},
        TokenUsage(90, 50, reasoning_tokens=30),
    ),
    "text": (
        {
            "prompt_tokens": "90",
            "completion_tokens": "50",
            "total_tokens": "140",
            "prompt_tokens_details": {"cached_tokens": "40"},
        },
        TokenUsage(90, 50, 40),
    ),
    "points": (
        {
            "prompt_tokens": 90.0,
            "completion_tokens": 50.0,
            "total_tokens": 140.0,
            "prompt_tokens_details": {"cached_tokens": 40.0},
        },
        TokenUsage(90, 50, 40),
    ),
    "details of nothing": (
        {
            "prompt_tokens": 90,
            "completion_tokens": 50,
            "total_tokens": 140,
            "prompt_tokens_details": [],
            "completion_tokens_details": None,
        },
        TokenUsage(90, 50),
    ),
    "details that are no numbers": (
        {
            "prompt_tokens": 90,
            "completion_tokens": 50,
            "total_tokens": 140,
            "prompt_tokens_details": {"cached_tokens": {"text": 40}, "audio_tokens": "n/a", "cache_write_tokens": 20},
            "completion_tokens_details": "none",
        },
        TokenUsage(90, 50, 0, 20),
    ),
    "no total": ({"prompt_tokens": 90, "completion_tokens": 50}, TokenUsage(90, 50)),
    "a count that is below nothing": (
        {"prompt_tokens": 90, "completion_tokens": -1, "total_tokens": 90},
        TokenUsage(90, 0),
    ),
}


@pytest.mark.parametrize("name", SEEN)
async def test_usage_is_read_in_every_name_and_form_whole_and_streamed(name: str) -> None:
    usage, tokens = SEEN[name]
    answer = json.dumps(clean_answer() | {"usage": usage}).encode()
    *chunks, last = clean_chunks()
    stream = _stream([*chunks, last | {"usage": usage}])

    for content_type, body in (("application/json", answer), ("text/event-stream", stream)):
        stage = Stage("openai", content_type)
        for ingress, (api, _) in stage.ingresses.items():
            heard = await stage.hear(ingress, [body])
            assert heard.failure is None, (ingress, heard.failure)
            assert _counts(heard.usage) == tokens, (content_type, ingress)
            assert _TOLD[api](heard.whole) == tokens.input_tokens, (content_type, ingress)


def _counts(usage: TokenUsage | None) -> TokenUsage | None:
    """Without what else is billed."""
    return msgspec.structs.replace(usage, billing=None) if usage is not None else None


def _stream(chunks: list[Json]) -> bytes:
    return b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in chunks) + b"data: [DONE]\n\n"


def _last(stream: bytes, key: str) -> Json:
    """The last object of this name anywhere in a stream's events."""
    found: list[Json] = []
    for line in stream.split(b"\n"):
        if line.startswith(b"data: {"):
            event = json.loads(line[6:])
            holder = event.get("response", event)
            found += [holder[key]] if holder.get(key) else []
    return found[-1]


def _of_message(stream: bytes) -> int:
    usage = _last(stream, "usage")
    cached: int = usage["cache_read_input_tokens"] + usage["cache_creation_input_tokens"]
    return cached + int(usage["input_tokens"])


_TOLD: Final[dict[str, Callable[[bytes], int]]] = {
    "chat": lambda stream: int(_last(stream, "usage")["prompt_tokens"]),
    "completions": lambda stream: int(_last(stream, "usage")["prompt_tokens"]),
    "responses": lambda stream: int(_last(stream, "usage")["input_tokens"]),
    "messages": _of_message,
    "contents": lambda stream: int(_last(stream, "usageMetadata")["promptTokenCount"]),
}


def _each_count(change: Callable[[int], Any]) -> Callable[[Any], Any]:
    """What makes every count within a value odd."""

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: changed(inner) for name, inner in value.items()}
        return change(value) if isinstance(value, int) and not isinstance(value, bool) else value

    return changed


_DETAILS: Final = (
    *("prompt_tokens_details", "completion_tokens_details", "input_tokens_details", "output_tokens_details"),
    *("cache_creation", "cacheDetails", "promptTokensDetails", "candidatesTokensDetails", "billed_units"),
)
ODD: Final[dict[str, Callable[[Any], Any]]] = {
    "text": _each_count(str),
    "points": _each_count(float),
    "beside what cannot be read": lambda usage: {**usage, **{name: [] for name in _DETAILS}},
    "beside nothing": lambda usage: {**usage, **dict.fromkeys(_DETAILS)},
    "beside what nobody knows": lambda usage: {**usage, "server_tool_use": {"web_search_requests": "1"}, "new": [1]},
}
_WHERE: Final = {
    "openai": "usage",
    "anthropic": "usage",
    "gemini": "usageMetadata",
    "cohere": "usage",
    "bedrock": "usage",
    "azure's responses": "usage",
    "openai's completions": "usage",
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", _WHERE)
async def test_no_odd_count_of_any_dialect_loses_the_others(name: str, odd: str) -> None:
    upstream = UPSTREAMS[name]
    body = copy.deepcopy(upstream.body)
    body[_WHERE[name]] = ODD[odd](body[_WHERE[name]])
    stage = Stage(upstream.kind, "application/json", endpoint=upstream.endpoint)

    for ingress in stage.ingresses:
        heard = await stage.hear(ingress, [json.dumps(body).encode()])
        assert heard.failure is None, (ingress, heard.failure)
        assert _counts(heard.usage) == TokenUsage(input_tokens=7, output_tokens=5), ingress


CUMULATIVE: Final[dict[str, tuple[Json, list[Json], TokenUsage]]] = {
    "the end has the output": ({"input_tokens": 9, "output_tokens": 1}, [{"output_tokens": 5}], TokenUsage(9, 5)),
    "each replaces the one before": (
        {"input_tokens": 9, "output_tokens": 1},
        [{"output_tokens": 3}, {"output_tokens": 5}],
        TokenUsage(9, 5),
    ),
    "a zero of the cache replaces": (
        {"input_tokens": 2, "cache_read_input_tokens": 7, "cache_creation_input_tokens": 4, "output_tokens": 1},
        [{"input_tokens": 9, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 4, "output_tokens": 5}],
        TokenUsage(13, 5, 0, 4),
    ),
    "a zero of the output replaces": (
        {"input_tokens": 9, "output_tokens": 3},
        [{"output_tokens": 0}],
        TokenUsage(9, 0),
    ),
    "the input comes late": (
        {"input_tokens": 0, "output_tokens": 0},
        [{"input_tokens": 9, "output_tokens": 5}],
        TokenUsage(9, 5),
    ),
    "null is no count": (
        {"input_tokens": 9, "output_tokens": 1},
        [{"input_tokens": None, "cache_read_input_tokens": None, "output_tokens": 5}],
        TokenUsage(9, 5),
    ),
    "an input of nothing is none": (
        {"input_tokens": 9, "output_tokens": 1},
        [{"input_tokens": 0, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0, "output_tokens": 5}],
        TokenUsage(9, 5),
    ),
    "text": ({"input_tokens": "9", "output_tokens": "1"}, [{"output_tokens": "5"}], TokenUsage(9, 5)),
}


@pytest.mark.parametrize("name", CUMULATIVE)
async def test_a_later_cumulative_count_of_messages_replaces_the_earlier_one(name: str) -> None:
    start, later, tokens = CUMULATIVE[name]
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-5", "content": []}
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    events: list[Json] = [
        {"type": "message_start", "message": {**message, "stop_reason": None, "usage": start}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "A"}},
        {"type": "content_block_stop", "index": 0},
        *({"type": "message_delta", "delta": end, "usage": usage} for usage in later),
        {"type": "message_stop"},
    ]
    stage = Stage("anthropic", "text/event-stream")
    stream = b"".join(b"event: %b\ndata: %b\n\n" % (e["type"].encode(), json.dumps(e).encode()) for e in events)

    for ingress in stage.ingresses:
        heard = await stage.hear(ingress, [stream])
        assert heard.failure is None, (ingress, heard.failure)
        assert _counts(heard.usage) == tokens, ingress


@pytest.mark.parametrize(
    ("reported", "tokens"),
    [
        (
            [
                {"prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8, "cached_tokens": 4},
                {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12, "cached_tokens": 0},
            ],
            TokenUsage(7, 5),
        ),
        ([{"prompt_tokens": 7}, {"completion_tokens": 5}], TokenUsage(7, 5)),
        (
            [{"prompt_tokens": 7, "completion_tokens": 5}, {"prompt_tokens": 0, "completion_tokens": 0}],
            TokenUsage(7, 5),
        ),
        ([{"prompt_tokens": 7, "completion_tokens": 5}, None, [], {}], TokenUsage(7, 5)),
    ],
)
async def test_a_later_cumulative_count_of_a_chat_replaces_the_earlier_one(
    reported: list[Any], tokens: TokenUsage
) -> None:
    *chunks, _ = clean_chunks()
    counted = [chunk | {"usage": usage} for chunk, usage in zip(chunks[2:], reported, strict=False)]
    stage = Stage("openai", "text/event-stream")

    for ingress in stage.ingresses:
        heard = await stage.hear(ingress, [_stream([*chunks[:2], *counted, *chunks[2 + len(counted) :]])])
        assert heard.failure is None, (ingress, heard.failure)
        assert _counts(heard.usage) == tokens, ingress


async def test_a_message_over_chat_begins_with_an_estimate_of_its_input_and_ends_with_the_count() -> None:
    stage = Stage("openai", "text/event-stream")
    asked = [{"role": "user", "content": "word " * 300}]

    heard = await stage.hear("messages", [_stream(clean_chunks())], messages=asked)

    start = json.loads(heard.whole.split(b"\n\n")[0].split(b"data: ")[1])["message"]
    assert 300 <= start["usage"]["input_tokens"] <= 450
    assert _of_message(heard.whole) == 7
