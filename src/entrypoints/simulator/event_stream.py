"""AWS's binary event stream: frames of headers and a payload, each with two checksums.

Source: the event stream encoding of smithy.io (read 2026-11).
"""

import struct
import zlib
from collections.abc import Mapping

CONTENT_TYPE = "application/vnd.amazon.eventstream"

_STRING = 7


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One frame."""
    given = b"".join(_header(name, value) for name, value in headers.items())
    total = 16 + len(given) + len(payload)
    prelude = struct.pack(">II", total, len(given))
    body = prelude + struct.pack(">I", zlib.crc32(prelude)) + given + payload
    return body + struct.pack(">I", zlib.crc32(body))


def event_frame(kind: str, payload: bytes) -> bytes:
    """An event of this type."""
    return frame({":event-type": kind, ":content-type": "application/json", ":message-type": "event"}, payload)


def exception_frame(kind: str, payload: bytes) -> bytes:
    """An exception in the middle of a stream."""
    return frame({":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}, payload)


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return struct.pack(">B", len(key)) + key + struct.pack(">BH", _STRING, len(text)) + text
