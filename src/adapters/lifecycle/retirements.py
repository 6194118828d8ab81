"""Ends of models, from `retirements.json`: rows of facts, each with the place where it was read.

Of clouds (Vertex AI, Bedrock) a date is often the earliest possible one. `as_of` is the day on which the file was last
gone through; checks that must not depend on the day they run take that.
"""

from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from typing import Final

import msgspec
from typing_extensions import override

from domain.lifecycle import Retirement
from domain.ports.lifecycle import ModelLifecycle

FILE: Final = "retirements.json"


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    provider: str
    retired_at: date
    models: tuple[str, ...]
    source: str
    successor: str | None = None
    deprecated_at: date | None = None


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    as_of: date
    rows: tuple[_Row, ...]


class Retirements(ModelLifecycle):
    """By the id of a provider's preset and the id of a model, as the provider spells it."""

    def __init__(self, as_of: date, ends: Mapping[tuple[str, str], Retirement]) -> None:
        self.as_of = as_of
        self._ends = ends

    @classmethod
    def shipped(cls) -> "Retirements":
        """What the package comes with. Raises `ValidationError` where the file is not what it should be."""
        document = msgspec.json.decode(files(__package__).joinpath(FILE).read_bytes(), type=_Document)
        ends = {
            (row.provider, model): Retirement(row.retired_at, row.source, row.successor, row.deprecated_at)
            for row in document.rows
            for model in row.models
        }
        return cls(document.as_of, ends)

    @override
    def ends(self) -> Mapping[tuple[str, str], Retirement]:
        return self._ends
