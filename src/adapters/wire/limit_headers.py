"""Which response header says what of which rate limit, as data."""

from typing import Literal

import msgspec


class LimitHeader(msgspec.Struct, frozen=True):
    """What one rate-limit header says. Headers of the same `bucket` describe one window."""

    bucket: str
    dimension: Literal["requests", "tokens"]
    window: str  # second, 10-second, minute, hour, day, month, or empty where the provider does not say
    field: Literal["limit", "remaining", "reset"]


HeaderTable = dict[str, LimitHeader]
"""By lower-case header name."""


def limit_headers(
    dimension: Literal["requests", "tokens"],
    window: str,
    *,
    limit: str = "",
    remaining: str = "",
    reset: str = "",
) -> HeaderTable:
    """The rows of one window, from the names of its headers."""
    bucket = f"{dimension}/{window}/{remaining or limit}"
    table: HeaderTable = {}
    if limit:
        table[limit] = LimitHeader(bucket, dimension, window, "limit")
    if remaining:
        table[remaining] = LimitHeader(bucket, dimension, window, "remaining")
    if reset:
        table[reset] = LimitHeader(bucket, dimension, window, "reset")
    return table


def openai_limit_headers(*, requests_window: str = "", resets: bool = True) -> HeaderTable:
    """`x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, which most of OpenAI's imitators send."""
    return {
        **limit_headers(
            "requests",
            requests_window,
            limit="x-ratelimit-limit-requests",
            remaining="x-ratelimit-remaining-requests",
            reset="x-ratelimit-reset-requests" if resets else "",
        ),
        **limit_headers(
            "tokens",
            "minute",
            limit="x-ratelimit-limit-tokens",
            remaining="x-ratelimit-remaining-tokens",
            reset="x-ratelimit-reset-tokens" if resets else "",
        ),
    }
