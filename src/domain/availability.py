"""Whether a provider key may be asked now, as facts: the policies decide, these are what they keep."""

from datetime import datetime
from enum import StrEnum

import msgspec


class KeyCondition(StrEnum):
    """The condition of one provider key."""

    AVAILABLE = "available"
    RATE_LIMITED = "rate_limited"
    EXHAUSTED = "exhausted"
    INVALID = "invalid_key"


class ProviderStatus(StrEnum):
    """What `GET /admin/providers` shows, worst news first where several hold."""

    AVAILABLE = "available"
    RATE_LIMITED = "rate_limited"
    EXHAUSTED = "exhausted"
    INVALID_KEY = "invalid_key"
    UNHEALTHY = "unhealthy"
    NO_KEY = "no_key"
    DISABLED = "disabled"


class KeyState(msgspec.Struct, frozen=True):
    """What is known of one provider key. Survives a restart.

    `until` of None with a condition other than available means: until someone retries it or changes it.
    `reason` is the provider's message, cut and masked; `strikes` counts rate limits in a row.
    """

    key_id: str
    condition: KeyCondition = KeyCondition.AVAILABLE
    until: datetime | None = None
    since: datetime | None = None
    reason: str = ""
    strikes: int = 0


class RateLimitWindow(msgspec.Struct, frozen=True):
    """One budget a provider reports in its headers. `reset_seconds` counts from the answer."""

    dimension: str  # `requests` or `tokens`
    window: str  # `minute`, `day`, … or empty where the provider does not say
    limit: int | None = None
    remaining: int | None = None
    reset_seconds: float | None = None
