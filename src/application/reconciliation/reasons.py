"""Takes the difference of a bill and the ledger apart; the reasons add up to it, to the last digit."""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Final

from application.reconciliation.sides import NO_MODEL, Cell, Ours, Sides, Theirs
from domain.bills import (
    BILLED_METERS,
    CACHE_READ,
    CACHE_WRITE,
    INPUT,
    OUTPUT,
    Bill,
    Compared,
    Difference,
    MeterPair,
    Reason,
)
from domain.money import usd

_HALF_NANO: Final = 500_000
_CACHE: Final = (CACHE_READ, CACHE_WRITE)
_DAY: Final = timedelta(days=1)


def compared(sides: Sides, bill: Bill) -> tuple[Compared, ...]:
    """Every cell that either side has, with its differences; none where they are alike."""
    moved = _across_midnight(sides, bill)
    return tuple(_Cell(cell, sides, bill, moved=cell in moved).compared() for cell in sides.cells)


class _Cell:
    """One cell while it is taken apart: `rest` is what no reason has taken yet."""

    def __init__(self, cell: Cell, sides: Sides, bill: Bill, *, moved: bool) -> None:
        self._cell = cell
        self._moved = moved
        self._in_ours, self._in_theirs = cell in sides.ours, cell in sides.theirs
        self._ours = sides.ours.get(cell, Ours())
        self._theirs = sides.theirs.get(cell, Theirs())
        self._tolerance = _tolerance(self._ours, self._theirs, bill)
        self._found: list[Difference] = []
        cost = self._theirs.cost
        if cost is None and bill_tells_costs(bill):
            cost = 0
        self._cost = cost
        self._rest = 0 if cost is None else cost - self._ours.cost

    def compared(self) -> Compared:
        if self._in_ours and self._in_theirs:
            self._explain_tokens()
            if self._cost is not None:
                self._explain_costs()
        else:
            self._explain_absence()
        self._round()
        ours, theirs = self._ours, self._theirs
        requests = theirs.requests if self._in_theirs else 0
        return Compared(
            *self._cell, ours.cost, self._cost, ours.requests, requests, _meters(ours, theirs), tuple(self._found)
        )

    def _explain_absence(self) -> None:
        reason = Reason.MISSING_IN_OURS if self._in_theirs else Reason.MISSING_IN_THEIRS
        detail = _calls(self._theirs.requests) if self._in_theirs else _calls(self._ours.requests)
        if self._cell[1] == NO_MODEL and self._in_theirs and "" not in self._theirs.costs:
            reason, detail = Reason.FEES, ", ".join(self._theirs.costs)
        if not any((*self._ours.tokens.values(), *self._theirs.tokens.values(), self._rest)):
            return  # calls that failed, which nobody bills
        amount = -self._ours.cost if self._cost is None else self._rest
        self._take(amount, Reason.DAY_BOUNDARY if self._moved else reason, detail=detail)

    def _explain_tokens(self) -> None:
        """What tokens that only one side has cost by our prices."""
        differ = _token_differences(self._ours, self._theirs)
        if not any(differ.values()):
            return
        reason = self._reason_of_tokens()
        entering = _input_rate(self._ours, self._theirs)
        cached = {meter: differ[meter] for meter in _CACHE if differ.get(meter)}
        whole = sum(differ.get(meter, 0) for meter in (INPUT, *_CACHE))
        if whole:
            self._take_tokens(INPUT, whole, entering, reason)
        for meter, tokens in cached.items():
            rate = self._ours.rate(meter)
            if rate is not None and entering is not None:
                alike = reason in {Reason.TOKEN_COUNTS, Reason.ESTIMATED}
                self._take_tokens(meter, tokens, rate - entering, Reason.CACHED_TOKENS if alike else reason)
        if differ.get(OUTPUT):
            self._take_tokens(OUTPUT, differ[OUTPUT], self._ours.rate(OUTPUT), reason)

    def _reason_of_tokens(self) -> Reason:
        ours, theirs = self._ours, self._theirs
        if self._moved:
            return Reason.DAY_BOUNDARY
        if theirs.requests is not None and theirs.requests != ours.requests:
            return Reason.MISSING_IN_OURS if theirs.requests > ours.requests else Reason.MISSING_IN_THEIRS
        return Reason.ESTIMATED if ours.estimated else Reason.TOKEN_COUNTS

    def _take_tokens(self, meter: str, tokens: int, rate: Fraction | None, reason: Reason) -> None:
        detail = f"{tokens:+d} {meter} tokens"
        if reason in {Reason.MISSING_IN_OURS, Reason.MISSING_IN_THEIRS} and self._theirs.requests is not None:
            detail += f", {_calls(abs(self._theirs.requests - self._ours.requests))}"
        elif reason is Reason.ESTIMATED:
            detail += f", {_calls(self._ours.estimated)} estimated"
        self._take(0 if rate is None else round(tokens * rate), reason, meter, detail)

    def _explain_costs(self) -> None:
        """What the same tokens cost otherwise: by meter where the bill tells them apart."""
        costs = self._theirs.costs
        told_apart = costs and "" not in costs and not self._ours.reported and not self._ours.other
        if told_apart:
            for meter in sorted(costs, key=_order):
                self._explain_meter(meter, costs[meter])
        elif self._is_much(self._rest):
            self._take(self._rest, *self._reason_of_cost(self._theirs.tokens))

    def _explain_meter(self, meter: str, cost: int) -> None:
        if meter not in BILLED_METERS:
            self._take(cost, Reason.FEES, meter)
            return
        rate = self._ours.rate(meter)
        tokens = self._theirs.tokens.get(meter)
        used = self._ours.tokens[meter] if tokens is None else tokens
        expected = 0 if rate is None else round(used * rate)
        if not self._is_much(cost - expected):
            return
        known = {} if tokens is None else {meter: tokens}
        reason, _, detail = self._reason_of_cost(known)
        if reason is Reason.PRICE and used:
            detail = f"{_per_million(Fraction(cost, used))} USD a million, ours {_per_million(rate)}"
        self._take(cost - expected, reason, meter, detail)

    def _reason_of_cost(self, tokens: Mapping[str, int]) -> tuple[Reason, str, str]:
        """Why tokens that are alike by now cost otherwise, if they are told at all."""
        ours = self._ours
        if self._moved:
            return (Reason.DAY_BOUNDARY, "", "")
        if ours.unpriced:
            return (Reason.UNPRICED, "", f"{_calls(ours.unpriced)} without a price")
        if tokens:
            expected = ours.cost and Fraction(100 * self._rest, ours.cost)
            return (Reason.PRICE, "", f"{float(expected):+.1f} %" if expected else "")
        if self._theirs.requests is not None and self._theirs.requests != ours.requests:
            more = self._theirs.requests > ours.requests
            return (
                Reason.MISSING_IN_OURS if more else Reason.MISSING_IN_THEIRS,
                "",
                _calls(abs(self._theirs.requests - ours.requests)),
            )
        if ours.estimated:
            return (Reason.ESTIMATED, "", f"{_calls(ours.estimated)} estimated")
        return (Reason.UNEXPLAINED, "", "the export tells no tokens of it")

    def _round(self) -> None:
        if not self._rest:
            return
        reason, detail = Reason.UNEXPLAINED, ""
        if not self._is_much(self._rest):
            reason = Reason.ROUNDING
        elif self._ours.unpriced:
            reason, detail = Reason.UNPRICED, f"{_calls(self._ours.unpriced)} without a price"
        elif self._ours.other:
            reason, detail = Reason.FEES, "beside prices by the token"
        self._take(self._rest, reason, detail=detail)

    def _take(self, amount: int, reason: Reason, meter: str = "", detail: str = "") -> None:
        self._found.append(Difference(reason, amount, meter, detail))
        if self._cost is not None:
            self._rest -= amount

    def _is_much(self, femto_usd: int) -> bool:
        return abs(femto_usd) > self._tolerance


