"""`omg keys`: virtual keys, through the admin API."""

import json

import click

from entrypoints.cli.gateway_client import connect, json_option, url_option
from entrypoints.cli.output import show

COLUMNS = ("id", "name", "last4", "allowed_models", "expires_at", "revoked_at", "created_at")


@click.group(name="keys")
def command() -> None:
    """Create, list and revoke virtual keys."""


@command.command()
@url_option
@json_option
@click.option("--name", default="", help="What the key is for.")
@click.option("--model", "models", multiple=True, help="A model it may use; repeat for more. Default: all.")
@click.option("--provider", "providers", multiple=True, help="A provider it may use; repeat for more. Default: all.")
@click.option("--expires", help="When it ends, such as 2027-01-31T00:00:00Z.")
@click.option("--strict", is_flag=True, help="Refuse parameters that a provider would drop, instead of dropping them.")
def create(
    url: str | None,
    as_json: bool,
    name: str,
    models: tuple[str, ...],
    providers: tuple[str, ...],
    expires: str | None,
    strict: bool,
) -> None:
    """Create a key and print it, this once."""
    wanted = {
        "name": name,
        "allowed_models": list(models) or None,
        "allowed_providers": list(providers) or None,
        "expires_at": expires,
        "strict": strict,
    }
    made = connect(url).call("POST", "/admin/keys", {k: v for k, v in wanted.items() if v})
    if as_json:
        click.echo(json.dumps(made))
        return
    click.echo(f"{made['secret']}\n", nl=False)
    click.echo(f"Created {made['id']}. The key above is shown once: only its digest is kept.", err=True)


@command.command(name="list")
@url_option
@json_option
def list_keys(url: str | None, as_json: bool) -> None:
    """List keys, newest first."""
    show(connect(url).items("/admin/keys"), COLUMNS, as_json=as_json)


@command.command()
@url_option
@click.argument("key_id")
def revoke(url: str | None, key_id: str) -> None:
    """Revoke the key KEY_ID for good."""
    connect(url).call("POST", f"/admin/keys/{key_id}/revoke")
    click.echo(f"Revoked {key_id}.")
