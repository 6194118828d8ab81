"""`omg config`: the settings in force, where each came from, and whether they are right."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import msgspec

from domain.secrets import Secret
from entrypoints.cli.output import show
from entrypoints.settings.loading import field_types, load_settings
from entrypoints.settings.model import PREFIX, Settings
from entrypoints.settings.reference import reference

config_option = click.option(
    "--config", type=click.Path(path_type=Path), help="Settings file (OMG_CONFIG, ./omg.yaml)."
)


@click.group(name="config")
def command() -> None:
    """Show and check the settings in force."""


@command.command(name="show")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def show_settings(config: Path | None, as_json: bool) -> None:
    """Every setting with its value and its source; secrets masked."""
    settings = load_settings({"config": config})
    show(shown(settings), ("setting", "value", "source"), as_json=as_json)


@command.command()
@config_option
def validate(config: Path | None) -> None:
    """Check the settings, the settings file and the providers it declares; exit 2 with one line if one is wrong."""
    from entrypoints.ioc.check import check_composition

    settings = load_settings({"config": config})
    check_composition(settings)
    click.echo("The settings are valid.")


@command.command(name="reference")
def print_reference() -> None:
    """Print the reference of all settings (docs/configuration.md)."""
    click.echo(reference(), nl=False)


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
