"""Token usage, from every shape OpenAI-compatible providers write it in, into OpenAI's way of counting."""

from typing import Final

import msgspec

from adapters.wire.undecodable import UNDECODABLE
from domain.usage import TokenUsage

_Count = int | float | None


class _CacheCreation(msgspec.Struct):
    ephemeral_1h_input_tokens: _Count = None


class _Details(msgspec.Struct):
    cached_tokens: _Count = None
    cache_write_tokens: _Count = None
    audio_tokens: _Count = None
    image_tokens: _Count = None
    reasoning_tokens: _Count = None
    cache_creation_token_details: _CacheCreation | None = None  # gateways, this one too, about Claude


class Usage(msgspec.Struct):
    """Usage as it is told."""

    prompt_tokens: _Count = None
    completion_tokens: _Count = None
    total_tokens: _Count = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None
    prompt_cache_hit_tokens: _Count = None  # DeepSeek
    cached_tokens: _Count = None  # Moonshot
    reasoning_tokens: _Count = None  # Perplexity and others put it on top


_NO_DETAILS: Final = _Details()

_decode = msgspec.json.Decoder(Usage).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


class ReadUsage(msgspec.Struct, frozen=True):
    """Usage as read: the counts, and the JSON to show a client (mended where the upstream counts otherwise)."""

    tokens: TokenUsage
    raw: bytes
    mended: bool


def read_usage(raw: bytes, *, completion_excludes_reasoning: bool = False) -> ReadUsage | None:
    """None where there is nothing to read. Never raises: usage that cannot be read is usage that never came.

    With `completion_excludes_reasoning` (xAI) the total says whether reasoning is missing from completion.
    """
    try:
        usage = _decode(raw)
    except UNDECODABLE:
        return None
    counted = count_usage(usage, completion_excludes_reasoning=completion_excludes_reasoning)
    if counted is None:
        return None
    tokens, mended = counted
    return ReadUsage(tokens, _mend(raw, tokens, _int(usage.total_tokens)) if mended else raw, mended)


def count_usage(usage: Usage, *, completion_excludes_reasoning: bool = False) -> tuple[TokenUsage, bool] | None:
    """The counts, and whether a client must be shown others than the upstream's. None where nothing was counted."""
    prompt, completion = _int(usage.prompt_tokens), _int(usage.completion_tokens)
    if not prompt and not completion:  # absent, or zeros by a server that does not count: no prompt has no tokens
        return None
    inputs, outputs = usage.prompt_tokens_details or _NO_DETAILS, usage.completion_tokens_details or _NO_DETAILS
    reasoning = _int(outputs.reasoning_tokens) or _int(usage.reasoning_tokens)
    mended = not _whole(usage)
    if completion_excludes_reasoning and reasoning and _int(usage.total_tokens) == prompt + completion + reasoning:
        completion += reasoning
        mended = True
    written, made = _int(inputs.cache_write_tokens), inputs.cache_creation_token_details
    tokens = TokenUsage(
        input_tokens=prompt,
        output_tokens=completion,
        cache_read_tokens=_int(inputs.cached_tokens)
        or _int(usage.prompt_cache_hit_tokens)
        or _int(usage.cached_tokens),
        cache_write_tokens=written,
        reasoning_tokens=reasoning,
        audio_input_tokens=_int(inputs.audio_tokens),
        audio_output_tokens=_int(outputs.audio_tokens),
        image_tokens=_int(inputs.image_tokens),
        cache_write_1h_tokens=min(written, _int(made.ephemeral_1h_input_tokens)) if made is not None else 0,
    )
    return tokens, mended


def _whole(usage: Usage) -> bool:
    """Whether the three counts every typed client requires are there, as integers."""
    return type(usage.prompt_tokens) is int and type(usage.completion_tokens) is int and type(usage.total_tokens) is int


def _mend(raw: bytes, tokens: TokenUsage, total: int) -> bytes:
    fields = _decode_fields(raw)
    prompt, completion = tokens.input_tokens, tokens.output_tokens
    total = total or prompt + completion
    for name, count in (("prompt_tokens", prompt), ("completion_tokens", completion), ("total_tokens", total)):
        fields[name] = msgspec.Raw(_encode(count))
    return _encode(fields)


def _int(count: _Count) -> int:
    return max(0, int(count)) if count else 0
