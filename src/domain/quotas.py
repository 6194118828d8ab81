"""Quotas of provider keys: how much of what in which window, who says so, and what is left of it.

An admin writes them, the registry of providers knows some, and answers tell of others. Amounts are counted in whole
units: requests, tokens, nano-USD, thousandths of a neuron.
"""

import hashlib
import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from domain.money import NANO_PER_USD

Dimension = Literal["requests", "tokens", "input_tokens", "output_tokens", "usd", "neurons"]
Window = Literal["second", "minute", "hour", "5h", "day", "7d", "month", "once"]
Source = Literal["registry", "admin", "observed"]

UNITS: Final[dict[Dimension, int]] = {"usd": NANO_PER_USD, "neurons": 1000}
"""How many counted units one of a limit is, where that is not one."""

NANO_USD_PER_MILLI_NEURON: Final = 11
"""Source: developers.cloudflare.com/workers-ai/platform/pricing, 0.011 USD for 1,000 neurons (read 2026-11)."""

SECONDS: Final[dict[Window, int]] = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "5h": 5 * 3600,
    "day": 86_400,
    "7d": 7 * 86_400,
    "month": 30 * 86_400,
}
"""Of a month those of one that rolls."""

SHORT: Final = frozenset({"second", "minute", "hour"})
"""Windows whose end is worth waiting for: a key without any of it left is rate limited, not exhausted."""

FROM_FIRST_USE: Final = frozenset({"5h", "7d"})

_RESET: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d) (UTC|[A-Za-z_]+(?:/[A-Za-z_+-]+[A-Za-z0-9_+-]*)+)")
_WINTER_HOURS: Final = {"America/Los_Angeles": -8, "Asia/Shanghai": 8}
_MAX_ID: Final = 128
_MOST: Final = 2**62  # counted units: they must fit a column


