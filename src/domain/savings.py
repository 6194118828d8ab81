"""What routing has saved: the same tokens at the baseline, less what was paid (contract 11).

Paid is everything, failed calls and repeats included. A conversation whose prefix lay in a cache that was given up by a
change of the deployment is counted as if the baseline had read it from its own cache, so a lost cache is in the figure.
"""

from collections.abc import Callable, Sequence

import msgspec

from domain.decisions import DecisionNote, Weighed
from domain.prices import PriceRow, cost_of
from domain.records import RequestRecord
from domain.routes import MOCK_PROVIDER
from domain.usage import BillingFacts, TokenUsage

FindPrice = Callable[[str, str], PriceRow | None]

_CACHE = 4
"""The place of the cache among `Weighed.parts`: the share of the prompt that lay in a cache there."""


def settled(record: RequestRecord, find_price: FindPrice) -> RequestRecord:
    """A record with its decision priced, and what it saved. Without a decision it is the record itself.

    Nothing is said of savings where something paid, or the baseline, has no price, where no tokens are known, or where
    a mock answered.
    """
    note = record.decision
    if note is None or not record.attempts or record.provider_id == MOCK_PROVIDER:
        return record
    usage = next((each.usage for each in reversed(record.attempts) if each.usage is not None), None)
    if usage is None:
        return record
    note = priced(note, usage, find_price)
    costs = [each.cost_nano_usd for each in record.attempts if each.usage is not None]
    paid = [cost for cost in costs if cost is not None]
    savings = None
    if note.baseline_nano_usd is not None and len(paid) == len(costs):
        savings = note.baseline_nano_usd - sum(paid)
    return msgspec.structs.replace(record, decision=note, savings_nano_usd=savings)


def priced(note: DecisionNote, usage: TokenUsage, find_price: FindPrice) -> DecisionNote:
    """What these tokens cost at each candidate, and at the baseline: the one asked for, else the dearest of them."""
    same = _by_its_tokens(usage)
    weighed = tuple(_priced(each, same, find_price) for each in note.candidates)
    name = note.baseline or _dearest(weighed)
    price = find_price(*_split(name)) if name else None
    note = msgspec.structs.replace(note, candidates=weighed)
    if price is None:
        return note
    cost = cost_of(_with_cache_kept(same, note), price.prices).nano_usd
    return msgspec.structs.replace(note, priced_against=name, baseline_price_id=price.id, baseline_nano_usd=cost)


def _by_its_tokens(usage: TokenUsage) -> TokenUsage:
    """What was used, without the terms of the place where it was: those are its own."""
    billing = usage.billing
    if billing is None:
        return usage
    kept = BillingFacts(counts=billing.counts, units=billing.units) if billing.counts or billing.units else None
    return msgspec.structs.replace(usage, billing=kept)


def _priced(each: Weighed, usage: TokenUsage, find_price: FindPrice) -> Weighed:
    price = find_price(each.provider_id, each.model)
    return each if price is None else msgspec.structs.replace(each, cost_nano_usd=cost_of(usage, price.prices).nano_usd)


def _dearest(weighed: Sequence[Weighed]) -> str:
    """Of those that could have served: what a rule excluded could not."""
    priced = [each for each in weighed if each.cost_nano_usd is not None and could_serve(each)]
    return max(priced, key=lambda each: each.cost_nano_usd or 0).name if priced else ""


UNAVAILABLE = "unavailable"
"""Why a candidate was passed over that no rule excludes: its keys rested, its breaker was open, its budget spent."""


def could_serve(each: Weighed) -> bool:
    """Whether no rule excludes it: what only rested might have served another time."""
    return each.excluded_by in ("", UNAVAILABLE)


def _with_cache_kept(usage: TokenUsage, note: DecisionNote) -> TokenUsage:
    shares = [each.parts[_CACHE] or 0.0 for each in note.candidates if len(each.parts) > _CACHE]
    cached = int(max(shares, default=0.0) * usage.input_tokens)
    if cached <= usage.cache_read_tokens:
        return usage
    room = usage.input_tokens - cached
    written = min(usage.cache_write_tokens, room)
    return msgspec.structs.replace(
        usage,
        cache_read_tokens=cached,
        cache_write_tokens=written,
        cache_write_1h_tokens=min(usage.cache_write_1h_tokens, written),
    )


def _split(name: str) -> tuple[str, str]:
    provider_id, _, model = name.partition("/")
    return provider_id, model
