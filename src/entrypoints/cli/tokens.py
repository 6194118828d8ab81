"""`omg tokens`: further admin tokens, through the admin API."""

import json

import click

from entrypoints.cli.gateway_client import connect, json_option, url_option
from entrypoints.cli.output import show

COLUMNS = ("id", "name", "status", "scopes", "last4", "expires_at", "created_at")


@click.group(name="tokens")
def command() -> None:
    """Create, list and revoke admin tokens for automation."""


@command.command()
@url_option
@json_option
@click.option("--name", default="", help="What the token is for.")
@click.option(
    "--scope", "scopes", multiple=True, required=True, help="all, read, usage or tenant:<id>; repeat for more."
)
@click.option("--expires", help="When it ends, such as 2027-01-31T00:00:00Z.")
def create(url: str | None, as_json: bool, name: str, scopes: tuple[str, ...], expires: str | None) -> None:
    """Create a token and print it, this once."""
    wanted = {"name": name, "scopes": list(scopes), "expires_at": expires}
    made = connect(url).call("POST", "/admin/tokens", wanted)
    if as_json:
        click.echo(json.dumps(made))
        return
    click.echo(made["secret"])
    click.echo(f"Created {made['id']}. The token above is shown once: only its digest is kept.", err=True)


@command.command(name="list")
@url_option
@json_option
def list_tokens(url: str | None, as_json: bool) -> None:
    """List admin tokens, newest first."""
    show(connect(url).items("/admin/tokens"), COLUMNS, as_json=as_json)


@command.command()
@url_option
@click.argument("token_id")
def revoke(url: str | None, token_id: str) -> None:
    """Revoke the token TOKEN_ID for good."""
    connect(url).call("DELETE", f"/admin/tokens/{token_id}")
    click.echo(f"Revoked {token_id}.")
