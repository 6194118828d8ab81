"""The checks of `omg doctor`: looks at everything, changes nothing, and asks providers for their model lists only."""

import asyncio
import os
import stat
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from adapters.clock import SystemClock
from adapters.persistence.engine import parse_url, sqlite_path
from adapters.persistence.sqlite_driver import prefer_safe_sqlite, sqlite_version, unsafe_sqlite
from adapters.persistence.store import SqlAlchemyStore
from adapters.security.secret_box import AesGcmSecretBox
from domain.errors import GatewayError, StoreUnavailable, UpstreamFailure
from domain.keys import ProviderKey
from domain.ports.providers import ProviderRegistry
from domain.ports.security import SecretUnreadable
from domain.providers import Provider
from entrypoints.ioc.declared import declared_config
from entrypoints.ioc.persistence import check_schema
from entrypoints.ioc.security import key_file, key_ring
from entrypoints.ioc.upstream import build_registry
from entrypoints.settings.model import Settings, SettingsError

ASK_SECONDS = 15.0
EARLIEST = datetime(2026, 11, 1, tzinfo=UTC)
"""This version was made later: a clock that says otherwise is wrong."""


class Finding(msgspec.Struct, frozen=True):
    """The result of one check, in words."""

    verdict: Literal["ok", "warn", "fail"]
    subject: str
    detail: str


async def examine(settings: Settings, *, ask_providers: bool = True) -> AsyncIterator[Finding]:
    """Every check, in an order in which the first failure explains those after it."""
    yield _settings(settings)
    for finding in _files(settings):
        yield finding
    yield _master_keys(settings)
    yield _clock(settings)
    if settings.uses_sqlite:
        yield _sqlite()
    findings, usable = await _database(settings)
    for finding in findings:
        yield finding
    if settings.valkey_url:
        yield await _valkey(settings)
    async for finding in _providers(settings, stored=usable, ask=ask_providers):
        yield finding


def _settings(settings: Settings) -> Finding:
    by_source: dict[str, int] = {}
    for source in settings.sources.values():
        by_source[source] = by_source.get(source, 0) + 1
    changed = [f"{count} from {source}" for source, count in by_source.items() if source != "default"]
    return Finding("ok", "settings", ", ".join(changed) or "all defaults")


def _files(settings: Settings) -> Iterator[Finding]:
    database = sqlite_path(parse_url(settings.database))
    beside = [database.with_name(database.name + suffix) for suffix in ("", "-wal", "-shm")] if database else []
    if not settings.data_dir.exists():
        yield Finding("warn", "data folder", f"{settings.data_dir} is not there yet; 'omg serve' makes it")
        return
    for path, wanted in [(settings.data_dir, 0o700), (key_file(settings), 0o600), *((p, 0o600) for p in beside)]:
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


def _master_keys(settings: Settings) -> Finding:
    if not settings.master_keys and not key_file(settings).exists():
        return Finding("warn", "master keys", "none yet; 'omg serve' makes one")
    try:
        ring = key_ring(settings)
    except SettingsError as error:
        return Finding("fail", "master keys", str(error))
    source = "OMG_MASTER_KEYS" if settings.master_keys else key_file(settings).name
    return Finding("ok", "master keys", f"{len(ring.kids)} in {source}, newest {ring.kids[0]}")


def _clock(settings: Settings) -> Finding:
    now = SystemClock().now()
    if now < EARLIEST:
        return Finding("fail", "clock", f"{now:%Y-%m-%d %H:%M} UTC is in the past; set the machine's clock")
    if settings.data_dir.exists() and settings.data_dir.stat().st_mtime > time.time() + 60:
        return Finding("fail", "clock", f"{now:%Y-%m-%d %H:%M} UTC is before the data folder's last change")
    return Finding("ok", "clock", f"{now:%Y-%m-%d %H:%M:%S} UTC")


def _sqlite() -> Finding:
    prefer_safe_sqlite()
    problem = unsafe_sqlite()
    return Finding("fail", "sqlite", problem) if problem else Finding("ok", "sqlite", sqlite_version())


async def _database(settings: Settings) -> tuple[list[Finding], bool]:
    """The findings, and whether stored objects can be read."""
    kind = "SQLite" if settings.uses_sqlite else "Postgres"
    try:
        state = await check_schema(settings)
    except (SettingsError, StoreUnavailable) as error:
        return [Finding("fail", "database", f"{kind}: {error}")], False
    reached = Finding("ok", "database", f"{kind}, reachable")
    if state.up_to_date:
        return [reached, Finding("ok", "migrations", f"schema {state.head}, up to date")], True
    if state.current is None:
        detail = "none applied yet; 'omg serve' or 'omg db upgrade' makes the tables"
        return [reached, Finding("warn", "migrations", detail)], False
    detail = f"schema {state.current}, needs {state.head}; run 'omg db upgrade'"
    return [reached, Finding("fail", "migrations", detail)], False


async def _valkey(settings: Settings) -> Finding:
    """One PING, without credentials: an answer of any kind shows that a server listens."""
    parts = urlsplit(settings.valkey_url.reveal())
    where = f"{parts.hostname or '127.0.0.1'}:{parts.port or 6379}"
    try:
        async with asyncio.timeout(3):
            reader, writer = await asyncio.open_connection(parts.hostname or "127.0.0.1", parts.port or 6379)
            writer.write(b"PING\r\n")
            answer = await reader.readline()
            writer.close()
    except (OSError, TimeoutError) as error:
        return Finding("fail", "valkey", f"{where}: {str(error) or 'no answer within 3 s'}")
    return Finding("ok" if answer[:1] in {b"+", b"-"} else "fail", "valkey", where)


async def _providers(settings: Settings, *, stored: bool, ask: bool) -> AsyncIterator[Finding]:
    registry = build_registry(settings)
    try:
        declared = declared_config(settings, registry, SystemClock())
    except SettingsError as error:
        yield Finding("fail", "providers", str(error))
        return
    providers = {provider.id: provider for provider in declared.providers}
    keys = list(declared.keys)
    if stored:
        try:
            found, found_keys = await _stored(settings)
        except (GatewayError, SecretUnreadable, SettingsError) as error:
            yield Finding("fail", "stored keys", str(error))
        else:
            providers |= {provider.id: provider for provider in found}
            keys += found_keys
    if not providers:
        yield Finding("warn", "providers", "none; set CEREBRAS_API_KEY, OPENROUTER_API_KEY or GEMINI_API_KEY")
    for provider in sorted(providers.values(), key=lambda p: p.priority):
        own = [key for key in keys if key.provider_id == provider.id]
        async for finding in _provider(settings, registry, provider, own, ask=ask):
            yield finding


async def _stored(settings: Settings) -> tuple[list[Provider], list[ProviderKey]]:
    store = SqlAlchemyStore(settings.database, AesGcmSecretBox(key_ring(settings)))
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
