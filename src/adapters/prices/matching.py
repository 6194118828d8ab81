"""How a catalog recognises a model by any of the names it goes by."""

import re
from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType, field


class Clause(msgspec.Struct, frozen=True):
    """One test of a lower-case model id; exactly one of the fields is set, in lower case."""

    equals: str | UnsetType = UNSET
    starts_with: str | UnsetType = UNSET
    ends_with: str | UnsetType = UNSET
    contains: str | UnsetType = UNSET
    regex: str | UnsetType = UNSET
    any_of: "tuple[Clause, ...] | UnsetType" = field(name="any", default=UNSET)
    all_of: "tuple[Clause, ...] | UnsetType" = field(name="all", default=UNSET)

    def matches(self, model: str) -> bool:
        if self.equals is not UNSET:
            return model == self.equals
        if self.starts_with is not UNSET:
            return model.startswith(self.starts_with)
        if self.ends_with is not UNSET:
            return model.endswith(self.ends_with)
        if self.contains is not UNSET:
            return self.contains in model
        if self.regex is not UNSET:
            return re.search(self.regex, model) is not None
        if self.any_of is not UNSET:
            return any(clause.matches(model) for clause in self.any_of)
        return self.all_of is not UNSET and all(clause.matches(model) for clause in self.all_of)


class Matcher:
    """Finds the place of the first clause that matches. Exact names, which most are, are looked up."""

    def __init__(self, clauses: Sequence[Clause]) -> None:
        self._exact: dict[str, int] = {}
        self._others: list[tuple[int, Clause]] = []
        for place, clause in enumerate(clauses):
            for part in clause.any_of if clause.any_of is not UNSET else (clause,):
                if part.equals is not UNSET:
                    self._exact.setdefault(part.equals, place)
                else:
                    self._others.append((place, part))

    def first(self, model: str) -> int | None:
        """The place of the clause, None where none matches."""
        exact = self._exact.get(model)
        for place, clause in self._others:
            if exact is not None and place > exact:
                break
            if clause.matches(model):
                return place
        return exact
