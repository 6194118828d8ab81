"""Both sides of a reconciliation by day and model: what the bill says, and what the ledger has."""

from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction
from typing import Final

import msgspec

from application.usage.explanation import OTHER, REPORTED, CostPart
from domain.bills import BILLED_METERS, CACHE_READ, CACHE_WRITE, INPUT, OUTPUT, Bill, BillLine
from domain.prices import PARTS, Rates
from domain.usage_queries import UsageSums

Cell = tuple[date, str]
"""A day and a model; the model is empty where a bill names none."""

NO_MODEL: Final = ""

_LIKE: Final = {INPUT: INPUT, OUTPUT: OUTPUT, CACHE_READ: CACHE_READ, CACHE_WRITE: CACHE_WRITE}


def billed_meter(meter: str) -> str:
    """The one of `BILLED_METERS` that a meter of the ledger is a part of; itself where it is none of tokens."""
    return next((_LIKE[name] for name in (meter, *PARTS.get(meter, ())) if name in _LIKE), meter)


def _add(own: dict[str, int], more: Mapping[str, int]) -> None:
    for name, value in more.items():
        own[name] = own.get(name, 0) + value


class Theirs(msgspec.Struct):
    """What the bill says of one cell, added up."""

    costs: dict[str, int] = msgspec.field(default_factory=dict)
    counted: dict[str, int] = msgspec.field(default_factory=dict)  # by lines that tell no cost
    billed: dict[str, int] = msgspec.field(default_factory=dict)  # by those that do
    requests: int | None = None
    lines: int = 0

    @property
    def tokens(self) -> Mapping[str, int]:
        """As counted, else as billed: an export of usage and one of costs tell the same tokens.

        A bill by meter has no line for what was not used, so that no line for cached tokens is none of them.
        """
        if self.counted or INPUT not in self.billed or "" in self.costs:
            return self.counted or self.billed
        return {CACHE_READ: 0, **self.billed}

    @property
    def cost(self) -> int | None:
        """None where no line tells a cost."""
        return sum(self.costs.values()) if self.costs else None

    def add(self, line: BillLine) -> None:
        """One more line of the same cell."""
        self.lines += 1
        if line.requests is not None:
            self.requests = (self.requests or 0) + line.requests
        if line.cost_femto_usd is not None:
            self.costs[line.meter] = self.costs.get(line.meter, 0) + line.cost_femto_usd
        _add(self.counted if line.cost_femto_usd is None else self.billed, line.tokens)

    def merge(self, other: "Theirs") -> None:
        """Another cell of the same day."""
        self.lines += other.lines
        if other.requests is not None:
            self.requests = (self.requests or 0) + other.requests
        _add(self.costs, other.costs)
        _add(self.counted, other.counted)
        _add(self.billed, other.billed)


class Ours(msgspec.Struct):
    """What the ledger has of one cell; of requests those that did not fail. Costs are by billed
    meter; `other` is what no flat price by the token tells.
    """

    requests: int = 0
    estimated: int = 0
    unpriced: int = 0
    tokens: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(BILLED_METERS, 0))
    costs: dict[str, int] = msgspec.field(default_factory=dict)
    priced_tokens: dict[str, int] = msgspec.field(default_factory=dict)
    list_rates: Rates = Rates()

    @property
    def cost(self) -> int:
        return sum(self.costs.values())

    @property
    def other(self) -> int:
        return self.costs.get(OTHER, 0)

    @property
    def reported(self) -> bool:
        """Whether some of it is booked at what the provider said in its answers."""
        return REPORTED in self.costs

    def rate(self, meter: str) -> Fraction | None:
        """Femto-USD a token: as it was booked, else as the price says. None where there is none."""
        tokens = self.priced_tokens.get(meter, 0)
        if tokens:
            return Fraction(self.costs[meter], tokens)
        listed = self.list_rates.of(meter)
        return None if listed is None else Fraction(listed)

    def add_sums(self, sums: UsageSums) -> None:
        """Tokens and requests of the cell."""
        self.requests += sums.requests - sums.failed_requests - sums.refused_requests
        self.estimated += sums.estimated_requests
        self.unpriced += sums.unpriced_requests
        cached = sums.cache_read_tokens + sums.cache_write_tokens
        self.tokens[INPUT] += max(0, sums.input_tokens - cached)
        self.tokens[CACHE_READ] += sums.cache_read_tokens
        self.tokens[CACHE_WRITE] += sums.cache_write_tokens
        self.tokens[OUTPUT] += sums.output_tokens

    def add_part(self, part: CostPart) -> None:
        """A line of the explained cost."""
        meter = billed_meter(part.meter)
        self.costs[meter] = self.costs.get(meter, 0) + part.cost_femto_usd
        if part.nano_usd_per_million is not None:
            self.priced_tokens[meter] = self.priced_tokens.get(meter, 0) + part.quantity

    def merge(self, other: "Ours") -> None:
        """Another model's of the same day."""
        self.requests += other.requests
        self.estimated += other.estimated
        self.unpriced += other.unpriced
        _add(self.tokens, other.tokens)
        _add(self.costs, other.costs)
        _add(self.priced_tokens, other.priced_tokens)
        self.list_rates = other.list_rates.over(self.list_rates)

    def take_other(self, at_most: int) -> int:
        """Take so much out of what no flat price tells, for fees that a bill lists without a model."""
        taken = max(0, min(self.other, at_most))
        if taken:
            self.costs[OTHER] -= taken
        return taken


