"""Providers as an admin sees and changes them, and how each of them and its keys stand."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

import msgspec

from application.admin.config_write import (
    Change,
    config_write,
    declared,
    no_such_provider,
    preset_of,
    read_only,
    record_change,
    refuse_declared,
)
from application.admin.paging import Page, page_of
from application.admin.provider_changes import ProviderChange, SettingsChange, origin_of
from application.catalog import ModelDirectory
from application.configuration.new_providers import NewProvider, check_provider, filled
from application.inference.calls import key_id_of
from application.snapshot import GatewayState, LiveProvider
from domain.actors import Actor
from domain.availability import KeyCondition, KeyState, ProviderStatus
from domain.errors import Conflict
from domain.free_tiers import FreeTier
from domain.ports.policies import AvailabilityPolicy
from domain.ports.providers import ProviderRegistry
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.runtime import Clock
from domain.provider_headers import is_hidden
from domain.providers import Provider, check_provider_id
from domain.quotas import QuotaStanding, provider_owner_id

_WORST_FIRST = (KeyCondition.INVALID, KeyCondition.EXHAUSTED, KeyCondition.RATE_LIMITED)


class Standing(msgspec.Struct, frozen=True):
    """A status, when it ends where that is known, and why it is so."""

    status: ProviderStatus
    available_at: datetime | None = None
    reason: str = ""


def key_ids_of(live: LiveProvider) -> tuple[str, ...]:
    """Every id under which availability is kept for this provider."""
    return (*(key.id for key in live.keys), key_id_of(live.provider.id, None))


def standing_of_key(state: KeyState) -> Standing:
    available_at = None if state.condition is KeyCondition.AVAILABLE else state.until
    return Standing(ProviderStatus(state.condition.value), available_at, state.reason)


def standing_of(live: LiveProvider, availability: AvailabilityPolicy, clock: Clock) -> Standing:
    """Of several troubles the worst is shown; `available_at` is when the first key may be asked again."""
    if not live.provider.enabled:
        return Standing(ProviderStatus.DISABLED)
    if live.lease is None:
        return Standing(ProviderStatus.UNHEALTHY, None, live.problem)
    if live.requires_key and not live.keys:
        return Standing(ProviderStatus.NO_KEY, None, "It has no key: add one, or set its environment variable.")
    keys = _standing_of_keys(live, availability)
    probe_at = availability.unhealthy_until(live.provider.id)
    if probe_at is None:
        return keys
    if keys.status is not ProviderStatus.AVAILABLE:
        both = max(probe_at, keys.available_at) if keys.available_at else None
        return Standing(ProviderStatus.UNHEALTHY, both, keys.reason)
    reason = availability.unhealthy_reason(live.provider.id)
    return Standing(ProviderStatus.UNHEALTHY, max(probe_at, clock.now()), reason)


def _standing_of_keys(live: LiveProvider, availability: AvailabilityPolicy) -> Standing:
    of_all = availability.deployment_state(live.provider.id, "")
    if of_all.condition is not KeyCondition.AVAILABLE:
        return standing_of_key(of_all)
    ids = [key.id for key in live.keys] or [key_id_of(live.provider.id, None)]
    states = [availability.key_state(key_id) for key_id in ids]
    if any(state.condition is KeyCondition.AVAILABLE for state in states):
        return Standing(ProviderStatus.AVAILABLE)
    worst = _worst(states)
    ends = [state.until for state in states if state.until is not None]
    return Standing(ProviderStatus(worst.condition.value), min(ends, default=None), worst.reason)


def _worst(states: Sequence[KeyState]) -> KeyState:
    return min(states, key=lambda state: _WORST_FIRST.index(state.condition))


def quotas_of_key(key_id: str, availability: AvailabilityPolicy) -> tuple[QuotaStanding, ...]:
    """Those that count for the key alone."""
    return tuple(standing for standing in availability.quotas(key_id, key_id) if standing.limit is not None)


def quotas_of_provider(live: LiveProvider, availability: AvailabilityPolicy) -> tuple[QuotaStanding, ...]:
    """Those that its keys share, and of those that each key has, all together."""
    key_ids = [key.id for key in live.keys]
    shared: Sequence[QuotaStanding] = ()
    if live.provider.settings.quota:
        key_ids = key_ids or [key_id_of(live.provider.id, None)]
        shared = availability.quotas(key_ids[0], provider_owner_id(live.provider.id))
    of_keys = [standing for key_id in key_ids for standing in quotas_of_key(key_id, availability)]
    return (*shared, *_together(of_keys))


def _together(standings: Iterable[QuotaStanding]) -> Sequence[QuotaStanding]:
    found: dict[tuple[object, ...], QuotaStanding] = {}
    for standing in standings:
        same = (standing.pool, standing.models, standing.dimension, standing.window)
        known = found.get(same)
        found[same] = standing if known is None else _sum(known, standing)
    return list(found.values())


def _sum(one: QuotaStanding, other: QuotaStanding) -> QuotaStanding:
    """The two keys' as one: it resets when the first does, and is gone when the last is."""
    gone = (one.forecast_exhausted_at, other.forecast_exhausted_at)
    return msgspec.structs.replace(
        one,
        limit=_added(one.limit, other.limit),
        used=_added(one.used, other.used),
        remaining=_added(one.remaining, other.remaining),
        resets_at=_first(one.resets_at, other.resets_at),
        forecast_exhausted_at=None if gone[0] is None or gone[1] is None else max(gone[0], gone[1]),
        enforced=one.enforced and other.enforced,
    )


