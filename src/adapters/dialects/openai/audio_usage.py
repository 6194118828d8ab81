"""Usage of speech and transcriptions: in tokens, or as a duration that no token count can be made of."""

import msgspec

from adapters.wire.undecodable import UNDECODABLE
from domain.usage import TokenUsage


class _Details(msgspec.Struct):
    audio_tokens: int | None = None


class _Usage(msgspec.Struct):
    type: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    prompt_tokens: int | None = None  # Mistral
    completion_tokens: int | None = None
    input_token_details: _Details | None = None
    output_token_details: _Details | None = None


_decode = msgspec.json.Decoder(_Usage).decode


def audio_usage(value: msgspec.Raw) -> TokenUsage | None:
    """None where there is nothing to read. Never raises."""
    try:
        usage = _decode(value)
    except UNDECODABLE:
        return None
    inputs = usage.input_tokens if usage.input_tokens is not None else usage.prompt_tokens
    outputs = usage.output_tokens if usage.output_tokens is not None else usage.completion_tokens
    if inputs is None and outputs is None:
        return None
    heard, said = usage.input_token_details or _Details(), usage.output_token_details or _Details()
    return TokenUsage(
        inputs or 0,
        outputs or 0,
        audio_input_tokens=heard.audio_tokens or 0,
        audio_output_tokens=said.audio_tokens or 0,
    )
