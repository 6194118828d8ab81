"""Sending answers as ASGI messages, with headers made once; and the filter for header values from outside."""

from litestar.types import Send

from entrypoints.http.error_styles import OPENAI_ERRORS, ErrorStyle
from entrypoints.http.errors import ErrorAnswer, Headers

JSON_SECURITY: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
"""On every answer that is not a page."""

_JSON: Headers = ((b"content-type", b"application/json"), *JSON_SECURITY)
_STREAM: Headers = (
    (b"cache-control", b"no-cache, no-store"),
    (b"x-accel-buffering", b"no"),
    *(header for header in JSON_SECURITY if header[0] != b"cache-control"),
)

_MAX_VALUE_BYTES = 1024


def header_value(text: str | bytes) -> bytes | None:
    """`text` as a header value, or None where it is not visible ASCII of at most 1 KiB (S-20).

    For every value that comes from an upstream, a client or the database: the server closes the connection
    without any answer on a value with a line break in it.
    """
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    visible = text.isascii() and text.isprintable() and 0 < len(text) <= _MAX_VALUE_BYTES
    return text.encode("ascii") if visible else None


async def send_json(send: Send, status: int, body: bytes, headers: Headers) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*_JSON, (b"content-length", b"%d" % len(body)), *headers],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def send_body(send: Send, status: int, body: bytes, content_type: str, headers: Headers) -> None:
    """An answer that is whole and no JSON."""
    own = ((b"content-type", content_type.encode()), (b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": [*own, *JSON_SECURITY, *headers]})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def send_stream_head(
    send: Send, headers: Headers, content_type: str = "text/event-stream; charset=utf-8"
) -> None:
    own = (b"content-type", content_type.encode())
    await send({"type": "http.response.start", "status": 200, "headers": [own, *_STREAM, *headers]})


async def send_error(
    send: Send, answer: ErrorAnswer, request_id: str, headers: Headers, style: ErrorStyle = OPENAI_ERRORS
) -> None:
    """`headers` are the request's; the error's own are added."""
    status, body = style.plain(answer, request_id)
    await send_json(send, status, body, (*headers, *answer.headers))


async def send_empty(send: Send, status: int, headers: Headers) -> None:
    length: Headers = () if status == 204 else ((b"content-length", b"0"),)
    await send({"type": "http.response.start", "status": status, "headers": [*JSON_SECURITY, *length, *headers]})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
