"""Free tiers and quotas as the admin API shows them: each fact with its day and source, and what is left until when."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from domain.free_tiers import Confidence, Dimension, FreeTier, FreeTierKind, Quota, Scope, Window, is_outdated
from domain.quotas import QuotaStanding, Source


class QuotaResponse(msgspec.Struct, frozen=True):
    """So much of `dimension` in `window`; `limit` is null where the provider does not publish it.

    `models` are patterns, none for every free model; `pool` names the count that they share, null: one each.
    """

    dimension: Dimension
    limit: int | None
    window: Window
    models: tuple[str, ...]
    pool: str | None
    reset: str
    expires_after_days: int | None
    as_of: date | None
    source: str
    confidence: Confidence
    outdated: bool


class FreeTierResponse(msgspec.Struct, frozen=True):
    """What a provider gives away; `summary` says it in words. `outdated`: part of it was not looked at for 90 days.

    `models` are patterns of the ids that are free, none where all are; `card_needed` is null where that is not known.
    """

    kind: FreeTierKind
    summary: str
    models: tuple[str, ...]
    quotas: tuple[QuotaResponse, ...]
    scope: Scope
    card_needed: bool | None
    terms: tuple[str, ...]
    note: str
    as_of: date | None
    source: str
    confidence: Confidence
    outdated: bool


EXAMPLE = {
    "kind": "renewing",
    "summary": "only *:free, openrouter/free; 20 requests a minute, 50 requests a day",
    "models": ["*:free", "openrouter/free"],
    "quotas": [
        {
            "dimension": "requests",
            "limit": 50,
            "window": "day",
            "models": [],
            "pool": "free models",
            "reset": "00:00 UTC",
            "expires_after_days": None,
            "as_of": "2026-11-21",
            "source": "https://openrouter.ai/docs/api-reference/limits",
            "confidence": "official",
            "outdated": False,
        }
    ],
    "scope": "account",
    "card_needed": False,
    "terms": [],
    "note": "1,000 a day once 10 USD were bought; failed calls count",
    "as_of": "2026-11-21",
    "source": "https://openrouter.ai/docs/api-reference/limits",
    "confidence": "official",
    "outdated": False,
}


def free_tier_answer(tier: FreeTier, today: date) -> FreeTierResponse:
    """As it is on that day."""
    return FreeTierResponse(
        kind=tier.kind,
        summary=tier.in_words(),
        models=tier.models,
        quotas=tuple(_quota(quota, today) for quota in tier.resolved()),
        scope=tier.scope,
        card_needed=tier.card_needed,
        terms=tier.terms,
        note=tier.note,
        as_of=tier.as_of,
        source=tier.source,
        confidence=tier.confidence,
        outdated=tier.outdated(today),
    )


def _quota(quota: Quota, today: date) -> QuotaResponse:
    return QuotaResponse(
        dimension=quota.dimension,
        limit=quota.limit,
        window=quota.window,
        models=quota.models,
        pool=quota.pool,
        reset=quota.reset,
        expires_after_days=quota.expires_after_days,
        as_of=quota.as_of,
        source=quota.source or "",
        confidence=quota.confidence or "official",
        outdated=is_outdated(quota.as_of, today),
    )


class QuotaStandingResponse(msgspec.Struct, frozen=True):
    """A quota. `models` is the model that has this count to itself, or patterns of those that share it; none: all.

    `resets_at` is null where it does not reset or nothing of it is used, `forecast_exhausted_at` where it resets before
    it is used up at the last hour's rate. `source` is who says so: `registry` (what is known of free accounts there),
    `admin`, or `observed` (the provider, in an answer). `enforced`: no call is made that it forbids; what is not says
    only whom to ask first, until the provider has confirmed it.
    """

    pool: str | None
    models: tuple[str, ...]
    dimension: str
    window: str
    limit: int | float | None
    used: int | float | None
    remaining: int | float | None
    resets_at: datetime | None
    forecast_exhausted_at: datetime | None
    source: Source
    as_of: date | None
    enforced: bool


QUOTA_EXAMPLE = {
    "pool": "free models",
    "models": ["*:free", "openrouter/free"],
    "dimension": "requests",
    "window": "day",
    "limit": 50,
    "used": 41,
    "remaining": 9,
    "resets_at": "2026-11-22T00:00:00Z",
    "forecast_exhausted_at": "2026-11-21T14:20:00Z",
    "source": "registry",
    "as_of": "2026-11-21",
    "enforced": False,
}


def quota_answers(standings: Sequence[QuotaStanding]) -> tuple[QuotaStandingResponse, ...]:
    """In the same order."""
    return tuple(QuotaStandingResponse(**msgspec.structs.asdict(standing)) for standing in standings)
