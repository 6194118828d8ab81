"""A provider's bill beside the ledger (issue's done-when: five planted differences, explained to the cent)."""

from collections.abc import Mapping

import msgspec
import pytest

from adapters.bills.reading import ExportedBills
from application.reconciliation.reconciliation import Reconciled
from domain.bills import FEMTO_PER_USD, Compared, Reason
from domain.errors import RequestInvalid
from domain.prices import Tier
from tests.unit.application.reconciliation.bills import PRICE, bucket, call, cost, page, reconciled, usage

CENT = FEMTO_PER_USD // 100


def usd(text: str) -> int:
    whole, _, rest = text.lstrip("-").partition(".")
    femto = int(whole) * FEMTO_PER_USD + int(rest.ljust(15, "0") or "0")
    return -femto if text.startswith("-") else femto


def reasons(cell: Compared) -> Mapping[tuple[Reason, str], int]:
    return {(each.reason, each.meter): each.amount_femto_usd for each in cell.differences}


def cell_of(found: Reconciled, day: int, model: str = "gpt-5") -> Compared:
    return next(cell for cell in found.cells if (cell.day.day, cell.model) == (day, model))


def adds_up(found: Reconciled) -> bool:
    return all(
        cell.their_cost_femto_usd is not None
        and cell.difference_femto_usd == cell.their_cost_femto_usd - cell.our_cost_femto_usd
        for cell in found.cells
    )


async def test_five_planted_differences_are_explained_to_the_cent() -> None:
    ledger = [
        call(1, 1_000_000, 100_000, cache_read=400_000),  # the bill has 300,000 of them from the cache
        call(3, 500_000, 50_000),  # the bill has 520,000
        call(5, 200_000, 20_000),  # the bill takes 10 USD for the output, not 8
        call(7, 300_000, 30_000),  # the bill has it on the 8th
        call(10, 100_000, 10_000),
        call(10, 100_000, 11_000),  # the bill does not have this one
        call(12, 100_000, 10_000),  # nor the ledger another on this day
    ]
    costs = page(
        bucket(1, cost("gpt-5-2025-08-07, input", "1.4"), cost("gpt-5-2025-08-07, cached input", "0.15"),
               cost("gpt-5-2025-08-07, output", "0.8")),
        bucket(3, cost("gpt-5-2025-08-07, input", "1.04"), cost("gpt-5-2025-08-07, output", "0.4")),
        bucket(5, cost("gpt-5-2025-08-07, input", "0.4"), cost("gpt-5-2025-08-07, output", "0.2")),
        bucket(7),
        bucket(8, cost("gpt-5-2025-08-07, input", "0.6"), cost("gpt-5-2025-08-07, output", "0.24")),
        bucket(10, cost("gpt-5-2025-08-07, input", "0.2"), cost("gpt-5-2025-08-07, output", "0.08")),
        bucket(12, cost("gpt-5-2025-08-07, input", "0.4"), cost("gpt-5-2025-08-07, output", "0.16")),
    )  # fmt: skip
    counts = page(
        bucket(1, usage("gpt-5-2025-08-07", 1_000_000, 300_000, 100_000, 1)),
        bucket(3, usage("gpt-5-2025-08-07", 520_000, 0, 50_000, 1)),
        bucket(5, usage("gpt-5-2025-08-07", 200_000, 0, 20_000, 1)),
        bucket(8, usage("gpt-5-2025-08-07", 300_000, 0, 30_000, 1)),
        bucket(10, usage("gpt-5-2025-08-07", 100_000, 0, 10_000, 1)),
        bucket(12, usage("gpt-5-2025-08-07", 200_000, 0, 20_000, 2)),
    )

    found = await reconciled(ledger, ExportedBills(), {"costs.json": costs, "usage.json": counts})

    assert reasons(cell_of(found, 1)) == {(Reason.CACHED_TOKENS, "cache_read"): usd("0.15")}
    assert reasons(cell_of(found, 3)) == {(Reason.TOKEN_COUNTS, "input"): usd("0.04")}
    assert reasons(cell_of(found, 5)) == {(Reason.PRICE, "output"): usd("0.04")}
    assert cell_of(found, 5).differences[0].detail == "10.00 USD a million, ours 8.00"
    assert reasons(cell_of(found, 7)) == {(Reason.DAY_BOUNDARY, ""): usd("-0.84")}
    assert reasons(cell_of(found, 8)) == {(Reason.DAY_BOUNDARY, ""): usd("0.84")}
    assert reasons(cell_of(found, 10)) == {
        (Reason.MISSING_IN_THEIRS, "input"): usd("-0.2"),
        (Reason.MISSING_IN_THEIRS, "output"): usd("-0.088"),
    }
    assert reasons(cell_of(found, 12)) == {
        (Reason.MISSING_IN_OURS, "input"): usd("0.2"),
        (Reason.MISSING_IN_OURS, "output"): usd("0.08"),
    }
    assert adds_up(found)
    assert Reason.UNEXPLAINED not in found.by_reason


