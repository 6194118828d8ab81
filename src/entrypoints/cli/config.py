"""`omg config`: the settings in force and where each came from; the objects of the gateway as a document."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import msgspec

from domain.secrets import Secret
from entrypoints.cli.output import show
from entrypoints.process_settings import load_process_settings
from entrypoints.settings.documents import read_yaml
from entrypoints.settings.loading import field_types
from entrypoints.settings.model import PREFIX, Settings
from entrypoints.settings.reference import reference

config_option = click.option(
    "--config", type=click.Path(path_type=Path), help="Settings file (OMG_CONFIG, ./omg.yaml)."
)


@click.group(name="config")
def command() -> None:
    """Show and check the settings in force; plan, apply and export the objects of the gateway."""


@command.command(name="show")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def show_settings(config: Path | None, as_json: bool) -> None:
    """Every setting with its value and its source; secrets masked."""
    settings = load_process_settings({"config": config})
    show(shown(settings), ("setting", "value", "source"), as_json=as_json)


@command.command()
@config_option
def validate(config: Path | None) -> None:
    """Check the settings, the settings file and the providers it declares; exit 2 with one line if one is wrong."""
    from entrypoints.ioc.check import check_composition
    from entrypoints.startup import check_objects

    settings = load_process_settings({"config": config})
    check_composition(settings)
    check_objects(settings)
    click.echo("The settings are valid.")


@command.command(name="reference")
def print_reference() -> None:
    """Print the reference of all settings (docs/configuration.md)."""
    click.echo(reference(), nl=False)


file_argument = click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
prune_option = click.option("--prune", is_flag=True, help="Delete what the file's sections do not list.")
remote_option = click.option("--url", help="A running gateway to ask by its admin API (OMG_ADMIN_TOKEN).")


@command.command()
@config_option
@file_argument
@prune_option
@remote_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
def plan(config: Path | None, file: Path, prune: bool, url: str | None, as_json: bool) -> None:
    """Say what applying FILE would change, and change nothing: exit 0 and "no changes", or exit 3.

    FILE has the objects of the admin API by section: providers, models, model_groups, settings, routes, tenants, users,
    members, keys, limits, budgets, alerts. Secrets are references in it: env:NAME, file:PATH, vault:MOUNT/PATH#FIELD.
    """
    if url is not None:
        from entrypoints.cli.remote_config import plan_there

        sys.exit(
            plan_there(load_process_settings({"config": config}), url, read_yaml(file), prune=prune, as_json=as_json)
        )
    from entrypoints.administration import opened_store
    from entrypoints.cli.plans import exit_code_of, run, show_first_start, show_plan

    async def work() -> int:
        async with opened_store(load_process_settings({"config": config})) as store:
            show_first_start(store.first_start)
            found = await store.desired_state.plan(read_yaml(file), prune=prune)
            show_plan(found, as_json=as_json)
            return exit_code_of(found)

    sys.exit(run(work()))


@command.command()
@config_option
@file_argument
@prune_option
@remote_option
def apply(config: Path | None, file: Path, prune: bool, url: str | None) -> None:
    """Make what FILE says, object by object, each by the use case of the admin API with its entry in the audit."""
    if url is not None:
        from entrypoints.cli.remote_config import apply_there

        sys.exit(apply_there(load_process_settings({"config": config}), url, read_yaml(file), prune=prune))
    from entrypoints.administration import opened_store
    from entrypoints.cli.plans import apply_document, run, show_first_start

    async def work() -> int:
        async with opened_store(load_process_settings({"config": config})) as store:
            show_first_start(store.first_start)
            return await apply_document(store.desired_state, read_yaml(file), prune=prune)

    sys.exit(run(work()))


@command.command()
@config_option
@remote_option
def export(config: Path | None, url: str | None) -> None:
    """Print every object of the database as YAML that plan and apply read; no secrets, and nothing that is counted."""
    import yaml

    if url is not None:
        from entrypoints.cli.gateway_client import connect

        document = connect(url).call("GET", "/admin/config/export")
        click.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), nl=False)
        return

    from entrypoints.administration import opened_store
    from entrypoints.cli.plans import run, show_first_start

    async def work() -> int:
        async with opened_store(load_process_settings({"config": config})) as store:
            show_first_start(store.first_start)
            document = await store.desired_state.export()
            click.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), nl=False)
            return 0

    sys.exit(run(work()))


def shown(settings: Settings) -> Iterator[Mapping[str, object]]:
    """One row a setting, then one for each provider the file declares and each provider variable that is set."""
    for name in field_types():
        value = getattr(settings.timeouts, name.removeprefix("timeout_")) if name.startswith("timeout_") else None
        if value is None:
            value = getattr(settings, name, None)
        yield {"setting": PREFIX + name.upper(), "value": plain(value), "source": settings.sources[name]}
    for provider in settings.providers:
        keys = f"{len(provider.keys)} keys" if len(provider.keys) != 1 else "1 key"
        yield {
            "setting": f"providers.{provider.id}",
            "value": f"{provider.base_url or 'preset'}, {keys}",
            "source": settings.config.name if settings.config else "omg.yaml",
        }
    yield from _provider_variables(settings)


def _provider_variables(settings: Settings) -> Iterator[Mapping[str, object]]:
    from entrypoints.ioc.upstream import provider_presets

    for preset in provider_presets():
        for name in (*preset.env, *preset.ambient):
            value = settings.variables.get(name)
            if value is not None:
                shown_value = value if name.endswith(("_HOST", "_URL")) else plain(Secret(value))
                yield {"setting": name, "value": shown_value, "source": settings.variables.source(name)}


def plain(value: object) -> object:
    """As it may be shown: secrets by their last four characters, paths and lists as text."""
    if isinstance(value, Secret):
        return f"***{value.last4}" if value else ""
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value)
    if isinstance(value, Path):
        return str(value)
    return "" if value is None else msgspec.to_builtins(value)
