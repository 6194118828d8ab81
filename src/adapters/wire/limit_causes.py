"""What a refusal by a limit is about, and what it says of that limit: the class, what is counted, how long, how much.

Ordered rules, of which the first that holds decides. The bodies they were made from are the lines of
`tests/unit/adapters/wire/limit_classes.jsonl`, each with its source.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.wire.error_body import ErrorFacts
from adapters.wire.refusal_phrases import says
from adapters.wire.refusal_rules import LASTS_A_DAY, LASTS_LESS
from domain.availability import RateLimitWindow
from domain.failover import FailureKind, FailureScope
from domain.provider_limits import LimitClass, LimitFact

C = LimitClass


class CauseRule(msgspec.Struct, frozen=True):
    """`codes` are parts of code-like words, in lower case; what is asked for, words or codes, is enough."""

    cause: LimitClass
    says: re.Pattern[str]
    codes: re.Pattern[str] = re.compile(r"(?!)")


RULES: Final[tuple[CauseRule, ...]] = (
    CauseRule(
        C.ADDRESS,
        says(
            r"\b(?:from|of|for|per|by) (?:this |your |the same |a single |one )?(?:source |client )?ip(?:v4|v6)?\b",
            r"\b(?:your|this|client) ip(?: address)?\b|\bip[- ]based\b",
        ),
        re.compile("ip_rate_limit|rate_limit_ip|iplimit"),
    ),
    CauseRule(C.SPEND_RATE, says(r"spend(?:ing)?[- ]based rate|spending rate|spend rate"), re.compile("spend_rate")),
    CauseRule(
        C.SPEND_CAP,
        says(
            r"spend(?:ing)? ?(?:limit|cap)|(?:specified|monthly) (?:api )?(?:usage|spend\w*) (?:limit|cap)s?",
            r"budget (?:has been |was |is )?(?:exceeded|reached|exhausted)|key limit exceeded|billing hard limit",
        ),
        re.compile("spend_limit|budget_exceeded|billing_hard_limit|billing_cycle_limit"),
    ),
    CauseRule(
        C.CONCURRENCY,
        says(r"concurren|simultaneous|parallel (?:requests|calls)|requests? (?:already )?(?:in flight|queued)|并发"),
        re.compile("concurren"),
    ),
    CauseRule(
        C.POOL,
        says(
            r"rate[- ]limited upstream|overloaded|capacity (?:is |temporarily |has been )?(?:exceeded|reached)"
            r"|at capacity|no capacity",
            r"high (?:demand|load|traffic)|heavy (?:load|traffic)|too busy|访问量过大|繁忙|过载",
        ),
        re.compile("overloaded|no_?capacity|capacity_exceeded|queue_exceeded"),
    ),
)

_OF_AN_ACCOUNT: Final = says(r"\borgani[sz]ation|\byour account\b|\bproject\b|\bworkspace\b|\bteam\b|账户|账号")
_FIVE_HOURS: Final = re.compile(r"\b5[- ]?(?:h|hours?)\b|five[- ]hour|5\s*小时", re.IGNORECASE)
_WINDOWS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("month", re.compile(r"month|PerMonth", re.IGNORECASE)),
    ("week", re.compile(r"week|每周", re.IGNORECASE)),
    ("day", re.compile(r"\bda(?:y|ily)\b|per[-_ ]?day|\b[rt]pd\b|for today|24[ -]?h|PerDay", re.IGNORECASE)),
    ("hour", re.compile(r"per[-_ ]?hour|hourly|an hour|/\s?h(?:our)?\b", re.IGNORECASE)),
    (
        "minute",
        re.compile(r"per[-_ ]?min(?:ute)?|a minute|\b[it]?[rto]pm\b|/\s?min(?:ute)?\b|PerMinute", re.IGNORECASE),
    ),
    ("second", re.compile(r"per[-_ ]?sec(?:ond)?|a second|\bqps\b|\brps\b|/\s?s(?:ec(?:ond)?)?\b", re.IGNORECASE)),
)
_DIMENSIONS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("input_tokens", re.compile(r"input[-_ ]?tokens?|InputToken|\bitpm\b", re.IGNORECASE)),
    ("output_tokens", re.compile(r"output[-_ ]?tokens?|OutputToken|\botpm\b", re.IGNORECASE)),
    ("requests", re.compile(r"requests per|\b(?:api )?calls\b|\brp[md]\b|RequestsPer|free-models-per", re.IGNORECASE)),
    ("tokens", re.compile(r"tokens per|\btp[md]\b|TokensPer", re.IGNORECASE)),
    ("requests", re.compile(r"\brequests?\b", re.IGNORECASE)),
)
_AMOUNT: Final = re.compile(
    r"\blimit(?: of|:| is)? ?~?(\d[\d,]*)\b(?!\.\d)|\blimited to (\d[\d,]*)\b|\bmax(?: \w+){1,2}: ?(\d[\d,]*)\b",
    re.IGNORECASE,
)
_RESTS: Final[dict[LimitClass, FailureScope]] = {
    C.ADDRESS: FailureScope.PROVIDER,
    C.POOL: FailureScope.DEPLOYMENT,
    C.SPEND_RATE: FailureScope.ACCOUNT,
    C.SPEND_CAP: FailureScope.ACCOUNT,
}
"""What rests, whatever the provider usually counts by."""

_LIMITS: Final = frozenset({FailureKind.RATE_LIMITED, FailureKind.QUOTA_EXHAUSTED})
_GONE: Final = frozenset({FailureKind.MODEL_BLOCKED, FailureKind.MODEL_ABSENT})


def limit_fact(
    status: int, kind: FailureKind, scope: FailureScope | None, facts: ErrorFacts, windows: Sequence[RateLimitWindow]
) -> LimitFact | None:
    """What a refusal says of the limit it was met by; None where it was no limit. `windows` are its headers'."""
    if kind in _GONE:
        return LimitFact(C.MODEL_GONE) if status in {410, 429} else None
    if kind not in _LIMITS:
        return None
    cause = _cause(kind, scope, facts)
    counted = " ".join((*facts.found.quota_ids, *(() if facts.found.quota_ids else (facts.says,))))
    return LimitFact(cause, _first(_DIMENSIONS, counted), _window(counted), _amount(facts, windows))