class Sides(msgspec.Struct, frozen=True):
    """Both sides by cell."""

    ours: dict[Cell, Ours]
    theirs: dict[Cell, Theirs]

    @property
    def cells(self) -> list[Cell]:
        return sorted(self.ours.keys() | self.theirs.keys())


def paired(bill: Bill, ours: Mapping[Cell, Ours], names: Mapping[str, str]) -> Sides:
    """Cells of both sides under the ledger's names for models. `names` are theirs to ours, where no rule finds them.

    A day of which the bill names no model is compared as a whole. Fees that it lists without a model are held against
    what the ledger has beside prices by the token that day.
    """
    by_name = their_names(bill, {model for _, model in ours}, names)
    theirs: dict[Cell, Theirs] = {}
    for line in bill.lines:
        model = NO_MODEL if line.model is None else by_name[line.model]
        theirs.setdefault((line.day, model), Theirs()).add(line)
    named = _merged(ours, by_name)
    days = {day for day, _ in theirs}
    for day in days:
        whole = theirs.get((day, NO_MODEL))
        if whole is None:
            continue
        of_day = [cell for cell in named if cell[0] == day and cell[1] != NO_MODEL]
        if set(whole.costs) <= {""}:  # no model and no item: of all that day
            for cell in [each for each in theirs if each[0] == day and each[1] != NO_MODEL]:
                whole.merge(theirs.pop(cell))
            for cell in of_day:
                named.setdefault((day, NO_MODEL), Ours()).merge(named.pop(cell))
        else:
            left = whole.cost or 0
            for cell in of_day:
                taken = named[cell].take_other(left)
                left -= taken
                if taken:
                    fees = named.setdefault((day, NO_MODEL), Ours())
                    fees.costs[OTHER] = fees.costs.get(OTHER, 0) + taken
    return Sides(named, theirs)


def _merged(ours: Mapping[Cell, Ours], by_name: Mapping[str, str]) -> dict[Cell, Ours]:
    """Models of ours that the bill has under one name, together: `gpt-4o` and the snapshot that it stands for."""
    same = {base_name(name): name for name in by_name.values()}
    billed = set(by_name.values())
    found: dict[Cell, Ours] = {}
    for (day, model), each in ours.items():
        name = model if model in billed else same.get(base_name(model), model)
        found.setdefault((day, name), Ours()).merge(each)
    return found


def their_names(bill: Bill, ours: Iterable[str], names: Mapping[str, str]) -> dict[str, str]:
    """The bill's names for models to ours: as told, the same, or the one without the day of its snapshot."""
    own = set(ours)
    by_base: dict[str, str] = {}
    for model in sorted(own, reverse=True):
        by_base[base_name(model)] = model
    found: dict[str, str] = {}
    for model in {line.model for line in bill.lines if line.model is not None}:
        if model in names or model in own:
            found[model] = names.get(model, model)
        else:
            found[model] = by_base.get(base_name(model), model)
    return found


def base_name(model: str) -> str:
    """`gpt-4o-mini` of `gpt-4o-mini-2024-07-18`, in lower case, without the day however it is written."""
    name = model.lower()
    head, _, variant = name.partition(":")
    parts = head.split("-")
    if len(parts) > 3 and [len(part) for part in parts[-3:]] == [4, 2, 2] and "".join(parts[-3:]).isdigit():
        parts = parts[:-3]
    elif len(parts) > 1 and len(parts[-1]) == 8 and parts[-1].isdigit() and parts[-1].startswith("20"):
        parts = parts[:-1]
    return "-".join(parts) + (f":{variant}" if variant else "")
