"""What is known of a model at a provider, beside its price: what it is good at, and what becomes of what it reads."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

Share = Annotated[float, Meta(ge=0, le=1)]
Region = Annotated[str, Meta(min_length=1, max_length=32, pattern="^[a-z0-9-]+$")]
TaskName = Annotated[str, Meta(min_length=1, max_length=32, pattern="^[a-z_]+$")]
Capability = Annotated[str, Meta(min_length=1, max_length=32, pattern="^[a-z_]+$")]


class DataPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a provider keeps what it is sent, for how long, and whether it trains models on it.

    What is None is not known, which is no promise: a rule that asks for it is not met. `retention_days` of 0 is that
    nothing is kept. `source` is where it was read, `as_of` the day.
    """

    regions: tuple[Region, ...] | None = None
    retention_days: Annotated[int, Meta(ge=0, le=36_500)] | None = None
    trains: bool | None = None
    source: str | None = None
    as_of: date | None = None


class ModelFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of a model is set here, or known; None is not known. `strengths` are between 0 and 1, by task."""

    context_window: int | None = None
    capabilities: tuple[str, ...] | None = None
    strengths: Mapping[str, float] | None = None
    data_policy: DataPolicy | None = None
    deprecated_at: date | None = None
    retired_at: date | None = None
    successor: str | None = None

    def over(self, other: "ModelFacts") -> "ModelFacts":
        """These facts where there are any, else the other's. Of strengths task by task."""
        own: dict[str, object] = {
            name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None
        }
        if self.strengths and other.strengths:
            own["strengths"] = {**other.strengths, **self.strengths}
        return msgspec.structs.replace(other, **own) if own else other

    def is_retired(self, today: date) -> bool:
        """Whether the provider has ended it."""
        return self.retired_at is not None and self.retired_at <= today


NOTHING_KNOWN = ModelFacts()


class StoredModelFacts(msgspec.Struct, frozen=True):
    """What an admin has set of one model."""

    provider_id: str
    model: str
    facts: ModelFacts
