"""`omg alerts`: channels, rules and deliveries, through the admin API."""

import json
from typing import Any, get_args

import click

from domain.alerts import AlertEvent
from entrypoints.cli.gateway_client import GatewayClient, connect, json_option, url_option
from entrypoints.cli.objects import show_one
from entrypoints.cli.output import show

CHANNELS = "/admin/alerts/channels"
RULES = "/admin/alerts/rules"

CHANNEL_COLUMNS = ("id", "kind", "name", "url", "to", "enabled")
RULE_COLUMNS = ("id", "event", "threshold", "cooldown_seconds", "channels", "enabled")
DELIVERY_COLUMNS = ("id", "created_at", "event", "channel_id", "status", "attempts", "error")


@click.group(name="alerts")
def command() -> None:
    """Set up who is told of what, try it, and see what was told."""


@command.group()
def channel() -> None:
    """Add a channel: a webhook or e-mail."""


@channel.command()
@url_option
@json_option
@click.option("--name", default="", help="What it is called.")
@click.option("--secret", help="What signs its calls. Default: a new one, which is printed this once.")
@click.argument("webhook_url")
def webhook(url: str | None, as_json: bool, name: str, secret: str | None, webhook_url: str) -> None:
    """Tell WEBHOOK_URL, each call signed."""
    body = {"kind": "webhook", "name": name, "url": webhook_url} | ({"secret": secret} if secret else {})
    _made(connect(url), body, as_json=as_json)


@channel.command()
@url_option
@json_option
@click.option("--name", default="", help="What it is called.")
@click.argument("addresses", nargs=-1, required=True)
def email(url: str | None, as_json: bool, name: str, addresses: tuple[str, ...]) -> None:
    """Tell ADDRESSES by e-mail, through the server of OMG_SMTP_URL."""
    _made(connect(url), {"kind": "email", "name": name, "to": list(addresses)}, as_json=as_json)


def _made(gateway: GatewayClient, body: dict[str, Any], *, as_json: bool) -> None:
    made = gateway.call("POST", CHANNELS, body)
    if as_json:
        click.echo(json.dumps(made))
        return
    click.echo(made["id"])
    if "secret" in made:
        click.echo(f"It signs with {made['secret']}, which is not shown again.", err=True)


@command.command()
@url_option
@json_option
def channels(url: str | None, as_json: bool) -> None:
    """List the channels."""
    show(connect(url).items(CHANNELS), CHANNEL_COLUMNS, as_json=as_json)


@command.command()
@url_option
@click.argument("channel_id")
def test(url: str | None, channel_id: str) -> None:
    """Send a test to CHANNEL_ID. Exit 1 where it does not arrive."""
    result = connect(url).call("POST", f"{CHANNELS}/{channel_id}/test")
    click.echo(result["message"])
    if not result["ok"]:
        raise SystemExit(1)


@command.command()
@url_option
@json_option
@click.option("--threshold", type=float, help="A share, or days. Default: the event's own.")
@click.option("--cooldown", type=int, help="Seconds of silence after each alert (300).")
@click.argument("event", type=click.Choice(list(get_args(AlertEvent))))
@click.argument("channel_ids", nargs=-1, required=True)
def rule(
    url: str | None,
    as_json: bool,
    threshold: float | None,
    cooldown: int | None,
    event: str,
    channel_ids: tuple[str, ...],
) -> None:
    """Tell CHANNEL_IDS of EVENT."""
    given = {"threshold": threshold, "cooldown_seconds": cooldown}
    body = {"event": event, "channels": list(channel_ids)}
    made = connect(url).call("POST", RULES, body | {name: value for name, value in given.items() if value is not None})
    show_one(made, as_json=as_json)


@command.command()
@url_option
@json_option
def rules(url: str | None, as_json: bool) -> None:
    """List the rules."""
    show(connect(url).items(RULES), RULE_COLUMNS, as_json=as_json)


@command.command()
@url_option
@click.argument("object_id")
def remove(url: str | None, object_id: str) -> None:
    """Remove a channel (alc_…) or a rule (alr_…)."""
    connect(url).call("DELETE", f"{CHANNELS if object_id.startswith('alc_') else RULES}/{object_id}")
    click.echo(f"Removed {object_id}.")


@command.command()
@url_option
@json_option
@click.option(
    "--status", type=click.Choice(["pending", "delivered", "failed", "held", "gathered"]), help="Only with it."
)
@click.option("--limit", type=int, default=50, help="How many (50).")
def deliveries(url: str | None, as_json: bool, status: str | None, limit: int) -> None:
    """List what was told, newest first."""
    query = {"status": status} if status else None
    show(connect(url).items("/admin/alerts/deliveries", query, at_most=limit), DELIVERY_COLUMNS, as_json=as_json)


@command.command()
@url_option
@click.argument("delivery_id")
def resend(url: str | None, delivery_id: str) -> None:
    """Send DELIVERY_ID (ald_…) again, which failed."""
    connect(url).call("POST", f"/admin/alerts/deliveries/{delivery_id}/resend")
    click.echo(f"{delivery_id} is on its way again.")
