"""When models end: what a provider has announced, or others have read, of the day on which a model answers no more."""

from datetime import date, timedelta
from typing import Literal

import msgspec


class Retirement(msgspec.Struct, frozen=True):
    """The end of one model at one provider. On `retired_at` it is gone; `successor` is what the provider recommends."""

    retired_at: date
    source: str
    successor: str | None = None
    deprecated_at: date | None = None

    def stage(self, today: date) -> Literal["deprecated", "retired"]:
        """What a model is whose end is known."""
        return "retired" if self.retired_at <= today else "deprecated"

    def within(self, days: int, today: date) -> bool:
        """Whether it is gone, or will be so many days from now."""
        return self.retired_at <= today + timedelta(days=days)
