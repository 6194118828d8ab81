"""Tokens as providers report them, in OpenAI's way of counting."""

import msgspec


class TokenUsage(msgspec.Struct, frozen=True, array_like=True):
    """Token counts of one call. `input_tokens` includes cached ones, `output_tokens` includes reasoning.

    Written to the spool as an array: new counts go last.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    audio_input_tokens: int = 0
    audio_output_tokens: int = 0
    image_tokens: int = 0  # of the input
    cache_write_1h_tokens: int = 0  # of `cache_write_tokens`, those that are kept for an hour


def estimate_tokens(size_bytes: int) -> int:
    """Tokens of a text by its UTF-8 length alone: four bytes a token, as English prose has, rounded up."""
    return (size_bytes + 3) // 4