def rests(
    fact: LimitFact | None, kind: FailureKind, scope: FailureScope | None
) -> tuple[FailureKind, FailureScope | None]:
    """The kind and scope of a failure, with what its limit is about."""
    if fact is None:
        return kind, scope
    if fact.cause is C.SPEND_RATE:
        kind = FailureKind.RATE_LIMITED
    if fact.cause is C.POOL and kind is FailureKind.QUOTA_EXHAUSTED:
        return kind, scope
    return kind, _RESTS.get(fact.cause, scope)


def _cause(kind: FailureKind, scope: FailureScope | None, facts: ErrorFacts) -> LimitClass:
    codes = " ".join(facts.words).lower()
    for rule in RULES:
        if rule.says.search(facts.says) or rule.codes.search(codes):
            return rule.cause
    if facts.relayed:
        return C.POOL
    if kind is FailureKind.QUOTA_EXHAUSTED:
        counted = facts.found.quota_ids or _lasts(facts.says) or _FIVE_HOURS.search(facts.says)
        return C.DAY if counted else C.CREDIT
    of_model = scope in {FailureScope.MODEL, FailureScope.DEPLOYMENT}
    return C.ACCOUNT if not of_model and _OF_AN_ACCOUNT.search(facts.says) else C.MINUTE


def _lasts(text: str) -> bool:
    return LASTS_A_DAY.search(text) is not None and LASTS_LESS.search(text) is None


def _window(text: str) -> str:
    return "5h" if _FIVE_HOURS.search(text) else _first(_WINDOWS, text)


def _first(rules: Sequence[tuple[str, re.Pattern[str]]], text: str) -> str:
    return next((name for name, pattern in rules if pattern.search(text)), "")


def _amount(facts: ErrorFacts, windows: Sequence[RateLimitWindow]) -> int | None:
    for window in windows:
        if window.remaining == 0 and window.limit:
            return window.limit
    if len(set(facts.found.quota_values)) == 1:
        return int(facts.found.quota_values[0])
    found = _AMOUNT.search(facts.says)
    return int(next(group for group in found.groups() if group).replace(",", "")) if found else None
