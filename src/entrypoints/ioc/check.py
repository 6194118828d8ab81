"""Checks that need the whole composition, without starting anything."""

from adapters.clock import SystemClock
from entrypoints.ioc.declared import declared_config
from entrypoints.ioc.security import check_master_keys
from entrypoints.ioc.upstream import build_registry
from entrypoints.settings.model import Settings


def check_composition(settings: Settings) -> None:
    """Raises `SettingsError` for master keys or declared providers that could not be used. Makes no file."""
    check_master_keys(settings)
    declared_config(settings, build_registry(settings), SystemClock())
