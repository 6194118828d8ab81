"""The checks of `omg doctor`: looks at everything, changes nothing, and asks providers for their model lists only."""

import asyncio
import os
import stat
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import urlsplit

import msgspec

from application.snapshot import DeclaredConfig
from domain.errors import GatewayError, StoreUnavailable, UpstreamFailure
from domain.free_tiers import worth_trying
from domain.keys import ProviderKey
from domain.ports.providers import ProviderRegistry
from domain.ports.repositories import Store
from domain.ports.runtime import Clock
from domain.ports.security import SecretUnreadable
from domain.providers import Provider
from entrypoints.settings.model import Settings, SettingsError
from entrypoints.settings.remarks import remarks
from entrypoints.web.pages import WebPages

ASK_SECONDS = 15.0
EARLIEST = datetime(2026, 11, 1, tzinfo=UTC)
"""This version was made later: a clock that says otherwise is wrong."""


class Finding(msgspec.Struct, frozen=True):
    """The result of one check, in words."""

    verdict: Literal["ok", "warn", "fail"]
    subject: str
    detail: str


class Installation(Protocol):
    """What the settings lead to, as far as it can be looked at without starting or making anything."""

    @property
    def clock(self) -> Clock: ...

    @property
    def registry(self) -> ProviderRegistry: ...

    @property
    def key_file(self) -> Path: ...

    def database_files(self) -> Sequence[Path]:
        """Those of SQLite, whether they are there or not; none for Postgres."""
        ...

    def sqlite(self) -> tuple[str, str | None]:
        """The version in use, and why it is not safe to use, where it is not."""
        ...

    def master_key_ids(self) -> Sequence[str]:
        """Newest first. Raises `SettingsError`."""
        ...

    async def declared(self) -> DeclaredConfig:
        """With what secrets lead to that are references. Raises `SettingsError`."""
        ...

    async def schema(self) -> tuple[str | None, str]:
        """The database's revision, None for an empty one, and the one needed, which is the former where a newer version
        made it so that this one may run on it. Raises `StoreUnavailable`, `SettingsError`.
        """
        ...

    async def valkey(self) -> tuple[str, str, str]:
        """The version of the server at `valkey_url`, why it cannot be used, and what is wrong with how it is set up.

        Raises `SettingsError`.
        """
        ...

    def open_store(self) -> Store:
        """Raises `SettingsError`."""
        ...


async def examine(settings: Settings, installed: Installation, *, ask_providers: bool = True) -> AsyncIterator[Finding]:
    """Every check, in an order in which the first failure explains those after it."""
    yield _settings(settings)
    for remark in remarks(settings, os.environ, installed.registry.presets()):
        yield Finding("warn", "settings", remark)
    for finding in _files(settings, installed):
        yield finding
    yield _master_keys(settings, installed)
    yield _clock(settings, installed.clock)
    yield _pages()
    if settings.uses_sqlite:
        yield _sqlite(*installed.sqlite())
    findings, usable = await _database(settings, installed)
    for finding in findings:
        yield finding
    if settings.valkey_url:
        yield await _valkey(settings, installed)
    async for finding in _providers(settings, installed, stored=usable, ask=ask_providers):
        yield finding


def _settings(settings: Settings) -> Finding:
    by_source: dict[str, int] = {}
    for source in settings.sources.values():
        by_source[source] = by_source.get(source, 0) + 1
    changed = [f"{count} from {source}" for source, count in by_source.items() if source != "default"]
    return Finding("ok", "settings", ", ".join(changed) or "all defaults")


def _pages() -> Finding:
    missing = WebPages().missing
    if missing is not None:
        return Finding("warn", "web pages", f"not built: {missing}; 'omg web build' makes them")
    return Finding("ok", "web pages", "built")


def _files(settings: Settings, installed: Installation) -> Iterator[Finding]:
    if not settings.data_dir.exists():
        yield Finding("warn", "data folder", f"{settings.data_dir} is not there yet; 'omg serve' makes it")
        return
    private = [(path, 0o600) for path in (installed.key_file, *installed.database_files())]
    for path, wanted in [(settings.data_dir, 0o700), *private]:
        if path.exists():
            yield _mode(path, wanted)


def _mode(path: Path, wanted: int) -> Finding:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & ~wanted:
        return Finding("fail", f"mode of {path.name}", f"{mode:04o}: others can reach it; chmod {wanted:04o} {path}")
    writable = os.access(path, os.W_OK)
    return Finding(
        "ok" if writable else "fail", f"mode of {path.name}", f"{mode:04o}{'' if writable else ', not writable here'}"
    )


def _master_keys(settings: Settings, installed: Installation) -> Finding:
    if not settings.master_keys and not installed.key_file.exists():
        return Finding("warn", "master keys", "none yet; 'omg serve' makes one")
    try:
        ids = installed.master_key_ids()
    except SettingsError as error:
        return Finding("fail", "master keys", str(error))
    source = "OMG_MASTER_KEYS" if settings.master_keys else installed.key_file.name
    return Finding("ok", "master keys", f"{len(ids)} in {source}, newest {ids[0]}")


