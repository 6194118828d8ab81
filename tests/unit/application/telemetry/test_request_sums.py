"""Sums of requests for `/metrics` (contract 13)."""

from itertools import product

import pytest

from application.telemetry.request_sums import MAX_MODELS, RequestSums
from domain.metrics import BY_NAME, METRICS, OTHER, Readings, folded
from domain.usage import TokenUsage
from tests.builders import a_request_record, an_attempt_record


def of(readings: Readings, name: str, *labels: str) -> float:
    """The value of a counter; of a histogram how many were observed."""
    values = readings[name].get(labels, [0.0])
    return values[0] if BY_NAME[name].kind != "histogram" else sum(values[:-1])


def test_a_request_counts_for_its_last_attempt_and_each_attempt_for_itself() -> None:
    sums = RequestSums()
    failed = an_attempt_record(number=1, provider_id="down", model="m", outcome="server_error", duration_ms=50.0)
    served = an_attempt_record(
        number=2,
        provider_id="up",
        model="m",
        outcome="ok",
        duration_ms=200.0,
        usage=TokenUsage(10, 4, cache_read_tokens=6),
        cost_nano_usd=5_000_000,
    )

    sums.keep(a_request_record(endpoint="chat.completions", attempts=(failed, served), latency_ms=260.0, ttft_ms=90.0))
    left = sums.add_up()

    readings = sums.readings
    went_to = ("chat.completions", "up", "m")
    assert left == 0
    assert of(readings, "omg_requests_total", *went_to, "ok") == 1
    assert of(readings, "omg_upstream_attempts_total", "down", "server_error") == 1
    assert of(readings, "omg_upstream_attempts_total", "up", "ok") == 1
    assert of(readings, "omg_tokens_total", "input", *went_to) == 10
    assert of(readings, "omg_tokens_total", "cache_read", *went_to) == 6
    assert of(readings, "omg_cost_usd_total", *went_to) == 0.005
    assert readings["omg_request_duration_seconds"]["chat.completions", "up"][-1] == 0.26
    assert round(readings["omg_overhead_seconds"]["chat.completions",][-1], 6) == 0.01
    assert of(readings, "omg_time_to_first_token_seconds", "chat.completions", "up") == 1


def test_a_refusal_counts_by_whose_limit_it_was_and_for_no_provider() -> None:
    sums = RequestSums()

    sums.observe(
        [
            a_request_record(
                provider_id=None, attempts=(), outcome="error", error_code="budget_exceeded", refused_by="tenant:ten_1"
            )
        ]
    )

    assert sums.readings["omg_limit_refusals_total"] == {("tenant", "budget_exceeded"): [1]}
    assert [labels[1:] for labels in sums.readings["omg_requests_total"]] == [("", "", "error")]
    assert sums.readings["omg_request_duration_seconds"] == {}


def test_past_two_hundred_models_the_rest_is_other_and_names_that_only_fail_take_half_at_most() -> None:
    sums = RequestSums()
    wrong = [an_attempt_record(model=f"no-such-{n}", outcome="model_not_found") for n in range(3 * MAX_MODELS)]
    right = [an_attempt_record(model=f"m{n}", outcome="ok") for n in range(3 * MAX_MODELS)]

    sums.observe(a_request_record(attempts=(attempt,), outcome="error") for attempt in wrong)
    sums.observe(a_request_record(attempts=(attempt,), outcome="ok") for attempt in right)

    models = {labels[2] for labels in sums.readings["omg_requests_total"]}
    assert len(models) == MAX_MODELS + 1
    assert OTHER in models
    assert sum(model.startswith("no-such-") for model in models) == MAX_MODELS // 2
    assert sum(values[0] for values in sums.readings["omg_requests_total"].values()) == 6 * MAX_MODELS


def test_keys_and_tenants_are_told_apart_only_where_that_is_switched_on() -> None:
    quiet, named = RequestSums(), RequestSums(subjects=True)
    record = a_request_record(tenant_id="ten_1", key_id="key_1", outcome="ok")

    quiet.observe([record])
    named.observe([record])

    assert named.readings["omg_subject_requests_total"] == {("ten_1", "key_1", "ok"): [1]}
    assert "key_1" not in str(quiet.readings)
    assert "ten_1" not in str(quiet.readings)


def test_what_waits_is_added_up_in_pieces() -> None:
    sums = RequestSums()
    for _ in range(5):
        sums.keep(a_request_record())

    lefts = [sums.add_up(2) for _ in range(3)]

    assert lefts == [3, 1, 0]
    assert sum(values[0] for values in sums.readings["omg_requests_total"].values()) == 5


def test_every_metric_has_a_name_and_a_help_that_monitors_take() -> None:
    names = [metric.name for metric in METRICS]

    assert len(set(names)) == len(names)
    assert all(metric.help.endswith(".") for metric in METRICS)
    assert all(metric.name.endswith("_total") == (metric.kind == "counter") for metric in METRICS)


def test_sums_are_the_same_however_usual_the_requests_before_were() -> None:
    usages = [TokenUsage(10, 4), TokenUsage(7, 2, cache_read_tokens=5), TokenUsage(1, 1, reasoning_tokens=3), None]
    outcomes = [("ok", "ok"), ("ok", "ok"), ("error", "server_error")]
    records = [
        a_request_record(
            endpoint="chat.completions",
            outcome=ended,
            latency_ms=100.0 * number,
            ttft_ms=ttft_ms,
            attempts=(an_attempt_record(outcome=outcome, usage=usage, cost_nano_usd=cost, duration_ms=90.0 * number),),
        )
        for number, (usage, (ended, outcome), cost, ttft_ms) in enumerate(
            product(usages, outcomes, (None, 5_000_000), (None, 20.0)), 1
        )
    ]
    together = RequestSums()
    apart = [RequestSums() for _ in records]

    together.observe([*records, *records])
    for sums, record in zip(apart, records, strict=True):
        sums.observe([record])

    expected = folded([sums.readings for sums in (*apart, *apart)])
    assert {name: set(cells) for name, cells in together.readings.items()} == {
        name: set(cells) for name, cells in expected.items()
    }
    for name, cells in expected.items():
        for labels, values in cells.items():
            assert together.readings[name][labels] == pytest.approx(values)
