"""The price book: an admin's price where there is one, else the catalog's, resolved once and kept in memory."""

import asyncio
import hashlib
from datetime import datetime

import msgspec
from typing_extensions import override

from application.snapshot import GatewayState
from domain.errors import StoreUnavailable
from domain.ports.prices import CatalogPrice, PriceBook, PriceCatalog
from domain.ports.repositories import Store
from domain.ports.runtime import Clock
from domain.prices import ADMIN, ALWAYS, PriceRow

MAX_RESOLVED = 8192
"""Models whose catalog price is remembered; clients name them, so there must be an end to it."""

MAX_ID_LENGTH = 128


class _Resolved(msgspec.Struct, frozen=True):
    row: PriceRow | None
    until: datetime | None


class LivePriceBook(PriceBook):
    """Follows the configuration: call `load` at start, `follow` every second, `forget` when others changed it.

    A catalog price is written to the store the first time it is used, by `follow`: its id is made of the
    catalog's version, the provider and the model, so that every process writes the same row.
    """

    def __init__(self, store: Store, state: GatewayState, catalog: PriceCatalog, clock: Clock) -> None:
        self._store = store
        self._state = state
        self._catalog = catalog
        self._clock = clock
        self._set: dict[tuple[str, str], PriceRow] = {}
        self._resolved: dict[tuple[str, str], _Resolved] = {}
        self._generation = -1
        self._stale = True
        self._kept: set[str] = set()
        self._to_keep: dict[str, PriceRow] = {}

    async def load(self) -> None:
        """Read the catalog, off the loop, and what admins have set. Raises `StoreUnavailable`."""
        await asyncio.to_thread(self._catalog.load)
        await self.reload()

    async def reload(self) -> None:
        """Read what admins have set. Raises `StoreUnavailable` and keeps what it knew."""
        self._stale = False
        try:
            async with self._store.read() as unit:
                rows = await unit.prices.list_current()
        except BaseException:
            self._stale = True
            raise
        self._set = {(row.provider_id, row.model): row for row in rows}

    def forget(self) -> None:
        """Another process changed the configuration: what admins have set is read again by `follow`."""
        self._stale = True

    async def follow(self) -> None:
        """Read again what may have changed, and write down what was used. A store that is away waits."""
        try:
            if self._stale:
                await self.reload()
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
        live = self._state.current.by_id.get(provider_id)
        if live is None or live.preset is None:
            return _Resolved(None, None)
        answer = self._catalog.find(live.preset.id, model, self._clock.now())
        row = self._row(provider_id, model, answer.price) if answer.price is not None else None
        return _Resolved(row, answer.until)

    def _row(self, provider_id: str, model: str, price: CatalogPrice) -> PriceRow:
        source = self._catalog.source
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


def _price_id(source: str, provider_id: str, model: str, variant: int) -> str:
    """The same for the same price in every process; a name too long for an id is stood in for by its digest."""
    version = source.rpartition(" ")[2]
    tail = f"#{variant}" if variant else ""
    price_id = f"catalog:{version}:{provider_id}:{model}{tail}"
    if len(price_id) <= MAX_ID_LENGTH:
        return price_id
    digest = hashlib.sha256(model.encode(errors="surrogatepass")).hexdigest()[:32]
    return f"catalog:{version}:{provider_id}:{digest}{tail}"
