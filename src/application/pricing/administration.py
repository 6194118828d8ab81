"""Prices as an admin sees and sets them: superseded, never changed, and asked about where they look mistyped (R-17)."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from application.admin.config_write import config_write
from application.admin.ownership import no_such_provider
from application.admission.authentication import DEFAULT_TENANT_ID
from application.catalog import ModelDirectory
from application.pricing.book import LivePriceBook
from application.snapshot import GatewayState
from domain.errors import Conflict, NotFound, RequestInvalid
from domain.keys import Principal
from domain.models import Model
from domain.money import nano_usd_per_million, usd
from domain.ports.repositories import Store
from domain.ports.runtime import Clock, IdFactory
from domain.prices import ADMIN, PriceRow, Prices

MANY_TIMES: Final = 10
"""A price this many times the one in force, either way, is asked about: a wrong unit is off by a thousand."""

_EVERYTHING = Principal("admin", None, DEFAULT_TENANT_ID)

Usd = Annotated[str, Meta(min_length=1, max_length=32)]
"""USD per million tokens, as a decimal string."""


class NewPrices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """USD per million tokens, as decimal strings. A part that is left out costs what `input` or `output` costs,
    `cache_write_1h` what `cache_write` costs.
    """

    input: Usd
    output: Usd
    cache_read: Usd | None = None
    cache_write: Usd | None = None
    cache_write_1h: Usd | None = None
    reasoning: Usd | None = None
    audio_input: Usd | None = None
    audio_output: Usd | None = None
    image: Usd | None = None


class NewPrice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A price to set. `confirm` says that it is meant, where it differs more than tenfold from the one in force."""

    provider: Annotated[str, Meta(min_length=1, max_length=63)]
    model: Annotated[str, Meta(min_length=1, max_length=512)]
    prices: NewPrices
    confirm: bool = False


class PricedModel(msgspec.Struct, frozen=True):
    """A model that is offered or has a price, and the price in force, None for an unpriced one."""

    provider_id: str
    model: str
    offered: Model | None
    price: PriceRow | None


class PriceAdmin:
    """Lists models with their prices, sets prices, ends them."""

    def __init__(
        self,
        store: Store,
        state: GatewayState,
        directory: ModelDirectory,
        book: LivePriceBook,
        clock: Clock,
        ids: IdFactory,
    ) -> None:
        self._store = store
        self._state = state
        self._directory = directory
        self._book = book
        self._clock = clock
        self._ids = ids

    def list_models(self, provider_id: str | None, model: str | None) -> list[PricedModel]:
        """Offered ones in the order in which their providers are tried, then those that only have a price."""
        found: dict[tuple[str, str], Model | None] = {
            (live.provider.id, offered.id): offered
            for live in self._state.current.live
            if provider_id in {None, live.provider.id}
            for offered in self._directory.visible_to(_EVERYTHING, live.provider.id)
        }
        for row in sorted(self._book.set_by_admins(), key=lambda row: (row.provider_id, row.model)):
            if provider_id in {None, row.provider_id}:
                found.setdefault((row.provider_id, row.model), None)
        return [
            PricedModel(provider, name, offered, self._book.look_up(provider, name))
            for (provider, name), offered in found.items()
            if model in {None, name}
        ]

    def get(self, provider_id: str, model: str) -> PricedModel:
        """Raises `NotFound` for a model that is neither offered nor priced."""
        for found in self.list_models(provider_id, model):
            return found
        price = self._book.look_up(provider_id, model)
        if price is None:
            raise NotFound(
                f"Provider '{provider_id}' does not list a model '{model}', and it has no price. It may work all the "
                "same; POST /admin/models sets a price for it.",
                code="model_not_found",
            )
        return PricedModel(provider_id, model, None, price)

    async def set_price(self, new: NewPrice) -> PricedModel:
        """In force from now on. Raises `RequestInvalid`, and `Conflict` where it must be confirmed."""
        prices = _read(new.prices)
        if new.provider not in self._state.current.by_id:
            raise RequestInvalid(no_such_provider(new.provider).message, param="provider")
        before = self._book.look_up(new.provider, new.model)
        if before is not None and not new.confirm:
            _ask_if_far(before.prices, prices, f"{new.provider}/{new.model}")
        async with config_write(self._store) as unit:
            row = PriceRow(self._ids.new("price"), new.provider, new.model, prices, ADMIN, self._clock.now())
            await unit.prices.supersede(row)
        await self._took_effect()
        return self.get(new.provider, new.model)

    async def end_price(self, provider_id: str, model: str) -> None:
        """The catalog's price holds again. Raises `NotFound` where no admin has set one."""
        async with config_write(self._store) as unit:
            current = await unit.prices.list_current()
            ended = next((row for row in current if (row.provider_id, row.model) == (provider_id, model)), None)
            if ended is None or not await unit.prices.end(ended.id, self._clock.now()):
                raise NotFound(
                    f"No price was set for '{provider_id}/{model}'; what the catalog says cannot be removed. "
                    "POST /admin/models sets another price over it."
                )
        await self._took_effect()

    async def _took_effect(self) -> None:
        await self._book.reload()
        await self._state.reload()


def _read(new: NewPrices) -> Prices:
    read: dict[str, int] = {}
    for meter in new.__struct_fields__:
        price: str | None = getattr(new, meter)
        if price is None:
            continue
        try:
            read[meter] = nano_usd_per_million(price)
        except ValueError as error:
            raise RequestInvalid(
                f'{error}. Prices are decimal strings in USD per million tokens, like "0.60".',
                param=f"prices.{meter}",
            ) from error
    return Prices(**read)


def _ask_if_far(before: Prices, after: Prices, name: str) -> None:
    far = [meter for meter in Prices.__struct_fields__ if _is_far(before, after, meter)]
    if far:
        told = "; ".join(_in_words(meter, before.of(meter), after.of(meter)) for meter in far)
        raise Conflict(
            f"This changes the price of {name} more than {MANY_TIMES} times: {told}. Prices are per million tokens. If "
            'it is meant, send it again with "confirm": true.',
            code="confirmation_required",
            param="confirm",
        )


def _is_far(before: Prices, after: Prices, meter: str) -> bool:
    """A part that had no price of its own may well be much cheaper now, as cached tokens are; never much dearer."""
    if getattr(after, meter) is None:
        return False
    old, new = before.of(meter), after.of(meter)
    if new > MANY_TIMES * old:
        return True
    return getattr(before, meter) is not None and old > MANY_TIMES * new


def _in_words(meter: str, before: int, after: int) -> str:
    name = f"{meter.replace('_', ' ')} tokens"
    return (
        f"1,000 {name} would cost ${usd(_of_a_thousand(after))} instead of ${usd(_of_a_thousand(before))}, 1,000,000 "
        f"${usd(after)} instead of ${usd(before)}"
    )


def _of_a_thousand(price: int) -> int:
    return price // 1000
