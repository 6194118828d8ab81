"""CORS for browser clients: off unless origins are listed.

What such clients send and read: captures of openai-node, anthropic-ts and Open WebUI (November 2026).
"""

from collections.abc import Iterable

from entrypoints.http.edge.head import Head
from entrypoints.http.errors import Headers
from entrypoints.http.responses import header_value

_SENT = frozenset(
    {
        "accept", "accept-language", "api-key", "authorization", "content-language", "content-type", "http-referer",
        "idempotency-key", "openai-beta", "openai-organization", "openai-project", "user-agent", "x-api-key",
        "x-app", "x-goog-api-client", "x-goog-api-key", "x-request-id", "x-session-affinity", "x-session-id", "x-title",
    }
)  # fmt: skip
_SENT_PREFIXES = ("x-stainless-", "anthropic-", "x-openwebui-")
_READ = ", ".join(
    ["x-request-id", "retry-after", "x-should-retry", "idempotent-replayed", "x-omg-provider", "x-omg-model",
     "x-omg-attempts", "x-omg-decision", "x-omg-overhead-ms", "x-omg-dropped-params", "x-omg-cost",
     "x-omg-cost-usd", "x-omg-budget-limit-usd", "x-omg-budget-remaining-usd",
     *(f"x-ratelimit-{what}-{of}" for what in ("limit", "remaining", "reset") for of in ("requests", "tokens"))]
).encode()  # fmt: skip
_PREFLIGHT_SECONDS = b"7200"


def is_foreign(head: Head, granted: Headers) -> bool:
    """Whether a web page of another origin sent this, one that `granted` nothing to."""
    origin = head.singles.get(b"origin")
    if origin is None or granted:
        return False
    _, _, authority = origin.partition(b"://")
    return authority.lower() != head.singles.get(b"host", b"").lower()


class Cors:
    """Knows the origins that may call the inference routes from a browser."""

    def __init__(self, origins: Iterable[str]) -> None:
        listed = [origin.strip().rstrip("/").lower() for origin in origins if origin.strip()]
        self._any = "*" in listed
        self._origins = frozenset(origin.encode() for origin in listed)

    def headers(self, head: Head) -> Headers:
        """What an answer to this origin carries; nothing for one that is not listed."""
        origin = head.singles.get(b"origin")
        if origin is None or not (self._any or origin.lower() in self._origins):
            return ()
        allowed = b"*" if self._any else header_value(origin)
        if allowed is None:
            return ()
        return (
            (b"access-control-allow-origin", allowed),
            (b"access-control-expose-headers", _READ),
            (b"vary", b"origin"),
        )

    def preflight(self, head: Head, methods: Iterable[str]) -> Headers:
        """The answer to a browser's question before its request."""
        granted = self.headers(head)
        if not granted or b"access-control-request-method" not in head.singles:
            return granted
        asked = {name.lower() for name in head.list_of(b"access-control-request-headers")}
        sent = sorted(name for name in asked if name in _SENT or name.startswith(_SENT_PREFIXES))
        return (
            *granted,
            (b"access-control-allow-methods", ", ".join(methods).encode()),
            (b"access-control-allow-headers", header_value(", ".join(sent or ["authorization"])) or b"authorization"),
            (b"access-control-max-age", _PREFLIGHT_SECONDS),
        )
