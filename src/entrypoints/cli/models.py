"""`omg models`: what can be called, and what it costs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from entrypoints.cli.gateway_client import connect, json_option, url_option
from entrypoints.cli.objects import show_one
from entrypoints.cli.output import show
from entrypoints.settings.documents import read_yaml

COLUMNS = ("provider", "model", "context_window", "owned_by", "usd_per_million_in", "usd_per_million_out", "price_from")


@click.group(name="models")
def command() -> None:
    """List the models that can be called, and set what they cost."""


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
    shown = {"usd_per_million_in": prices.get("input"), "usd_per_million_out": prices.get("output")}
    return {**row, **shown, "price_from": row.get("source")}


@command.command()
@url_option
@json_option
@click.argument("provider")
@click.argument("model")
@click.option("--price", "meters", multiple=True, metavar="METER=USD", help="Of a million tokens: input=0.10. Repeat.")
@click.option("--tier", "tiers", multiple=True, nargs=2, metavar="TOKENS METER=USD,…", help="Of requests above TOKENS.")
@click.option("--variant", "variants", multiple=True, nargs=2, metavar="NAME METER=USD,…", help="As batch input=0.05.")
@click.option("--fee", "fees", multiple=True, metavar="TOOL=USD", help="Of one call of a hosted tool: web_search=0.01.")
@click.option("--unit", "units", multiple=True, metavar="UNIT=USD", help="Of one: character=0.000015, image:*=0.04.")
@click.option("--file", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="`prices`, `units` as YAML.")
@click.option("--confirm", is_flag=True, help="Also where it is ten times the price in force, or a tenth.")
def price(
    url: str | None,
    as_json: bool,
    provider: str,
    model: str,
    meters: tuple[str, ...],
    tiers: tuple[tuple[str, str], ...],
    variants: tuple[tuple[str, str], ...],
    fees: tuple[str, ...],
    units: tuple[str, ...],
    file: Path | None,
    confirm: bool,
) -> None:
    """Set the price of MODEL at PROVIDER, over the catalog's: with tiers, variants, fees and units.

    Prices are decimal USD. What is left out costs what it is a part of. --file takes all that the admin API does, and
    the options go over it.
    """
    body: dict[str, Any] = read_yaml(file) if file is not None else {}
    prices: dict[str, Any] = {**(body.get("prices") or {}), **_amounts(meters)}
    if tiers:
        prices["tiers"] = [{"above_input_tokens": _tokens(above), **_listed(text)} for above, text in tiers]
    if variants:
        prices["variants"] = {**(prices.get("variants") or {}), **{name: _listed(text) for name, text in variants}}
    if fees:
        prices["fees"] = {**(prices.get("fees") or {}), **_amounts(fees)}
    sold: dict[str, Any] = {**(body.get("units") or {})}
    for name, amount in _amounts(units).items():
        unit, colon, kind = name.partition(":")
        before = sold.get(unit)
        sold[unit] = {**(before if isinstance(before, dict) else {}), kind: amount} if colon else amount
    asked: dict[str, object] = {"provider": provider, "model": model, "units": sold, "confirm": confirm}
    answer = connect(url).call("POST", "/admin/models", asked | ({"prices": prices} if prices else {}))
    show_one(answer, as_json=as_json)


@command.command()
@url_option
@click.argument("provider")
@click.argument("model")
def unprice(url: str | None, provider: str, model: str) -> None:
    """End the price that was set of MODEL at PROVIDER: the catalog's holds again, or none."""
    connect(url).call("DELETE", f"/admin/models/{quote(provider, safe='')}/{quote(model)}")
    click.echo(f"{provider}/{model} has no price of its own any more.")


def _listed(text: str) -> dict[str, str]:
    return _amounts(tuple(part for part in text.split(",") if part.strip()))


def _amounts(given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for text in given:
        name, equals, amount = text.rpartition("=")
        if not equals or not name.strip() or not amount.strip():
            raise click.BadParameter(f"'{text}' is no price: write name=0.10.")
        found[name.strip()] = amount.strip()
    return found


def _tokens(text: str) -> int:
    try:
        return int(text.replace("_", ""))
    except ValueError:
        raise click.BadParameter(f"'{text}' is no number of tokens.") from None
