"""`omg ledger`: whether the books add up."""

import asyncio
import sys

import click

from entrypoints.process_settings import load_process_settings


@click.group(name="ledger")
def command() -> None:
    """Check the usage ledger."""


@command.command()
def verify() -> None:
    """Recompute every sum and every cost from the single records; exit 1 where one differs.

    Works on the database of the settings in force, also while the gateway serves. It reads everything: some
    seconds for a hundred thousand requests.
    """
    from entrypoints.ioc.maintenance import verify_ledger

    result = asyncio.run(verify_ledger(load_process_settings()))
    for difference in result.differences:
        click.echo(difference)
    looked_at = f"{result.requests} requests with {result.attempts} upstream calls"
    if result.differences:
        click.echo(f"The ledger does not add up: {len(result.differences)} differences in {looked_at}.", err=True)
        sys.exit(1)
    click.echo(f"The ledger adds up: {looked_at}.")
