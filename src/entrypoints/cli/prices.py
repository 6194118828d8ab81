"""`omg prices`: list prices that are newer than the release."""

import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path

import click

from application.pricing.catalogs import CatalogUpdate, CatalogUpdates
from domain.actors import CONFIGURATION
from domain.price_catalogs import CatalogChange
from entrypoints.cli.output import show
from entrypoints.process_settings import load_process_settings

COLUMNS = ("provider", "model", "change", "price", "before", "after")
VERSIONS = ("version", "in_force", "models", "stored_at", "sha256", "origin")

CHANGES = 3

Work = Callable[[CatalogUpdates], Awaitable[int]]


@click.group(name="prices")
def command() -> None:
    """Take in newer list prices, look at which are in force, and go back."""


@command.command()
@click.argument("source", required=False)
@click.option("--sha256", metavar="HEX", help="Of the file, as the look at it printed it.")
@click.option("--apply", "do_apply", is_flag=True, help="Take it in. Without this nothing is changed.")
@click.option("--confirm", is_flag=True, help="Also where a price in use becomes ten times what it is, or a tenth.")
@click.option("--all", "everything", is_flag=True, help="Show also providers that this gateway does not have.")
def update(source: str | None, sha256: str | None, do_apply: bool, confirm: bool, everything: bool) -> None:
    """Show what newer list prices would change; with --apply and the checksum, take them in.

    SOURCE is a URL or a file: genai-prices' published data, which is also the default. Gateways on the same database
    use what is taken in within a second; the prices of calls that are booked stay. Exit 3: there are changes.
    """
    if do_apply and sha256 is None:
        raise click.UsageError("--apply needs --sha256: look first, and name the checksum that is printed")

    async def work(catalogs: CatalogUpdates) -> int:
        origin = source or catalogs.published_at
        published = await catalogs.fetch(origin) if "://" in origin else _read(origin)
        found = await catalogs.preview(published, origin, sha256)
        _print(found, everything=everything)
        if not do_apply:
            again = f"omg prices update {origin} --apply --sha256 {found.stored.sha256}"
            click.echo(f"Nothing was changed. To take it in: {again}")
            return CHANGES if found.changes else 0
        await catalogs.apply(CONFIGURATION, found, confirm=confirm)
        click.echo(f"In force: {found.stored.version}. 'omg prices rollback' goes back to {found.before}.")
        return 0

    _run(work)


@command.command()
def rollback() -> None:
    """Go back to the prices that were in force before, in the end to those of the release."""

    async def work(catalogs: CatalogUpdates) -> int:
        click.echo(f"In force: {await catalogs.roll_back(CONFIGURATION)}.")
        return 0

    _run(work)


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def versions(as_json: bool) -> None:
    """List the catalogs that were taken in, the newest first, and that of the release."""

    async def work(catalogs: CatalogUpdates) -> int:
        stored = await catalogs.versions()
        rows: list[Mapping[str, object]] = [
            {
                "version": each.version,
                "in_force": in_force,
                "models": each.models,
                "stored_at": each.stored_at.isoformat(),
                "sha256": each.sha256,
                "origin": each.origin,
            }
            for each, in_force in stored
        ]
        of_release = not any(in_force for _, in_force in stored)
        rows.append({"version": catalogs.release_version, "in_force": of_release, "origin": "this release"})
        show(rows, VERSIONS, as_json=as_json)
        return 0

    _run(work)


def _run(work: Work) -> None:
    from entrypoints.administration import opened_store
    from entrypoints.cli.plans import run, show_first_start

    async def on_store() -> int:
        async with opened_store(load_process_settings()) as store:
            show_first_start(store.first_start)
            return await work(store.catalogs)

    sys.exit(run(on_store()))


def _read(name: str) -> bytes:
    path = Path(name)
    if not path.is_file():
        raise click.UsageError(f"there is no file {name}")
    return path.read_bytes()


def _print(found: CatalogUpdate, *, everything: bool) -> None:
    shown = found.changes if everything else found.in_use
    show((row for each in shown for row in _rows(each)), COLUMNS, as_json=False)
    kinds = {kind: sum(each.kind == kind for each in found.changes) for kind in ("changed", "new", "gone")}
    counted = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    click.echo(f"{found.stored.version} ({found.stored.models} models) after {found.before}: {counted}.")
    if hidden := len(found.changes) - len(shown):
        click.echo(f"{hidden} of them are of providers that this gateway does not have (--all shows them).")
    for each in found.far:
        click.echo(f"Ten times as much, or a tenth: {each.provider}/{each.model}.")
    if found.skipped:
        click.echo(f"Not read, so unpriced: {', '.join(found.skipped)}.")
    click.echo(f"sha256 {found.stored.sha256}")


def _rows(change: CatalogChange) -> Iterable[Mapping[str, object]]:
    for path, (before, after) in change.prices.items():
        yield {
            "provider": change.provider,
            "model": change.model,
            "change": change.kind,
            "price": path,
            "before": before,
            "after": after,
        }
