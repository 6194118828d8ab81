"""`omg audit`: the audit trail, read through the admin API, and verified in the database itself."""

import asyncio
import re
import sys
from collections.abc import Mapping
from typing import Any

import click

from entrypoints.cli.gateway_client import connect, json_option, url_option
from entrypoints.cli.output import show
from entrypoints.process_settings import load_process_settings

COLUMNS = ("created_at", "actor", "address", "action", "object", "outcome", "changes")
_EXPECTED = re.compile(r"(?P<sequence>[1-9]\d{0,17}):(?P<code>\S+)")


@click.group(name="audit")
def command() -> None:
    """Read and verify the audit trail."""


@command.command(name="list")
@url_option
@json_option
@click.option("--actor", help="Only what the actor of this id did.")
@click.option("--action", help="Only this action, such as revoke.")
@click.option("--kind", "object_kind", help="Only objects of this kind, such as virtual_key.")
@click.option("--object", "object_id", help="Only the object of this id.")
@click.option("--tenant", "tenant_id", help="Only this tenant's objects.")
@click.option("--outcome", type=click.Choice(["ok", "refused"]), help="Only what was done, or only what was refused.")
@click.option("--from", "from_", help="A date, or a moment as 2026-11-21T00:00:00Z.")
@click.option("--to", help="The same.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
def list_entries(url: str | None, as_json: bool, limit: int, from_: str | None, **asked: str | None) -> None:
    """List what was done and what was refused, newest first."""
    query = {name: value for name, value in {"from": from_, **asked}.items() if value}
    rows = connect(url).items("/admin/audit", query, limit)
    show(rows if as_json else map(_shown, rows), COLUMNS, as_json=as_json)


@command.command()
@click.option("--expect", help="SEQUENCE:CODE as an earlier run printed it: finds a tail that was cut off.")
def verify(expect: str | None) -> None:
    """Verify the chain of the whole trail; exit 1 where an entry was changed or is missing.

    Works on the database of the settings in force, also while the gateway serves. What it prints, kept in another
    place, tells later whether the last entries of today are still there.
    """
    from entrypoints.ioc.maintenance import verify_audit

    expected = _EXPECTED.fullmatch(expect) if expect else None
    if expect and expected is None:
        raise click.UsageError("--expect is SEQUENCE:CODE, as 'omg audit verify' prints it.")
    written_down = (int(expected["sequence"]), expected["code"]) if expected else None
    result = asyncio.run(verify_audit(load_process_settings(), written_down))
    for difference in result.differences:
        click.echo(difference)
    if result.differences:
        click.echo(f"The audit trail is not intact: {len(result.differences)} differences.", err=True)
        sys.exit(1)
    end = f" It ends at {result.entries}:{result.head}" if result.entries else ""
    click.echo(f"The audit trail is intact: {result.entries} entries.{end}")


def _shown(row: Mapping[str, Any]) -> Mapping[str, Any]:
    changes = ", ".join(f"{change['field']}: {change['old']} → {change['new']}" for change in row["changes"])
    actor, target = row["actor"], row["object"]
    return {
        **row,
        "actor": actor["name"] or actor["id"] or actor["kind"],
        "object": f"{target['kind']} {target['id']}",
        "changes": changes,
    }
