"""Whatever a bill says, its reasons add up to what it is above the ledger, to the last digit."""

import asyncio
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.bills.reading import ExportedBills
from domain.records import RequestRecord
from tests.unit.application.reconciliation.bills import PRICE, bucket, call, cost, page, reconciled, usage

MODELS = ("gpt-5", "gpt-5-2025-08-07", "gpt-5-mini", "o9")
COUNTS = st.integers(0, 200_000)
AMOUNTS = st.decimals(0, 3, places=6).map(str)

CALLS = st.builds(
    lambda day, entering, leaving, model, share, priced, reported, source: call(
        day,
        entering,
        leaving,
        model=model,
        cache_read=entering * share // 4,
        price=PRICE if priced else None,
        reported_nano_usd=reported,
        usage_source=source,
    ),
    st.integers(1, 4),
    COUNTS,
    COUNTS,
    st.sampled_from(MODELS),
    st.integers(0, 4),
    st.booleans(),
    st.none() | st.integers(0, 10**9),
    st.sampled_from(("provider", "estimated")),
)
ITEMS = st.sampled_from(
    (
        *(f"{model}, {kind}" for model in MODELS for kind in ("input", "cached input", "output")),
        "web search calls",
        None,
    )
)
COSTS = st.tuples(st.integers(1, 4), st.builds(cost, ITEMS, AMOUNTS, st.none() | COUNTS.map(float)))
USAGES = st.tuples(
    st.integers(1, 4),
    st.builds(
        lambda model, entering, share, leaving, requests: usage(
            model, entering, entering * share // 4, leaving, requests
        ),
        st.sampled_from(MODELS) | st.none(),
        COUNTS,
        st.integers(0, 4),
        COUNTS,
        st.integers(0, 5),
    ),
)


@settings(max_examples=25)
@given(st.lists(CALLS, max_size=6), st.lists(COSTS, min_size=1, max_size=8), st.lists(USAGES, max_size=4))
def test_reasons_add_up_to_the_difference(
    ledger: list[RequestRecord],
    costs: list[tuple[int, Mapping[str, Any]]],
    usages: list[tuple[int, Mapping[str, Any]]],
) -> None:
    files = {"costs": page(*(bucket(day, result) for day, result in costs))}
    if usages:
        files["usage"] = page(*(bucket(day, result) for day, result in usages))

    found = asyncio.run(reconciled(ledger, ExportedBills(), files))

    for cell in found.cells:
        assert cell.their_cost_femto_usd is not None
        assert cell.difference_femto_usd == cell.their_cost_femto_usd - cell.our_cost_femto_usd
    days = {day for day, _ in costs} | {day for day, _ in usages}
    booked = sum(
        attempt.cost_nano_usd or 0
        for record in ledger
        if min(days) <= record.created_at.day <= max(days)
        for attempt in record.attempts
    )
    assert found.our_cost_femto_usd == booked * 1_000_000
    billed: dict[int, int] = {}
    for day, result in costs:
        billed[day] = billed.get(day, 0) + round(float(result["amount"]["value"]) * 1e6) * 10**9
    assert found.their_cost_femto_usd == sum(billed.values())