def _across_midnight(sides: Sides, bill: Bill) -> set[Cell]:
    """Cells whose difference the next or the last day has the other way round: the same calls on another day."""
    moved: set[Cell] = set()
    by_tokens = any(line.tokens for line in bill.lines)
    for cell in sides.cells:
        after = (cell[0] + _DAY, cell[1])
        if after[0] > bill.last or cell in moved or not (_has(cell, sides) and _has(after, sides)):
            continue
        here, there = (_shift(each, sides) if by_tokens else _cost_shift(each, sides) for each in (cell, after))
        slack = 0 if by_tokens else sum(_tolerance(*_both(each, sides), bill) for each in (cell, after))
        if _is_moved(here, there, slack):
            moved |= {cell, after}
    return moved


def _is_moved(here: tuple[int, ...], there: tuple[int, ...], slack: int) -> bool:
    some = any(abs(count) > slack for count in here)
    return some and all(abs(one + other) <= slack for one, other in zip(here, there, strict=True))


def _has(cell: Cell, sides: Sides) -> bool:
    return cell in sides.ours or cell in sides.theirs


def _both(cell: Cell, sides: Sides) -> tuple[Ours, Theirs]:
    return (sides.ours.get(cell, Ours()), sides.theirs.get(cell, Theirs()))


