"""How much of what is left a hold may take; and the refusal by a budget, in words: whose it is, how it stands, and when
it is free again in its own zone."""

from datetime import UTC, datetime, tzinfo
from typing import Final

from domain.budget_periods import NEVER_ENDS, ROLLING
from domain.errors import LimitExceeded
from domain.money import usd
from domain.ports.budgets import Standing

SHARE: Final = 8
"""What is wanted beyond the least is granted up to one part in so many of what is left."""


def budget_exceeded(standing: Standing, zone: tzinfo, needed_nano_usd: int, now: datetime) -> LimitExceeded:
    """`retry_after_seconds` is until the period ends; None where it never does."""
    term = standing.term
    ends = standing.period_end
    wait: float | None = None
    when = "It does not reset"
    if term.period in ROLLING:
        wait = max(ends - now.timestamp(), 1.0)
        when = f"It rolls on by the clock, over {term.period.removeprefix('rolling_')}"
    elif ends < NEVER_ENDS:
        wait = max(ends - now.timestamp(), 1.0)
        at = datetime.fromtimestamp(ends, UTC).astimezone(zone)
        when = f"It resets at {at.strftime('%Y-%m-%d %H:%M')} {term.timezone}"
    refusal = LimitExceeded(
        f"The budget of ${usd(term.limit_nano_usd)} of {term.subject.in_words()} is used up: "
        f"${usd(standing.spent_nano_usd)} are spent, ${usd(standing.held_nano_usd)} are held for requests under way, "
        f"and this one needs ${usd(needed_nano_usd)}. {when}.",
        subject_kind=term.subject.kind,
        subject_id=term.subject.id,
        dimension="usd",
        amount=term.limit_nano_usd,
        remaining=standing.remaining_nano_usd,
        code="budget_exceeded",
        retry_after_seconds=wait,
    )
    refusal.downgrade_to = term.downgrade_to
    return refusal
