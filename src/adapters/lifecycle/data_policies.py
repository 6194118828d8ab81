"""What providers say they do with what they are sent, from `data_policies.json`: rows of facts, each with its source.

Only what a provider's own page says of its API, as it is without a special agreement. Where that depends on the plan,
as at Gemini's, there is no row: not known is no promise.
"""

from datetime import date
from importlib.resources import files
from typing import Final

import msgspec
from typing_extensions import override

from domain.model_facts import DataPolicy
from domain.ports.lifecycle import ShippedPolicies

FILE: Final = "data_policies.json"


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    provider: str
    source: str
    retention_days: int | None = None
    trains: bool | None = None
    regions: tuple[str, ...] | None = None
    but: tuple[str, ...] = msgspec.field(name="except", default=())  # beginnings of models that others serve


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    as_of: date
    rows: tuple[_Row, ...]


class DataPolicies(ShippedPolicies):
    """By the id of a provider's preset."""

    def __init__(self, document: _Document) -> None:
        self._rows = {
            row.provider: (DataPolicy(row.regions, row.retention_days, row.trains, row.source, document.as_of), row.but)
            for row in document.rows
        }

    @classmethod
    def shipped(cls) -> "DataPolicies":
        """What the package comes with. Raises `ValidationError` where the file is not what it should be."""
        return cls(msgspec.json.decode(files(__package__).joinpath(FILE).read_bytes(), type=_Document))

    @override
    def of(self, preset_id: str, model: str) -> DataPolicy | None:
        policy, but = self._rows.get(preset_id, (None, ()))
        return None if but and model.startswith(but) else policy
