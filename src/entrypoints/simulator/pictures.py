"""Small pictures that follow from a prompt alone."""

import base64
import struct
import zlib

_SIDE = 8


def png_of(prompt: str, number: int = 0) -> bytes:
    """A PNG of one colour, eight pixels wide and high; the colour is the prompt's."""
    colour = zlib.crc32(f"{prompt}/{number}".encode()).to_bytes(4, "big")[:3]
    rows = (b"\0" + colour * _SIDE) * _SIDE
    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, data) for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )


def png_text(prompt: str, number: int = 0) -> str:
    """The same in base64."""
    return base64.b64encode(png_of(prompt, number)).decode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
