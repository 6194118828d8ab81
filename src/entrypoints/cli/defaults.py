"""`omg defaults`: the limits and budgets of keys and tenants without their own, through the admin API."""

import json

import click

from entrypoints.cli.gateway_client import connect, json_option, url_option
from entrypoints.cli.keys import limits_of
from entrypoints.cli.objects import fields_of
from entrypoints.cli.output import show

LIMITS = "/admin/settings/rate-limits"
BUDGETS = "/admin/settings/budgets"
BUDGET_COLUMNS = ("of", "limit_usd", "period", "timezone", "on_exceeded", "models")

reset_option = click.option("--reset", is_flag=True, help="Go back to what OMG_DEFAULT_… of the gateway says.")


@click.group(name="defaults")
def command() -> None:
    """Show and change what holds for keys and tenants without limits or budgets of their own."""


@command.command()
@url_option
@json_option
@reset_option
@click.argument("whose", type=click.Choice(["key", "tenant"]), required=False)
@click.argument("limits", nargs=-1)
def limits(url: str | None, as_json: bool, reset: bool, whose: str | None, limits: tuple[str, ...]) -> None:
    """Show the default limits, or change some of WHOSE: `omg defaults limits key rpm=60 tpm=none`."""
    gateway = connect(url)
    if reset and limits:
        raise click.UsageError("--reset takes no limits.")
    known = gateway.call("GET", LIMITS)
    if whose is not None and (reset or limits):
        value = None if reset else known[whose] | limits_of(limits)
        known = gateway.call("PATCH", LIMITS, {whose: value})
    if as_json:
        click.echo(json.dumps(known))
        return
    rows = [{"limit": name, **{of: known[of][name] for of in known}} for name in known["key"]]
    show(rows, ("limit", *known), as_json=False)


@command.command()
@url_option
@json_option
@reset_option
@click.option("--none", "nothing", is_flag=True, help="No default budget.")
@click.argument("whose", type=click.Choice(["key", "tenant", "personal_tenant"]), required=False)
@click.argument("fields", nargs=-1)
def budgets(
    url: str | None, as_json: bool, reset: bool, nothing: bool, whose: str | None, fields: tuple[str, ...]
) -> None:
    """Show the default budgets, or give WHOSE one: `omg defaults budgets personal_tenant limit_usd=25 period=month`."""
    gateway = connect(url)
    if reset + nothing + bool(fields) > 1:
        raise click.UsageError("--reset, --none and fields exclude each other.")
    if whose is not None and (reset or nothing or fields):
        given = fields_of(fields)
        if "limit_usd" in given:
            given["limit_usd"] = str(given["limit_usd"])
        known = gateway.call("PATCH", BUDGETS, {whose: None if reset else [] if nothing else [given]})
    else:
        known = gateway.call("GET", BUDGETS)
    if as_json:
        click.echo(json.dumps(known))
        return
    show([{"of": of} | budget for of, found in known.items() for budget in found], BUDGET_COLUMNS, as_json=False)
