"""`omg usage`: what was used and what it cost."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import click

from entrypoints.cli.gateway_client import connect, json_option, url_option
from entrypoints.cli.output import show

GROUPS = ("day", "model", "provider", "key", "task")
SUMS = ("requests", "input_tokens", "output_tokens", "cost_usd", "estimated_requests", "unpriced_requests")


@click.command()
@url_option
@json_option
@click.option("--by", default="model", show_default=True, help=f"Groups, by commas: {', '.join(GROUPS)}.")
@click.option("--from", "from_", help="A date, or a moment as 2026-11-21T00:00:00Z. Default: 30 days ago.")
@click.option("--to", help="The same; default: now.")
@click.option("--timezone", help="Whose days are meant, as Europe/Oslo. Default: UTC.")
@click.option("--provider", help="Only this provider's.")
@click.option("--model", help="Only this model's.")
@click.option("--key", help="Only this virtual key's, by its id.")
def command(url: str | None, as_json: bool, by: str, **asked: str | None) -> None:
    """Show usage and cost by model, day, provider, key or task, with the total."""
    names = {"from_": "from", "to": "to", "timezone": "timezone", "provider": "provider", "model": "model"}
    query = {name: value for option, name in names.items() if (value := asked[option])}
    if asked["key"]:
        query["key_id"] = asked["key"]
    groups = tuple(group.strip() for group in by.split(",") if group.strip())
    parameters = urlencode([*query.items(), *(("group_by", group) for group in groups)])
    answer = connect(url).call("GET", f"/admin/usage?{parameters}")
    show(_rows(answer, groups), (*groups, *SUMS), as_json=as_json)


def _rows(answer: Mapping[str, Any], groups: tuple[str, ...]) -> list[Mapping[str, Any]]:
    total = {**answer["total"], **dict.fromkeys(groups, ""), **({groups[0]: "total"} if groups else {})}
    return [*answer["data"], total]
