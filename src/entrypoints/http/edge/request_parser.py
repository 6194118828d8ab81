"""Cuts the bytes of one connection into HTTP/1.1 requests (RFC 9112), strictly, and counts every byte against a bound.

What two readers could understand differently is refused, never guessed: bare CR or LF, folded lines, a space before
a colon, two lengths, a length beside chunks, transfer codings other than `chunked`. What follows the blank line of a
head is no header: trailers are checked, bounded and dropped. An `Upgrade` is an ordinary header (RFC 9110 7.8).

One request at a time: once its last byte was read, what follows is held until `proceed`.

| state | bytes that come | then |
| --- | --- | --- |
| HEAD | up to the blank line, bounded; one empty line before it is skipped | SIZED, CHUNK_LINE or DONE |
| SIZED | as many as `content-length` says | DONE |
| CHUNK_LINE | a size in hexadecimal, extensions, CRLF | CHUNK_DATA; after size 0 TRAILERS |
| CHUNK_DATA | as many as the line said | CHUNK_END |
| CHUNK_END | CRLF | CHUNK_LINE |
| TRAILERS | header lines to drop, up to an empty line | DONE |
| DONE | held, unread | HEAD, by `proceed` |
"""

import enum
import re
from typing import Final, Protocol

from domain.errors import RequestInvalid

MAX_CHUNK_OVERHEAD_BYTES: Final = 16 * 1024
"""Of chunk lines and their extensions, beyond what small chunks need: `_overhead_allowed`."""

MAX_TRAILERS: Final = 100

