"""Checks that need the whole composition, without starting anything."""

from adapters.clock import SystemClock
from adapters.persistence.engine import DatabaseUrlInvalid, parse_url
from entrypoints.ioc.alerts import smtp_server
from entrypoints.ioc.declared import declared_config
from entrypoints.ioc.security import check_master_keys
from entrypoints.ioc.upstream import build_registry
from entrypoints.settings.model import Settings, SettingsError


def check_composition(settings: Settings) -> None:
    """Raises `SettingsError` where database address, master keys or providers could not be used. Makes no file."""
    check_master_keys(settings)
    smtp_server(settings)
    try:
        parse_url(settings.database)
    except DatabaseUrlInvalid as error:
        raise SettingsError(str(error)) from None
    declared_config(settings, build_registry(settings), SystemClock())
