"""Limits and budgets in the headers of an answer (contract 5): what is left, and what a budget did to the answer."""

import math
from functools import lru_cache

from application.admission.limits import RequestLimits
from domain.money import usd

Headers = tuple[tuple[bytes, bytes], ...]

_NAMES = {
    dimension: (b"x-ratelimit-limit-" + kind, b"x-ratelimit-remaining-" + kind, b"x-ratelimit-reset-" + kind)
    for kind, dimensions in (
        (b"requests", ("rpm", "rpd", "parallel")),
        (b"tokens", ("tpm", "tpd", "itpm", "otpm")),
    )
    for dimension in dimensions
}


def rate_limit_headers(dimension: str, limit: int, remaining: int, reset_seconds: float) -> Headers:
    """`x-ratelimit-*` as OpenAI sends them: of requests or of tokens, the reset as `1m30s`. None for a budget."""
    names = _NAMES.get(dimension)
    if names is None:
        return ()
    of_limit, of_rest, of_reset = names
    return (
        (of_limit, b"%d" % limit),
        (of_rest, b"%d" % remaining if remaining > 0 else b"0"),
        (of_reset, _duration(math.ceil(reset_seconds))),
    )


@lru_cache(4096)
def _duration(seconds: int) -> bytes:
    minutes, rest = divmod(max(seconds, 0), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return b"%dh%dm%ds" % (hours, minutes, rest)
    return b"%dm%ds" % (minutes, rest) if minutes else b"%ds" % rest


@lru_cache(1024)
def _limit_usd(nano_usd: int) -> bytes:
    """Limits are few."""
    return usd(nano_usd).encode()


def limit_headers(limits: RequestLimits, downgraded_from: str) -> list[tuple[bytes, bytes]]:
    """Of a request that met limits."""
    found: list[tuple[bytes, bytes]] = []
    for left in limits.allowances:
        found += rate_limit_headers(left.limit.dimension, left.limit.amount, left.remaining, left.reset_seconds)
    spending = limits.spending
    if spending is None:
        return found
    if (standing := spending.tightest) is not None:
        found.append((b"x-omg-budget-limit-usd", _limit_usd(standing.term.limit_nano_usd)))
        found.append((b"x-omg-budget-remaining-usd", usd(standing.remaining_nano_usd).encode()))
    for term in spending.exceeded:
        name = b"x-omg-budget-warning" if term.on_exceeded == "warn" else b"x-omg-would-refuse"
        found.append((name, f"{term.subject.kind}:{term.subject.id}".encode("ascii", "replace")))
    if limits.cut:
        found.append((b"x-omg-budget-cut", b"true"))
    if downgraded_from and downgraded_from.isascii() and downgraded_from.isprintable():
        found.append((b"x-omg-downgraded-from", downgraded_from.encode()))
    return found
