"""Providers, their keys, and what their models cost, as a document writes them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial

import msgspec

from application.admin.price_lists import NewPrices, NewUnits, read_prices, shown_prices, shown_units
from application.admin.prices import Capabilities, ContextWindow, ModelChange, NewPrice, Strengths, Successor
from application.admin.provider_changes import ProviderChange, SettingsChange
from application.configuration.new_providers import KeyLabel, KeyWeight, NewProvider
from application.desired_state.objects import Administration, Draft, Found, Kind, Made, References
from domain.actors import Actor
from domain.errors import RequestInvalid
from domain.keys import ProviderKey
from domain.model_facts import NOTHING_KNOWN, DataPolicy, ModelFacts
from domain.prices import ADMIN, Prices
from domain.providers import ProviderSettings
from domain.quotas import Quotas
from domain.secrets import Secret


class ProviderKeyEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A provider's key as a document writes one."""

    provider: str
    label: KeyLabel = ""
    weight: KeyWeight = 1
    quota: Quotas | None = None


class ModelEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an admin sets of a model: its price, and what else is known of it. Null is what is known without that."""

    provider: str
    model: str
    prices: NewPrices | None = None
    units: NewUnits = {}
    context_window: ContextWindow | None = None
    capabilities: Capabilities | None = None
    strengths: Strengths | None = None
    data_policy: DataPolicy | None = None
    deprecated_at: date | None = None
    retired_at: date | None = None
    successor: Successor | None = None

    @property
    def priced(self) -> bool:
        return self.prices is not None or bool(self.units)


_FACTS = ModelFacts.__struct_fields__


async def _providers(of: Administration, _: References) -> Sequence[Found]:
    """Those that the environment or the settings file declares are only shown: they are changed there."""
    of_file = {each.id for each in of.state.declared.providers if each.owner == "file"}
    async with of.store.read() as unit:
        stored = [each for each in await unit.providers.list_all() if each.id not in of_file]
    listed = [*stored, *of.state.declared.providers]
    return [
        Found(
            each.id,
            each.id,
            NewProvider(
                id=each.id,
                kind=each.kind,
                name=each.name,
                base_url=each.base_url,
                priority=each.priority,
                enabled=each.enabled,
                settings=each.settings if each.owner == "database" else each.settings.shown(),
            ),
            filled=partial(_filled, each.settings),
            closed="" if each.owner == "database" else f"it is declared by the {each.owner}, and changed there",
        )
        for each in listed
    ]


def _filled(stored: ProviderSettings, entry: msgspec.Struct) -> msgspec.Struct:
    """A document that an export made says of what is hidden only that it is there."""
    settings = getattr(entry, "settings", None)
    if not isinstance(settings, ProviderSettings):
        return entry
    return msgspec.structs.replace(entry, settings=settings.with_hidden_of(stored))


def _shown(entry: msgspec.Struct) -> msgspec.Struct:
    settings = getattr(entry, "settings", None)
    return (
        msgspec.structs.replace(entry, settings=settings.shown()) if isinstance(settings, ProviderSettings) else entry
    )


async def _create_provider(of: Administration, actor: Actor, draft: Draft, _: References) -> Made:
    return Made((await of.providers.create(actor, draft.of(NewProvider))).provider.id)


async def _update_provider(of: Administration, actor: Actor, provider_id: str, draft: Draft, _: References) -> object:
    entry = draft.of(NewProvider)
    fields = {name: getattr(entry, name) for name in draft.changed if name != "settings"}
    if "settings" in draft.changed:
        defaults = ProviderSettings()
        fields["settings"] = SettingsChange(
            **{
                name: None if value == getattr(defaults, name) else value
                for name in SettingsChange.__struct_fields__
                for value in [getattr(entry.settings, name)]
            }
        )
    return await of.providers.update(actor, provider_id, ProviderChange(**fields))


async def _provider_keys(of: Administration, _: References) -> Sequence[Found]:
    async with of.store.read() as unit:
        listed = await unit.keys.list_all()
    return [
        Found(
            each.id,
            f"{each.provider_id}/{each.label}",
            ProviderKeyEntry(provider=each.provider_id, label=each.label, weight=each.weight, quota=each.quota),
            _is_secret_of(each),
        )
        for each in listed
    ]


def _is_secret_of(key: ProviderKey) -> Callable[[Secret], bool]:
    return lambda secret: key.secret == secret


async def _create_provider_key(of: Administration, actor: Actor, draft: Draft, _: References) -> Made:
    entry = draft.of(ProviderKeyEntry)
    if draft.secret is None:
        raise RequestInvalid("a new provider key needs a 'secret', such as env:NAME")
    view = await of.provider_keys.add(
        actor, entry.provider, secret=draft.secret, label=entry.label, weight=entry.weight, quota=entry.quota
    )
    return Made(view.key.id)


async def _update_provider_key(of: Administration, actor: Actor, key_id: str, draft: Draft, _: References) -> object:
    entry = draft.of(ProviderKeyEntry)
    return await of.provider_keys.update(
        actor,
        entry.provider,
        key_id,
        secret=draft.secret if draft.secret is not None else msgspec.UNSET,
        weight=entry.weight,
        quota=entry.quota,
    )


async def _delete_provider_key(of: Administration, actor: Actor, found: Found) -> None:
    await of.provider_keys.delete(actor, found.key.partition("/")[0], found.id)


async def _models(of: Administration, _: References) -> Sequence[Found]:
    """Those of which an admin has set a price, or anything else."""
    async with of.store.read() as unit:
        rows, stored = await unit.prices.list_current(), await unit.model_facts.list_all()
    prices = {(each.provider_id, each.model): each.prices for each in rows if each.source == ADMIN}
    facts = {(each.provider_id, each.model): each.facts for each in stored}
    return [
        Found(f"{provider}/{model}", f"{provider}/{model}", entry)
        for provider, model in dict.fromkeys((*prices, *facts))
        for entry in [_model_entry(provider, model, prices.get((provider, model)), facts.get((provider, model)))]
    ]


def _model_entry(provider: str, model: str, prices: Prices | None, facts: ModelFacts | None) -> ModelEntry:
    known = facts or NOTHING_KNOWN
    return ModelEntry(
        provider=provider,
        model=model,
        prices=None if prices is None else shown_prices(prices),
        units={} if prices is None else dict(shown_units(prices)),
        context_window=known.context_window,
        capabilities=known.capabilities,
        strengths=None if known.strengths is None else dict(known.strengths),
        data_policy=known.data_policy,
        deprecated_at=known.deprecated_at,
        retired_at=known.retired_at,
        successor=known.successor,
    )


def _normal_model(entry: msgspec.Struct) -> msgspec.Struct:
    """Raises `RequestInvalid` for what is no price, and where nothing is said at all."""
    if not isinstance(entry, ModelEntry):
        raise TypeError(f"{type(entry).__name__} is no model")
    if not entry.priced and any(getattr(entry, name) is not None for name in _FACTS):
        return entry
    prices = read_prices(entry.prices or NewPrices(), entry.units)
    return msgspec.structs.replace(entry, prices=shown_prices(prices), units=dict(shown_units(prices)))


async def _set_model(of: Administration, actor: Actor, draft: Draft, _: References) -> Made:
    entry = draft.of(ModelEntry)
    facts = {name: value for name in _FACTS if (value := getattr(entry, name)) is not None}
    await of.prices.set_price(actor, _new_price(entry, facts))
    return Made(draft.key)


def _new_price(entry: ModelEntry, facts: Mapping[str, object]) -> NewPrice:
    """A document is looked at before it is applied: nothing in it is asked about again."""
    price = {name: getattr(entry, name) for name in ("provider", "model", "prices", "units")}
    return msgspec.convert({**price, **facts, "confirm": True}, NewPrice, from_attributes=True)


async def _change_model(of: Administration, actor: Actor, _: str, draft: Draft, _refs: References) -> None:
    entry = draft.of(ModelEntry)
    facts = {name: getattr(entry, name) for name in draft.changed if name in _FACTS}
    if not {"prices", "units"} & set(draft.changed):
        await of.prices.change(actor, entry.provider, entry.model, ModelChange(**facts))
    elif entry.priced:
        await of.prices.set_price(actor, _new_price(entry, facts))
    else:
        await of.prices.end_price(actor, entry.provider, entry.model)
        if facts:
            await of.prices.change(actor, entry.provider, entry.model, ModelChange(**facts))


async def _end_model(of: Administration, actor: Actor, found: Found) -> None:
    """What was set of it is taken back: what is known without that holds again."""
    entry = Draft(found.key, found.entry).of(ModelEntry)
    if entry.priced:
        await of.prices.end_price(actor, entry.provider, entry.model)
    if any(getattr(entry, name) is not None for name in _FACTS):
        await of.prices.change(actor, entry.provider, entry.model, ModelChange(**dict.fromkeys(_FACTS)))


UPSTREAMS = (
    Kind(
        section="providers",
        object_kind="provider",
        entry=NewProvider,
        shown=_shown,
        key=lambda entry: str(getattr(entry, "id", "")),
        find=_providers,
        create=_create_provider,
        update=_update_provider,
        delete=lambda of, actor, found: of.providers.delete(actor, found.id),
    ),
    Kind(
        section="provider_keys",
        object_kind="provider_key",
        entry=ProviderKeyEntry,
        key=lambda entry: f"{getattr(entry, 'provider', '')}/{getattr(entry, 'label', '')}",
        find=_provider_keys,
        create=_create_provider_key,
        update=_update_provider_key,
        delete=_delete_provider_key,
        secret="secret",  # noqa: S106 - a field's name
    ),
    Kind(
        section="models",
        object_kind="price",
        entry=ModelEntry,
        key=lambda entry: f"{getattr(entry, 'provider', '')}/{getattr(entry, 'model', '')}",
        find=_models,
        create=_set_model,
        update=_change_model,
        delete=_end_model,
        normal=_normal_model,
        also=("model",),
    ),
)