async def test_a_bill_that_is_alike_agrees() -> None:
    costs = page(
        bucket(1, cost("gpt-5, input", "0.2", 100_000.0), cost("gpt-5, output", "0.08", 10_000.0)),
        bucket(2),
    )

    found = await reconciled([call(1, 100_000, 10_000)], ExportedBills(), {"costs.json": costs})

    assert found.agrees
    assert [cell.differences for cell in found.cells] == [()]


async def test_rounding_of_the_bill_is_no_difference() -> None:
    costs = page(bucket(1, cost("gpt-5, input", "0.000247", 123.0)))  # 0.000246 by the price

    found = await reconciled([call(1, 123, 0)], ExportedBills(), {"costs.json": costs})

    assert found.agrees is False  # a whole step of it apart

    costs = page(bucket(1, cost("gpt-5, input", "0.0002", 123.0)))
    found = await reconciled([call(1, 123, 0)], ExportedBills(), {"costs.json": costs})

    assert found.agrees
    assert found.by_reason == {Reason.ROUNDING: usd("-0.000046")}


async def test_models_that_one_side_does_not_have_are_told_whole() -> None:
    costs = page(bucket(1, cost("o9, output", "1.5", 10.0)))

    found = await reconciled([call(1, 100_000, 10_000)], ExportedBills(), {"costs.json": costs})

    assert reasons(cell_of(found, 1, "o9")) == {(Reason.MISSING_IN_OURS, ""): usd("1.5")}
    assert reasons(cell_of(found, 1)) == {(Reason.MISSING_IN_THEIRS, ""): usd("-0.28")}
    assert adds_up(found)


async def test_tokens_that_the_gateway_estimated_are_named_so() -> None:
    ledger = [call(1, 90_000, 10_000, usage_source="estimated")]
    costs = page(bucket(1, cost("gpt-5, input", "0.2", 100_000.0), cost("gpt-5, output", "0.08", 10_000.0)))

    found = await reconciled(ledger, ExportedBills(), {"costs.json": costs})

    assert reasons(cell_of(found, 1)) == {(Reason.ESTIMATED, "input"): usd("0.02")}
    assert cell_of(found, 1).differences[0].detail == "+10000 input tokens, 1 call estimated"


async def test_what_the_ledger_has_no_price_for_is_named_so() -> None:
    ledger = [call(1, 100_000, 10_000, price=None)]
    costs = page(bucket(1, cost("gpt-5, input", "0.2", 100_000.0), cost("gpt-5, output", "0.08", 10_000.0)))

    found = await reconciled(ledger, ExportedBills(), {"costs.json": costs})

    assert found.by_reason == {Reason.UNPRICED: usd("0.28")}
    assert adds_up(found)


async def test_fees_without_a_model_are_told_apart() -> None:
    costs = page(
        bucket(1, cost("gpt-5, input", "0.2", 100_000.0), cost("web search tool calls", "0.05", 5.0)),
    )

    found = await reconciled([call(1, 100_000, 0)], ExportedBills(), {"costs.json": costs})

    assert reasons(cell_of(found, 1, "")) == {(Reason.FEES, ""): usd("0.05")}
    assert cell_of(found, 1).differences == ()


async def test_a_bill_by_day_alone_is_compared_by_day() -> None:
    ledger = [call(1, 100_000, 10_000), call(1, 100_000, 0, model="gpt-5-mini")]

    found = await reconciled(ledger, ExportedBills(), {"costs.json": page(bucket(1, cost(None, 0.48)))})

    assert found.agrees
    found = await reconciled(ledger, ExportedBills(), {"costs.json": page(bucket(1, cost(None, "0.60")))})
    assert found.by_reason == {Reason.UNEXPLAINED: usd("0.12")}


async def test_days_of_another_zone_agree_when_they_are_named() -> None:
    ledger = [call(2, 100_000, 10_000, hour=3)]  # the evening of the first in California
    table = b"when;name;in;out;usd\n2026-11-01;gpt-5;100000;10000;0.28\n2026-11-02;gpt-5;0;0;0\n"
    columns = {"day": "when", "model": "name", "input": "in", "output": "out", "cost": "usd"}

    in_utc = await reconciled(ledger, ExportedBills(), {"bill.csv": table}, columns=columns)
    there = await reconciled(
        ledger, ExportedBills(), {"bill.csv": table}, columns=columns, timezone="America/Los_Angeles"
    )

    assert in_utc.by_reason.keys() == {Reason.DAY_BOUNDARY}
    assert there.agrees


