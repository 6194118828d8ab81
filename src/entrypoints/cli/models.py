"""`omg models`: what can be called."""

from collections.abc import Mapping
from typing import Any

import click

from entrypoints.cli.gateway_client import connect, json_option, url_option
from entrypoints.cli.output import show

COLUMNS = ("provider", "model", "context_window", "owned_by", "usd_per_million_in", "usd_per_million_out", "price_from")


@click.group(name="models")
def command() -> None:
    """List the models that can be called."""


@command.command(name="list")
@url_option
@json_option
@click.option("--provider", help="Only this provider's.")
def list_models(url: str | None, as_json: bool, provider: str | None) -> None:
    """List models in the order in which their providers are tried, with what they cost."""
    rows = (row for row in connect(url).items("/admin/models") if provider in {None, row.get("provider")})
    show(rows if as_json else map(_with_price, rows), COLUMNS, as_json=as_json)


def _with_price(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The two prices people ask for; `-` for an unpriced model."""
    prices = row.get("prices") or {}
    told = {"usd_per_million_in": prices.get("input"), "usd_per_million_out": prices.get("output")}
    return {**row, **told, "price_from": row.get("source")}
