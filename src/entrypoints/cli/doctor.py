"""`omg doctor`: one line a check, exit 1 where one fails."""

import asyncio
import sys
from pathlib import Path

import click

from entrypoints.process_settings import load_process_settings
from entrypoints.settings.model import SettingsError

_MARKS = {"ok": ("ok  ", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "red")}


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="Settings file (OMG_CONFIG, ./omg.yaml).")
@click.option("--offline", is_flag=True, help="Ask no provider.")
def command(config: Path | None, offline: bool) -> None:
    """Check settings, database, migrations, credentials, clock and file modes. Providers get a free call only."""
    from entrypoints.doctor import examine
    from entrypoints.ioc.doctor import ConfiguredInstallation

    try:
        settings = load_process_settings({"config": config})
    except SettingsError as error:
        _line("fail", "settings", str(error))
        sys.exit(1)
    failed = False

    async def run() -> bool:
        bad = False
        async for finding in examine(settings, ConfiguredInstallation(settings), ask_providers=not offline):
            _line(finding.verdict, finding.subject, finding.detail)
            bad = bad or finding.verdict == "fail"
        return bad

    failed = asyncio.run(run())
    sys.exit(1 if failed else 0)


def _line(verdict: str, subject: str, detail: str) -> None:
    mark, colour = _MARKS[verdict]
    click.echo(f"{click.style(mark, fg=colour)}  {subject:<22} {detail}")