def _added(one: int | float | None, other: int | float | None) -> int | float | None:
    return None if one is None or other is None else one + other


def _first(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((moment for moment in (one, other) if moment is not None), default=None)


KEYS_REMOVED = (
    "Its stored keys were removed: a key is bound to the origin it was entered for, and base_url, "
    "or for an address without TLS the proxy, leads to another one. "
    "Add the keys for the new origin."
)


RESTING = (
    "A provider of this id is stored too. The settings file's declaration holds, and the stored one rests: it is back "
    "once the file no longer has it. Its keys are used only where the file leads to the same server."
)


class ProviderView(msgspec.Struct, frozen=True):
    """A provider with where it stands: `base_url` is the one in use, `keys` their count, `notice` a side effect.

    `free_tier` is what is known of it on the day `as_of`; None for a server of which nothing is known.
    """

    provider: Provider
    base_url: str | None
    status: ProviderStatus
    available_at: datetime | None
    reason: str
    capabilities: tuple[str, ...]
    keys: int
    as_of: date
    free_tier: FreeTier | None = None
    notice: str | None = None
    quotas: tuple[QuotaStanding, ...] = ()


class ProviderAdmin:
    """Lists, creates, changes and deletes providers. Every write bumps the configuration's version in its own unit."""

    def __init__(
        self,
        store: Store,
        state: GatewayState,
        registry: ProviderRegistry,
        availability: AvailabilityPolicy,
        directory: ModelDirectory,
        clock: Clock,
    ) -> None:
        self._store = store
        self._state = state
        self._registry = registry
        self._availability = availability
        self._directory = directory
        self._clock = clock

    async def list_page(self, limit: int, cursor: str | None, query: str | None = None) -> Page[ProviderView]:
        """By priority, then id; the disabled ones too. Only those with `query` in id, name or kind."""
        await self._state.reload_if_changed()
        everything = sorted(
            (live for live in self._state.current.by_id.values() if _mentions(live.provider, query)),
            key=lambda live: (live.provider.priority, live.provider.id),
        )
        page = page_of(everything, limit, cursor, lambda live: live.provider.id)
        return Page(tuple(self._view(live) for live in page.data), page.next_cursor)

    async def get(self, provider_id: str) -> ProviderView:
        """Raises `NotFound` (`provider_not_found`)."""
        await self._state.reload_if_changed()
        return self._view(self._live(provider_id))

    async def create(self, actor: Actor, new: NewProvider) -> ProviderView:
        """Raises `RequestInvalid`, and `Conflict` where the id is taken."""
        check_provider_id(new.id)
        owner = declared(self._state, new.id)
        if owner is not None:
            raise read_only(f"Provider '{new.id}' exists already: it", owner.owner, preset_of(self._state, new.id))
        provider = filled(new, self._registry, "database", self._clock.now())
        check_provider(provider, self._registry)
        async with config_write(self._store, self._state, actor, Change("create", "provider", provider.id)) as unit:
            await unit.providers.add(provider)
            # Keys that outlived an earlier provider of this id were entered for another origin (S-07).
            await unit.keys.delete_for(provider.id)
        return self._view(self._live(provider.id))

    async def update(self, actor: Actor, provider_id: str, change: ProviderChange) -> ProviderView:
        """Raises `NotFound`, `RequestInvalid`, and `Conflict` for a provider that is declared elsewhere.

        A change that leads to another origin removes the stored keys in the same transaction (S-07).
        """
        async with config_write(self._store, self._state, actor, Change("update", "provider", provider_id)) as unit:
            before = await unit.providers.get(provider_id)
            if before is None or provider_id in self._state.resting:
                refuse_declared(self._state, provider_id)
            after = self._changed(before, change)
            check_provider(after, self._registry)
            await unit.providers.update(after)
            removed = await self._remove_keys(unit, before, after)
        for key_id in removed:
            self._availability.forget_key(key_id)
        live = self._live(provider_id)
        if (before.kind, before.base_url, before.settings) != (after.kind, after.base_url, after.settings):
            self._directory.forget(provider_id)
            self._availability.retry_provider(provider_id, [key_ids_of(live)[-1]])
        return self._view(live, KEYS_REMOVED if removed else None)

    async def delete(self, actor: Actor, provider_id: str) -> None:
        """With its keys. Raises `NotFound`, and `Conflict` for a provider that is declared elsewhere."""
        async with config_write(self._store, self._state, actor, Change("delete", "provider", provider_id)) as unit:
            keys = [key.id for key in await unit.keys.list_for(provider_id)]
            if provider_id in self._state.resting or not await unit.providers.delete(provider_id):
                refuse_declared(self._state, provider_id)
        self._availability.retry_provider(provider_id, [*keys, f"keyless:{provider_id}"])
        for owner_id in (*keys, provider_owner_id(provider_id)):
            self._availability.forget_key(owner_id)
        self._directory.forget(provider_id)

    async def retry(self, actor: Actor, provider_id: str) -> ProviderView:
        """Whatever was learned against this provider is forgotten; the next request may ask it. Raises `NotFound`."""
        await self._state.reload_if_changed()
        live = self._live(provider_id)
        await record_change(self._store, actor, Change("retry", "provider", provider_id))
        self._availability.retry_provider(provider_id, key_ids_of(live))
        return self._view(live)

    def _live(self, provider_id: str) -> LiveProvider:
        live = self._state.current.by_id.get(provider_id)
        if live is None:
            raise no_such_provider(provider_id)
        return live

    def _view(self, live: LiveProvider, notice: str | None = None) -> ProviderView:
        standing = standing_of(live, self._availability, self._clock)
        client = live.client
        return ProviderView(
            provider=live.provider,
            base_url=self._url_in_use(live.provider),
            status=standing.status,
            available_at=standing.available_at,
            reason=standing.reason,
            capabilities=client.capabilities.names() if client is not None else (),
            keys=len(live.keys),
            as_of=self._clock.now().date(),
            free_tier=live.preset.free_tier if live.preset else None,
            notice=RESTING if notice is None and live.provider.id in self._state.resting else notice,
            quotas=quotas_of_provider(live, self._availability),
        )

    def _changed(self, before: Provider, change: ProviderChange) -> Provider:
        after = change.over(before)
        if self._bound_to(before) != self._bound_to(after):
            after = _without_hidden(after, change)
        return msgspec.structs.replace(after, version=before.version + 1, updated_at=self._clock.now())

    def _bound_to(self, provider: Provider) -> tuple[object, ...]:
        """Who reads a key that is sent: the origin, and without TLS the proxy before it."""
        origin = origin_of(self._url_in_use(provider))
        reads_along = origin is not None and origin[0] == "http"
        return origin, provider.settings.proxy if reads_along else None

    async def _remove_keys(self, unit: UnitOfWork, before: Provider, after: Provider) -> list[str]:
        """The ids of the keys that were removed, because they are bound to the origin (and proxy) of before."""
        if self._bound_to(before) == self._bound_to(after):
            return []
        for key in self._state.declared.keys:
            if key.provider_id == before.id:
                raise Conflict(
                    f"Provider '{before.id}' has a key that is declared by the {key.owner} and bound to its present "
                    "origin. Remove that key there and restart, then change base_url.",
                    code="read_only",
                    param="base_url",
                )
        keys = [key.id for key in await unit.keys.list_for(before.id)]
        if keys:
            await unit.keys.delete_for(before.id)
        return keys

    def _url_in_use(self, provider: Provider) -> str | None:
        if provider.base_url is not None:
            return provider.base_url
        preset = self._registry.preset_for(provider)
        return preset.base_url if preset else None


def _mentions(provider: Provider, query: str | None) -> bool:
    return not query or any(query.lower() in text.lower() for text in (provider.id, provider.name, provider.kind))


def _without_hidden(provider: Provider, change: ProviderChange) -> Provider:
    """Without the headers that are bound to the origin of before, as its keys are (S-07); what is given anew stays."""
    given = change.settings.headers if isinstance(change.settings, SettingsChange) else None
    anew = given if isinstance(given, dict) else {}
    headers = {
        name: value
        for name, value in provider.settings.headers.items()
        if not is_hidden(name, value) or anew.get(name) == value
    }
    return msgspec.structs.replace(provider, settings=msgspec.structs.replace(provider.settings, headers=headers))
