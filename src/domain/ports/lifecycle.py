"""What is known of the ends of models, and of what their providers do with what they are sent."""

from collections.abc import Mapping
from typing import Protocol

from domain.lifecycle import Retirement
from domain.model_facts import DataPolicy


class ModelLifecycle(Protocol):
    """Facts at hand."""

    def ends(self) -> Mapping[tuple[str, str], Retirement]:
        """Every end that is known, by the id of a provider known by name and the id of a model there. Read at every
        request: a table, not a question.
        """
        ...


class ShippedPolicies(Protocol):
    """Facts at hand."""

    def of(self, preset_id: str, model: str) -> DataPolicy | None:
        """What a provider known by name says of its API, with its source and the day it was read."""
        ...
