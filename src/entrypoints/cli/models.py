"""`omg models`: what can be called."""

import click

from entrypoints.cli.gateway_client import connect, json_option, url_option
from entrypoints.cli.output import show

COLUMNS = ("provider", "model", "context_window", "owned_by")


@click.group(name="models")
def command() -> None:
    """List the models that can be called."""


@command.command(name="list")
@url_option
@json_option
@click.option("--provider", help="Only this provider's.")
def list_models(url: str | None, as_json: bool, provider: str | None) -> None:
    """List models in the order in which their providers are tried."""
    rows = connect(url).items("/admin/models")
    show((row for row in rows if provider in {None, row.get("provider")}), COLUMNS, as_json=as_json)
