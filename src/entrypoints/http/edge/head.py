"""One pass over a request's headers: what the edge reads of them, and their sanity (F5)."""

import re
from collections.abc import Iterable

from domain.errors import RequestInvalid

_REQUEST_ID = re.compile(rb"[A-Za-z0-9_.-]{1,128}")
_CREDENTIALS = frozenset({b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key"})
_SINGLE = frozenset(
    {
        b"host",
        b"x-request-id",
        b"content-length",
        b"content-encoding",
        b"transfer-encoding",
        b"origin",
        b"access-control-request-method",
    }
)
_LISTED = frozenset({b"x-forwarded-for", b"access-control-request-headers"})

_SMALL_BODY_BYTES = 64 * 1024
MAX_URL_BYTES = 4096


class Head:
    """The headers the edge itself reads. `credentials` keeps every carrier as (name, value), in order."""

    __slots__ = ("count", "credentials", "declared_bytes", "hosts", "lists", "request_id", "singles", "size_bytes")

    def __init__(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self.credentials: list[tuple[bytes, bytes]] = []
        self.singles: dict[bytes, bytes] = {}
        self.lists: dict[bytes, list[bytes]] = {}
        self.hosts = 0
        size = count = 0
        for name, value in headers:
            count += 1
            size += len(name) + len(value) + 4
            if name in _SINGLE:
                self.singles[name] = value
                if name == b"host":
                    self.hosts += 1
            elif name in _CREDENTIALS:
                self.credentials.append((name, value))
            elif name in _LISTED:
                self.lists.setdefault(name, []).append(value)
        self.size_bytes = size
        self.count = count
        wanted = self.singles.get(b"x-request-id")
        self.request_id = wanted if wanted is not None and _REQUEST_ID.fullmatch(wanted) else None
        declared = self.singles.get(b"content-length")
        self.declared_bytes = int(declared) if declared is not None and declared.isdigit() else None
        """`content-length`, None where the body is chunked or absent."""

    @property
    def announces_large_body(self) -> bool:
        """Whether more may follow than a server should read only to throw it away."""
        return b"transfer-encoding" in self.singles or (self.declared_bytes or 0) > _SMALL_BODY_BYTES

    def list_of(self, name: bytes) -> list[str]:
        """A comma-separated header, all its lines joined, empty items left out."""
        items = b",".join(self.lists.get(name, ())).decode("latin-1").split(",")
        return [item.strip() for item in items if item.strip()]


class HeaderLimits:
    """Refuses request heads that are too large. The server protocol bounds what is read of one at all."""

    def __init__(self, max_bytes: int, max_count: int) -> None:
        self._max_bytes = max_bytes
        self._max_count = max_count

    def check(self, head: Head, url_bytes: int) -> None:
        """Raises `RequestInvalid` (414, 431)."""
        if url_bytes > MAX_URL_BYTES:
            raise RequestInvalid(f"The address is longer than {MAX_URL_BYTES} bytes.", code="url_too_long")
        if head.size_bytes > self._max_bytes or head.count > self._max_count:
            raise RequestInvalid(
                f"The request headers are larger than {self._max_bytes} bytes, or more than {self._max_count}.",
                code="headers_too_large",
            )
