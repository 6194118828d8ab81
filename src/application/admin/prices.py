"""Models as an admin sees and sets them. Prices are superseded, never changed, and asked about where they look mistyped
(R-17).
"""

from datetime import date
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from application.admin.config_write import Change, config_write, no_such_provider
from application.admin.price_lists import NewPrices, NewUnits, read_prices, sub_rates
from application.admission.authentication import DEFAULT_TENANT_ID
from application.catalog import ModelDirectory
from application.model_facts import LiveModelFacts
from application.pricing.book import LivePriceBook
from application.snapshot import GatewayState
from domain.actors import Actor
from domain.errors import Conflict, NotFound, RequestInvalid
from domain.keys import Principal
from domain.measurements import Measured
from domain.model_facts import (
    NOTHING_KNOWN,
    Capability,
    DataPolicy,
    ModelFacts,
    Share,
    StoredModelFacts,
    TaskName,
)
from domain.models import Model
from domain.money import usd
from domain.ports.models import Measurements
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.runtime import Clock, IdFactory
from domain.prices import ADMIN, METERS, PriceRow, Prices, Rates

MANY_TIMES: Final = 10
"""A price this many times the one in force, either way, is asked about: a wrong unit is off by a thousand."""

_EVERYTHING = Principal("admin", None, DEFAULT_TENANT_ID)


ContextWindow = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Capabilities = Annotated[tuple[Capability, ...], Meta(max_length=32)]
Strengths = Annotated[dict[TaskName, Share], Meta(max_length=32)]
Successor = Annotated[str, Meta(min_length=1, max_length=512)]


class ModelChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to set of a model beside its price: what is absent stays, null goes back to what is known without it.

    Of `strengths` each task is between 0 and 1; `data_policy` is replaced as a whole.
    """

    context_window: ContextWindow | UnsetType | None = UNSET
    capabilities: Capabilities | UnsetType | None = UNSET
    strengths: Strengths | UnsetType | None = UNSET
    data_policy: DataPolicy | UnsetType | None = UNSET
    deprecated_at: date | UnsetType | None = UNSET
    retired_at: date | UnsetType | None = UNSET
    successor: Successor | UnsetType | None = UNSET

    def over(self, facts: ModelFacts) -> ModelFacts:
        """`facts` with this change applied."""
        names = ModelFacts.__struct_fields__
        changes = {name: value for name in names if (value := getattr(self, name)) is not UNSET}
        return msgspec.structs.replace(facts, **changes)

    @property
    def changes_nothing(self) -> bool:
        """Whether it names no fact."""
        return all(getattr(self, name) is UNSET for name in ModelFacts.__struct_fields__)

    @property
    def takes_back_alone(self) -> bool:
        """Whether it says nothing new of the model."""
        return all(getattr(self, name) in (UNSET, None) for name in ModelFacts.__struct_fields__)


class NewPrice(ModelChange, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A price to set, and what else there is to say of the model; without a price only that.

    `confirm` says that it is meant, where a price differs more than tenfold from the one in force.
    """

    provider: Annotated[str, Meta(min_length=1, max_length=63)]
    model: Annotated[str, Meta(min_length=1, max_length=512)]
    prices: NewPrices | None = None
    units: Annotated[NewUnits, Meta(max_length=16)] = {}
    confirm: bool = False


