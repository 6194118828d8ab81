"""`omg providers`: providers and their keys, through the admin API."""

import os
import sys
from collections.abc import Mapping
from typing import Any

import click

from domain.free_tiers import FRESH_DAYS
from entrypoints.cli.gateway_client import connect, json_option, url_option
from entrypoints.cli.output import show
from entrypoints.settings.model import SettingsError

COLUMNS = ("id", "kind", "priority", "status", "available_at", "keys", "owner", "base_url", "quotas", "free_tier")


@click.group(name="providers")
def command() -> None:
    """List, add, remove and retry providers."""


@command.command(name="list")
@url_option
@json_option
def list_providers(url: str | None, as_json: bool) -> None:
    """List providers in the order they are tried."""
    rows = connect(url).items("/admin/providers")
    show(rows if as_json else map(in_words, rows), COLUMNS, as_json=as_json)


@command.command()
@url_option
@click.argument("provider_id")
@click.option("--kind", help="The adapter; that of a provider the gateway knows, else openai: any compatible server.")
@click.option("--base-url", help="Where it is; not needed for a provider the gateway knows.")
@click.option("--name", help="What to call it.")
@click.option("--priority", type=int, help="Lower is tried first.")
@click.option("--key-env", help="The variable that holds its API key.")
@click.option("--key-stdin", is_flag=True, help="Read its API key from standard input.")
@click.option("--header", "headers", multiple=True, help="NAME=VALUE: sent to it besides; repeatable.")
@click.option("--header-env", "secret_headers", multiple=True, help="NAME=VARIABLE: the same, of a variable.")
def add(
    url: str | None,
    provider_id: str,
    kind: str | None,
    base_url: str | None,
    name: str | None,
    priority: int | None,
    key_env: str | None,
    key_stdin: bool,
    headers: tuple[str, ...],
    secret_headers: tuple[str, ...],
) -> None:
    """Add the provider PROVIDER_ID, with a key where one is given.

    The key is never an argument: other users of a machine can read those.
    """
    key = _key(key_env, key_stdin)
    more = written_headers(headers, secret_headers)
    gateway = connect(url)
    wanted: dict[str, object] = {"id": provider_id, "kind": kind, "base_url": base_url, "name": name}
    wanted |= {"priority": priority, "settings": {"headers": more} if more else None}
    gateway.call("POST", "/admin/providers", {k: v for k, v in wanted.items() if v is not None})
    if key:
        gateway.call("POST", f"/admin/providers/{provider_id}/keys", {"label": "cli", "secret": key})
    click.echo(f"Added {provider_id}{' with a key' if key else ''}.")


def written_headers(plain: tuple[str, ...], in_variables: tuple[str, ...]) -> dict[str, str]:
    """`NAME=VALUE` and `NAME=VARIABLE`, as the API takes them. Raises `click.UsageError`, which shows no value."""
    found = {}
    for option, texts in (("--header", plain), ("--header-env", in_variables)):
        for text in texts:
            name, equals, value = text.partition("=")
            if option == "--header-env":
                value = os.environ.get(value, "").strip()
            if not (name and equals and value):
                raise click.UsageError(f"{option}: NAME=VALUE, and the value is there; not '{name}'")
            found[name.strip()] = value
    return found


@command.command()
@url_option
@click.argument("provider_id")
def remove(url: str | None, provider_id: str) -> None:
    """Remove the provider PROVIDER_ID with its keys."""
    connect(url).call("DELETE", f"/admin/providers/{provider_id}")
    click.echo(f"Removed {provider_id}.")


@command.command()
@url_option
@click.argument("provider_id")
@click.argument("key_id", required=False)
def retry(url: str | None, provider_id: str, key_id: str | None) -> None:
    """Try PROVIDER_ID again, or only its key KEY_ID."""
    connect(url).call("POST", f"/admin/providers/{provider_id}/{f'keys/{key_id}/' if key_id else ''}retry")
    click.echo(f"{key_id or provider_id} is tried again.")


