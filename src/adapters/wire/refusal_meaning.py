"""Applies the rules to one refusal: words, codes and quota ids first, then the status."""

import re
from typing import Final, Protocol

import msgspec

from adapters.wire.error_body import ErrorFacts
from adapters.wire.refusal_rules import (
    LASTS_A_DAY,
    LASTS_LESS,
    MODEL_WORDS,
    NEEDS_WORDS,
    OF_A_MONTH,
    OF_STATUS,
    RETIRED_SECONDS,
    RULES,
    Rule,
)
from domain.failover import FailureKind, FailureScope

ADDED_FIELDS: Final = frozenset({"stream_options"})
"""What the gateway adds to requests by itself, to have their usage counted."""

_ADDED_WORDS: Final = re.compile(r"stream_options|include_usage", re.IGNORECASE)
_ASKED: Final = re.compile(r"\blimit:? ~?(\d[\d,]*)\b.{0,80}?\brequested:? ~?(\d[\d,]*)\b", re.IGNORECASE | re.DOTALL)


_REFUSED_OUTRIGHT: Final = frozenset({FailureKind.INVALID_CREDENTIAL, FailureKind.ADDRESS_REFUSED})
_OF_A_KEY: Final = _REFUSED_OUTRIGHT | {FailureKind.RATE_LIMITED, FailureKind.QUOTA_EXHAUSTED}


class Meaning(msgspec.Struct, frozen=True):
    """`scope` of None: what the kind usually holds for. `wait_seconds` is what the rule says, not the answer."""

    kind: FailureKind
    scope: FailureScope | None = None
    wait_seconds: float | None = None


class Row(Protocol):
    """What a provider's row says of its refusals."""

    @property
    def error_kinds(self) -> dict[str, str]: ...

    @property
    def limits_by_model(self) -> bool: ...


def meaning_of(status: int, facts: ErrorFacts, row: Row) -> Meaning:
    """What a refusal means. `status` is the answer's, or for an error reported in a 200 what it would have been."""
    if facts.page:
        return Meaning(FailureKind.UNEXPECTED_ANSWER if status < 500 else _of_status(status, facts).kind)
    if facts.flagged:
        return Meaning(FailureKind.CONTENT_POLICY)
    own = next((row.error_kinds[word] for word in facts.words if word in row.error_kinds), None)
    if own is not None:
        kind, _, scope = own.partition(" ")
        meaning = Meaning(FailureKind(kind), FailureScope(scope) if scope else None)
    elif _asks_too_much(facts):
        return Meaning(FailureKind.OVER_ALLOWANCE)
    else:
        words = frozenset(word.lower() for word in facts.words)
        rule = next((rule for rule in RULES if _holds(rule, status, words, facts)), None)
        meaning = Meaning(rule.kind, rule.scope, rule.wait_seconds) if rule is not None else _of_status(status, facts)
    return _sharpened(meaning, status, facts, row)


def _holds(rule: Rule, status: int, words: frozenset[str], facts: ErrorFacts) -> bool:
    if rule.statuses is not None and status not in rule.statuses:
        return False
    if rule.codes and rule.codes.isdisjoint(words):
        return False
    if rule.quota is not None and not any(rule.quota.search(quota_id) for quota_id in facts.found.quota_ids):
        return False
    if rule.says is not None and not rule.says.search(facts.says):
        return False
    return rule.unless is None or not rule.unless.search(facts.says)


def _of_status(status: int, facts: ErrorFacts) -> Meaning:
    if status in NEEDS_WORDS and not (facts.structured and (facts.says or status != 404)):
        return Meaning(FailureKind.UNEXPECTED_ANSWER)
    otherwise = FailureKind.UNEXPECTED_ANSWER if 400 <= status < 500 else FailureKind.SERVER_ERROR
    return Meaning(OF_STATUS.get(status, otherwise))


def _sharpened(meaning: Meaning, status: int, facts: ErrorFacts, row: Row) -> Meaning:
    """What several rules have in common: windows of a day or more, limits of one model, models gone for good."""
    kind, scope, wait = meaning.kind, meaning.scope, meaning.wait_seconds
    if kind is FailureKind.RATE_LIMITED and not facts.found.quota_ids and _lasts_a_day(facts.says):
        kind = FailureKind.QUOTA_EXHAUSTED
    if scope is None and kind in {FailureKind.RATE_LIMITED, FailureKind.QUOTA_EXHAUSTED}:
        scope = _limit_scope(kind, facts, row)
    if scope is None and kind is FailureKind.OVERLOADED and MODEL_WORDS.search(facts.says):
        scope = FailureScope.DEPLOYMENT  # one model is, and the others answer
    if facts.relayed and kind in _OF_A_KEY:
        kind = FailureKind.MODEL_BLOCKED if kind in _REFUSED_OUTRIGHT else kind
        scope = FailureScope.MODEL  # the provider behind has refused whoever relays, for one of its models
    if kind is FailureKind.MODEL_ABSENT and status == 410:
        wait = RETIRED_SECONDS
    if kind in {FailureKind.FEATURE_REFUSED, FailureKind.CLIENT_FAULT} and _complains_of_ours(facts):
        kind = FailureKind.ADDED_FIELD_REFUSED
    return Meaning(kind, scope, wait)


def _lasts_a_day(text: str) -> bool:
    return LASTS_A_DAY.search(text) is not None and LASTS_LESS.search(text) is None


def _limit_scope(kind: FailureKind, facts: ErrorFacts, row: Row) -> FailureScope:
    found = facts.found
    if found.quota_ids:
        of_model = bool(found.quota_models) or any("PerModel" in q or "PerBaseModel" in q for q in found.quota_ids)
        return FailureScope.MODEL if of_model else FailureScope.KEY
    if MODEL_WORDS.search(facts.says):
        return FailureScope.MODEL
    if kind is FailureKind.RATE_LIMITED:
        return FailureScope.MODEL if row.limits_by_model else FailureScope.KEY
    counted_by_day = LASTS_A_DAY.search(facts.says) is not None and not OF_A_MONTH.search(facts.says)
    return FailureScope.MODEL if row.limits_by_model and counted_by_day else FailureScope.ACCOUNT


def _asks_too_much(facts: ErrorFacts) -> bool:
    """`Limit 6000, Requested 9000`: no waiting makes this one request fit."""
    asked = _ASKED.search(facts.says)
    if asked is None:
        return False
    limit, requested = (int(asked[group].replace(",", "")) for group in (1, 2))
    return requested > limit > 0


def _complains_of_ours(facts: ErrorFacts) -> bool:
    """Whether what is refused is a field that the gateway adds by itself."""
    about = (*facts.found.fields, facts.param or "")
    if any(field.rpartition(".")[2] in ADDED_FIELDS or "stream_options" in field for field in about if field):
        return True
    return _ADDED_WORDS.search(facts.says) is not None
