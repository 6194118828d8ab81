"""Makes byte streams that a client of HTTP/1.1 might send: valid ones, nearly valid ones and hostile ones.

A stream is made from its seed and number alone, so that a finding is kept by writing both down.
"""

import random
from collections.abc import Callable

METHODS = (b"GET", b"POST", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"DELETE", b"CONNECT", b"M-SEARCH", b"get")
TARGETS = (
    b"/", b"/v1/models", b"/v1/chat/completions", b"/a?b=c&d", b"/%41%zz", b"//x", b"*", b"http://localhost/x?y",
    b"HTTP://localhost:80", b"http://evil.example/", b"localhost:80", b"/a#b", b"https://h?x", b"/\x7f", b"/\xc3\xa9",
)  # fmt: skip
VERSIONS = (b"HTTP/1.1",) * 14 + (
    b"HTTP/1.0", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.2", b"http/1.1", b"HTTP/1.10", b"HTTP/1,1",
    b"HTTPS/1.1",
    b"HTTP/1.1 ", b"",
)  # fmt: skip
NAMES = (
    b"Accept", b"x-a", b"X-B", b"Authorization", b"Cookie", b"Content-Type", b"User-Agent", b"TE", b"Trailer",
    b"Keep-Alive",
    b"x_y", b"1", b"!#$%&'*+-.^_`|~",
)  # fmt: skip
VALUES = (
    b"",
    b"a",
    b"a b",
    b"text/plain; q=0.5, */*",
    b"\xe4\xf6",
    b"a\tb",
    b"x" * 300,
    b'"quoted, \\" text"',
    b":",
    b"chunked",
)
ODD_LINES = (
    b" folded", b"\tfolded: x", b"no colon", b": no name", b"Space : before", b"x-nul: a\x00b", b"x-cr: a\rb",
    b"x-lf: a\nb",
    b"x-del: \x7f", b"x-ctl: \x01", b"\xe9: x", b"x(y): z", b"x-esc: \x1b[0m", b"", b"x-vt: \x0b",
)  # fmt: skip
FRAMING = (
    b"Content-Length: 0", b"content-length: 3", b"Content-Length: 3, 3", b"Content-Length: +3", b"Content-Length: -1",
    b"Content-Length: 0x3", b"Content-Length: 3 3", b"Content-Length:", b"Content-Length: 99999999999999999999999",
    b"Content-Length: 0000000000000000003", b"Content-Length: \xb2", b"Content-Length: 1e1", b"Content-Length:3\t",
    b"Content_Length: 3", b"Transfer-Encoding: chunked", b"transfer-encoding: CHUNKED",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: chunked, chunked", b"Transfer-Encoding: xchunked", b"Transfer-Encoding: identity",
    b"Transfer-Encoding: chunked;q=1", b"Transfer-Encoding:", b"Transfer-Encoding: ,chunked",
    b"Transfer-Encoding: \x0bchunked",
    b"Transfer-Encoding : chunked", b"Transfer-Encoding: chunked\t", b"X: y\r\nTransfer-Encoding: chunked",
)  # fmt: skip
CONNECTIONS = (
    b"Connection: close", b"Connection: keep-alive", b"connection: Close, x", b"Connection: Upgrade\r\nUpgrade: h2c",
    b"Connection: upgrade\r\nUpgrade: websocket", b"Upgrade: h2c", b"Connection: upgrade, close",
    b"Connection: closed",
    b"Proxy-Connection: close", b"Expect: 100-continue", b"Expect: 100-Continue, x",
    b"Connection: Upgrade, HTTP2-Settings",
)  # fmt: skip
HOSTS = (b"Host: localhost",) * 16 + (
    b"",
    b"Host: a\r\nHost: b",
    b"host:",
    b"HOST: localhost:8000",
    b"Host : localhost",
)
SIZES = (
    b"0x3",
    b"+3",
    b"-3",
    b"",
    b"g",
    b"3 ",
    b" 3",
    b"3\t",
    b"ffffffffffffffff",
    b"fffffffffffffffff",
    b"00000003",
    b"3;",
    b"\xb23",
)
EXTENSIONS = (b";", b";a", b";a=b", b';a="b;c"', b";a\tb", b" ;a", b";\x00", b";a\nb", b";a\rb", b"; " + b"x" * 40)
TRAILERS = (b"x-t: 1", b"Host: evil", b"Content-Length: 5", b"Transfer-Encoding: chunked",
    b"Authorization: Bearer x", b"a b", b" fold",
            b"x: \x00", b"x", b": y")  # fmt: skip