async def test_costs_that_were_booked_as_told_are_compared_with_the_bill_as_a_whole() -> None:
    ledger = [call(1, 1000, 100, model="openai/gpt-5", reported_nano_usd=2_800_000)]
    export = (
        b"generation_id,created_at,cost_total,byok_usage_inference,tokens_prompt,tokens_completion,tokens_reasoning,"
        b"tokens_cached,model_permaslug,provider_name,variant\n"
        b"gen-1,2026-11-01 18:54:30.040,0.0028,0,1000,100,20,0,openai/gpt-5-2025-08-07,OpenAI,standard\n"
        b"gen-2,2026-11-01 19:54:30.040,0.0014,0,500,50,20,0,openai/gpt-5-2025-08-07,OpenAI,standard\n"
    )

    found = await reconciled(ledger, ExportedBills(), {"activity.csv": export})

    assert reasons(cell_of(found, 1, "openai/gpt-5")) == {
        (Reason.MISSING_IN_OURS, "input"): usd("0.001"),
        (Reason.MISSING_IN_OURS, "output"): usd("0.0004"),
    }
    assert adds_up(found)


async def test_a_name_that_no_rule_finds_can_be_told() -> None:
    costs = page(bucket(1, cost("ft:gpt-5:acme, input", "0.2", 100_000.0)))

    found = await reconciled(
        [call(1, 100_000, 0)], ExportedBills(), {"costs.json": costs}, names={"ft:gpt-5:acme": "gpt-5"}
    )

    assert found.agrees


async def test_an_export_of_tokens_alone_tells_what_the_difference_would_cost() -> None:
    counts = page(bucket(1, usage("gpt-5", 150_000, 0, 10_000, 1)), bucket(2, usage("o9", 10, 0, 10, 1)))

    found = await reconciled([call(1, 100_000, 10_000)], ExportedBills(), {"usage.json": counts})

    assert found.their_cost_femto_usd is None
    assert reasons(cell_of(found, 1)) == {(Reason.TOKEN_COUNTS, "input"): usd("0.1")}
    assert found.agrees is False
    assert reasons(cell_of(found, 2, "o9")) == {(Reason.MISSING_IN_OURS, ""): 0}


async def test_an_export_of_years_is_refused() -> None:
    table = b"day,cost\n2024-01-01,1\n2026-01-01,1\n"

    with pytest.raises(RequestInvalid, match="more than 400 days"):
        await reconciled([], ExportedBills(), {"bill.csv": table}, columns={"day": "day", "cost": "cost"})


async def test_a_bill_without_a_line_for_cached_tokens_has_none() -> None:
    costs = page(bucket(1, cost("gpt-5, input", "2", 1_000_000.0), cost("gpt-5, output", "0.8", 100_000.0)))

    found = await reconciled([call(1, 1_000_000, 100_000, cache_read=400_000)], ExportedBills(), {"costs.json": costs})

    assert reasons(cell_of(found, 1)) == {(Reason.CACHED_TOKENS, "cache_read"): usd("0.6")}


async def test_tokens_that_were_free_are_a_price() -> None:
    costs = page(bucket(1, cost("o9, input", "1", 10.0)), bucket(2))
    counts = page(bucket(2, usage("gpt-5", 100_000, 0, 10_000, 1)))

    found = await reconciled([call(2, 100_000, 10_000)], ExportedBills(), {"costs.json": costs, "usage.json": counts})

    assert reasons(cell_of(found, 2)) == {(Reason.PRICE, ""): usd("-0.28")}


async def test_tiers_beside_the_list_price_do_not_hide_a_price() -> None:
    tiers = (Tier(above_input_tokens=200_000, input=4 * 10**9),)
    price = msgspec.structs.replace(PRICE, prices=msgspec.structs.replace(PRICE.prices, tiers=tiers))
    ledger = [call(1, 300_000, 0, price=price)]
    alike = page(bucket(1, cost("gpt-5, input", "1.2", 300_000.0)))
    dearer = page(bucket(1, cost("gpt-5, input", "1.5", 300_000.0)))

    assert (await reconciled(ledger, ExportedBills(), {"costs.json": alike})).agrees
    found = await reconciled(ledger, ExportedBills(), {"costs.json": dearer})

    assert found.by_reason == {Reason.PRICE: usd("0.3")}


async def test_a_provider_that_the_ledger_does_not_have_is_noted() -> None:
    found = await reconciled([], ExportedBills(), {"costs.json": page(bucket(1, cost("gpt-5, input", "1", 5.0)))})

    assert "nothing of provider 'openai'" in found.bill.notes[0]
    assert found.by_reason == {Reason.MISSING_IN_OURS: usd("1")}


async def test_calls_near_midnight_are_found_where_the_bill_tells_no_cached_tokens() -> None:
    ledger = [call(1, 100_000, 10_000, cache_read=40_000, hour=23), call(2, 100_000, 10_000)]
    table = b"day,model,in,out,cost\n2026-11-01,gpt-5,0,0,0\n2026-11-02,gpt-5,200000,20000,0.50\n"
    columns = {"day": "day", "model": "model", "input": "in", "output": "out", "cost": "cost"}

    found = await reconciled(ledger, ExportedBills(), {"bill.csv": table}, columns=columns)

    assert found.by_reason.keys() <= {Reason.DAY_BOUNDARY, Reason.ROUNDING}
    assert adds_up(found)
