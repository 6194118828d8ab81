"""Request headers per provider key: an allow-list built once, so that nothing of a client's request leaks (S-24)."""

from collections.abc import Sequence
from typing import Final

import httpx

from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.keys import ProviderKey

_KEPT: Final = 1024
"""Keys whose headers are remembered; more are built anew each time one is forgotten."""


class KeyHeaders:
    """The headers to call one provider with, by key: `header` carries it behind `prefix`.

    Source: every OpenAI-compatible API takes a Bearer key, Anthropic `x-api-key`, Azure `api-key`, Google
    `x-goog-api-key` (read 2026-11).
    """

    def __init__(
        self,
        user_agent: str,
        fixed: Sequence[tuple[str, str]] = (),
        header: str = "authorization",
        prefix: str = "Bearer ",
    ) -> None:
        self._header = header.lower().encode()
        self._prefix = prefix.encode()
        self._fixed = [
            (b"content-type", b"application/json"),
            (b"accept", b"application/json"),  # as OpenAI's own clients ask, for streams too
            (b"user-agent", user_agent.encode()),
            *((name.lower().encode(), value.encode()) for name, value in fixed),
        ]
        self._without_key = httpx.Headers(self._fixed)
        self._by_key: dict[str, tuple[ProviderKey, httpx.Headers]] = {}

    def of(self, key: ProviderKey | None) -> httpx.Headers:
        """Raises `UpstreamFailure` for a key that cannot stand in a header."""
        if key is None:
            return self._without_key
        known = self._by_key.get(key.id)
        if known is not None and known[0] is key:
            return known[1]
        value = key.secret.reveal().strip()
        if not value.isascii() or not value.isprintable():
            raise UpstreamFailure(
                FailureKind.INVALID_CREDENTIAL,
                f"Key '{key.label}' holds characters that no HTTP header can carry; enter it again.",
            )
        headers = httpx.Headers([*self._fixed, (self._header, self._prefix + value.encode())])
        if len(self._by_key) >= _KEPT:
            self._by_key.clear()
        self._by_key[key.id] = (key, headers)
        return headers
