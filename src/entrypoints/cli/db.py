"""`omg db`: the database's schema, and copies of it."""

import asyncio
import json
import sys
from pathlib import Path

import click

from entrypoints.process_settings import load_process_settings


@click.group(name="db")
def command() -> None:
    """Migrate, check, back up and restore the database."""


NO_CHANGES, RUNNING_MAY_STAY, RUNNING_MUST_STOP = 0, 3, 4
"""Exit codes of a plan."""


@command.command()
@click.option("--plan", "only_plan", is_flag=True, help="Say what would be done, and do nothing. Exit 3 or 4 then.")
@click.option("--json", "as_json", is_flag=True, help="The plan as JSON.")
def upgrade(only_plan: bool, as_json: bool) -> None:
    """Bring the schema up to date; 'omg serve' does it by itself.

    A plan exits with 0 where nothing is to be done, 3 where processes of the version before may go on meanwhile and
    afterwards, 4 where they have to be stopped first.
    """
    if as_json and not only_plan:
        raise click.UsageError("--json is for --plan.")
    if only_plan:
        sys.exit(_plan(as_json))
    from entrypoints.data_folder import prepare_data_folder
    from entrypoints.ioc.persistence import upgrade_schema

    settings = load_process_settings()
    prepare_data_folder(settings)
    before = asyncio.run(upgrade_schema(settings))
    done = "was up to date" if before.up_to_date else f"{before.current or 'empty'} -> {before.head}"
    if before.is_newer:
        done = _of_newer(before.current, before.head)
    click.echo(f"Schema: {done}.")


@command.command()
def check() -> None:
    """Exit 1 where the schema is not the one this version needs."""
    from entrypoints.ioc.persistence import check_schema

    state = asyncio.run(check_schema(load_process_settings()))
    if state.trouble:
        click.echo(f"Schema: {state.trouble}", err=True)
        sys.exit(1)
    if state.is_newer:
        click.echo(f"Schema: {_of_newer(state.current, state.head)}.")
        return
    if not state.up_to_date:
        click.echo(f"Schema: {state.current or 'empty'}, but {state.head} is needed; run 'omg db upgrade'.", err=True)
        sys.exit(1)
    click.echo(f"Schema: {state.head}, up to date.")


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Copy the database to FILE, also while the gateway serves. The master key is not in it: keep that apart."""
    from entrypoints.ioc.maintenance import BackupRefused, back_up

    try:
        saved = asyncio.run(back_up(load_process_settings(), file))
    except BackupRefused as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Saved {saved.size_bytes} bytes to {saved.path}, schema {saved.revision}.")
    click.echo("Keep the master keys too, in another place: stored provider keys open only with them.", err=True)


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(file: Path, yes: bool) -> None:
    """Replace the database with the copy in FILE. Stop the gateway first."""
    from entrypoints.ioc.maintenance import BackupRefused
    from entrypoints.ioc.maintenance import restore as replace

    settings = load_process_settings()
    if not yes:
        click.confirm("This replaces everything in the database. Go on?", abort=True)
    try:
        restored = asyncio.run(replace(settings, file))
    except BackupRefused as error:
        raise click.ClickException(str(error)) from None
    kept = f" What was there is kept as {restored.replaced}." if restored.replaced else ""
    click.echo(f"Restored from {file}.{kept}")


def _of_newer(current: str | None, head: str) -> str:
    return f"{current}, of a newer version; this one, of {head}, may run on it"


def _plan(as_json: bool) -> int:
    """Prints what would be done; the exit code."""
    from entrypoints.ioc.persistence import plan_upgrade

    plan = asyncio.run(plan_upgrade(load_process_settings()))
    state, stays = plan.state, plan.running_may_stay
    if as_json:
        steps = [
            {
                "revision": one.revision,
                "title": one.title,
                "kind": "contract" if one.contracted else "expand",
                "contracts": list(one.contracted),
                "needs": one.needs or None,
                "changes": [{"table": change.table, "change": change.words} for change in one.changes],
            }
            for one in plan.migrations
        ]
        answer = {"current": state.current, "target": state.head, "running_may_stay": stays, "migrations": steps}
        click.echo(json.dumps(answer, indent=2))
    elif not plan.migrations:
        click.echo(
            f"Schema: {_of_newer(state.current, state.head) if state.is_newer else f'{state.head}, up to date'}."
        )
    else:
        for one in plan.migrations:
            kind = f"contracts {', '.join(one.contracted)}" if one.contracted else "expands"
            click.echo(f"{one.revision}  {one.title}  [{kind}]")
            for change in one.changes:
                click.echo(f"      {change.words}")
        click.echo(
            f"\nSchema: {state.current or 'empty'} -> {state.head}, {len(plan.migrations)} to run. Nothing was done."
        )
        click.echo(_of_running(state.current, stays, plan.needs))
    if not plan.migrations:
        return NO_CHANGES
    return RUNNING_MAY_STAY if stays else RUNNING_MUST_STOP


def _of_running(current: str | None, stays: bool, needs: str) -> str:
    if current is None:
        return "The database is empty: there is no running version to think of."
    if stays:
        return "Processes of the version that runs on it may stay: start the new ones beside them."
    return f"Stop every process of a version before schema {needs} first: it would miss what is taken away."
