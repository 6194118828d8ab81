"""The dashboard and the alert rules speak of metrics that `/metrics` has, with labels that these have (contract 13)."""

import json
from collections.abc import Iterator
from typing import Any

import promql_parser as promql
import yaml
from prometheus_client.parser import text_string_to_metric_families

from adapters.telemetry.prometheus import PrometheusFormat
from domain.metrics import METRICS, Readings
from tests.architecture.tree import ROOT

DASHBOARD = ROOT / "deploy" / "monitoring" / "grafana-dashboard.json"
RULES = ROOT / "deploy" / "monitoring" / "prometheus-rules.yaml"
OF_THE_MONITOR = frozenset({"job", "instance"})
"""Labels that Prometheus itself adds."""


def exposed() -> dict[str, frozenset[str]]:
    """Each sample of `/metrics` with its labels, as prometheus_client's parser reads them."""
    readings: Readings = {
        metric.name: {tuple("x" for _ in metric.labels): [1.0] * (len(metric.buckets) + 2 if metric.buckets else 1)}
        for metric in METRICS
    }
    text = PrometheusFormat().render(readings, "").body.decode()
    return {
        sample.name: frozenset(sample.labels)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return found


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def expressions() -> Iterator[tuple[str, str]]:
    """From where, and the expression with Grafana's own variables put in."""
    for panel in panels():
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"].replace("$__rate_interval", "5m")
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for variable in json.loads(DASHBOARD.read_text(encoding="utf-8"))["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["definition"].removeprefix("label_values(").rpartition(",")[0]


def selectors(node: object) -> Iterator[promql.VectorSelector]:
    if isinstance(node, promql.VectorSelector):
        yield node
    elif isinstance(node, promql.MatrixSelector):
        yield node.vector_selector
    elif isinstance(node, promql.Call):
        for argument in node.args:
            yield from selectors(argument)
    elif isinstance(node, promql.BinaryExpr):
        yield from selectors(node.lhs)
        yield from selectors(node.rhs)
    elif isinstance(node, promql.AggregateExpr | promql.ParenExpr | promql.UnaryExpr | promql.SubqueryExpr):
        yield from selectors(node.expr)


def grouped(node: object) -> Iterator[tuple[frozenset[str], object]]:
    """The labels that an aggregation keeps, and what it is of."""
    if isinstance(node, promql.AggregateExpr):
        if node.modifier is not None:
            yield frozenset(node.modifier.labels), node.expr
        yield from grouped(node.expr)
    elif isinstance(node, promql.BinaryExpr):
        yield from grouped(node.lhs)
        yield from grouped(node.rhs)
    elif isinstance(node, promql.Call):
        for argument in node.args:
            yield from grouped(argument)
    elif isinstance(node, promql.ParenExpr):
        yield from grouped(node.expr)


def test_every_metric_of_the_dashboard_and_the_rules_is_exposed_with_the_labels_that_they_use() -> None:
    there, used, wrong = exposed(), set[str](), []
    for where, text in expressions():
        tree = promql.parse(text)
        for selector in selectors(tree):
            name = selector.name or ""
            used.add(name)
            labels = {matcher.name for matcher in selector.matchers.matchers} - OF_THE_MONITOR
            if name != "up" and (name not in there or not labels <= there[name]):
                wrong.append((where, name, sorted(labels)))
        for kept, inner in grouped(tree):
            lacking = [each.name for each in selectors(inner) if not kept <= there.get(each.name or "", kept)]
            if lacking:
                wrong.append((where, str(lacking), sorted(kept)))

    assert wrong == []
    assert len(used) > 20


def test_every_panel_says_its_unit_and_lies_beside_the_others() -> None:
    places = [panel["gridPos"] for panel in panels()]
    cells = [
        (x, y) for at in places for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
    ]

    assert len(cells) == len(set(cells))
    assert all(panel["fieldConfig"]["defaults"]["unit"] for panel in panels() if panel["type"] != "row")
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_every_alert_has_a_name_of_its_own_a_severity_and_words() -> None:
    names = [rule["alert"] for rule in rules()]

    assert len(set(names)) == len(names)
    assert {rule["labels"]["severity"] for rule in rules()} <= {"critical", "warning", "info"}
    assert all(rule["annotations"]["summary"].endswith(".") for rule in rules())
