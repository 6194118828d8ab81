"""`omg groups`: model groups, through the admin API."""

import click

from entrypoints.cli.gateway_client import connect, json_option, url_option
from entrypoints.cli.objects import show_one
from entrypoints.cli.output import show

COLUMNS = ("name", "patterns", "updated_at")


@click.group(name="groups")
def command() -> None:
    """List, set and delete model groups, which lists hold as @name."""


@command.command(name="list")
@url_option
@json_option
def list_groups(url: str | None, as_json: bool) -> None:
    """List model groups."""
    show(connect(url).items("/admin/model-groups"), COLUMNS, as_json=as_json)


@command.command(name="set")
@url_option
@json_option
@click.argument("name")
@click.argument("patterns", nargs=-1, required=True)
def set_group(url: str | None, as_json: bool, name: str, patterns: tuple[str, ...]) -> None:
    """Make NAME the group of these PATTERNS, whether it is there already or not."""
    gateway = connect(url)
    known = {group["name"] for group in gateway.items("/admin/model-groups")}
    if name in known:
        answer = gateway.call("PATCH", f"/admin/model-groups/{name}", {"patterns": list(patterns)})
    else:
        answer = gateway.call("POST", "/admin/model-groups", {"name": name, "patterns": list(patterns)})
    show_one(answer, as_json=as_json)


@command.command()
@url_option
@click.argument("name")
def delete(url: str | None, name: str) -> None:
    """Delete the model group NAME."""
    connect(url).call("DELETE", f"/admin/model-groups/{name}")
    click.echo(f"Deleted {name}.")
