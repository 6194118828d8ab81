"""`omg users`, through the admin API."""

import click

from entrypoints.cli.gateway_client import connect, json_option, url_option
from entrypoints.cli.objects import fields_of, set_option, show_one
from entrypoints.cli.output import show

COLUMNS = ("id", "email", "name", "platform_role", "status", "personal_tenant_id", "last_seen_at")


@click.group(name="users")
def command() -> None:
    """List, create, invite, change, disable and delete users."""


@command.command(name="list")
@url_option
@json_option
def list_users(url: str | None, as_json: bool) -> None:
    """List users, newest first."""
    show(connect(url).items("/admin/users"), COLUMNS, as_json=as_json)


@command.command()
@url_option
@json_option
@set_option
@click.argument("email")
def create(url: str | None, as_json: bool, fields: tuple[str, ...], email: str) -> None:
    """Create the user with the address EMAIL."""
    show_one(connect(url).call("POST", "/admin/users", {"email": email} | fields_of(fields)), as_json=as_json)


@command.command(name="show")
@url_option
@json_option
@click.argument("user_id")
def show_user(url: str | None, as_json: bool, user_id: str) -> None:
    """Show the user USER_ID."""
    show_one(connect(url).call("GET", f"/admin/users/{user_id}"), as_json=as_json)


@command.command()
@url_option
@json_option
@set_option
@click.argument("user_id")
def change(url: str | None, as_json: bool, fields: tuple[str, ...], user_id: str) -> None:
    """Change fields of the user USER_ID."""
    show_one(connect(url).call("PATCH", f"/admin/users/{user_id}", fields_of(fields)), as_json=as_json)


@command.command()
@url_option
@click.argument("user_id")
def invite(url: str | None, user_id: str) -> None:
    """Print a new link by which the user USER_ID sets a password; earlier ones stop working."""
    click.echo(connect(url).call("POST", f"/admin/users/{user_id}/invite")["invite_url"])


@command.command()
@url_option
@click.argument("user_id")
def disable(url: str | None, user_id: str) -> None:
    """Disable the user USER_ID: their own keys and sessions end, service keys stay."""
    connect(url).call("PATCH", f"/admin/users/{user_id}", {"status": "disabled"})
    click.echo(f"Disabled {user_id}.")


@command.command()
@url_option
@click.argument("user_id")
def delete(url: str | None, user_id: str) -> None:
    """Delete the user USER_ID with memberships, own keys and the personal tenant."""
    connect(url).call("DELETE", f"/admin/users/{user_id}")
    click.echo(f"Deleted {user_id}.")