class KeyQuota(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A quota as an admin writes it.

    `reset` says when a day or a month begins (`00:00 UTC`, which it is where nothing is said, or
    `00:00 America/Los_Angeles`), that it counts back from each moment (`rolling`), or that the provider's answers say
    it (`provider`). `models` are patterns of those that count, none: all; they share the one count, which `pool` names.
    """

    dimension: Dimension
    limit: int | float
    window: Window
    reset: Annotated[str, Meta(max_length=64)] = ""
    pool: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    models: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=512)], ...], Meta(max_length=100)] = ()

    def __post_init__(self) -> None:
        """Raises `ValueError` for a reset that is none, and for a limit that cannot be counted."""
        if self.reset not in {"", "rolling", "provider"}:
            beginning_of(self.reset)
        if not 0 <= self.limit * UNITS.get(self.dimension, 1) <= _MOST:
            raise ValueError("a limit is 0 or more, and a number that can be counted to")
        if self.dimension not in UNITS and self.limit != int(self.limit):
            raise ValueError(f"a limit of {self.dimension} is a whole number")


Quotas = Annotated[tuple[KeyQuota, ...], Meta(max_length=20)]


class QuotaRule(msgspec.Struct, frozen=True):
    """A quota as it is counted. `amount` is in counted units. `shared`: its models have one count, else each its own.

    A quota that is not `firm` is what the registry takes an account to have: it says whom to ask first, and holds
    once the provider has confirmed it.
    """

    dimension: Dimension
    amount: int
    window: Window
    source: Source
    reset: str = ""
    pool: str | None = None
    models: tuple[str, ...] = ()
    shared: bool = True
    firm: bool = True
    as_of: date | None = None

    def counted_as(self, model: str) -> str:
        """The name of the count that a call of this model goes to; stored, so it must not change."""
        whose = (self.pool or ",".join(self.models)) if self.shared else f"={model}"
        name = f"{self.dimension}/{self.window}/{whose}"
        if len(name) > _MAX_ID:
            name = f"{self.dimension}/{self.window}/#{hashlib.sha256(whose.encode()).hexdigest()[:40]}"
        return name

    @property
    def rolls(self) -> bool:
        """Whether it counts back from each moment."""
        return self.window in SHORT or (self.window == "day" and self.reset in {"rolling", "provider"})

    @property
    def from_first_use(self) -> bool:
        """Whether its window begins with the first call in it."""
        return self.window in FROM_FIRST_USE or (self.window == "month" and self.reset in {"rolling", "provider"})


class QuotaStanding(msgspec.Struct, frozen=True):
    """What is left of a quota, in its own units. None: not known, or, of moments, never.

    `models` are the model that has this count to itself, or patterns. `enforced`: no call is made that it forbids.
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


class QuotaCount(msgspec.Struct, frozen=True):
    """What was used of a quota since a moment, and when that counts no more, in seconds since 1970.

    `owner_id` is a key's, or `provider:` and a provider's.
    """

    owner_id: str
    name: str
    starts_at: int
    ends_at: int
    used: int


class QuotaFinding(msgspec.Struct, frozen=True):
    """What answers told of a quota: its true limit in counted units, or None where it does not hold for this key."""

    owner_id: str
    name: str
    amount: int | None
    found_at: datetime


class QuotaChanges(msgspec.Struct, frozen=True):
    """What is to be stored: how much more was used, what was found out, and whose all of it is forgotten."""

    used: tuple[QuotaCount, ...] = ()
    findings: tuple[QuotaFinding, ...] = ()
    forgotten: frozenset[str] = frozenset()

    @property
    def empty(self) -> bool:
        return not (self.used or self.findings or self.forgotten)

    def after(self, earlier: "QuotaChanges") -> "QuotaChanges":
        """Both, `earlier` ones first: those that could not be stored."""
        kept = [count for count in earlier.used if count.owner_id not in self.forgotten]
        sums = {(count.owner_id, count.name, count.starts_at): count for count in kept}
        for count in self.used:
            known = sums.get((count.owner_id, count.name, count.starts_at))
            used = count.used + (known.used if known is not None else 0)
            sums[count.owner_id, count.name, count.starts_at] = msgspec.structs.replace(count, used=used)
        findings = tuple(finding for finding in earlier.findings if finding.owner_id not in self.forgotten)
        forgotten = earlier.forgotten | self.forgotten
        return QuotaChanges(tuple(sums.values()), (*findings, *self.findings), forgotten)


def provider_owner_id(provider_id: str) -> str:
    """Whose the quotas are that a provider's keys share."""
    return f"provider:{provider_id}"


def rule_of(quota: KeyQuota) -> QuotaRule:
    """What an admin wrote, as it is counted."""
    amount = round(quota.limit * UNITS.get(quota.dimension, 1))
    return QuotaRule(quota.dimension, amount, quota.window, "admin", quota.reset, quota.pool, quota.models)


def beginning_of(reset: str) -> tuple[time, tzinfo]:
    """When in which zone a day begins. Raises `ValueError` for what says no such thing."""
    found = _RESET.fullmatch(reset or "00:00 UTC")
    if found is None:
        raise ValueError("reset is 'HH:MM Zone' (00:00 America/Los_Angeles), rolling or provider")
    return time(int(found[1]), int(found[2])), _zone(found[3])


def calendar_window(rule: QuotaRule, now: datetime) -> tuple[datetime, datetime]:
    """The day or month that this moment is in: from, and up to. `now` is aware."""
    begins, zone = beginning_of("" if rule.reset in {"rolling", "provider"} else rule.reset)
    day = now.astimezone(zone).date()
    if now < _moment(day, begins, zone):
        day -= timedelta(days=1)
    if rule.window == "month":
        day = day.replace(day=1)
        following = (day + timedelta(days=32)).replace(day=1)
    else:
        following = day + timedelta(days=1)
    return _moment(day, begins, zone), _moment(following, begins, zone)


def _moment(day: date, begins: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, begins, zone).astimezone(UTC)


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        if name in _WINTER_HOURS:  # a machine without zone files
            return timezone(timedelta(hours=_WINTER_HOURS[name]))
        raise ValueError(f"there is no time zone '{name}'") from None
