"""The settings of a process that runs, or asks Vault as one that runs would."""

from collections.abc import Collection, Mapping

from domain.secrets import Secret
from entrypoints.settings.loading import load_settings
from entrypoints.settings.model import Settings


def load_process_settings(overrides: Mapping[str, object] | None = None) -> Settings:
    """As `load_settings`, with Vault asked for what refers to it. Raises `SettingsError`."""
    return load_settings(overrides, ask_vault=_ask_vault)


def _ask_vault(settings: Settings, references: Collection[str]) -> Mapping[str, Secret]:
    from entrypoints.ioc.secrets import resolved_at_start  # with what calls out, where something is in Vault

    return resolved_at_start(settings, references)
