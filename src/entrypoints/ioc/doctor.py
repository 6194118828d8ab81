"""What the doctor looks at."""

from collections.abc import Sequence
from pathlib import Path

from typing_extensions import override

from adapters.clock import SystemClock
from adapters.persistence.engine import DatabaseUrlInvalid, parse_url, sqlite_files
from adapters.persistence.sqlite_driver import prefer_safe_sqlite, sqlite_version, unsafe_sqlite
from adapters.persistence.store import SqlAlchemyStore
from adapters.security.secret_box import AesGcmSecretBox
from application.snapshot import DeclaredConfig
from domain.ports.providers import ProviderRegistry
from domain.ports.repositories import Store
from domain.ports.runtime import Clock
from entrypoints.doctor import Installation
from entrypoints.ioc.declared import declared_config, resolved
from entrypoints.ioc.persistence import check_schema
from entrypoints.ioc.secrets import secret_references
from entrypoints.ioc.security import key_file, key_ring
from entrypoints.ioc.upstream import build_registry
from entrypoints.settings.model import Settings


class ConfiguredInstallation(Installation):
    """The installation of these settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._registry = build_registry(settings)

    @property
    @override
    def clock(self) -> Clock:
        return self._clock

    @property
    @override
    def registry(self) -> ProviderRegistry:
        return self._registry

    @property
    @override
    def key_file(self) -> Path:
        return key_file(self._settings)

    @override
    def database_files(self) -> Sequence[Path]:
        try:
            return sqlite_files(parse_url(self._settings.database))
        except DatabaseUrlInvalid:  # told by `schema`
            return ()

    @override
    def sqlite(self) -> tuple[str, str | None]:
        prefer_safe_sqlite()
        return sqlite_version(), unsafe_sqlite()

    @override
    def master_key_ids(self) -> Sequence[str]:
        return key_ring(self._settings).kids

    @override
    async def declared(self) -> DeclaredConfig:
        config = declared_config(self._settings, self._registry, self._clock)
        return await resolved(config, secret_references(self._settings, self._clock))

    @override
    async def schema(self) -> tuple[str | None, str]:
        state = await check_schema(self._settings)
        return state.current, state.needed

    @override
    async def valkey(self) -> tuple[str, str, str]:
        from adapters.limits.valkey_check import look_at  # with its driver, where there is an address

        state = await look_at(self._settings.valkey_url, "doctor")
        return state.version, state.trouble, state.remark

    @override
    def open_store(self) -> Store:
        return SqlAlchemyStore(self._settings.database, AesGcmSecretBox(key_ring(self._settings)))
