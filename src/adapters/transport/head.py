"""Writes the head of an HTTP/1.1 request, and refuses one that could be read as two.

Source: RFC 9112 3, 5, 6; RFC 9110 5.5 (field values hold no CR, LF or NUL).
"""

import re
from collections.abc import Iterable

import httpx

from adapters.transport.egress import Origin

_METHOD = re.compile(rb"[A-Z]{1,20}")
_TARGET = re.compile(rb"[!-~]+")
_OURS = frozenset({b"host", b"content-length", b"transfer-encoding", b"accept-encoding", b"expect"})
_OUR_LENGTHS = frozenset(map(len, _OURS))


def request_line(method: str, url: httpx.URL, origin: Origin) -> tuple[bytes, bytes]:
    """The first line, and the Host line that goes with it. Raises `httpx.LocalProtocolError`."""
    verb = method.encode("ascii", "replace")
    target = url.raw_path
    if not _METHOD.fullmatch(verb) or not _TARGET.fullmatch(target):
        raise httpx.LocalProtocolError("The request's method or path holds a character that HTTP does not allow.")
    return b"%b %b HTTP/1.1\r\n" % (verb, target), b"host: %b\r\n" % origin.authority.encode("ascii")


def header_block(host_line: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """All header lines but the length. Host and encoding are ours unless given; framing always is.

    Raises `httpx.LocalProtocolError` for a value that would break out of its line.
    """
    lines: list[bytes] = []
    accept_encoding = b"accept-encoding: identity\r\n"
    for name, value in headers:
        if len(name) in _OUR_LENGTHS:
            lowered = name.lower()
            if lowered in _OURS:
                if lowered == b"host":
                    host_line = b"host: %b\r\n" % value
                elif lowered == b"accept-encoding":
                    accept_encoding = b"accept-encoding: %b\r\n" % value
                continue
        lines.append(b"%b: %b\r\n" % (name, value))
    block = b"".join((host_line, *lines, accept_encoding))
    written = len(lines) + 2
    if block.count(b"\n") != written or block.count(b"\r") != written or b"\0" in block:
        raise httpx.LocalProtocolError("A request header holds a line break or a NUL character.")
    return block
