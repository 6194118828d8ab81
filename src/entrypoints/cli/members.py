"""`omg members`, through the admin API."""

import click

from entrypoints.cli.gateway_client import connect, json_option, url_option
from entrypoints.cli.objects import fields_of, set_option, show_one
from entrypoints.cli.output import show

COLUMNS = ("user_id", "email", "name", "role", "status", "managed_by")

ROLE = click.Choice(["owner", "admin", "member", "viewer"])


@click.group(name="members")
def command() -> None:
    """List, add, change and remove the members of a tenant."""


@command.command(name="list")
@url_option
@json_option
@click.argument("tenant_id")
def list_members(url: str | None, as_json: bool, tenant_id: str) -> None:
    """List the members of TENANT_ID."""
    show(connect(url).items(f"/admin/tenants/{tenant_id}/members"), COLUMNS, as_json=as_json)


@command.command()
@url_option
@json_option
@set_option
@click.option("--role", type=ROLE, default="member", show_default=True)
@click.argument("tenant_id")
@click.argument("who")
def add(url: str | None, as_json: bool, fields: tuple[str, ...], role: str, tenant_id: str, who: str) -> None:
    """Add WHO, an address or a user's id, to TENANT_ID."""
    named = {"email": who} if "@" in who else {"user_id": who}
    body = named | {"role": role} | fields_of(fields)
    show_one(connect(url).call("POST", f"/admin/tenants/{tenant_id}/members", body), as_json=as_json)


@command.command()
@url_option
@json_option
@set_option
@click.option("--role", type=ROLE)
@click.argument("tenant_id")
@click.argument("user_id")
def change(
    url: str | None, as_json: bool, fields: tuple[str, ...], role: str | None, tenant_id: str, user_id: str
) -> None:
    """Change role, limits or budgets of USER_ID in TENANT_ID."""
    body = ({"role": role} if role else {}) | fields_of(fields)
    show_one(connect(url).call("PATCH", f"/admin/tenants/{tenant_id}/members/{user_id}", body), as_json=as_json)


@command.command()
@url_option
@click.argument("tenant_id")
@click.argument("user_id")
def remove(url: str | None, tenant_id: str, user_id: str) -> None:
    """Remove USER_ID from TENANT_ID: their own keys there end."""
    connect(url).call("DELETE", f"/admin/tenants/{tenant_id}/members/{user_id}")
    click.echo(f"Removed {user_id} from {tenant_id}.")
