"""What an admin may write of a provider, and what a change means for the secrets bound to it (S-02, S-07)."""

from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.errors import RequestInvalid
from domain.providers import ProviderSettings
from domain.timeouts import TimeoutOverrides

ProviderName = Annotated[str, Meta(min_length=1, max_length=200)]
BaseUrl = Annotated[str, Meta(min_length=1, max_length=2048)]
Priority = Annotated[int, Meta(ge=0, le=1_000_000)]

_DEFAULT_PORTS = {"http": 80, "https": 443}


class NewProvider(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A provider to create. What is left out comes from the preset of the same id, where there is one."""

    id: str
    kind: str | None = None
    name: ProviderName | None = None
    base_url: BaseUrl | None = None
    priority: Priority | None = None
    enabled: bool = True
    settings: ProviderSettings = msgspec.field(default_factory=ProviderSettings)


class SettingsChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Fields of `settings` to change: what is absent stays, null goes back to the default."""

    preset: str | UnsetType | None = UNSET
    default_model: str | UnsetType | None = UNSET
    models: tuple[str, ...] | UnsetType | None = UNSET
    drop_params: tuple[str, ...] | UnsetType | None = UNSET
    timeouts: TimeoutOverrides | UnsetType | None = UNSET
    model_timeouts: dict[str, TimeoutOverrides] | UnsetType | None = UNSET
    allow_private_network: bool | UnsetType | None = UNSET
    max_connections: int | UnsetType | None = UNSET

    def over(self, settings: ProviderSettings) -> ProviderSettings:
        """`settings` with this change applied."""
        defaults = ProviderSettings()
        changes = {
            name: getattr(defaults, name) if value is None else value
            for name in self.__struct_fields__
            if (value := getattr(self, name)) is not UNSET
        }
        return msgspec.structs.replace(settings, **changes)


class ProviderChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Fields to change: what is absent stays. `base_url` of null goes back to the preset's."""

    kind: str | UnsetType = UNSET
    name: ProviderName | UnsetType = UNSET
    base_url: BaseUrl | UnsetType | None = UNSET
    priority: Priority | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    settings: SettingsChange | UnsetType = UNSET


def check_settings(settings: ProviderSettings) -> None:
    """Raises `RequestInvalid` for numbers no call could live with."""
    if not 1 <= settings.max_connections <= 100_000:
        raise RequestInvalid("max_connections is 1 to 100000.", param="settings.max_connections")
    overrides = {"timeouts": settings.timeouts} | {
        f"model_timeouts.{model}": timeouts for model, timeouts in settings.model_timeouts.items()
    }
    for place, timeouts in overrides.items():
        for name in timeouts.__struct_fields__:
            seconds = getattr(timeouts, name)
            if seconds is not None and not 0 < seconds <= 3600:
                raise RequestInvalid(
                    f"A timeout is more than 0 and at most 3600 seconds, not {seconds}.",
                    param=f"settings.{place}.{name}",
                )


def check_url(url: str) -> None:
    """Raises `RequestInvalid` for what is no plain http or https address. It is shown, so it may hold no secret."""
    try:
        parts = urlsplit(url)
        plain = parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        plain = False
    if not plain or any(character.isspace() for character in url):
        raise RequestInvalid("base_url is an http:// or https:// address such as https://host/v1.", param="base_url")
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise RequestInvalid(
            "base_url holds no credentials, query or fragment: add the key under /keys.", param="base_url"
        )


def origin_of(url: str | None) -> tuple[str, str, int] | None:
    """Scheme, host and port: what a credential is bound to."""
    if url is None:
        return None
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
