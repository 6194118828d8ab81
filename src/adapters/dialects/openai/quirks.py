"""How one OpenAI-compatible upstream differs from OpenAI, as data: no behaviour, no defaults to guess.

A new upstream is a row of these. The encoder, the decoders and the published parameter table all read the
same row, so what is documented is what is done.
"""

from typing import Literal

import msgspec

MaxTokensField = Literal["max_tokens", "max_completion_tokens"]

REASONING_FIELDS = ("reasoning_content", "reasoning_details", "thinking_blocks", "reasoning")
"""What clients send back in assistant messages. Some upstreams need it, most refuse a request that has it."""


class LimitHeader(msgspec.Struct, frozen=True):
    """What one rate-limit header says. Headers of the same `bucket` describe one window."""

    bucket: str
    dimension: Literal["requests", "tokens"]
    window: str  # second, 10-second, minute, hour, day, month, or empty where the provider does not say
    field: Literal["limit", "remaining", "reset"]


HeaderTable = dict[str, LimitHeader]
"""By lower-case header name."""


class Quirks(msgspec.Struct, frozen=True):
    """Where an upstream leaves OpenAI's Chat Completions. The defaults are those of an unknown server."""

    # Request
    max_tokens_field: MaxTokensField | None = None  # the only name it knows; None: either, sent as it came
    drop: frozenset[str] = frozenset()  # parameters it answers 400 to, left out and reported
    refused: frozenset[str] = frozenset()  # forwarded although it refuses them: dropping would change the meaning
    rename: dict[str, str] = {}
    rewrite: dict[str, dict[str, str]] = {}  # parameter -> its JSON (or `{` for any object) -> JSON sent instead
    stream_usage: bool = True  # knows stream_options.include_usage
    developer_role: bool = False  # knows the developer role; otherwise it is sent as system
    message_fields: frozenset[str] = frozenset()  # of REASONING_FIELDS, those it takes back
    message_names: bool = True  # knows messages[].name
    tool_call_id_length: int | None = None  # ids of tool calls must have exactly this many of a-z A-Z 0-9

    # Answers
    completion_excludes_reasoning: bool = False  # usage.completion_tokens leaves reasoning tokens out
    stop_with_tool_calls: bool = False  # says `stop` where OpenAI says `tool_calls`
    finish_reasons: dict[str, str] = {}  # its own words, besides those of `finish.py`

    # Refusals and limits
    error_kinds: dict[str, str] = {}  # its error codes or types -> FailureKind, besides those of `errors.py`
    quota_resets: Literal["", "day", "month"] = ""  # when a spent free tier comes back, in UTC
    limits: HeaderTable = {}


def limit_headers(
    dimension: Literal["requests", "tokens"],
    window: str,
    *,
    limit: str = "",
    remaining: str = "",
    reset: str = "",
) -> HeaderTable:
    """The rows of one window, from the names of its headers."""
    bucket = f"{dimension}/{window}/{remaining or limit}"
    table: HeaderTable = {}
    if limit:
        table[limit] = LimitHeader(bucket, dimension, window, "limit")
    if remaining:
        table[remaining] = LimitHeader(bucket, dimension, window, "remaining")
    if reset:
        table[reset] = LimitHeader(bucket, dimension, window, "reset")
    return table


def openai_limit_headers(*, requests_window: str = "", resets: bool = True) -> HeaderTable:
    """`x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, which most of OpenAI's imitators send."""
    return {
        **limit_headers(
            "requests",
            requests_window,
            limit="x-ratelimit-limit-requests",
            remaining="x-ratelimit-remaining-requests",
            reset="x-ratelimit-reset-requests" if resets else "",
        ),
        **limit_headers(
            "tokens",
            "minute",
            limit="x-ratelimit-limit-tokens",
            remaining="x-ratelimit-remaining-tokens",
            reset="x-ratelimit-reset-tokens" if resets else "",
        ),
    }
