"""The settings in force as they may be shown: each with its value, where that comes from, and what it means."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Meta

from domain.secrets import Secret
from domain.timeouts import Timeouts
from entrypoints.settings.loading import DEFAULT, field_types
from entrypoints.settings.model import PREFIX, Settings

TIMEOUT_MEANINGS = {
    "connect": "Name, TCP and TLS of a connection to a provider",
    "response_headers": "Until a provider's status line, for a stream; for a plain answer `upstream_call` holds",
    "first_content": "Until the first content of an answer",
    "idle": "Between two reads of a provider's answer once there was content; our own pings do not count",
    "upstream_call": "One call to a provider, whole",
    "request": "One client request with all its attempts",
    "pool": "Waiting for a free connection",
}
_TIMEOUT = "timeout_"


class SettingInForce(msgspec.Struct, frozen=True):
    """One setting. `value` is null where nothing is set, and of every secret; `set` says whether that has one.

    `source` is `default`, the settings file's name, `.env`, `environment` or `command line`. `key` is its name in that
    file, null where it cannot stand there.
    """

    variable: str
    key: str | None
    value: object
    default: object
    source: str
    masked: bool
    set: bool
    meaning: str


def settings_in_force(settings: Settings) -> Iterator[SettingInForce]:
    """In the order of the reference."""
    usual, timeouts = Settings(), Timeouts()
    for name, type_ in field_types().items():
        of_timeouts = name.removeprefix(_TIMEOUT) if name.startswith(_TIMEOUT) else None
        value = getattr(settings.timeouts, of_timeouts) if of_timeouts else getattr(settings, name)
        default = getattr(timeouts, of_timeouts) if of_timeouts else getattr(usual, name)
        yield SettingInForce(
            variable=PREFIX + name.upper(),
            key=f"timeouts.{of_timeouts}" if of_timeouts else None if name == "config" else name,
            value=_plain(value),
            default=_plain(default),
            source=settings.sources.get(name, DEFAULT),
            masked=isinstance(default, Secret),
            set=bool(value) if isinstance(value, Secret) else value is not None,
            meaning=f"Seconds. {TIMEOUT_MEANINGS[of_timeouts]}" if of_timeouts else meaning_of(type_),
        )


def meaning_of(type_: Any) -> str:
    """What a setting's type says of it."""
    return " ".join(each.description for each in type_.__metadata__ if isinstance(each, Meta) and each.description)


def _plain(value: object) -> object:
    """As JSON has it; of a secret nothing."""
    if value is None or isinstance(value, Secret):
        return None
    return str(value) if isinstance(value, Path) else msgspec.to_builtins(value)
