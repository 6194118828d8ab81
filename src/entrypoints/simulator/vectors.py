"""Embeddings that follow from the text alone: the same text gives the same vector, of length one."""

import base64
import math
import struct
import zlib

DIMENSIONS = 8
"""Where the request names none."""


def vector_of(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """A unit vector; its numbers are exact as 32-bit floats, so that base64 and lists say the same."""
    raw = [zlib.crc32(f"{index}/{text}".encode()) / 2**31 - 1 for index in range(dimensions)]
    length = math.sqrt(sum(number * number for number in raw)) or 1.0
    exact: tuple[float, ...] = struct.unpack(
        f"<{dimensions}f", struct.pack(f"<{dimensions}f", *(number / length for number in raw))
    )
    return list(exact)


def packed(vector: list[float]) -> str:
    """Base64 of little-endian 32-bit floats."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