def _clock(settings: Settings, clock: Clock) -> Finding:
    now = clock.now()
    if now < EARLIEST:
        return Finding("fail", "clock", f"{now:%Y-%m-%d %H:%M} UTC is in the past; set the machine's clock")
    if settings.data_dir.exists() and settings.data_dir.stat().st_mtime > time.time() + 60:
        return Finding("fail", "clock", f"{now:%Y-%m-%d %H:%M} UTC is before the data folder's last change")
    return Finding("ok", "clock", f"{now:%Y-%m-%d %H:%M:%S} UTC")


def _sqlite(version: str, problem: str | None) -> Finding:
    return Finding("fail", "sqlite", problem) if problem else Finding("ok", "sqlite", version)


async def _database(settings: Settings, installed: Installation) -> tuple[list[Finding], bool]:
    """The findings, and whether stored objects can be read."""
    kind = "SQLite" if settings.uses_sqlite else "Postgres"
    try:
        current, needed = await installed.schema()
    except (SettingsError, StoreUnavailable) as error:
        return [Finding("fail", "database", f"{kind}: {error}")], False
    reached = Finding("ok", "database", f"{kind}, reachable")
    if current == needed:
        return [reached, Finding("ok", "migrations", f"schema {needed}, up to date")], True
    if current is None:
        detail = "none applied yet; 'omg serve' or 'omg db upgrade' makes the tables"
        return [reached, Finding("warn", "migrations", detail)], False
    detail = f"schema {current}, needs {needed}; run 'omg db upgrade'"
    return [reached, Finding("fail", "migrations", detail)], False


async def _valkey(settings: Settings, installed: Installation) -> Finding:
    """What limits would be counted with: an answer, the right to write, and a memory that keeps what it is given."""
    parts = urlsplit(settings.valkey_url.reveal())
    where = f"{parts.hostname or '127.0.0.1'}:{parts.port or 6379}"
    try:
        version, trouble, remark = await installed.valkey()
    except SettingsError as error:
        return Finding("fail", "valkey", str(error))
    if trouble:
        return Finding("fail", "valkey", f"{where}: {trouble}")
    if remark:
        return Finding("warn", "valkey", f"{where}: {remark}")
    return Finding("ok", "valkey", f"{where}, {version}" if version else where)


async def _providers(settings: Settings, installed: Installation, *, stored: bool, ask: bool) -> AsyncIterator[Finding]:
    try:
        declared = await installed.declared()
    except SettingsError as error:
        yield Finding("fail", "providers", str(error))
        return
    providers = {provider.id: provider for provider in declared.providers}
    keys = list(declared.keys)
    if stored:
        try:
            found, found_keys = await _stored(installed)
        except (GatewayError, SecretUnreadable, SettingsError) as error:
            yield Finding("fail", "stored keys", str(error))
        else:
            providers |= {provider.id: provider for provider in found}
            keys += found_keys
    if not providers:
        yield Finding("warn", "providers", f"none; set {_free_variables(installed)}, or any other provider's variable")
    for provider in sorted(providers.values(), key=lambda p: p.priority):
        own = [key for key in keys if key.provider_id == provider.id]
        async for finding in _provider(settings, installed.registry, provider, own, ask=ask):
            yield finding


def _free_variables(installed: Installation) -> str:
    presets = {preset.id: preset for preset in installed.registry.presets() if preset.env}
    tiers = ((name, preset.free_tier) for name, preset in presets.items())
    found = worth_trying(tiers, installed.clock.now().date(), 3)
    return ", ".join(presets[name].env[0] for name in found)


async def _stored(installed: Installation) -> tuple[list[Provider], list[ProviderKey]]:
    store = installed.open_store()
    try:
        async with store.read() as unit:
            return list(await unit.providers.list_all()), list(await unit.keys.list_all())
    finally:
        await store.aclose()


async def _provider(
    settings: Settings, registry: ProviderRegistry, provider: Provider, keys: list[ProviderKey], *, ask: bool
) -> AsyncIterator[Finding]:
    subject = f"provider {provider.id}"
    if not provider.enabled:
        yield Finding("ok", subject, "disabled")
        return
    if not keys and registry.requires_key(provider):
        yield Finding("warn", subject, "has no key; add one, or disable it")
        return
    if not ask:
        yield Finding("ok", subject, f"{len(keys)} keys, not asked")
        return
    try:
        client = registry.build(provider, settings.timeouts)
    except GatewayError as error:
        yield Finding("fail", subject, error.message)
        return
    try:
        asked: list[ProviderKey | None] = [*keys] or [None]
        for key in asked:
            label = f"{subject} {key.label}" if key is not None and len(keys) > 1 else subject
            lister = client.capabilities.models
            if lister is None:
                yield Finding("ok", label, "cannot be asked for free")
                continue
            try:
                async with asyncio.timeout(ASK_SECONDS):
                    offered = await lister.list_models(key)
            except UpstreamFailure as failure:
                yield Finding("fail", label, failure.message)
            except TimeoutError:
                yield Finding("fail", label, f"no answer within {ASK_SECONDS:g} s")
            else:
                yield Finding("ok", label, f"{len(offered)} models")
    finally:
        await client.aclose()
