"""How quickly a deployment has answered: what was measured of a model at a provider."""

import msgspec


class Spread(msgspec.Struct, frozen=True):
    """The milliseconds that half, and that nineteen of twenty calls did not exceed, within a few per cent."""

    p50: float
    p95: float


class Measured(msgspec.Struct, frozen=True):
    """Of the last 24 hours. `calls` and `failures` count calls upstream; what was never measured is None.

    `latency_ms` is to the end of the answer, `ttft_ms` to the first of a stream's content. `tokens_per_second` are
    output tokens, of streams from their first content on.
    """

    calls: int
    failures: int
    latency_ms: Spread | None = None
    ttft_ms: Spread | None = None
    tokens_per_second: float | None = None


class RecentSpeed(msgspec.Struct, frozen=True):
    """The same as averages that forget: a call counts half as much after so many seconds (`HALF_LIFE_SECONDS`)."""

    latency_ms: float | None = None
    ttft_ms: float | None = None
    tokens_per_second: float | None = None


NEVER_MEASURED = RecentSpeed()
