"""`omg serve`: the gateway, from the settings to the listening socket."""

import sys
from pathlib import Path

import click

from entrypoints.cli.systems import refuse_other_systems
from entrypoints.process_settings import load_process_settings
from entrypoints.settings.model import Settings


@click.command()
@click.option("--host", help="Address to listen on (OMG_HOST, 127.0.0.1).")
@click.option("--port", type=int, help="Port to listen on (OMG_PORT, 8000).")
@click.option("--workers", type=int, help="Processes; more than one needs Postgres (OMG_WORKERS, 1).")
@click.option("--config", type=click.Path(path_type=Path), help="Settings file (OMG_CONFIG, ./omg.yaml).")
@click.option("--demo", is_flag=True, default=None, help="Add simulated providers: everything works, no account.")
@click.option("--open", "opens_browser", is_flag=True, help="Open a browser that is signed in as the platform's admin.")
def command(
    host: str | None,
    port: int | None,
    workers: int | None,
    config: Path | None,
    demo: bool | None,
    opens_browser: bool,
) -> None:
    """Run the gateway.

    The first start makes the data folder, the database and the master key, and prints once an admin token, a
    virtual key and a curl line to try.
    """
    overrides = {"host": host, "port": port, "workers": workers, "config": config, "demo": demo}
    given: dict[str, object] = {name: value for name, value in overrides.items() if value is not None}
    refuse_other_systems()
    from entrypoints.lean_start import (
        collect_garbage_seldom,
        import_store_without_other_databases,
        import_without_unused_parts,
    )

    collect_garbage_seldom()
    import_without_unused_parts()
    settings = load_process_settings(given)
    import_store_without_other_databases()  # before anything imports the store
    _warn(settings)
    if settings.workers > 1:
        from entrypoints.supervisor import supervise

        if opens_browser:
            raise click.UsageError("--open is for one worker; with several, 'omg link' prints a link to open.")

        sys.exit(supervise(given, settings))
    from entrypoints.process import run_process

    sys.exit(run_process(settings, opens_browser=opens_browser))


def _warn(settings: Settings) -> None:
    import os

    from entrypoints.ioc.upstream import provider_presets
    from entrypoints.settings.remarks import remarks

    for remark in remarks(settings, os.environ, provider_presets()):
        click.echo(f"omg: warning: {remark}", err=True)
