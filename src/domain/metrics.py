"""The metrics of `/metrics`: names, labels and how the values of several processes make one, written once.

The page of them in the docs, the dashboard and the alert rules are held against this table by tests.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

Kind = Literal["counter", "gauge", "histogram"]
Fold = Literal["sum", "max", "min"]

Cells = dict[tuple[str, ...], list[float]]
"""By the values of the labels: one value, or of a histogram the count of each bucket, of all above, and the sum."""

Readings = dict[str, Cells]
"""By the name of the metric."""

OTHER: Final = "other"
"""The label of what came after there were as many as are told apart."""


class Metric(msgspec.Struct, frozen=True):
    """`fold` says what becomes of one value in several processes. `buckets` are upper bounds, without infinity."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    fold: Fold = "sum"
    buckets: tuple[float, ...] = ()


_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0)
_QUICK_SECONDS: Final = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)
_WENT_TO: Final = ("endpoint", "provider", "model")

REQUESTS: Final = Metric(
    "omg_requests_total", "counter", "Requests that ended, refused ones included.", (*_WENT_TO, "outcome")
)
TOKENS: Final = Metric(
    "omg_tokens_total",
    "counter",
    "Tokens of all attempts. `cache_read` and `cache_write` are part of `input`, `reasoning` of `output`.",
    ("direction", *_WENT_TO),
)
COST: Final = Metric("omg_cost_usd_total", "counter", "What all attempts cost, in US dollars.", _WENT_TO)
UNPRICED: Final = Metric(
    "omg_unpriced_attempts_total", "counter", "Attempts that used something which has no price.", ("provider", "model")
)
DURATION: Final = Metric(
    "omg_request_duration_seconds",
    "histogram",
    "From a request's head to the end of its answer.",
    ("endpoint", "provider"),
    buckets=_SECONDS,
)
FIRST_TOKEN: Final = Metric(
    "omg_time_to_first_token_seconds",
    "histogram",
    "From a request's head to the first content of its stream.",
    ("endpoint", "provider"),
    buckets=_SECONDS,
)
OVERHEAD: Final = Metric(
    "omg_overhead_seconds",
    "histogram",
    "What a request took beside its attempts.",
    ("endpoint",),
    buckets=_QUICK_SECONDS,
)
ATTEMPTS: Final = Metric(
    "omg_upstream_attempts_total", "counter", "Calls to providers, by how they ended.", ("provider", "outcome")
)
ATTEMPT_DURATION: Final = Metric(
    "omg_upstream_attempt_duration_seconds", "histogram", "What a call took.", ("provider",), buckets=_SECONDS
)
REFUSALS: Final = Metric(
    "omg_limit_refusals_total",
    "counter",
    "Requests that a limit or a budget refused: `kind` is whose it is, `code` the error's.",
    ("kind", "code"),
)
IN_FLIGHT: Final = Metric("omg_inflight_requests", "gauge", "Requests under way.")
PROVIDER_AVAILABLE: Final = Metric(
    "omg_provider_available", "gauge", "1 while a provider may be asked, else 0.", ("provider",), "min"
)
BREAKER: Final = Metric(
    "omg_breaker_state", "gauge", "0 closed; 1 open: too many calls in a row failed.", ("provider",), "max"
)
KEYS_AVAILABLE: Final = Metric(
    "omg_provider_keys_available", "gauge", "Keys of a provider that may be asked now.", ("provider",), "min"
)
QUOTA_LEFT: Final = Metric(
    "omg_quota_remaining_ratio",
    "gauge",
    "The share left of the quota of which the least is left, of all keys.",
    ("provider", "dimension", "window"),
    "min",
)
BUDGET_LEFT: Final = Metric(
    "omg_budget_remaining_usd",
    "gauge",
    "What is left of the budget of which the least is left. `subject` is empty unless OMG_TELEMETRY_SUBJECTS is on.",
    ("kind", "period", "subject"),
    "min",
)
BUDGET_LEFT_RATIO: Final = Metric(
    "omg_budget_remaining_ratio", "gauge", "The same as a share of the budget.", BUDGET_LEFT.labels, "min"
)
BUDGET_HELD: Final = Metric(
    "omg_budget_held_usd", "gauge", "What is held in budgets for requests under way.", ("kind", "period")
)
SPOOL_LAG: Final = Metric(
    "omg_spool_lag_seconds", "gauge", "Age of the oldest record that is not in the database.", fold="max"
)
SPOOL_WAITING: Final = Metric("omg_spool_waiting_records", "gauge", "Records that are not in the database.")
SPOOL_BYTES: Final = Metric("omg_spool_bytes", "gauge", "Size of the spool on disk.")
SPOOL_WRITABLE: Final = Metric(
    "omg_spool_writable", "gauge", "0 while records cannot be written down, else 1.", fold="min"
)
SPOOL_LOST: Final = Metric(
    "omg_spool_lost_records_total", "counter", "Records lost: torn on disk, or without room.", ("cause",)
)
STORE_UP: Final = Metric(
    "omg_store_up", "gauge", "1 while it answers, else 0: `database`, and `limits` where they are counted.", ("store",)
)
LOG_DROPPED: Final = Metric("omg_log_lines_dropped_total", "counter", "Log lines dropped since nobody read them.")
EXPORT_DROPPED: Final = Metric(
    "omg_telemetry_dropped_total",
    "counter",
    "Requests without a span, and exports of metrics, that no collector took.",
    ("signal",),
)
EXPORTED: Final = Metric("omg_telemetry_exported_total", "counter", "The same that a collector took.", ("signal",))
SUBJECT_REQUESTS: Final = Metric(
    "omg_subject_requests_total",
    "counter",
    "Requests by tenant and key; only with OMG_TELEMETRY_SUBJECTS.",
    ("tenant", "key", "outcome"),
)
SUBJECT_COST: Final = Metric(
    "omg_subject_cost_usd_total", "counter", "Their cost, likewise.", SUBJECT_REQUESTS.labels[:2]
)
WORKERS: Final = Metric("omg_workers", "gauge", "Worker processes that are counted here.")
BUILD: Final = Metric("omg_build_info", "gauge", "1, with the version as a label.", ("version",), "max")

