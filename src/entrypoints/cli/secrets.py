"""`omg secrets`: credentials made offline, and a new master key for everything stored."""

import asyncio
import base64
import os

import click

from domain.keys import ADMIN_TOKEN_PREFIX, VIRTUAL_KEY_PREFIX, generate_key
from entrypoints.process_settings import load_process_settings


@click.group(name="secrets")
def command() -> None:
    """Make credentials; change the master key."""


@command.command()
def generate() -> None:
    """Print new values for OMG_MASTER_KEYS, OMG_ADMIN_TOKEN and OMG_BOOTSTRAP_KEY. Nothing is stored."""
    master = base64.b64encode(os.urandom(32)).decode()
    click.echo(f"OMG_MASTER_KEYS=k{os.urandom(4).hex()}:{master}")
    click.echo(f"OMG_ADMIN_TOKEN={generate_key(ADMIN_TOKEN_PREFIX).reveal()}")
    click.echo(f"OMG_BOOTSTRAP_KEY={generate_key(VIRTUAL_KEY_PREFIX).reveal()}")


@command.command()
def rotate() -> None:
    """Re-encrypt every stored provider secret under a new master key.

    With a key file, a new key is put before the old ones there; with OMG_MASTER_KEYS, put the new key first
    yourself before you call this. Old keys stay: clients' keys are recognised by them. Restart the gateway
    afterwards, so that it reads the new key.
    """
    from entrypoints.ioc.maintenance import rotate_master_key

    settings = load_process_settings()
    changed, kid = asyncio.run(rotate_master_key(settings))
    click.echo(f"{changed} secrets are now sealed under the master key {kid}.")
    click.echo("Restart the gateway now: until then it cannot open them after its next reload.", err=True)