def _shift(cell: Cell, sides: Sides) -> tuple[int, ...]:
    """By how much the tokens of the prompts and those of the answers differ, whatever of them was cached."""
    ours, theirs = _both(cell, sides)
    if cell not in sides.theirs:
        differ = {meter: -count for meter, count in ours.tokens.items()}
    else:
        differ = _token_differences(ours, theirs)
    return (sum(differ.get(meter, 0) for meter in (INPUT, *_CACHE)), differ.get(OUTPUT, 0))


def _cost_shift(cell: Cell, sides: Sides) -> tuple[int, ...]:
    ours, theirs = _both(cell, sides)
    return ((theirs.cost or 0) - ours.cost,)


def _token_differences(ours: Ours, theirs: Theirs) -> dict[str, int]:
    """Theirs less ours, by each meter that the bill tells. One that does not tell the cache's has them in `input`."""
    tokens = theirs.tokens
    folded = {meter: ours.tokens[meter] for meter in tokens if meter in BILLED_METERS}
    if INPUT in folded:
        folded[INPUT] += sum(ours.tokens[meter] for meter in _CACHE if meter not in tokens)
    return {meter: tokens[meter] - count for meter, count in folded.items()}


def _input_rate(ours: Ours, theirs: Theirs) -> Fraction | None:
    """What a token of the prompt costs: where the bill does not tell the cache's apart, on average."""
    if any(meter in theirs.tokens for meter in _CACHE):
        return ours.rate(INPUT)
    tokens = sum(ours.priced_tokens.get(meter, 0) for meter in (INPUT, *_CACHE))
    if not tokens:
        return ours.rate(INPUT)
    return Fraction(sum(ours.costs.get(meter, 0) for meter in (INPUT, *_CACHE)), tokens)


def _tolerance(ours: Ours, theirs: Theirs, bill: Bill) -> int:
    """Of the bill half a step for each line, of the ledger half a nano-USD for each call."""
    return theirs.lines * bill.half_step_femto_usd + max(ours.requests, 1) * _HALF_NANO


def _meters(ours: Ours, theirs: Theirs) -> tuple[MeterPair, ...]:
    counted = {meter for side in (ours.tokens, theirs.tokens) for meter, count in side.items() if count}
    names = {*counted, *ours.costs, *theirs.costs}
    return tuple(
        MeterPair(
            meter,
            ours.tokens.get(meter),
            theirs.tokens.get(meter),
            ours.costs.get(meter),
            theirs.costs.get(meter),
        )
        for meter in sorted(names, key=_order)
    )


def _order(meter: str) -> tuple[int, str]:
    return (BILLED_METERS.index(meter) if meter in BILLED_METERS else len(BILLED_METERS), meter)


def _calls(count: int | None) -> str:
    return "" if count is None else f"{count} call" if count == 1 else f"{count} calls"


def _per_million(femto_a_token: Fraction | None) -> str:
    """A price in USD for a million tokens, to the nano-USD: a femto-USD a token is a nano-USD a million."""
    return "none" if femto_a_token is None else usd(round(femto_a_token))


def bill_tells_costs(bill: Bill) -> bool:
    """Whether any line of it is of money."""
    return any(line.cost_femto_usd is not None for line in bill.lines)
