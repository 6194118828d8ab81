"""`omg import`: what another gateway has, carried over."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import click

from domain.actors import CONFIGURATION
from domain.secrets import Secret
from entrypoints.process_settings import load_process_settings
from entrypoints.settings.documents import read_yaml
from entrypoints.settings.model import SettingsError

config_path = click.Path(path_type=Path, dir_okay=False, exists=True)


class Noted(Protocol):
    """What was not carried, and why."""

    @property
    def what(self) -> str: ...

    @property
    def why(self) -> str: ...


@click.group(name="import")
def command() -> None:
    """Carry over what another gateway has."""


@command.command()
@click.argument("file", type=config_path, required=False)
@click.option("--config", type=config_path, help="LiteLLM's config.yaml, as the argument.")
@click.option("--database-url", help="LiteLLM's database: postgresql://user:password@host/litellm.", metavar="URL")
@click.option("--approximate", is_flag=True, help="Take the nearest period for budgets whose own is not known here.")
@click.option("--apply", "do_apply", is_flag=True, help="Make it. Without this nothing is changed.")
def litellm(
    file: Path | None, config: Path | None, database_url: str | None, approximate: bool, do_apply: bool
) -> None:
    """Carry LiteLLM's models, aliases, fallbacks, teams, users, budgets and keys over; their clients keep the keys.

    Prints what would be made, and what cannot be carried and why. Set LITELLM_SALT_KEY (or LITELLM_MASTER_KEY, where
    there is no salt) to open what LiteLLM encrypted in its database. LiteLLM itself is only read.
    """
    if file is None and config is None and database_url is None:
        raise click.UsageError("name LiteLLM's config.yaml, or --database-url, or both")
    from entrypoints.administration import opened_store
    from entrypoints.cli.plans import run, show_first_start, show_outcomes, show_plan
    from entrypoints.ioc.litellm import carry_over

    document = _config_of(path) if (path := file or config) else {}

    async def work() -> int:
        settings = load_process_settings()
        async with opened_store(settings) as store:
            show_first_start(store.first_start)
            found = await carry_over(settings, document, database_url, store.declared, approximate=approximate)
            known = {name: Secret(value) for name, value in found.secrets.items()}
            plan = await store.desired_state.plan(found.document, known=known)
            if not do_apply:
                show_plan(plan, extras=False)
                _show_notes(found.notes)
                click.echo("Nothing was changed. --apply makes it.")
                return 0
            outcomes = await store.desired_state.apply(CONFIGURATION, found.document, known=known)
            code = show_outcomes(outcomes, plan.problems)
            _show_notes(found.notes)
            return code

    sys.exit(run(work()))


def _show_notes(notes: Iterable[Noted]) -> None:
    lines = [f"  {note.what}: {note.why}" for note in notes]
    if lines:
        click.echo(f"Not carried over, or otherwise than there ({len(lines)}):")
        for line in lines:
            click.echo(line)


def _config_of(path: Path) -> dict[str, object]:
    """The file with those that its `include:` names. Raises `SettingsError`."""
    document = read_yaml(path)
    included = document.pop("include", None)
    for name in included if isinstance(included, list) else []:
        other = path.parent / str(name)
        if not other.is_file():
            raise SettingsError(f"{path.name}: it includes {name}, which is not there")
        for section, value in read_yaml(other).items():
            before = document.get(section)
            if isinstance(before, list) and isinstance(value, list):
                document[section] = [*before, *value]
            elif isinstance(before, dict) and isinstance(value, dict):
                document[section] = {**before, **value}
            else:
                document[section] = value
    return document
