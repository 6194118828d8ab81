"""`omg db`: the database's schema, and copies of it."""

import asyncio
import sys
from pathlib import Path

import click

from entrypoints.settings.loading import load_settings


@click.group(name="db")
def command() -> None:
    """Migrate, check, back up and restore the database."""


@command.command()
def upgrade() -> None:
    """Bring the schema up to date; 'omg serve' does it by itself."""
    from entrypoints.ioc.persistence import prepare_data_folder, upgrade_schema

    settings = load_settings()
    prepare_data_folder(settings)
    before = asyncio.run(upgrade_schema(settings))
    done = "was up to date" if before.up_to_date else f"{before.current or 'empty'} -> {before.head}"
    click.echo(f"Schema: {done}.")


@command.command()
def check() -> None:
    """Exit 1 where the schema is not the one this version needs."""
    from entrypoints.ioc.persistence import check_schema

    state = asyncio.run(check_schema(load_settings()))
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
        saved = asyncio.run(back_up(load_settings(), file))
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

    settings = load_settings()
    if not yes:
        click.confirm("This replaces everything in the database. Go on?", abort=True)
    try:
        restored = asyncio.run(replace(settings, file))
    except BackupRefused as error:
        raise click.ClickException(str(error)) from None
    kept = f" What was there is kept as {restored.replaced}." if restored.replaced else ""
    click.echo(f"Restored from {file}.{kept}")
