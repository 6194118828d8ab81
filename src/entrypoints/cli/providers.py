"""`omg providers`: providers and their keys, through the admin API."""

import os
import sys

import click

from entrypoints.cli.gateway_client import connect, json_option, url_option
from entrypoints.cli.output import show
from entrypoints.settings.model import SettingsError

COLUMNS = ("id", "kind", "priority", "status", "available_at", "keys", "owner", "base_url")


@click.group(name="providers")
def command() -> None:
    """List, add, remove and retry providers."""


@command.command(name="list")
@url_option
@json_option
def list_providers(url: str | None, as_json: bool) -> None:
    """List providers in the order they are tried."""
    show(connect(url).items("/admin/providers"), COLUMNS, as_json=as_json)


@command.command()
@url_option
@click.argument("provider_id")
@click.option("--kind", default="openai", show_default=True, help="The adapter; openai for every compatible server.")
@click.option("--base-url", help="Where it is; not needed for a provider the gateway knows.")
@click.option("--name", help="What to call it.")
@click.option("--priority", type=int, help="Lower is tried first.")
@click.option("--key-env", help="The variable that holds its API key.")
@click.option("--key-stdin", is_flag=True, help="Read its API key from standard input.")
def add(
    url: str | None,
    provider_id: str,
    kind: str,
    base_url: str | None,
    name: str | None,
    priority: int | None,
    key_env: str | None,
    key_stdin: bool,
) -> None:
    """Add the provider PROVIDER_ID, with a key where one is given.

    The key is never an argument: other users of a machine can read those.
    """
    key = _key(key_env, key_stdin)
    gateway = connect(url)
    wanted = {"id": provider_id, "kind": kind, "base_url": base_url, "name": name, "priority": priority}
    gateway.call("POST", "/admin/providers", {k: v for k, v in wanted.items() if v is not None})
    if key:
        gateway.call("POST", f"/admin/providers/{provider_id}/keys", {"label": "cli", "secret": key})
    click.echo(f"Added {provider_id}{' with a key' if key else ''}.")


@command.command()
@url_option
@click.argument("provider_id")
def remove(url: str | None, provider_id: str) -> None:
    """Remove the provider PROVIDER_ID with its keys."""
    connect(url).call("DELETE", f"/admin/providers/{provider_id}")
    click.echo(f"Removed {provider_id}.")


@command.command()
@url_option
@click.argument("provider_id")
@click.argument("key_id", required=False)
def retry(url: str | None, provider_id: str, key_id: str | None) -> None:
    """Try PROVIDER_ID again, or only its key KEY_ID."""
    connect(url).call("POST", f"/admin/providers/{provider_id}/{f'keys/{key_id}/' if key_id else ''}retry")
    click.echo(f"{key_id or provider_id} is tried again.")


def _key(variable: str | None, from_stdin: bool) -> str:
    if variable:
        value = os.environ.get(variable, "").strip()
        if not value:
            raise SettingsError(f"--key-env: the variable {variable} is not set")
        return value
    if not from_stdin:
        return ""
    value = click.prompt("API key", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    return str(value).strip()
