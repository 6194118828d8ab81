"""What h11 makes of a byte stream, with the differences that are wanted: where we are stricter, and why.

`STRICTER` is the whole list. Each row is told from the bytes alone, not from what our parser says of them.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import h11

MAX_BYTES = 32 * 1024
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n")
_LENGTHS = re.compile(rb"^content-length[ \t]*:(.*?)\r?$", re.IGNORECASE | re.MULTILINE)
_HOST = re.compile(rb"^host:", re.IGNORECASE | re.MULTILINE)
_CODED = re.compile(rb"^transfer-encoding:", re.IGNORECASE | re.MULTILINE)
_TARGET = re.compile(rb"^(?:[^ ]+ (?:/|https?://)[^ #]* |OPTIONS \* )", re.IGNORECASE)
_CONNECT = re.compile(rb"^CONNECT ")
_OF_TRAILERS = re.compile(r"(?:bad|conflicting) Content-Length|(?:multiple|Only) Transfer-Encoding")
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]")


@dataclass(frozen=True)
class Stricter:
    """What h11 takes and we refuse. `applies` is given the bytes of a head, of chunk framing, or of trailers."""

    name: str
    citation: str
    applies: Callable[[bytes], bool]


def _many_lengths(head: bytes) -> bool:
    values = _LENGTHS.findall(head)
    return len(values) > 1 or any(b"," in value for value in values)


HEAD = (
    Stricter("control", "RFC 9112 2.2, 9110 5.5: bare CR is invalid, a lone LF may be refused, so may other controls",
             lambda head: _CONTROL.search(head) is not None),
    Stricter("folded", "RFC 9112 5.2: a server rejects or replaces folded lines",
             lambda head: re.search(rb"\n[ \t]", head) is not None),
    Stricter("lengths", "RFC 9112 6.3 (5): several equal lengths may be refused", _many_lengths),
    Stricter("long length", "RFC 9110 8.6: large numbers are expected and refused, not overflowed",
             lambda head: any(len(value.strip()) > 18 for value in _LENGTHS.findall(head))),
    Stricter("length and coding", "RFC 9112 6.1: a server may reject both together, and should close",
             lambda head: bool(_CODED.search(head) and _LENGTHS.search(head))),
    Stricter("coding in 1.0", "RFC 9112 6.1: its framing is faulty",
             lambda head: bool(_CODED.search(head)) and b" HTTP/1.0\r" in head.split(b"\n")[0]),
    Stricter("version", "RFC 9110 2.5, 15.6.6: another major version is not served",
             lambda head: b" HTTP/1." not in head.split(b"\n")[0]),
    Stricter("host in 1.2", "RFC 9110 2.5: a later minor version is served as 1.1, with its rule for Host",
             lambda head: re.search(rb" HTTP/1[.][2-9]\r", head) is not None and _HOST.search(head) is None),
    Stricter("target", "RFC 9112 3.2: a path or a URL without a fragment, or OPTIONS *",
             lambda head: _TARGET.match(head) is None),
    Stricter("tunnel", "RFC 9110 9.3.6: an origin server need not implement CONNECT",
             lambda head: _CONNECT.match(head) is not None),
    Stricter("large head", "RFC 9110 5.4: a server refuses fields larger than it wishes",
             lambda head: len(head) > MAX_BYTES),
)  # fmt: skip
CHUNK_LINE = (
    Stricter("chunk control", "RFC 9112 7.1.1: an extension is made of tokens and quoted strings",
             lambda line: _CONTROL.search(line) is not None),
    Stricter("chunk space", "RFC 9112 7.1: no white space behind a chunk's size",
             lambda line: re.match(rb"[0-9A-Fa-f]+[ \t]", line) is not None),
    Stricter("chunk size", "RFC 9112 7.1: large numbers are expected and refused, not overflowed",
             lambda line: re.match(rb"[0-9A-Fa-f]{16}", line) is not None),
)  # fmt: skip
TRAILERS = (
    Stricter("trailer control", "RFC 9112 2.2, 7.1.2: as in a head", lambda part: _CONTROL.search(part) is not None),
    Stricter("folded trailer", "RFC 9112 5.2: as in a head", lambda part: re.search(rb"\n[ \t]", part) is not None),
    Stricter("many trailers", "RFC 9110 6.5: as in a head",
             lambda part: len(part) > MAX_BYTES or part.count(b"\n") > 101),
)  # fmt: skip
BEGUN = (
    Stricter("no token", "RFC 9112 3: what does not begin with a method is refused before its end",
             lambda part: _TOKEN.match(part) is None),
    Stricter("lone LF", "RFC 9112 2.2: refused before the head's end",
             lambda part: part.count(b"\n") != part.count(b"\r\n")),
    Stricter("large head", "RFC 9110 5.4: as above", lambda part: len(part) > MAX_BYTES),
)  # fmt: skip
BEGUN_TRAILERS = (
    Stricter("lone LF in trailers", "RFC 9112 2.2: refused before the trailers' end",
             lambda part: part.count(b"\n") != part.count(b"\r\n")),
)  # fmt: skip
LAXER = (
    ("empty line", "RFC 9112 2.2: one before a request is ignored; h11 refuses it, so the oracle skips it"),
    (
        "framing in trailers",
        "RFC 9110 6.5.1, 9112 7.1.2: trailers are dropped; h11 refuses bad lengths and codings there",
    ),
)
STRICTER = (*HEAD, *CHUNK_LINE, *TRAILERS, *BEGUN, *BEGUN_TRAILERS)


@dataclass
class Request:
    """One request as a server understands it; `body` counts only where the request is whole."""

    method: str
    target: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""
    whole: bool = False


@dataclass
class Reading:
    """What became of a stream: its requests, and how the connection stands at its end."""

    requests: list[Request] = field(default_factory=list)
    end: str = "open"  # or `refused`, or `closed` after a last answer

    def canonical(self) -> object:
        """To compare by. Of a request that is not whole only the head counts."""
        return [_canonical(request) for request in self.requests], self.end


def _canonical(request: Request) -> tuple[object, ...]:
    """Path, host and the other headers apart: of a whole URL the host counts, whatever the header says."""
    rest, host, target = [], b"", request.target
    for name, value in request.headers:
        if name == b"host":
            host = value
        elif name == b"transfer-encoding":
            rest.append((name, value.lower()))
        else:
            rest.append((name, value))
    if target == b"*":
        target = b"/"
    elif not target.startswith(b"/"):
        host, path = re.fullmatch(rb"[^:]+://([^/?]*)(.*)", target).groups()  # type: ignore[union-attr]  # `_TARGET`
        target = path if path.startswith(b"/") else b"/" + path
    return request.method, target.removesuffix(b"?"), host, rest, request.body if request.whole else None


class H11Oracle:
    """Reads one stream. `used` counts how often each row of the table made a difference."""

    def __init__(self, used: Counter[str]) -> None:
        self._used = used
        self._connection = h11.Connection(h11.SERVER, max_incomplete_event_size=10**9)
        self._reading = Reading()
        self._start = b""  # held back from h11 before a request, to skip one empty line (RFC 9112 2.2)
        self._skipped = False
        self._framing = b""  # of the body, since its last bytes
        self._behind_chunk = False
        self._closes = False

    def read(self, pieces: list[bytes]) -> Reading:
        reading = self._reading
        for piece in pieces:
            if reading.end != "open":
                break
            self._start += piece
            try:
                self._read()
            except h11.RemoteProtocolError:
                reading.end = "refused"
        return reading

    def _read(self) -> None:
        while self._reading.end == "open":
            connection = self._connection
            if connection.their_state is h11.IDLE and not self._may_begin():
                return
            if self._start:
                connection.receive_data(self._start)
                self._start = b""
            before = bytes(connection.trailing_data[0])
            began = connection.their_state
            try:
                event = connection.next_event()
            except h11.RemoteProtocolError as error:
                if began is not h11.SEND_BODY or not _OF_TRAILERS.match(str(error)):
                    raise
                self._drop_trailers(before)
                continue
            taken = before[: len(before) - len(connection.trailing_data[0])]
            if event is h11.NEED_DATA:
                if began is h11.IDLE and before:
                    self._refuse_where(BEGUN, before)
                self._framing += taken
                if not self._check_framing() and began is h11.SEND_BODY:
                    self._refuse_where(BEGUN_TRAILERS, before[len(taken) :])
                return
            self._take(event, taken)

    def _may_begin(self) -> bool:
        """Whether a request may begin with what is held: at most one empty line is skipped before it."""
        if self._connection.trailing_data[0]:
            return True
        if not self._skipped and self._start.startswith(b"\r\n"):
            self._start, self._skipped = self._start[2:], True
        return bool(self._start) and (self._skipped or self._start != b"\r")

    def _take(self, event: object, taken: bytes) -> None:
        requests = self._reading.requests
        if isinstance(event, h11.Request):
            if self._refuse_where(HEAD, taken):
                return
            options = [value for name, value in event.headers if name == b"connection"]
            self._closes = event.http_version == b"1.0" or b"close" in re.split(
                rb"[ \t]*,[ \t]*", b",".join(options).lower()
            )
            requests.append(Request(event.method.decode(), event.target, list(event.headers)))
        elif isinstance(event, h11.Data):
            self._framing += taken[: -len(event.data)]
            if not self._check_framing():
                requests[-1].body += event.data
                self._framing = b""
                self._behind_chunk = event.chunk_end
        elif isinstance(event, h11.EndOfMessage):
            self._framing += taken
            if not self._check_framing():
                self._end_request()
        elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
            self._reading.end = "closed"

    def _drop_trailers(self, text: bytes) -> None:
        """The one thing we take and h11 does not: it holds trailers that we drop to the rules of headers (`LAXER`)."""
        trailers, _, ahead = (self._framing + text).partition(b"\r\n\r\n")
        self._framing = trailers + b"\r\n\r\n"
        if not self._check_framing():
            self._used["framing in trailers"] += 1
            self._end_request(ahead)

    def _end_request(self, ahead: bytes | None = None) -> None:
        """As our server does: answer, and go on where the client may, with what it sent ahead."""
        request, connection = self._reading.requests[-1], self._connection
        request.whole = True
        if ahead is None:
            connection.send(h11.Response(status_code=404, headers=[(b"content-length", b"0")]))
            connection.send(h11.EndOfMessage())
            ahead = bytes(connection.trailing_data[0])
        if self._closes or connection.our_state is h11.MUST_CLOSE:
            self._reading.end = "closed"
            return
        self._connection = h11.Connection(h11.SERVER, max_incomplete_event_size=10**9)
        self._start, self._skipped = ahead + self._start, False
        self._framing, self._behind_chunk = b"", False

    def _check_framing(self) -> bool:
        """Whether we refuse a chunk's line, or the trailers behind the last one."""
        text = self._framing.removeprefix(b"\r\n") if self._behind_chunk else self._framing
        line, end, trailers = text.partition(b"\r\n")
        if not end:
            return False
        return self._refuse_where(CHUNK_LINE, line + end) or self._refuse_where(TRAILERS, trailers)

    def _refuse_where(self, rows: tuple[Stricter, ...], part: bytes) -> bool:
        for row in rows:
            if row.applies(part):
                self._used[row.name] += 1
                self._reading.end = "refused"
                return True
        return False
