"""`omg route`: what a route would do, tried without a call, through the admin API."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from entrypoints.cli.gateway_client import connect, json_option, url_option
from entrypoints.cli.output import show

CANDIDATES = ("provider", "model", "chosen", "excluded_by", "score", "estimated_cost_usd")

FIGURES = ("", "cost_usd", "latency_ms", "failures")
MOVES = ("from", "to", "requests", "cost_delta_usd")


@click.group(name="route")
def command() -> None:
    """Say where requests would go by a route, or would have gone."""


@command.command()
@url_option
@json_option
@click.option(
    "--body", required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
    help="A chat completion's body as JSON, without a model; - reads it from the standard input.",
)  # fmt: skip
@click.option("--key", help="As for this virtual key, by its id. Default: one that may use everything.")
@click.option("--tags", help="Of the request itself, between commas.")
@click.argument("alias")
def explain(url: str | None, as_json: bool, body: Path, key: str | None, tags: str | None, alias: str) -> None:
    """Say where a request to ALIAS would go, and why: a route, or auto. Nobody is called, and nothing is stored."""
    asked = {name: value for name, value in (("key_id", key), ("tags", tags)) if value}
    query = f"?{urlencode(asked)}" if asked else ""
    found = connect(url).call("POST", f"/admin/routes/{alias}/explain{query}", document(body))
    if as_json:
        show([found], (), as_json=True)
        return
    show(found["candidates"], CANDIDATES, as_json=False)
    click.echo(_summary(found))


@command.command()
@url_option
@json_option
@click.option(
    "--policy", required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
    help="A route's fields as JSON, without its alias; - reads them from the standard input.",
)  # fmt: skip
@click.option("--from", "from_", help="A date, or a moment as 2026-11-21T00:00:00Z. Default: a week ago.")
@click.option("--to", help="The same; default: now.")
@click.option("--prices", type=click.Choice(["then", "now"]), default="then", show_default=True)
@click.argument("alias")
def backtest(
    url: str | None, as_json: bool, policy: Path, from_: str | None, to: str | None, prices: str, alias: str
) -> None:
    """Say what would have become of the requests by ALIAS under another policy."""
    body = {"policy": document(policy), "prices": prices, "from": from_, "to": to}
    found = connect(url).call("POST", f"/admin/routes/{alias}/backtest", body)
    if as_json:
        show([found], (), as_json=True)
        return
    show([{"": name, **found[name]} for name in ("before", "after")], FIGURES, as_json=False)
    show(found["moves"], MOVES, as_json=False)
    click.echo(f"{found['requests']} requests, {found['moved']} moved, {found['unknown']} to where nothing is known")


def document(path: Path) -> dict[str, Any]:
    """A JSON object from a file. Raises `click.ClickException` for what is none."""
    import json

    text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8-sig")
    try:
        read = json.loads(text)
    except ValueError as error:
        raise click.ClickException(f"{path}: not valid JSON: {error}") from None
    if not isinstance(read, dict):
        raise click.ClickException(f"{path}: expected a JSON object")
    return read


def _summary(found: Mapping[str, Any]) -> str:
    task, baseline = found["task"], found["baseline"]
    said = [f"strategy {found['strategy']}, version {found['policy_version']}"]
    if task is not None:
        said.append(f"task {task['name'] or 'not read'} ({task['confidence']:.2f}, {task['source']})")
    if baseline is not None:
        said.append(f"baseline {baseline['model']} at {baseline['cost_usd'] or 'no price'}")
    return "; ".join(said)