_REQUEST_LINE: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])\r\n")
_FIELD: Final = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*+((?:[^\x00-\x08\x0a-\x1f\x7f]*[^\x00-\x20\x7f])?)[ \t]*"
)
_LENGTH: Final = re.compile(rb"[0-9]{1,18}")
_CHUNK_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})(?:;[\t\x20-\x7e\x80-\xff]*)?")
_TOKEN_BYTES: Final = frozenset(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

_COMMON = (
    "Host Accept Authorization Content-Type Content-Length User-Agent Accept-Encoding Connection X-Api-Key Cookie "
    "Accept-Language X-Request-Id X-Forwarded-For X-Forwarded-Proto Transfer-Encoding"
).split()
_NAMES: Final = {name.encode(): name.lower().encode() for name in (*_COMMON, *map(str.lower, _COMMON))}
"""Names that nearly every request has: known to be well-formed, and one object for all of them."""

Headers = list[tuple[bytes, bytes]]

_LINES: Final[dict[bytes, tuple[bytes, bytes]]] = {}
"""Lines read of late, and what they said: a client sends nearly the same head each time."""

_MAX_LINES: Final = 1000
_MAX_LINE_BYTES: Final = 200
_NOT_KEPT: Final = frozenset(
    b"authorization x-api-key api-key x-goog-api-key cookie proxy-authorization content-length".split()
)
"""Credentials, and lengths, which differ from request to request."""


class State(enum.Enum):
    """What the next byte belongs to."""

    HEAD = enum.auto()
    SIZED = enum.auto()
    CHUNK_LINE = enum.auto()
    CHUNK_DATA = enum.auto()
    CHUNK_END = enum.auto()
    TRAILERS = enum.auto()
    DONE = enum.auto()


class RequestHead:
    """A request's line and headers; names are in lower case, values without the white space around them.

    `body_bytes` is the declared length of the body, 0 where there is none, None where it comes in chunks.
    """

    __slots__ = ("body_bytes", "expects_continue", "headers", "keep_alive", "method", "target", "version")

    def __init__(self, method: str, target: bytes, version: str, headers: Headers) -> None:
        self.method = method
        self.target = target
        self.version = version
        self.headers = headers
        self.keep_alive = True
        self.expects_continue = False
        self.body_bytes: int | None = 0


class RequestReceiver(Protocol):
    """Who is given what the parser finds, in order. None of it may call back into the parser."""

    def head_received(self, head: RequestHead) -> None: ...

    def body_received(self, piece: bytes) -> None: ...

    def request_ended(self) -> None: ...


class RequestParser:
    """Feed it with what comes; it raises `RequestInvalid` (400, 431) at the first fault and must not be fed again."""

    __slots__ = (
        "_blank",
        "_chunks",
        "_held",
        "_left",
        "_max_head_bytes",
        "_overhead",
        "_receiver",
        "_scanned",
        "state",
    )

    def __init__(self, receiver: RequestReceiver, max_head_bytes: int) -> None:
        self._receiver = receiver
        self._max_head_bytes = max_head_bytes
        self._held = b""
        self._scanned = 0  # of the held bytes, for the end of a head
        self._blank = False  # an empty line was skipped before this head
        self._left = 0  # bytes of the body, or of the chunk
        self._overhead = 0  # bytes of chunk lines so far, less what the chunks themselves allow
        self._chunks = 0
        self.state = State.HEAD

    @property
    def begun(self) -> bool:
        """Whether some of a head has come, and not yet its end."""
        return self.state is State.HEAD and (self._blank or bool(self._held))

    @property
    def held_bytes(self) -> int:
        return len(self._held)

    @property
    def unread_bytes(self) -> int | None:
        """What is still to come of the request's body; None where only its end will tell."""
        if self.state is State.SIZED:
            return self._left
        return 0 if self.state in (State.DONE, State.HEAD) else None

    def feed(self, data: bytes) -> int:
        """Take what has come; returns how many chunks it held, since each costs more than its bytes."""
        if self.state is State.SIZED and len(data) <= self._left:  # nothing is held within a sized body
            self._sized(data)
            return 0
        if self._held:
            data = self._held + data
            self._held = b""
        self._chunks = 0
        self._advance(data)
        return self._chunks

    def proceed(self) -> None:
        """Read the next request. Call it when this one was read to its end."""
        self.state = State.HEAD
        self._scanned = 0
        self._blank = False
        if self._held:
            data, self._held = self._held, b""
            self._advance(data)

    def _advance(self, data: bytes) -> None:
        position = self._head(data) if self.state is State.HEAD else 0
        size = len(data)
        while position < size:
            state = self.state
            before = position
            if state is State.SIZED or state is State.CHUNK_DATA:
                position = self._take(data, position)
            elif state is State.CHUNK_LINE:
                position = self._chunk_line(data, position)
            elif state is State.CHUNK_END:
                position = self._chunk_end(data, position)
            elif state is State.TRAILERS:
                position = self._trailers(data, position)
            else:
                break
            if position == before:
                break
        if position < size:
            self._held = data[position:] if position else data

    def _head(self, data: bytes) -> int:
        start = 0
        if data[0] in b"\r\n" and not self._blank:  # RFC 9112 2.2: at least one empty line is ignored
            if data == b"\r":
                return 0
            if not data.startswith(b"\r\n"):
                raise _invalid("a line ends with CR and LF")
            self._blank = True
            start = 2
        end = data.find(b"\r\n\r\n", max(start, self._scanned - 3))
        if end < 0:
            _check_start(data, start)
            self._scanned = len(data) - start
            if self._scanned > self._max_head_bytes:
                raise too_large()
            return start
        if end - start > self._max_head_bytes:
            raise too_large()
        head = parse_head(data[start : end + 2])
        self._left = head.body_bytes or 0
        self._overhead = 0
        self._receiver.head_received(head)
        if head.body_bytes is None:
            self.state = State.CHUNK_LINE
        elif head.body_bytes:
            self.state = State.SIZED
        else:
            self._done()
        return end + 4

    def _sized(self, piece: bytes) -> None:
        self._left -= len(piece)
        if piece:
            self._receiver.body_received(piece)
        if not self._left:
            self._done()

    def _take(self, data: bytes, position: int) -> int:
        piece = data[position : position + self._left]
        if self.state is State.SIZED:
            self._sized(piece)
        else:
            self._left -= len(piece)
            self._receiver.body_received(piece)
            if not self._left:
                self.state = State.CHUNK_END
        return position + len(piece)

    def _chunk_line(self, data: bytes, position: int) -> int:
        end = data.find(b"\r\n", position)
        if end < 0:
            if len(data) - position > self._overhead_allowed:
                raise _invalid("the chunk lines are too long")
            return position
        match = _CHUNK_LINE.fullmatch(data, position, end)
        if match is None:
            raise _invalid("a chunk does not begin with its size")
        self._left = int(match[1], 16)
        self._chunks += 1
        self._overhead += end - position + 4
        if self._overhead > MAX_CHUNK_OVERHEAD_BYTES:
            raise _invalid("the chunk lines are too long")
        self._overhead = max(self._overhead - 2 * self._left - 8, 0)
        self.state = State.CHUNK_DATA if self._left else State.TRAILERS
        return end + 2

    @property
    def _overhead_allowed(self) -> int:
        return MAX_CHUNK_OVERHEAD_BYTES - self._overhead

    def _chunk_end(self, data: bytes, position: int) -> int:
        end = data[position : position + 2]
        if end == b"\r\n":
            self.state = State.CHUNK_LINE
            return position + 2
        if end != b"\r":
            raise _invalid("a chunk is not as long as it said")
        return position

    def _trailers(self, data: bytes, position: int) -> int:
        if data.startswith(b"\r\n", position):
            self._done()
            return position + 2
        end = data.find(b"\r\n\r\n", position)
        if (end if end >= 0 else len(data)) - position > self._max_head_bytes:
            raise too_large()
        if end < 0:
            _check_ends(data, position)
            return position
        if len(_fields(data[position : end + 2], 0)) > MAX_TRAILERS:
            raise too_large()
        self._done()
        return end + 4

    def _done(self) -> None:
        self.state = State.DONE
        self._receiver.request_ended()


def parse_head(block: bytes) -> RequestHead:
    """A head up to its blank line. Raises `RequestInvalid` where RFC 9112 does not say what it means."""
    match = _REQUEST_LINE.match(block)
    if match is None:
        raise _invalid("the request line is not a method, an address and a version")
    method, target, major, minor = match.groups()
    if major != b"1":
        raise _invalid("this server speaks HTTP/1.1 and HTTP/1.0")
    old = minor == b"0"
    head = RequestHead(method.decode("ascii"), target, "1.0" if old else "1.1", _fields(block, match.end()))
    head.keep_alive = not old
    _frame(head, old=old)
    if not target.startswith(b"/") or b"#" in target or method == b"CONNECT":
        _check_target(head)
    return head


def _frame(head: RequestHead, *, old: bool) -> None:
    """What the headers say of the body and of the connection."""
    fields = dict(head.headers)
    if len(fields) != len(head.headers):
        _check_repeated(head, fields)
    if b"host" not in fields and not old:
        raise _one_host()
    length = fields.get(b"content-length")
    coding = fields.get(b"transfer-encoding")
    if coding is not None:
        if length is not None or old:
            raise _invalid("a length beside a transfer coding, or a coding in HTTP/1.0")
        if coding.lower() != b"chunked":
            raise _invalid("the one transfer coding understood is 'chunked'")
        head.body_bytes = None
    elif length is not None:
        if _LENGTH.fullmatch(length) is None:
            raise _invalid("a content-length is one number")
        head.body_bytes = int(length)
    options = fields.get(b"connection")
    if options is not None and b"close" in [option.strip(b" \t") for option in options.lower().split(b",")]:
        head.keep_alive = False
    expected = fields.get(b"expect")
    if expected is not None and expected.lower() == b"100-continue":
        head.expects_continue = not old and head.body_bytes != 0


def _check_repeated(head: RequestHead, fields: dict[bytes, bytes]) -> None:
    """Refuse two of what there may be one of; the options of several `connection` lines are one list."""
    names = [name for name, _ in head.headers]
    if names.count(b"host") > 1:
        raise _one_host()
    if names.count(b"content-length") > 1 or names.count(b"transfer-encoding") > 1:
        raise _invalid("a content-length and a transfer-encoding are given once")
    if names.count(b"connection") > 1:
        fields[b"connection"] = b",".join([value for name, value in head.headers if name == b"connection"])


def _check_target(head: RequestHead) -> None:
    """The forms of RFC 9112 3.2 other than a path."""
    target = head.target
    if b"#" in target:
        raise _invalid("an address is sent without its fragment")
    if target.lower().startswith((b"http://", b"https://")):
        authority = re.split(rb"[/?]", target.split(b"://", 1)[1], maxsplit=1)[0]
        # RFC 9112 3.2.2: the received Host is ignored, that of the address counts.
        head.headers = [(b"host", authority), *(header for header in head.headers if header[0] != b"host")]
    elif target != b"*" or head.method != "OPTIONS":
        raise _invalid("the address is neither a path nor a URL")
    if head.method == "CONNECT":
        raise _invalid("this server makes no tunnels")


def _fields(block: bytes, start: int) -> Headers:
    """The header lines from `start` on, each with its CR and LF."""
    known = _LINES.get
    return [known(line) or _field(line) for line in block[start:-2].split(b"\r\n")] if start < len(block) else []


def _field(line: bytes) -> tuple[bytes, bytes]:
    match = _FIELD.fullmatch(line)
    if match is None:
        raise _invalid(
            "a header line is not a name, a colon and a value without control characters, ended by CR and LF"
        )
    name, value = match.groups()
    field = (_NAMES.get(name) or name.lower(), value)
    if len(line) <= _MAX_LINE_BYTES and field[0] not in _NOT_KEPT:
        if len(_LINES) >= _MAX_LINES:
            _LINES.clear()
        _LINES[line] = field
    return field


def _check_start(data: bytes, start: int) -> None:
    """Who speaks another protocol (TLS, say), or ends lines with LF alone, hears of it before the deadline."""
    if len(data) > start and data[start] not in _TOKEN_BYTES:
        raise _invalid("the request line is not a method, an address and a version")
    _check_ends(data, start)


def _check_ends(data: bytes, start: int) -> None:
    if data.count(b"\n", start) != data.count(b"\r\n", start):
        raise _invalid("a line ends with CR and LF")


def _one_host() -> RequestInvalid:
    return RequestInvalid("A request has exactly one Host header.", code="invalid_host")


def too_large() -> RequestInvalid:
    return RequestInvalid("The request headers are too large.", code="headers_too_large")


def _invalid(reason: str) -> RequestInvalid:
    return RequestInvalid(f"The request is not valid HTTP/1.1: {reason}.", code="invalid_http")
