"""The price book: an admin's price where there is one, else the catalog's, resolved once and kept in memory."""

import asyncio
import hashlib
import logging
from datetime import datetime
from typing import Final

import msgspec
from typing_extensions import override

from application.snapshot import GatewayState
from domain.errors import RequestInvalid, StoreUnavailable
from domain.ports.price_catalogs import CatalogFormat
from domain.ports.prices import CatalogPrice, PriceBook, PriceCatalog
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.runtime import Clock
from domain.price_catalogs import IN_FORCE
from domain.prices import ADMIN, ALWAYS, PriceRow, Prices
from domain.routes import MOCK_PROVIDER

log = logging.getLogger(__name__)

MAX_RESOLVED = 8192
"""Models whose catalog price is remembered; clients name them, so there must be an end to it."""

MAX_ID_LENGTH = 128

FLAT_FEE: Final = "flat_fee"
"""The source of the price of what a plan has paid for: nothing."""

NOTHING: Final = Prices(0, 0)


class _Resolved(msgspec.Struct, frozen=True):
    row: PriceRow | None
    until: datetime | None


class LivePriceBook(PriceBook):
    """Call `load` at start, `reload` when the prices in the store changed, `keep_used` every second.

    A catalog price is written to the store after it was first used, by `keep_used`: its id is made of the
    catalog's version, the provider and the model, so that every process writes the same row.
    """

    def __init__(
        self,
        store: Store,
        state: GatewayState,
        catalog: PriceCatalog,
        clock: Clock,
        formats: CatalogFormat | None = None,
    ) -> None:
        """`catalog` is the release's; without `formats` there is no other."""
        self._store = store
        self._state = state
        self._catalog = self._of_release = catalog
        self._formats = formats
        self._version: str | None = None  # of a catalog that was taken in
        self._clock = clock
        self._set: dict[tuple[str, str], PriceRow] = {}
        self._resolved: dict[tuple[str, str], _Resolved] = {}
        self._generation = -1
        self._kept: set[str] = set()
        self._to_keep: dict[str, PriceRow] = {}

    async def load(self) -> None:
        """Read the catalog, off the loop."""
        await asyncio.to_thread(self._catalog.load)

    async def reload(self, unit: UnitOfWork) -> None:
        """Read what admins have set and which catalog holds. Raises `StoreUnavailable` and keeps what it knew."""
        rows = await unit.prices.list_current()
        self._set = {(row.provider_id, row.model): row for row in rows}
        if self._formats is not None:
            await self._follow_catalog(unit, self._formats)

    async def _follow_catalog(self, unit: UnitOfWork, formats: CatalogFormat) -> None:
        """Another catalog may be in force."""
        in_force = await catalogs_in_force(unit)
        version = in_force[-1] if in_force else None
        if version == self._version:
            return
        stored = None if version is None else await unit.prices.get_catalog(version)
        self._catalog = self._of_release
        self._version = version
        self._resolved.clear()
        if stored is None:
            return
        try:
            self._catalog = formats.open(stored.content)
        except RequestInvalid:
            log.exception("a price catalog cannot be read: the release's holds", extra={"version": stored.version})

    async def keep_used(self) -> None:
        """Write down what was used. A store that is away waits."""
        try:
            if self._to_keep:
                await self._keep()
        except StoreUnavailable:
            return  # said elsewhere every second; nothing is lost, and this runs again

    def set_by_admins(self) -> list[PriceRow]:
        """Every price that an admin has set and not ended."""
        return list(self._set.values())

    @override
    def find(self, provider_id: str, model: str) -> PriceRow | None:
        row = self.look_up(provider_id, model)
        if row is not None and row.id not in self._kept and row.source != ADMIN and len(self._to_keep) < MAX_RESOLVED:
            self._to_keep[row.id] = row
        return row

    @override
    def look_up(self, provider_id: str, model: str) -> PriceRow | None:
        key = (provider_id, model)
        row = self._set.get(key)
        return row if row is not None else self.catalog_price(provider_id, model)

    def catalog_price(self, provider_id: str, model: str) -> PriceRow | None:
        """What it costs where no admin says otherwise."""
        if self._generation != self._state.generation:  # a provider may have another preset now
            self._resolved.clear()
            self._generation = self._state.generation
        key = (provider_id, model)
        resolved = self._resolved.get(key)
        if resolved is None or (resolved.until is not None and self._clock.now() >= resolved.until):
            resolved = self._resolve(provider_id, model)
            if len(self._resolved) >= MAX_RESOLVED:
                self._resolved.clear()
            self._resolved[key] = resolved
        return resolved.row

    def _resolve(self, provider_id: str, model: str) -> _Resolved:
        if provider_id == MOCK_PROVIDER:
            return _Resolved(self._row(provider_id, model, CatalogPrice(NOTHING), MOCK_PROVIDER), None)
        live = self._state.current.by_id.get(provider_id)
        declared = next(
            (row for row in self._state.declared.prices if (row.provider_id, row.model) == (provider_id, model)), None
        )
        if declared is not None and live is not None:
            return _Resolved(declared, None)
        if live is not None and live.provider.settings.flat_fee:
            return _Resolved(self._row(provider_id, model, CatalogPrice(NOTHING), FLAT_FEE), None)
        if live is None or live.preset is None:
            return _Resolved(None, None)
        answer = self._catalog.find(live.preset.id, model, self._clock.now())
        row = self._row(provider_id, model, answer.price, self._catalog.source) if answer.price is not None else None
        return _Resolved(row, answer.until)

    def _row(self, provider_id: str, model: str, price: CatalogPrice, source: str) -> PriceRow:
        price_id = _price_id(source, provider_id, model, price.variant)
        return PriceRow(price_id, provider_id, model, price.prices, source, price.starts or ALWAYS)

    async def _keep(self) -> None:
        rows = list(self._to_keep.values())
        async with self._store.write() as unit:
            await unit.prices.keep(rows)
        for row in rows:
            self._to_keep.pop(row.id, None)
        if len(self._kept) >= MAX_RESOLVED:
            self._kept.clear()  # writing a row again changes nothing
        self._kept.update(row.id for row in rows)


async def catalogs_in_force(unit: UnitOfWork) -> list[str]:
    """The versions of the catalogs that were taken in, the one that holds last; empty where the release's does."""
    named = await unit.facts.get(IN_FORCE)
    return [] if named is None else msgspec.json.decode(named, type=list[str])


def _price_id(source: str, provider_id: str, model: str, variant: int) -> str:
    """The same for the same price in every process; a name too long for an id is stood in for by its digest."""
    version = source.rpartition(" ")[2]
    tail = f"#{variant}" if variant else ""
    price_id = f"catalog:{version}:{provider_id}:{model}{tail}"
    if len(price_id) <= MAX_ID_LENGTH:
        return price_id
    digest = hashlib.sha256(model.encode(errors="surrogatepass")).hexdigest()[:32]
    return f"catalog:{version}:{provider_id}:{digest}{tail}"