METRICS: Final = (
    REQUESTS, TOKENS, COST, UNPRICED, DURATION, FIRST_TOKEN, OVERHEAD, ATTEMPTS, ATTEMPT_DURATION, REFUSALS,
    IN_FLIGHT, PROVIDER_AVAILABLE, BREAKER, KEYS_AVAILABLE, QUOTA_LEFT, BUDGET_LEFT, BUDGET_LEFT_RATIO, BUDGET_HELD,
    SPOOL_LAG, SPOOL_WAITING, SPOOL_BYTES, SPOOL_WRITABLE, SPOOL_LOST, STORE_UP, LOG_DROPPED, EXPORT_DROPPED,
    EXPORTED, SUBJECT_REQUESTS, SUBJECT_COST, WORKERS, BUILD,
)  # fmt: skip
"""All of them, in the order of the page."""

BY_NAME: Final[Mapping[str, Metric]] = {metric.name: metric for metric in METRICS}


def folded(all_readings: Iterable[Readings]) -> Readings:
    """Those of several processes as one. What is no metric of ours, as of another version, is left out."""
    total: Readings = {}
    for readings in all_readings:
        for name, cells in readings.items():
            metric = BY_NAME.get(name)
            if metric is None:
                continue
            into = total.setdefault(name, {})
            for labels, values in cells.items():
                have = into.get(labels)
                into[labels] = list(values) if have is None else _fold(metric.fold, have, values)
    return total


def _fold(fold: Fold, first: list[float], second: list[float]) -> list[float]:
    if fold == "sum":
        return [a + b for a, b in zip(first, second, strict=False)]
    choose = max if fold == "max" else min
    return [choose(a, b) for a, b in zip(first, second, strict=False)]


def counters_of(readings: Readings) -> Readings:
    """What remains true of a process that is no more: its gauges are gone with it."""
    return {name: cells for name, cells in readings.items() if name in BY_NAME and BY_NAME[name].kind != "gauge"}
