"""`omg link`: a one-time sign-in link of the platform's admin."""

import click

from entrypoints.cli.gateway_client import connect, url_option


@click.command()
@url_option
def command(url: str | None) -> None:
    """Print a link that signs the platform's admin in, once, within 15 minutes. Earlier links stop working."""
    click.echo(connect(url).call("POST", "/admin/sign-in-links")["url"])
