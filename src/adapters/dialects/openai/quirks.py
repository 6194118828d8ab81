"""How one OpenAI-compatible upstream differs from OpenAI, as data: no behaviour, no defaults to guess.

A new upstream is a row of these. The encoder, the decoders and the published parameter table all read the
same row, so what is documented is what is done.
"""

from typing import Literal

import msgspec

from adapters.wire.limit_headers import HeaderTable

MaxTokensField = Literal["max_tokens", "max_completion_tokens"]

REASONING_FIELDS = ("reasoning_content", "reasoning_details", "thinking_blocks", "reasoning")
"""What clients send back in assistant messages. Some upstreams need it, most refuse a request that has it."""


class Quirks(msgspec.Struct, frozen=True):
    """Where an upstream leaves OpenAI's Chat Completions. The defaults are those of an unknown server."""

    # Request
    max_tokens_field: MaxTokensField | None = None  # the only name it knows; None: either, sent as it came
    drop: frozenset[str] = frozenset()  # parameters it answers 400 to, left out and reported
    refused: frozenset[str] = frozenset()  # forwarded although it refuses them: dropping would change the meaning
    rename: dict[str, str] = {}
    rewrite: dict[str, dict[str, str]] = {}  # parameter -> its JSON (or `{` for any object) -> JSON sent instead
    own_params: frozenset[str] = frozenset()  # beyond OpenAI's, what it takes of a chat made of a Message: top_k
    max_stops: int | None = 4  # how many stop sequences it takes of such a chat; None: any number
    stream_usage: bool = True  # knows stream_options.include_usage
    developer_role: bool = False  # knows the developer role; otherwise it is sent as system
    message_fields: frozenset[str] = frozenset()  # of REASONING_FIELDS, those it takes back
    message_names: bool = True  # knows messages[].name

    # Answers
    completion_excludes_reasoning: bool = False  # usage.completion_tokens leaves reasoning tokens out
    stop_with_tool_calls: bool = False  # says `stop` where OpenAI says `tool_calls`
    finish_reasons: dict[str, str] = {}  # its own words, besides those of `finish.py`

    # Refusals and limits
    error_kinds: dict[str, str] = {}  # its error codes or types -> FailureKind, besides `wire/refusal_rules.py`
    quota_resets: Literal["", "day", "month"] = ""  # when a spent free tier comes back
    quota_zone: str = "UTC"  # where its day begins
    limits_by_model: bool = False  # its rate limits, and their headers, are counted for each model
    limits: HeaderTable = {}


class EndpointQuirks(msgspec.Struct, frozen=True):
    """Where an upstream leaves one of OpenAI's other endpoints, besides what its chat drops there too."""

    drop: frozenset[str] = frozenset()  # parameters it answers 400 to, left out and reported
    refused: frozenset[str] = frozenset()  # another candidate is tried: leaving them out would change the meaning
    rename: dict[str, str] = {}
    default_voice: str | None = None  # speech: the voice of requests that name none
    at_least_seconds: int = 0  # transcriptions: what is charged for a recording shorter than that
    token_ids: bool = True  # embeddings: takes arrays of token ids; otherwise they are made text again


TEXT_ONLY = EndpointQuirks(token_ids=False)
