"""What an admin may write of a provider, and what a change means for the secrets bound to it (S-02, S-07)."""

from typing import Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, UnsetType

from application.configuration.new_providers import DEFAULT_PORTS, BaseUrl, Priority, ProviderName
from domain.providers import ModelPlace, Provider, ProviderSettings
from domain.quotas import Quotas
from domain.timeouts import TimeoutOverrides


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
    on_disconnect: Literal["cancel", "drain"] | UnsetType | None = UNSET
    api_version: str | UnsetType | None = UNSET
    project: str | UnsetType | None = UNSET
    location: str | UnsetType | None = UNSET
    model_places: dict[str, ModelPlace] | UnsetType | None = UNSET
    default_voice: str | UnsetType | None = UNSET
    num_ctx: int | UnsetType | None = UNSET
    quota: Quotas | UnsetType | None = UNSET
    flat_fee: bool | UnsetType | None = UNSET
    proxy: str | UnsetType | None = UNSET
    ca_file: str | UnsetType | None = UNSET
    client_cert: str | UnsetType | None = UNSET
    headers: dict[str, str] | UnsetType | None = UNSET

    def over(self, settings: ProviderSettings) -> ProviderSettings:
        """`settings` with this change applied. What is written as it is shown keeps what is hidden."""
        defaults = ProviderSettings()
        changes = {
            name: getattr(defaults, name) if value is None else value
            for name in self.__struct_fields__
            if (value := getattr(self, name)) is not UNSET
        }
        return msgspec.structs.replace(settings, **changes).with_hidden_of(settings)


class ProviderChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Fields to change: what is absent stays. `base_url` of null goes back to the preset's."""

    kind: str | UnsetType = UNSET
    name: ProviderName | UnsetType = UNSET
    base_url: BaseUrl | UnsetType | None = UNSET
    priority: Priority | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    settings: SettingsChange | UnsetType = UNSET

    def over(self, provider: Provider) -> Provider:
        """`provider` with this change applied."""
        changes = {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not UNSET}
        if self.settings is not UNSET:
            changes["settings"] = self.settings.over(provider.settings)
        return msgspec.structs.replace(provider, **changes)


def origin_of(url: str | None) -> tuple[str, str, int] | None:
    """Scheme, host and port: what a credential is bound to."""
    if url is None:
        return None
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
