"""How the readings of several processes make one (contract 13)."""

from pathlib import Path

from domain.metrics import METRICS, Readings, counters_of, folded

PAGE = Path(__file__).parents[3] / "docs" / "telemetry.md"


def test_counts_are_added_and_states_are_the_worst_of_any_process() -> None:
    first: Readings = {
        "omg_requests_total": {("chat", "a", "m", "ok"): [2.0]},
        "omg_overhead_seconds": {("chat",): [1.0] * 12 + [0.5]},
        "omg_provider_available": {("a",): [1.0]},
        "omg_breaker_state": {("a",): [0.0]},
    }
    second: Readings = {
        "omg_requests_total": {("chat", "a", "m", "ok"): [3.0], ("chat", "b", "m", "ok"): [1.0]},
        "omg_overhead_seconds": {("chat",): [2.0] * 12 + [0.25]},
        "omg_provider_available": {("a",): [0.0]},
        "omg_breaker_state": {("a",): [1.0]},
        "of_another_version": {(): [1.0]},
    }

    total = folded([first, second])

    assert total == {
        "omg_requests_total": {("chat", "a", "m", "ok"): [5.0], ("chat", "b", "m", "ok"): [1.0]},
        "omg_overhead_seconds": {("chat",): [3.0] * 12 + [0.75]},
        "omg_provider_available": {("a",): [0.0]},
        "omg_breaker_state": {("a",): [1.0]},
    }
    assert first["omg_requests_total"] == {("chat", "a", "m", "ok"): [2.0]}


def test_of_a_process_that_is_gone_the_counts_remain_and_the_states_do_not() -> None:
    left = counters_of({"omg_requests_total": {(): [2.0]}, "omg_inflight_requests": {(): [7.0]}, "unknown": {}})

    assert left == {"omg_requests_total": {(): [2.0]}}


def test_the_page_lists_every_metric_with_its_labels_and_what_it_is() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = [
        f"| `{each.name}` | {', '.join(f'`{label}`' for label in each.labels)} | {each.kind}: {each.help} |"
        for each in METRICS
    ]

    assert [row for row in rows if row not in page] == []
