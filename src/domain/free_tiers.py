"""What a provider gives away: quotas per account, credits, conditions, and when and where each of them was read.

These are facts of other people, and they change: each carries the day it was last seen true, its source, and how sure
it is. What is older than `FRESH_DAYS` is shown as outdated wherever it is shown.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from fnmatch import fnmatchcase
from typing import Final, Literal

import msgspec

FRESH_DAYS: Final = 90

FreeTierKind = Literal["renewing", "credit", "none", "ended", "own", "unknown"]
"""`renewing` comes again by itself, `credit` once; `ended`: the service is gone; `own`: a server of one's own."""

Dimension = Literal[
    "requests", "tokens", "input_tokens", "output_tokens", "inputs", "usd", "neurons", "parallel", "usage"
]
"""What is counted: `inputs` are texts to embed, `parallel` requests at a time, `usage` a measure of its own."""

Window = Literal["second", "minute", "hour", "5h", "day", "7d", "month", "once", "moment"]
"""How long it is counted; `5h` and `7d` from the first use, `moment` is for `parallel`."""

Scope = Literal["account", "project", "key"]
"""Over what a provider counts: all keys of an account (an organization), those of a project, or each key."""

Confidence = Literal["official", "observed", "secondhand"]
"""The provider says so; somebody measured it; or others' code and pages do."""

_PER: Final[dict[Window, str]] = {
    "second": "a second",
    "minute": "a minute",
    "hour": "an hour",
    "5h": "per 5 hours",
    "day": "a day",
    "7d": "per 7 days",
    "month": "a month",
    "once": "once",
    "moment": "at a time",
}
_BEGINNINGS: Final[dict[FreeTierKind, str]] = {
    "credit": "nothing that renews",
    "none": "none",
    "ended": "ended",
    "own": "your own machine",
}
_NAMES: Final[dict[Dimension, str]] = {
    "usage": "allowance",
    "input_tokens": "input tokens",
    "output_tokens": "output tokens",
    "usd": "USD",
    "parallel": "requests",
}


class Quota(msgspec.Struct, frozen=True):
    """So much of something in a window. `limit` of None: there is one, and the provider does not publish it.

    `models` are patterns of ids; empty: every model that is free. `pool` is the name under which these models share one
    count; None: each has its own. `reset` is as in a provider key's quota: `00:00 UTC`, `00:00 America/Los_Angeles`,
    `rolling`, `provider`, or empty where the window says it. Where `as_of`, `source` and `confidence` are None they
    are those of the free tier.
    """

    dimension: Dimension
    limit: int | None
    window: Window
    models: tuple[str, ...] = ()
    pool: str | None = None
    reset: str = ""
    expires_after_days: int | None = None  # of what is given once
    as_of: date | None = None
    source: str | None = None
    confidence: Confidence | None = None
    firm: bool = False  # it holds for every account, or the provider's headers tell for which it does not


class FreeTier(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider gives away. `as_of` is the day on which `source` was last seen to say so; None: there is no
    fact in it. `models` are patterns of the ids that are free; empty: all. `card_needed` of None: not known.
    """

    kind: FreeTierKind
    quotas: tuple[Quota, ...] = ()
    models: tuple[str, ...] = ()
    scope: Scope = "account"
    card_needed: bool | None = None
    terms: tuple[str, ...] = ()  # what one agrees to, in words: `for evaluation only`
    note: str = ""
    as_of: date | None = None
    source: str = ""
    confidence: Confidence = "official"

    def resolved(self) -> tuple[Quota, ...]:
        """The quotas, each with its own day, source and confidence filled in."""
        return tuple(
            msgspec.structs.replace(
                quota,
                as_of=quota.as_of or self.as_of,
                source=quota.source or self.source,
                confidence=quota.confidence or self.confidence,
            )
            for quota in self.quotas
        )

    def quotas_of(self, model: str) -> tuple[Quota, ...]:
        """Those that a call of this model counts against; none where the model is not free."""
        if not _matches(model, self.models):
            return ()
        return tuple(quota for quota in self.resolved() if _matches(model, quota.models))

    def outdated(self, today: date) -> bool:
        """Whether any of it was last seen true too long ago to be relied on."""
        return any(is_outdated(day, today) for day in (self.as_of, *(quota.as_of for quota in self.quotas)))

    def in_words(self) -> str:
        """A line for people: `30 requests a minute, 1,000 requests a day for each model`."""
        parts = [_BEGINNINGS.get(self.kind, "")]
        if self.models and not any(quota.models for quota in self.quotas):
            parts.append(f"only {', '.join(self.models)}")
        parts += _groups_in_words(self.quotas)
        if self.card_needed:
            parts.append("a card is needed")
        parts += [*self.terms, self.note]
        return "; ".join(part for part in parts if part)

    def in_brief(self) -> str:
        """The first of its quotas, for a place where a line is short: `20 requests a minute, 50 requests a day`."""
        first = [quota for quota in self.quotas if (quota.models, quota.pool) == _group_of(self.quotas[0])]
        return ", ".join(_amount(quota) for quota in first)


def is_outdated(as_of: date | None, today: date) -> bool:
    """Whether a fact of that day has not been looked at for more than `FRESH_DAYS`."""
    return as_of is not None and (today - as_of).days > FRESH_DAYS


def age_in_words(tier: FreeTier, today: date) -> str:
    """What to say of a free tier's age; empty while all of it is fresh."""
    if not tier.outdated(today):
        return ""
    oldest = min(day for day in (tier.as_of, *(quota.as_of for quota in tier.quotas)) if day is not None)
    what = "" if is_outdated(tier.as_of, today) else "figures "
    return f"{what}last checked {oldest.isoformat()}, more than {FRESH_DAYS} days ago"


def worth_trying(tiers: Iterable[tuple[str, FreeTier]], today: date, most: int) -> list[str]:
    """Of providers by id, in their order, those to recommend to whoever has no account yet: free again and again,
    without a card, by the provider's own word. What was looked at lately comes first.
    """
    found = [
        (is_outdated(tier.as_of, today), provider_id)
        for provider_id, tier in tiers
        if tier.kind == "renewing" and tier.card_needed is False and tier.confidence == "official"
    ]
    return [provider_id for _, provider_id in sorted(found, key=lambda pair: pair[0])[:most]]


def _matches(model: str, patterns: tuple[str, ...]) -> bool:
    return not patterns or any(fnmatchcase(model, pattern) for pattern in patterns)


def _groups_in_words(quotas: Iterable[Quota]) -> Iterator[str]:
    groups: dict[tuple[tuple[str, ...], str | None], list[str]] = {}
    for quota in quotas:
        groups.setdefault(_group_of(quota), []).append(_amount(quota))
    for (models, pool), amounts in groups.items():
        each = "" if pool else " for each model"
        of = f" ({', '.join(models)})" if models else ""
        yield f"{', '.join(amounts)}{each}{of}"


def _group_of(quota: Quota) -> tuple[tuple[str, ...], str | None]:
    return quota.models, quota.pool


def _amount(quota: Quota) -> str:
    name = _NAMES.get(quota.dimension, quota.dimension)
    number = f"{quota.limit:,}" if quota.limit is not None else "unpublished"
    if quota.limit == 1:
        name = name.removesuffix("s")
    lasting = f", for {quota.expires_after_days} days" if quota.expires_after_days else ""
    return f"{number} {name} {_PER[quota.window]}{lasting}"