@command.command()
@url_option
@click.argument("provider_id")
@click.argument("words", nargs=-1, required=True)
@click.option("--reset", help="Of days and months: '00:00 America/Los_Angeles', rolling, provider. Else 00:00 UTC.")
@click.option("--pool", help="A name for what they count together.")
@click.option("--models", help="Patterns of models that count, by commas: *:free. Else all.")
def quota(
    url: str | None, provider_id: str, words: tuple[str, ...], reset: str | None, pool: str | None, models: str | None
) -> None:
    """Say what the keys of PROVIDER_ID may use: `requests=1000/day`, `tokens=50000/minute`; `none`, or `registry`.

    With a key's id before it, only that key's. `none` is a paid account, `registry` what is known of free ones there.
    """
    key_ids = [words[0]] if words[0].startswith("pk_") else []
    written = written_quotas(words[len(key_ids) :], reset, pool, models)
    gateway = connect(url)
    path = f"/admin/providers/{provider_id}/keys"
    key_ids = key_ids or [str(row["id"]) for row in gateway.items(path) if not row["read_only"]]
    for key_id in key_ids:
        gateway.call("PATCH", f"{path}/{key_id}", {"quota": written})
    click.echo(
        f"{len(key_ids)} keys of {provider_id}: {' '.join(words[-1:]) if written is None else len(written)} quotas."
    )


def written_quotas(
    words: tuple[str, ...], reset: str | None, pool: str | None, models: str | None
) -> list[dict[str, object]] | None:
    """Quotas as the admin API takes them. Raises `BadParameter`."""
    if words == ("registry",):
        return None
    if words == ("none",):
        return []
    shared = {"reset": reset, "pool": pool, "models": models.split(",") if models else None}
    written: list[dict[str, object]] = []
    for word in words:
        dimension, _, amount = word.partition("=")
        number, _, window = amount.partition("/")
        try:
            limit = float(number)
        except ValueError:
            raise click.BadParameter(f"{word!r} is no quota: write requests=1000/day") from None
        own = {"dimension": dimension, "limit": int(limit) if limit.is_integer() else limit, "window": window}
        written.append({**own, **{name: value for name, value in shared.items() if value is not None}})
    if not written:
        raise click.BadParameter("write requests=1000/day, none or registry")
    return written


def in_words(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row for a table: with the free tier and what is left of quotas as lines of text."""
    return {**with_free_tier_in_words(row), "quotas": "; ".join(map(_quota_in_words, row.get("quotas", ()))) or None}


def _quota_in_words(quota: Mapping[str, Any]) -> str:
    what = f"{quota['dimension']}/{quota['window']}".replace("_", " ")
    whose = quota["pool"] or ", ".join(quota["models"])
    until = f", resets {quota['resets_at']}" if quota["resets_at"] else ""
    gone = f", gone {quota['forecast_exhausted_at']}" if quota["forecast_exhausted_at"] else ""
    left = f"{quota['remaining']:,} of {quota['limit']:,}" if quota["remaining"] is not None else f"{quota['limit']:,}"
    return f"{what}{f' ({whose})' if whose else ''}: {left} left{until}{gone}"


def with_free_tier_in_words(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row with the free tier as a line of text, and its age where part of it is outdated."""
    tier = row.get("free_tier")
    if not tier:
        return row
    days = [part["as_of"] for part in (tier, *tier["quotas"]) if part["outdated"]]
    age = f" (last checked {min(days)}, more than {FRESH_DAYS} days ago)" if days else ""
    return {**row, "free_tier": f"{tier['summary']}{age}" or None}


def _key(variable: str | None, from_stdin: bool) -> str:
    if variable:
        value = os.environ.get(variable, "").strip()
        if not value:
            raise SettingsError(f"--key-env: the variable {variable} is not set")
        return value
    if not from_stdin:
        return ""
    value = click.prompt("API key", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    return str(value).strip()
