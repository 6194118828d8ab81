"""`omg openapi`: the API's description, without a running gateway."""

import click


@click.command()
def command() -> None:
    """Print the OpenAPI document as JSON."""
    from entrypoints.http.app import api_document

    click.echo(api_document())
