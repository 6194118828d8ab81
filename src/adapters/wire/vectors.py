"""Embeddings as they travel: lists of numbers, or base64 of little-endian 32-bit floats.

Source: openai-python and openai-node ask for base64 where the caller said nothing, and the node client makes an empty
list of numbers sent instead (observed November 2026).
"""

import base64
import binascii
import struct
from collections.abc import Sequence
from typing import Literal

import msgspec

from domain.usage import TokenUsage, estimate_tokens

Encoding = Literal["float", "base64"]
Vector = Sequence[float]

_FLOAT_BYTES = 4

_encode = msgspec.json.Encoder().encode


def packed(vector: Vector) -> str:
    """Raises `ValueError` for numbers that 32 bits cannot hold."""
    try:
        floats = struct.pack(f"<{len(vector)}f", *vector)
    except (OverflowError, struct.error) as error:
        raise ValueError("an embedding holds a number that is no 32-bit float") from error
    return base64.b64encode(floats).decode()


def unpacked(text: str) -> list[float]:
    """Raises `ValueError` for what is no base64 of such floats."""
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("an embedding is no base64") from error
    if len(data) % _FLOAT_BYTES:
        raise ValueError("an embedding is cut off")
    return list(struct.unpack(f"<{len(data) // _FLOAT_BYTES}f", data))


def embedding_answer(
    vectors: Sequence[Vector], encoding: Encoding | None, model: str, usage: TokenUsage | None, prompt: str = ""
) -> bytes:
    """OpenAI's whole answer. Its clients need usage: where there is none, `prompt` is estimated by its length."""
    as_text = encoding == "base64"
    tokens = usage.input_tokens if usage is not None else estimate_tokens(len(prompt.encode(errors="replace")))
    data = [
        {"object": "embedding", "index": index, "embedding": packed(vector) if as_text else vector}
        for index, vector in enumerate(vectors)
    ]
    counts = {"prompt_tokens": tokens, "total_tokens": tokens}
    return _encode({"object": "list", "data": data, "model": model, "usage": counts})
