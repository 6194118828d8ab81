"""`omg keys`: virtual keys, through the admin API."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import click

from entrypoints.cli.gateway_client import connect, json_option, url_option
from entrypoints.cli.objects import fields_of, set_option, show_one
from entrypoints.cli.output import show

LIMITS = "One of rpm, rpd, tpm, tpd, itpm, otpm, parallel."

COLUMNS = ("id", "name", "status", "last4", "tenant_id", "owner_id", "allowed_models", "expires_at", "last_used_at")
EXPLAINED_COLUMNS = ("whose", "unit", "limit", "used", "held", "remaining", "period_end", "source", "refuses")

LISTS = {
    "allowed_models": (
        "--model",
        "A model it may use, a pattern (openai/*) or a model group (@fast); repeat for more.",
    ),
    "allowed_providers": ("--provider", "A provider it may use; repeat for more."),
    "allowed_endpoints": ("--endpoint", "An endpoint it may use, such as chat.completions; repeat for more."),
    "scopes": ("--scope", "inference or usage; repeat for more."),
    "cidrs": ("--cidr", "A network it may be used from; repeat for more."),
    "tags": ("--tag", "A tag for each of its requests; repeat for more."),
}
"""Fields that are lists, and the option that adds to each."""


def field_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that `create` and `change` share: a field of a key each."""
    options = [
        click.option("--name", help="What the key is for."),
        *(click.option(option, field, multiple=True, help=text) for field, (option, text) in LISTS.items()),
        click.option("--metadata", multiple=True, metavar="NAME=TEXT", help="A note of yours; repeat for more."),
        click.option("--expires", "expires_at", help="When it ends, such as 2027-01-31T00:00:00Z."),
        click.option("--limit", "limits", multiple=True, help=f"A limit, such as rpm=60; repeat for more. {LIMITS}"),
        click.option(
            "--budget", "budgets", multiple=True, help="What it may spend, such as 25/month, or JSON; repeat for more."
        ),
        click.option("--strict/--lenient", default=None, help="Refuse parameters that a provider would drop, or not."),
        set_option,
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.group(name="keys")
def command() -> None:
    """Create, list, change, rotate, revoke and delete virtual keys."""


@command.command()
@url_option
@json_option
@click.option("--tenant", "tenant_id", help="Whose it is. Default: the default tenant.")
@click.option("--owner", "owner_id", help="The member whose key it is. Default: nobody's, a service key of the tenant.")
@field_options
def create(url: str | None, as_json: bool, tenant_id: str | None, owner_id: str | None, **given: Any) -> None:
    """Create a key and print it, this once."""
    whose = {"tenant_id": tenant_id, "owner_id": owner_id}
    body = {name: value for name, value in whose.items() if value is not None} | _body(given)
    _show_secret(connect(url).call("POST", "/admin/keys", body), "Created", as_json=as_json)


@command.command(name="list")
@url_option
@json_option
def list_keys(url: str | None, as_json: bool) -> None:
    """List keys, newest first."""
    show(connect(url).items("/admin/keys"), COLUMNS, as_json=as_json)


@command.command(name="show")
@url_option
@json_option
@click.argument("key_id")
def show_key(url: str | None, as_json: bool, key_id: str) -> None:
    """Show the key KEY_ID, without its secret."""
    show_one(connect(url).call("GET", f"/admin/keys/{key_id}"), as_json=as_json)


@command.command()
@url_option
@json_option
@field_options
@click.argument("key_id")
def change(url: str | None, as_json: bool, key_id: str, **given: Any) -> None:
    """Change fields of the key KEY_ID; a list is given whole, and --set allowed_models=null lifts one."""
    gateway, path, body = connect(url), f"/admin/keys/{key_id}", _body(given)
    if given["limits"]:
        body["limits"] = gateway.call("GET", path)["limits"] | body["limits"]
    show_one(gateway.call("PATCH", path, body), as_json=as_json)


@command.command()
@url_option
@json_option
@click.argument("key_id")
@click.argument("limits", nargs=-1)
def limit(url: str | None, as_json: bool, key_id: str, limits: tuple[str, ...]) -> None:
    """Show the limits of KEY_ID, or change some: rpm=60 sets one, rpm=none lifts it."""
    gateway = connect(url)
    known = gateway.call("GET", f"/admin/keys/{key_id}")["limits"]
    if limits:
        changed = {"limits": known | limits_of(limits)}
        known = gateway.call("PATCH", f"/admin/keys/{key_id}", changed)["limits"]
    if as_json:
        click.echo(json.dumps(known))
        return
    for name, amount in known.items():
        click.echo(f"{name:<10}{'-' if amount is None else amount}")


@command.command()
@url_option
@json_option
@click.option(
    "--overlap", default=0, show_default=True, metavar="SECONDS", help="How long the old secret goes on beside the new."
)
@click.argument("key_id")
def rotate(url: str | None, as_json: bool, overlap: int, key_id: str) -> None:
    """Give the key KEY_ID a new secret and print it, this once."""
    made = connect(url).call("POST", f"/admin/keys/{key_id}/rotate", {"overlap_seconds": overlap})
    _show_secret(made, "Rotated", as_json=as_json)


@command.command()
@url_option
@json_option
@click.option("--model", help="As a request names it: adds what the model meets.")
@click.option("--tags", help="Of the request itself, between commas: adds what they meet.")
@click.argument("key_id")
def explain(url: str | None, as_json: bool, model: str | None, tags: str | None, key_id: str) -> None:
    """Show every limit and budget that a request of KEY_ID would meet, the tightest first."""
    asked = {"key_id": key_id} | ({"model": model} if model else {}) | ({"tags": tags} if tags else {})
    found = connect(url).call("GET", f"/admin/limits/explain?{urlencode(asked)}")
    if as_json:
        click.echo(json.dumps(found))
        return
    rows = [
        item | {"whose": f"{item['subject']['kind']} {item['subject']['name']}"}
        for item in (*found["limits"], *found["budgets"])
    ]
    show(rows, EXPLAINED_COLUMNS, as_json=False)


@command.command()
@url_option
@click.argument("key_id")
def revoke(url: str | None, key_id: str) -> None:
    """Revoke the key KEY_ID for good."""
    connect(url).call("POST", f"/admin/keys/{key_id}/revoke")
    click.echo(f"Revoked {key_id}.")


@command.command()
@url_option
@click.argument("key_id")
def delete(url: str | None, key_id: str) -> None:
    """Delete the key KEY_ID: it ends as if revoked, and is no longer listed."""
    connect(url).call("DELETE", f"/admin/keys/{key_id}")
    click.echo(f"Deleted {key_id}.")


def _show_secret(made: Mapping[str, Any], what: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(made))
        return
    click.echo(made["secret"])
    click.echo(f"{what} {made['id']}. The key above is shown once: only its digest is kept.", err=True)


def _body(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that were given, as the API takes them."""
    body = {name: given[name] for name in ("name", "expires_at", "strict") if given[name] is not None}
    body |= {name: list(given[name]) for name in LISTS if given[name]}
    if given["metadata"]:
        body["metadata"] = dict(map(_note, given["metadata"]))
    if given["limits"]:
        body["limits"] = limits_of(given["limits"])
    if given["budgets"]:
        body["budgets"] = [_budget(text) for text in given["budgets"]]
    return body | fields_of(given["fields"])


def _note(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"'{text}' is no note: write name=text.")
    return name, value


def _budget(text: str) -> dict[str, Any]:
    """`25/month` as `{"limit_usd": "25", "period": "month"}`; what is JSON as it stands."""
    if text.startswith("{"):
        try:
            found: dict[str, Any] = json.loads(text)
        except ValueError as error:
            raise click.BadParameter(f"'{text}' is no JSON: {error}.") from None
        return found
    amount, slash, period = text.partition("/")
    if not slash or not period:
        raise click.BadParameter(f"'{text}' is no budget: write 25/month, or JSON.")
    return {"limit_usd": amount, "period": period}


def limits_of(given: tuple[str, ...]) -> dict[str, int | None]:
    """`rpm=60` as `{"rpm": 60}`; `none` lifts one."""
    found: dict[str, int | None] = {}
    for text in given:
        name, _, amount = text.partition("=")
        if not (amount.isdecimal() or amount == "none"):
            raise click.BadParameter(f"'{text}' is no limit: write rpm=60, or rpm=none to lift it. {LIMITS}")
        found[name] = None if amount == "none" else int(amount)
    return found
