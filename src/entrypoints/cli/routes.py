"""`omg routes`: aliases and their targets, through the admin API."""

import click

from entrypoints.cli.gateway_client import connect, json_option, url_option
from entrypoints.cli.objects import fields_of, set_option, show_one
from entrypoints.cli.output import show

COLUMNS = ("alias", "strategy", "targets", "owner", "version", "updated_at")


@click.group(name="routes")
def command() -> None:
    """List, show, set and delete routes, whose aliases clients name as a model."""


@command.command(name="list")
@url_option
@json_option
def list_routes(url: str | None, as_json: bool) -> None:
    """List routes."""
    routes = connect(url).items("/admin/routes")
    shown = routes if as_json else ({**route, "targets": " ".join(map(_words, route["targets"]))} for route in routes)
    show(shown, COLUMNS, as_json=as_json)


@command.command(name="show")
@url_option
@json_option
@click.argument("alias")
def show_route(url: str | None, as_json: bool, alias: str) -> None:
    """Show the route ALIAS."""
    show_one(connect(url).call("GET", f"/admin/routes/{alias}"), as_json=as_json)


@command.command(name="set")
@url_option
@json_option
@set_option
@click.option("--strategy", type=click.Choice(["priority", "weighted", "least_latency", "lowest_cost"]))
@click.argument("alias")
@click.argument("targets", nargs=-1)
def set_route(
    url: str | None,
    as_json: bool,
    fields: tuple[str, ...],
    strategy: str | None,
    alias: str,
    targets: tuple[str, ...],
) -> None:
    """Make ALIAS a route to these TARGETS, or change it.

    A target is provider/model, with its weight behind an equals sign where it has one: groq/openai/gpt-oss-120b=3.
    What else a route has is given with --set, such as --set 'fallback_on=["error"]'.
    """
    body = fields_of(fields)
    if strategy is not None:
        body["strategy"] = strategy
    if targets:
        body["targets"] = [_target(text) for text in targets]
    gateway = connect(url)
    if any(route["alias"] == alias for route in gateway.items("/admin/routes")):
        answer = gateway.call("PATCH", f"/admin/routes/{alias}", body)
    elif "targets" not in body:
        raise click.UsageError(f"There is no route '{alias}' yet: a new one needs targets, such as groq/llama-3.3.")
    else:
        answer = gateway.call("POST", "/admin/routes", {"alias": alias, **body})
    show_one(answer, as_json=as_json)


@command.command()
@url_option
@click.argument("alias")
def delete(url: str | None, alias: str) -> None:
    """Delete the route ALIAS."""
    connect(url).call("DELETE", f"/admin/routes/{alias}")
    click.echo(f"Deleted {alias}.")


def _target(text: str) -> dict[str, object]:
    name, equals, weight = text.rpartition("=")
    provider, slash, model = (name if equals else text).partition("/")
    found: dict[str, object] = {"provider": provider, "model": model} if slash else {"model": provider}
    if equals:
        try:
            found["weight"] = float(weight)
        except ValueError:
            raise click.BadParameter(f"'{weight}' is no weight: write {name}=2.") from None
    return found


def _words(target: dict[str, object]) -> str:
    name = f"{target['provider']}/{target['model']}" if target.get("provider") else str(target["model"])
    weight = target.get("weight", 1)
    return name if weight == 1 else f"{name}={weight:g}"
