"""Newer price catalogs: what one would change, taking it in, and going back; prices in the books stay (R-17)."""

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, Literal

import msgspec

from application.admin.config_write import Change, config_write
from application.pricing.book import catalogs_in_force
from application.snapshot import GatewayState
from domain.actors import Actor
from domain.errors import Conflict, NotFound, RequestInvalid
from domain.ports.price_catalogs import CatalogDownload, CatalogFormat, ConvertedCatalog
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.runtime import Clock
from domain.price_catalogs import IN_FORCE, CatalogChange, ListedModel, StoredCatalog

MANY_TIMES: Final = 10
"""A price this many times the one before, either way, must be confirmed, as one that an admin sets."""

KIND: Final = "price_catalog"


class CatalogUpdate(msgspec.Struct, frozen=True):
    """What taking a published file in would change. `presets` are those that the gateway has providers of."""

    stored: StoredCatalog
    before: str
    changes: tuple[CatalogChange, ...]
    presets: frozenset[str]
    skipped: tuple[str, ...] = ()

    @property
    def in_use(self) -> tuple[CatalogChange, ...]:
        """Of providers that the gateway has."""
        return tuple(each for each in self.changes if not self.presets.isdisjoint(each.presets))

    @property
    def far(self) -> tuple[CatalogChange, ...]:
        """Those of them with a price that is many times the one before, or a part of it."""
        return tuple(each for each in self.in_use if any(_is_far(*pair) for pair in each.prices.values()))


class CatalogUpdates:
    """Takes catalogs in. Raises `RequestInvalid` and `StoreUnavailable`."""

    def __init__(
        self, store: Store, state: GatewayState, formats: CatalogFormat, download: CatalogDownload, clock: Clock
    ) -> None:
        self._store = store
        self._state = state
        self._formats = formats
        self._download = download
        self._clock = clock

    @property
    def published_at(self) -> str:
        """The URL where the newest catalog is."""
        return self._formats.published_at

    async def fetch(self, url: str) -> bytes:
        """A published file."""
        return await self._download.fetch(url)

    async def preview(self, published: bytes, origin: str, sha256: str | None = None) -> CatalogUpdate:
        """What would change. Raises `RequestInvalid` also where it is not the file of `sha256`."""
        digest = hashlib.sha256(published).hexdigest()
        if sha256 is not None and sha256.strip().lower() != digest:
            raise RequestInvalid(
                f"{origin} is another file than the one you looked at: its sha256 is {digest}. Look at what it "
                "changes, and name that checksum.",
                param="sha256",
            )
        async with self._store.read() as unit:
            before = await catalogs_in_force(unit)
            now = await unit.prices.get_catalog(before[-1]) if before else None
        version = self._formats.version_of(f"{self._clock.now():%Y-%m-%d}.{digest[:12]}")
        made = self._formats.convert(published, version)
        old = self._formats.listed(now.content if now is not None else None)
        changes = _changes(old, self._formats.listed(made.content))
        presets = frozenset(live.preset.id for live in self._state.current.live if live.preset is not None)
        named = now.version if now is not None else self._formats.release_version()
        return CatalogUpdate(self._stored(version, digest, origin, made), named, changes, presets, made.skipped)

    def _stored(self, version: str, digest: str, origin: str, made: ConvertedCatalog) -> StoredCatalog:
        return StoredCatalog(version, digest, origin[:512], made.models, self._clock.now(), made.content)

    async def apply(self, actor: Actor, update: CatalogUpdate, *, confirm: bool = False) -> None:
        """In force from now on, here and, within a second, in every process. Raises `Conflict` where a price in use is
        many times what it was, until that is confirmed.
        """
        if update.far and not confirm:
            names = ", ".join(f"{each.provider}/{each.model}" for each in update.far[:5])
            raise Conflict(
                f"{len(update.far)} models in use would cost {MANY_TIMES} times what they do, or a tenth: {names}. "
                "If it is meant, confirm it.",
                code="confirmation_required",
                param="confirm",
            )
        stored = update.stored
        async with config_write(self._store, self._state, actor, Change("set", KIND, stored.version)) as unit:
            await unit.prices.add_catalog(stored)
            names_in_force = [each for each in await catalogs_in_force(unit) if each != stored.version]
            await _put(unit, [*names_in_force, stored.version])

    async def roll_back(self, actor: Actor) -> str:
        """The one before is in force again, or the release's; its version. Raises `NotFound` where that is already."""
        async with self._store.read() as unit:
            before = await catalogs_in_force(unit)
        if not before:
            raise NotFound("The prices in force are those of this release: there is nothing to go back to.")
        async with config_write(self._store, self._state, actor, Change("end", KIND, before[-1])) as unit:
            left = [each for each in await catalogs_in_force(unit) if each != before[-1]]
            await _put(unit, left)
        return left[-1] if left else self._formats.release_version()

    async def versions(self) -> Sequence[tuple[StoredCatalog, bool]]:
        """Every catalog that was taken in, the newest first, and whether it is in force; without their contents."""
        async with self._store.read() as unit:
            in_force = await catalogs_in_force(unit)
            stored = await unit.prices.list_catalogs()
        return [(each, in_force[-1:] == [each.version]) for each in stored]

    @property
    def release_version(self) -> str:
        """That of the catalog that came with the release."""
        return self._formats.release_version()


async def _put(unit: UnitOfWork, versions: Sequence[str]) -> None:
    await unit.facts.put(IN_FORCE, msgspec.json.encode(versions).decode())


def _changes(before: Sequence[ListedModel], after: Sequence[ListedModel]) -> tuple[CatalogChange, ...]:
    old = {(each.provider, each.model): each for each in before}
    new = {(each.provider, each.model): each for each in after}
    found = []
    for key in sorted(old.keys() | new.keys()):
        one, other = old.get(key), new.get(key)
        prices = _difference(one.prices if one else {}, other.prices if other else {})
        shown = other or one
        if shown is not None and (prices or one is None or other is None):
            kind: Literal["new", "changed", "gone"] = "changed"
            if one is None or other is None:
                kind = "new" if one is None else "gone"
            found.append(CatalogChange(kind, *key, shown.presets, prices))
    return tuple(found)


def _difference(before: Mapping[str, str], after: Mapping[str, str]) -> Mapping[str, tuple[str | None, str | None]]:
    paths = [*before, *(path for path in after if path not in before)]
    return {path: (before.get(path), after.get(path)) for path in paths if before.get(path) != after.get(path)}


def _is_far(before: str | None, after: str | None) -> bool:
    if before is None or after is None or "none" in (before, after):
        return False
    old, new = Decimal(before), Decimal(after)
    return new > MANY_TIMES * old or old > MANY_TIMES * new