BODIES = (b"", b"abc", b"{}", b"\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"0\r\n\r\n", b"x" * 2000, b"\x00\xff")


class Streams:
    """The streams of one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def pieces(self, number: int) -> list[bytes]:
        """The stream with this number, as the segments in which it arrives."""
        dice = random.Random(f"{self.seed}:{number}")
        oddness = dice.choice((0.0, 0.02, 0.1, 0.3))
        whole = b"".join(_request(dice, oddness) for _ in range(dice.choice((1, 1, 2, 3, 5))))
        if dice.random() < oddness:
            whole = _mutated(dice, whole)
        return _split(dice, whole)


def _request(dice: random.Random, oddness: float) -> bytes:
    def odd() -> bool:
        return dice.random() < oddness

    method = dice.choice(METHODS) if odd() else dice.choice(METHODS[:5])
    target = dice.choice(TARGETS) if odd() else dice.choice(TARGETS[:6])
    version = dice.choice(VERSIONS) if odd() else VERSIONS[0]
    lines = [dice.choice(HOSTS) if odd() else HOSTS[0]]
    lines += [_line(dice, odd) for _ in range(dice.choice((0, 1, 2, 4, 8)))]
    if dice.random() < 0.2:
        lines.append(dice.choice(CONNECTIONS))
    framing, body = _body(dice, odd)
    lines += framing
    if odd():
        lines.append(dice.choice(FRAMING))
    dice.shuffle(lines)
    end = b"\n" if dice.random() < oddness / 10 else b"\r\n"
    head = end.join([b" ".join((method, target, version)), *(line for line in lines if line), b"", b""])
    before = dice.choice((b"\r\n", b"\r\n\r\n", b"\n", b"\r", b" ")) if odd() else b""
    return before + head + body


def _line(dice: random.Random, odd: Callable[[], bool]) -> bytes:
    if odd():
        return dice.choice(ODD_LINES)
    space = dice.choice((b"", b" ", b"\t", b"  ", b" \t"))
    return dice.choice(NAMES) + b":" + space + dice.choice(VALUES) + dice.choice((b"", space))


def _body(dice: random.Random, odd: Callable[[], bool]) -> tuple[list[bytes], bytes]:
    kind = dice.random()
    body = dice.choice(BODIES)
    if kind < 0.3:
        return [], b""
    if kind < 0.6:
        length = len(body) + (dice.choice((-1, 1, 7)) if odd() else 0)
        return [b"Content-Length: %d" % max(length, 0)], body
    return [b"Transfer-Encoding: chunked"], _chunks(dice, odd, body)


def _chunks(dice: random.Random, odd: Callable[[], bool], body: bytes) -> bytes:
    parts: list[bytes] = []
    while body:
        size = dice.randint(1, len(body))
        line = dice.choice(SIZES) if odd() else dice.choice((b"%x", b"%X", b"0%x")) % size
        extension = dice.choice(EXTENSIONS) if odd() else dice.choice((b"", b"", b"", b";a=b"))
        end = dice.choice((b"\n", b"", b"\rX", b"X\r\n")) if odd() else b"\r\n"
        parts.append(line + extension + b"\r\n" + body[:size] + end)
        body = body[size:]
    trailers = b"".join(dice.choice(TRAILERS) + b"\r\n" for _ in range(dice.choice((1, 2, 5)))) if odd() else b""
    last = dice.choice((b"0", b"00", b"0;a", b"000000000000000000000", b"")) if odd() else b"0"
    return b"".join(parts) + last + b"\r\n" + trailers + b"\r\n"


def _mutated(dice: random.Random, whole: bytes) -> bytes:
    """A few bytes lost, doubled, or changed."""
    for _ in range(dice.choice((1, 1, 2, 4))):
        place, length = dice.randrange(len(whole) + 1), dice.choice((1, 1, 2, 8))
        kind = dice.randrange(4)
        if kind == 0:
            whole = whole[:place] + whole[place + length :]
        elif kind == 1:
            whole = whole[:place] + whole[place : place + length] * 2 + whole[place + length :]
        elif kind == 2:
            whole = whole[:place] + dice.randbytes(length) + whole[place + length :]
        else:
            whole = whole[:place] + dice.choice((b"\r", b"\n", b"\r\n", b" ", b":", b"\t", b"0")) + whole[place:]
    return whole


def _split(dice: random.Random, whole: bytes) -> list[bytes]:
    kind = dice.random()
    if kind < 0.3 or len(whole) < 2:
        return [whole] if whole else []
    if kind < 0.4 and len(whole) < 400:
        return [whole[place : place + 1] for place in range(len(whole))]
    places = sorted({dice.randrange(1, len(whole)) for _ in range(dice.choice((1, 2, 5, 20)))})
    return [whole[start:end] for start, end in zip([0, *places], [*places, len(whole)], strict=True)]
