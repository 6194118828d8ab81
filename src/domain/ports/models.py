"""Ports to what is known and what was measured of models at providers. Synchronous, from memory."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from domain.measurements import Measured, RecentSpeed
from domain.model_facts import ModelFacts, StoredModelFacts


class ModelFactBook(Protocol):
    """What an admin or the file says of a model, else what was shipped.

    `overrides` are the former alone, by provider and model: a plain mapping, read at every request.
    """

    overrides: Mapping[tuple[str, str], ModelFacts]

    def of(self, provider_id: str, model: str) -> ModelFacts:
        """Never None: a model of which nothing is known has no facts. The lists of providers are not in it."""
        ...


class Measurements(Protocol):
    """What the books of this process say of how quickly deployments answered."""

    def measured(self, provider_id: str, model: str) -> Measured | None:
        """Of the last 24 hours; None where there was no call."""
        ...

    def recent(self, provider_id: str, model: str) -> RecentSpeed:
        """For whoever chooses a deployment for the next request: asked for every candidate."""
        ...


class ModelFactRepository(Protocol):
    """What admins have set of models."""

    async def list_all(self) -> Sequence[StoredModelFacts]:
        """By provider and model."""
        ...

    async def get(self, provider_id: str, model: str) -> ModelFacts | None: ...

    async def put(self, stored: StoredModelFacts) -> None:
        """Insert or replace; facts without any are deleted."""
        ...
