"""`omg serve`: the gateway, from the settings to the listening socket."""

import sys
from pathlib import Path

import click

from entrypoints.settings.loading import load_settings, unknown_variables
from entrypoints.settings.model import ANY_ADDRESS, Settings


@click.command()
@click.option("--host", help="Address to listen on (OMG_HOST, 127.0.0.1).")
@click.option("--port", type=int, help="Port to listen on (OMG_PORT, 8000).")
@click.option("--workers", type=int, help="Processes; more than one needs Postgres and Valkey (OMG_WORKERS, 1).")
@click.option("--config", type=click.Path(path_type=Path), help="Settings file (OMG_CONFIG, ./omg.yaml).")
@click.option("--demo", is_flag=True, default=None, help="Add simulated providers: everything works, no account.")
def command(host: str | None, port: int | None, workers: int | None, config: Path | None, demo: bool | None) -> None:
    """Run the gateway.

    The first start makes the data folder, the database and the master key, and prints once an admin token, a
    virtual key and a curl line to try.
    """
    overrides = {"host": host, "port": port, "workers": workers, "config": config, "demo": demo}
    given: dict[str, object] = {name: value for name, value in overrides.items() if value is not None}
    from entrypoints.lean_start import import_store_without_other_databases, import_without_unused_parts

    import_without_unused_parts()
    settings = load_settings(given)
    _warn(settings)
    import_store_without_other_databases()  # before anything imports the store
    if settings.workers > 1:
        from entrypoints.supervisor import supervise

        sys.exit(supervise(given, settings))
    from entrypoints.process import run_process

    sys.exit(run_process(settings))


def _warn(settings: Settings) -> None:
    import os

    for name, hint in unknown_variables(os.environ):
        click.echo(f"omg: warning: {name} is no setting{hint}", err=True)
    if settings.host in ANY_ADDRESS:
        click.echo(
            f"omg: warning: {settings.host} is reachable from other machines over plain HTTP; put a proxy with TLS in "
            "front, and name the hosts clients use in OMG_ALLOWED_HOSTS or OMG_PUBLIC_URL",
            err=True,
        )
