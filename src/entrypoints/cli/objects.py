"""What the commands of tenants, users, members and groups share: fields given as `--set name=value`, and their show."""

import json
from collections.abc import Mapping
from typing import Any

import click

from entrypoints.cli.output import show

FIELDS = "A field and its value, such as name=Research, or JSON: allowed_models='[\"openai/*\"]'. Repeat for more."

set_option = click.option("--set", "fields", multiple=True, metavar="NAME=VALUE", help=FIELDS)


def fields_of(given: tuple[str, ...]) -> dict[str, object]:
    """`name=Research` as a text, what reads as JSON as that: `cidrs=null`, `limits={"rpm": 5}`."""
    found: dict[str, object] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"'{text}' is no field: write name=value.")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def show_one(answer: Mapping[str, Any], *, as_json: bool) -> None:
    """A field a line, or the object as JSON."""
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    show([{"field": name, "value": _text(value)} for name, value in answer.items()], ("field", "value"), as_json=False)


def _text(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) and value else value
