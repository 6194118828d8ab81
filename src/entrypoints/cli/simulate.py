"""`omg simulate`: the simulated providers as a server of their own."""

from pathlib import Path

import click


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8900, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--script", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="What to answer (YAML).")
def command(host: str, port: int, script: Path | None) -> None:
    """Run simulated providers that fail where they are scripted to; docs/simulator.md has the script's language."""
    from entrypoints.simulator.errors import ScriptInvalid
    from entrypoints.simulator.server import serve

    try:
        serve(port, script, host, lambda address: click.echo(f"Simulated providers are listening at {address}/v1"))
    except ScriptInvalid as error:
        raise click.UsageError(f"--script: {error}") from None
    except OSError as error:
        raise click.UsageError(f"cannot serve: {error}") from None