class PricedModel(msgspec.Struct, frozen=True):
    """A model that is offered or of which something was set: its price in force, None for an unpriced one, what is
    known of it, and what was measured."""

    provider_id: str
    model: str
    offered: Model | None
    price: PriceRow | None
    facts: ModelFacts
    measured: Measured | None


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
        facts: LiveModelFacts,
        measurements: Measurements,
    ) -> None:
        self._store = store
        self._state = state
        self._directory = directory
        self._book = book
        self._clock = clock
        self._ids = ids
        self._facts = facts
        self._measurements = measurements

    def list_models(self, provider_id: str | None, model: str | None) -> list[PricedModel]:
        """Offered ones in the order in which their providers are tried, then those that only have a price."""
        found: dict[tuple[str, str], Model | None] = {
            (live.provider.id, offered.id): offered
            for live in self._state.current.live
            if provider_id in {None, live.provider.id}
            for offered in self._directory.visible_to(_EVERYTHING, live.provider.id)
        }
        priced = {(row.provider_id, row.model) for row in self._book.set_by_admins()}
        for key in sorted(priced | self._facts.overrides.keys()):
            if provider_id in {None, key[0]}:
                found.setdefault(key, None)
        return [self._of(*key, offered) for key, offered in found.items() if model in {None, key[1]}]

    def _of(self, provider_id: str, model: str, offered: Model | None) -> PricedModel:
        price, facts = self._book.look_up(provider_id, model), self._facts.of(provider_id, model)
        return PricedModel(provider_id, model, offered, price, facts, self._measurements.measured(provider_id, model))

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
        return self._of(provider_id, model, None)

    async def set_price(self, actor: Actor, new: NewPrice) -> PricedModel:
        """In force from now on. Raises `RequestInvalid`, and `Conflict` where it must be confirmed."""
        if new.prices is None and not new.units and not new.changes_nothing:
            return await self.change(actor, new.provider, new.model, new)
        prices = read_prices(new.prices or NewPrices(), new.units)
        if new.provider not in self._state.current.by_id:
            raise RequestInvalid(no_such_provider(new.provider).message, param="provider")
        before = self._book.look_up(new.provider, new.model)
        if before is not None and not new.confirm:
            _ask_if_far(before.prices, prices, f"{new.provider}/{new.model}")
        change = Change("set", "price", f"{new.provider}/{new.model}")
        async with config_write(self._store, self._state, actor, change) as unit:
            row = PriceRow(self._ids.new("price"), new.provider, new.model, prices, ADMIN, self._clock.now())
            await unit.prices.supersede(row)
            if not new.changes_nothing:
                await _put_facts(unit, new.provider, new.model, new)
        return self.get(new.provider, new.model)

    async def change(self, actor: Actor, provider_id: str, model: str, change: ModelChange) -> PricedModel:
        """Set what there is to say of it beside its price. Raises `RequestInvalid` where there is no such provider."""
        if provider_id not in self._state.current.by_id and not change.takes_back_alone:
            raise RequestInvalid(no_such_provider(provider_id).message, param="provider")
        written = Change("update", "model", f"{provider_id}/{model}")
        async with config_write(self._store, self._state, actor, written) as unit:
            await _put_facts(unit, provider_id, model, change)
        return self._of(provider_id, model, self._offered(provider_id, model))

    def _offered(self, provider_id: str, model: str) -> Model | None:
        listed = (
            self._directory.visible_to(_EVERYTHING, provider_id) if provider_id in self._state.current.by_id else []
        )
        return next((offered for offered in listed if offered.id == model), None)

    async def end_price(self, actor: Actor, provider_id: str, model: str) -> None:
        """The catalog's price holds again. Raises `NotFound` where no admin has set one."""
        change = Change("end", "price", f"{provider_id}/{model}")
        async with config_write(self._store, self._state, actor, change) as unit:
            current = await unit.prices.list_current()
            ended = next((row for row in current if (row.provider_id, row.model) == (provider_id, model)), None)
            if ended is None or not await unit.prices.end(ended.id, self._clock.now()):
                raise NotFound(
                    f"No price was set for '{provider_id}/{model}'; what the catalog says cannot be removed. "
                    "POST /admin/models sets another price over it."
                )


async def _put_facts(unit: UnitOfWork, provider_id: str, model: str, change: ModelChange) -> None:
    before = await unit.model_facts.get(provider_id, model) or NOTHING_KNOWN
    await unit.model_facts.put(StoredModelFacts(provider_id, model, change.over(before)))


def _ask_if_far(before: Prices, after: Prices, name: str) -> None:
    far = [(meter, before.of(meter), after.of(meter)) for meter in METERS if _is_far(before, after, meter)]
    for rates in sub_rates(after):  # what is dearer than its own list by so much is mistyped as well
        whole = rates.over(after)
        far += [(meter, after.of(meter), whole.of(meter)) for meter in METERS if _is_far(after, rates, meter)]
    if far:
        changes = "; ".join(_in_words(meter, old or 0, new or 0) for meter, old, new in far)
        raise Conflict(
            f"This changes the price of {name} more than {MANY_TIMES} times: {changes}. Prices are per million tokens. "
            'If it is meant, send it again with "confirm": true.',
            code="confirmation_required",
            param="confirm",
        )


def _is_far(before: Rates, after: Rates, meter: str) -> bool:
    """A part that had no price of its own may well be much cheaper now, as cached tokens are; never much dearer."""
    old, new = before.of(meter), getattr(after, meter)
    if new is None or old is None:
        return False
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
