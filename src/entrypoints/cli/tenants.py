"""`omg tenants`, through the admin API."""

import click

from entrypoints.cli.gateway_client import connect, json_option, url_option
from entrypoints.cli.objects import fields_of, set_option, show_one
from entrypoints.cli.output import show

COLUMNS = ("id", "name", "kind", "status", "allowed_models", "tags", "created_at")


@click.group(name="tenants")
def command() -> None:
    """List, create, change and delete tenants."""


@command.command(name="list")
@url_option
@json_option
def list_tenants(url: str | None, as_json: bool) -> None:
    """List tenants."""
    show(connect(url).items("/admin/tenants"), COLUMNS, as_json=as_json)


@command.command()
@url_option
@json_option
@set_option
@click.argument("name")
def create(url: str | None, as_json: bool, fields: tuple[str, ...], name: str) -> None:
    """Create the tenant NAME."""
    show_one(connect(url).call("POST", "/admin/tenants", {"name": name} | fields_of(fields)), as_json=as_json)


@command.command(name="show")
@url_option
@json_option
@click.argument("tenant_id")
def show_tenant(url: str | None, as_json: bool, tenant_id: str) -> None:
    """Show the tenant TENANT_ID."""
    show_one(connect(url).call("GET", f"/admin/tenants/{tenant_id}"), as_json=as_json)


@command.command()
@url_option
@json_option
@set_option
@click.argument("tenant_id")
def change(url: str | None, as_json: bool, fields: tuple[str, ...], tenant_id: str) -> None:
    """Change fields of the tenant TENANT_ID."""
    show_one(connect(url).call("PATCH", f"/admin/tenants/{tenant_id}", fields_of(fields)), as_json=as_json)


@command.command()
@url_option
@click.argument("tenant_id")
@click.argument("status", type=click.Choice(["active", "suspended"]))
def status(url: str | None, tenant_id: str, status: str) -> None:
    """Suspend the tenant TENANT_ID, or make it active again."""
    connect(url).call("PATCH", f"/admin/tenants/{tenant_id}", {"status": status})
    click.echo(f"{tenant_id} is {status}.")


@command.command()
@url_option
@click.argument("tenant_id")
def delete(url: str | None, tenant_id: str) -> None:
    """Delete the tenant TENANT_ID with its keys and memberships."""
    connect(url).call("DELETE", f"/admin/tenants/{tenant_id}")
    click.echo(f"Deleted {tenant_id}.")
