"""Whose limits and budgets a request falls under, and the refusal by one of them."""

from datetime import datetime
from typing import Literal

import msgspec

from domain.errors import LimitExceeded
from domain.limits import Budget, RateLimits

SubjectKind = Literal["key", "member", "user", "tenant", "tag", "model", "provider", "provider_key"]

LimitDimension = Literal["rpm", "rpd", "tpm", "tpd", "itpm", "otpm", "parallel"]

DIMENSIONS: tuple[LimitDimension, ...] = ("rpm", "rpd", "tpm", "tpd", "itpm", "otpm", "parallel")

_IN_WORDS: dict[LimitDimension, str] = {
    "rpm": "requests a minute",
    "rpd": "requests a day",
    "tpm": "tokens a minute",
    "tpd": "tokens a day",
    "itpm": "input tokens a minute",
    "otpm": "output tokens a minute",
    "parallel": "requests at once",
}


class Subject(msgspec.Struct, frozen=True):
    """Of a member the id is `tenant_id/user_id`, of a model a pattern, of a tag its text; else the object's own."""

    kind: SubjectKind
    id: str

    def in_words(self) -> str:
        """As a message names it: `key 'key_0198'`."""
        return f"{self.kind.replace('_', ' ')} '{self.id}'"


class SubjectRules(msgspec.Struct, frozen=True):
    """What one subject may use."""

    subject: Subject
    limits: RateLimits = RateLimits()
    budgets: tuple[Budget, ...] = ()


class StoredRule(msgspec.Struct, frozen=True):
    """One that an admin set by itself, and not as a field of its subject: limits (`lim_…`), or one budget (`bud_…`)."""

    id: str
    subject: Subject
    limits: RateLimits
    budget: Budget | None
    created_at: datetime
    updated_at: datetime


class Limit(msgspec.Struct, frozen=True):
    """So much of one thing for one subject: `rpm`, `tpm`, `itpm`, `otpm` in any 60 seconds, `rpd` and `tpd` in a day
    of the gateway's zone, `parallel` at any moment."""

    subject: Subject
    dimension: LimitDimension
    amount: int

    def refusal(self, used: int, wanted: int, wait_seconds: float) -> LimitExceeded:
        """The error where `wanted` more than `used` is too much. What can never fit is worth no waiting."""
        whose = f"{self.amount:,} {_IN_WORDS[self.dimension]} of {self.subject.in_words()}"
        wait: float | None = wait_seconds
        if wanted > self.amount:
            wait = None
            message = f"This request needs {wanted:,}, more than the limit of {whose} ever allows."
        elif self.dimension == "parallel":
            message = f"The limit of {whose} is reached: {used:,} are under way."
        else:
            message = (
                f"The limit of {whose} is reached: {used:,} are used and this request needs {wanted:,}. "
                f"Try again in {max(wait_seconds, 1):.0f} s."
            )
        return LimitExceeded(
            message,
            subject_kind=self.subject.kind,
            subject_id=self.subject.id,
            dimension=self.dimension,
            amount=self.amount,
            remaining=max(self.amount - used, 0),
            used=used,
            retry_after_seconds=wait,
        )


def limits_of(rules: SubjectRules) -> list[Limit]:
    """The subject's limits, one by one, in the order of `DIMENSIONS`."""
    amounts: list[tuple[LimitDimension, int | None]] = [(name, getattr(rules.limits, name)) for name in DIMENSIONS]
    return [Limit(rules.subject, name, amount) for name, amount in amounts if amount is not None]
