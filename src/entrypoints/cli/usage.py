"""`omg usage`: what was used and what it cost."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import click

from entrypoints.cli.gateway_client import connect, json_option, url_option
from entrypoints.cli.output import show
from entrypoints.process_settings import load_process_settings

GROUPS = (
    "day", "hour", "model", "provider", "key", "task", "tenant", "user", "endpoint", "end_user", "session", "device",
    "route", "tag",
)  # fmt: skip
DRIFT = (
    "provider", "model", "calls", "calls_apart", "reported_cost_usd", "computed_cost_usd", "drift_percent",
)  # fmt: skip
SUMS = (
    "requests",
    "input_tokens",
    "output_tokens",
    "cost_usd",
    "savings_usd",
    "estimated_requests",
    "unpriced_requests",
    "inexact_requests",
)


@click.group(invoke_without_command=True)
@url_option
@json_option
@click.option("--by", default="model", show_default=True, help=f"Groups, by commas: {', '.join(GROUPS)}.")
@click.option("--from", "from_", help="A date, or a moment as 2026-11-21T00:00:00Z. Default: 30 days ago.")
@click.option("--to", help="The same; default: now.")
@click.option("--timezone", help="Whose days are meant, as Europe/Oslo. Default: UTC.")
@click.option("--provider", help="Only this provider's.")
@click.option("--model", help="Only this model's.")
@click.option("--key", help="Only this virtual key's, by its id.")
@click.option("--drift", is_flag=True, help="Instead: where our costs and those that providers report part.")
def command(url: str | None, as_json: bool, by: str, drift: bool, **asked: str | None) -> None:
    """Show usage and cost by model, day, provider, key or task, with the total.

    With --drift: the models of which a call's reported and computed cost are more than 1 % apart, whatever --by says.
    """
    if click.get_current_context().invoked_subcommand is not None:
        return
    names = {"from_": "from", "to": "to", "timezone": "timezone", "provider": "provider", "model": "model"}
    query = {name: value for option, name in names.items() if (value := asked[option])}
    if asked["key"]:
        query["key_id"] = asked["key"]
    if drift:
        found = connect(url).call("GET", f"/admin/usage/drift?{urlencode(query)}")
        show(found["data"], DRIFT, as_json=as_json)
        return
    groups = tuple(group.strip() for group in by.split(",") if group.strip())
    parameters = urlencode([*query.items(), *(("group_by", group) for group in groups)])
    answer = connect(url).call("GET", f"/admin/usage?{parameters}")
    show(_rows(answer, groups), (*groups, *SUMS), as_json=as_json)


@command.command()
@click.option("--days", type=click.IntRange(min=1), help="Keep so many days. Default: OMG_RETAIN_REQUESTS_DAYS.")
@click.option("--dry-run", is_flag=True, help="Only say how many there are.")
def prune(days: int | None, dry_run: bool) -> None:
    """Delete single requests that are older than they are kept, with their calls and decisions; sums stay.

    Whole days of UTC, in small batches on the database of the settings in force, also while the gateway serves. The
    audit trail, conversations and what budgets have spent are left alone.
    """
    from entrypoints.ioc.maintenance import count_old_requests, prune_requests

    settings = load_process_settings()
    kept = days if days is not None else settings.retain_requests_days
    if kept is None:
        raise click.UsageError("say how long requests are kept: --days, or OMG_RETAIN_REQUESTS_DAYS")
    before = datetime.now(UTC) - timedelta(days=kept)
    work = count_old_requests if dry_run else prune_requests
    found = asyncio.run(work(settings, before))
    done = "would be deleted" if dry_run else "deleted"
    click.echo(f"{found} requests from before {before:%Y-%m-%d} {done}; their sums stay.")


def _rows(answer: Mapping[str, Any], groups: tuple[str, ...]) -> list[Mapping[str, Any]]:
    total = {**answer["total"], **dict.fromkeys(groups, ""), **({groups[0]: "total"} if groups else {})}
    return [*answer["data"], total]
