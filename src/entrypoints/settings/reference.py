"""Writes docs/configuration.md's tables from the settings themselves, so that they cannot differ."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from domain.secrets import Secret
from domain.timeouts import Timeouts
from entrypoints.settings.in_force import TIMEOUT_MEANINGS, meaning_of
from entrypoints.settings.loading import field_types
from entrypoints.settings.model import PREFIX, Settings


def reference() -> str:
    """The Markdown table of every setting: variable, key in the file, default, meaning."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "| variable | in `omg.yaml` | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for name, type_ in field_types().items():
        timeout = name.removeprefix("timeout_") if name.startswith("timeout_") else None
        key = f"timeouts.{timeout}" if timeout else ("–" if name == "config" else name)
        default = getattr(Timeouts(), timeout) if timeout else getattr(Settings(), name)
        meaning = f"Seconds. {TIMEOUT_MEANINGS[timeout]}" if timeout else _described(type_)
        yield f"| `{PREFIX}{name.upper()}` | {key if key == '–' else f'`{key}`'} | {_shown(default)} | {meaning} |"


def _described(type_: Any) -> str:
    text = meaning_of(type_)
    plain = get_args(type_)[0]
    named = get_args(plain) if get_origin(plain) is Literal else ()
    choices = f" (one of {', '.join(f'`{c}`' for c in named)})" if all(named) and named else ""
    many = " (comma-separated)" if get_origin(plain) is tuple else ""
    return text + choices + many


def _shown(value: object) -> str:
    if isinstance(value, Secret) or value in {"", None, ()}:
        return "empty"
    if isinstance(value, Path):
        return f"`./{value}`"
    return f"`{msgspec.json.encode(value).decode().strip(chr(34))}`"
