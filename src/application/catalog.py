"""Which models each provider offers: what it was said to have, and what its own list said last."""

import asyncio
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Literal

from msgspec import UNSET

from application.admission.access import allows
from application.routing.needs import known
from application.routing.route_book import RouteBook
from application.snapshot import GatewayState, LiveProvider
from domain.configuration import Learned
from domain.errors import NotFound, StoreUnavailable, UpstreamFailure
from domain.keys import Principal
from domain.lifecycle import Retirement
from domain.model_facts import ModelFacts
from domain.models import Model
from domain.ports.lifecycle import ModelLifecycle
from domain.ports.models import Measurements, ModelFactBook
from domain.ports.prices import PriceBook
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.runtime import Clock
from domain.prices import ADMIN
from domain.providers import Offering
from domain.routes import MOCK_PROVIDER, Route
from domain.routing import AUTO_MODEL

log = logging.getLogger(__name__)

REFRESH_AFTER = timedelta(hours=6)
RETRY_AFTER = timedelta(minutes=5)
FIRST_READ_SECONDS = 3.0
"""How long a request waits for the list of a provider that is new."""

_PICTURES = re.compile("image|dall-e|flux|stable-diffusion|recraft|ideogram|seedream")
_NO_CHAT = re.compile("embed|whisper|tts|rerank|moderation|guard|image|dall-e|sora|audio|transcri|speech|ocr|veo")
"""Parts of names of models that do not chat, where a list does not say what its models can do."""


class ModelDirectory:
    """Answers, without I/O, what may be asked of whom; refreshed in the background and kept across restarts."""

    def __init__(
        self,
        store: Store,
        state: GatewayState,
        clock: Clock,
        prices: PriceBook,
        lifecycle: ModelLifecycle,
        routes: RouteBook,
        facts: ModelFactBook,
        measurements: Measurements,
    ) -> None:
        self._store = store
        self._state = state
        self._clock = clock
        self._prices = prices
        self._ends = lifecycle.ends()
        self._routes = routes
        self._facts = facts
        self._measurements = measurements
        self._listed: dict[str, dict[str, Offering]] = {}
        self._listed_at: dict[str, datetime] = {}
        self._tried_at: dict[str, datetime] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._slow: set[asyncio.Task[None]] = set()
        self._forgotten_at: dict[str, datetime] = {}
        self._scoped: frozenset[str] = frozenset()
        self._scoped_of = (-1, -1)
        self.generation = 0

    async def load(self) -> None:
        """Take up the lists stored before a restart."""
        async with self._store.read() as unit:
            await self.take_up(unit)

    async def take_up(self, unit: UnitOfWork) -> None:
        """Lists that another process has read since, or one before a restart; none from before a provider changed."""
        for provider_id, listed_at, offerings in await unit.offerings.load(self._listed_at):
            if listed_at >= self._forgotten_at.get(provider_id, listed_at):
                self._keep(provider_id, listed_at, offerings)

    def offers(self, live: LiveProvider, model: str) -> bool | None:
        """True or False where it is known, None for a provider whose list was never read.

        What an operator set is so; a preset's models are so until the provider's own list was read.
        """
        settings = live.provider.settings
        if model in settings.models or model == settings.default_model:
            return True
        listed = self._listed.get(live.provider.id)
        if listed is not None:
            return model in listed
        return True if model in _preset_models(live) else None

    def awaits_list(self, live: LiveProvider) -> bool:
        """Whether the provider has a list that was not asked for yet."""
        provider_id = live.provider.id
        if provider_id in self._listed or provider_id in self._tried_at or live.lease is None:
            return False
        return live.lease.client.capabilities.models is not None and bool(live.keys or not live.requires_key)

    def awaits_any(self) -> bool:
        """Whether a list was not asked for yet, or the first answer is still awaited."""
        return bool(self._reading) or any(self.awaits_list(live) for live in self._state.current.live)

    async def read_awaited(self) -> None:
        """Read every list that was not asked for yet; wait for three seconds at most. Whoever else waits shares it.

        A list that takes longer is read to its end all the same, and is known from then on.
        """
        for live in self._state.current.live:
            if live.provider.id not in self._reading and self.awaits_list(live):
                self._reading[live.provider.id] = asyncio.ensure_future(self._wait_for_first(live.provider.id))
        if self._reading:
            await asyncio.wait(tuple(self._reading.values()))

    def own_name(self, live: LiveProvider, model: str) -> str:
        """What `provider/model` asks the provider for, where its list does not have `model`.

        Where all that it offers has a slash in its id, and some of it begins with the provider's name, as at OpenRouter
        (`openrouter/auto`, `openai/gpt-6-luna`), a name without one is of the provider's own models. Its name there is
        the preset's id, whatever id an operator gave it.
        """
        known = self._offerings(live)
        own = f"{live.preset.id if live.preset is not None else live.provider.id}/"
        qualified = (
            "/" not in model and all("/" in name for name in known) and any(name.startswith(own) for name in known)
        )
        return f"{own}{model}" if qualified else model

    def default_model(self, live: LiveProvider) -> str | None:
        """What `auto` asks this provider for: its setting, the preset's, else the only model it offers.

        Where the provider's own list has none of the preset's models any more, the first that can chat.
        """
        settings = live.provider.settings
        if settings.default_model:
            return settings.default_model
        if settings.models:
            return settings.models[0]
        known = self._offerings(live)
        for model in _preset_models(live):
            if model in known:
                return model
        if len(known) == 1:
            return next(iter(known))
        return next(_chatting(known.values()), None) if live.preset is not None and live.preset.default_model else None

    def chat_models(self, live: LiveProvider) -> Sequence[str]:
        """Those of its models that can chat, as far as is known."""
        return tuple(_chatting(self._offerings(live).values()))

    def image_model(self, live: LiveProvider) -> str | None:
        """The first model this provider lists that makes pictures."""
        for offering in self._offerings(live).values():
            if "images" in offering.capabilities if offering.capabilities else _PICTURES.search(offering.model.lower()):
                return offering.model
        return None

    def context_window(self, provider_id: str, model: str) -> int | None:
        """In tokens, where an admin or the provider's list says it."""
        own = self._facts.overrides.get((provider_id, model))
        if own is not None and own.context_window is not None:
            return own.context_window
        offering = self._listed.get(provider_id, {}).get(model)
        return offering.context_window if offering else None

    def capabilities(self, provider_id: str, model: str) -> frozenset[str] | None:
        """What the model is known to do, by the names that routing has; None where nobody says."""
        offering = self._listed.get(provider_id, {}).get(model)
        set_ = self._facts.of(provider_id, model).capabilities
        return known(set_, offering.capabilities if offering is not None else ())

    def retirement(self, provider_id: str, model: str) -> Retirement | None:
        """The end of this model there, where it is known."""
        own = self._facts.overrides.get((provider_id, model))
        if own is not None and own.retired_at is not None:
            return Retirement(own.retired_at, ADMIN, own.successor, own.deprecated_at)
        live = self._state.current.by_id.get(provider_id)
        known_as = live.preset.id if live is not None and live.preset is not None else provider_id
        return self._ends.get((known_as, model))

    def visible_to(self, principal: Principal, provider_id: str | None) -> list[Model]:
        """What this principal may put in `model`: routes, bare ids, `provider/model`; no such for a pinned provider.

        A route is left out where the principal may use none of its targets.
        """
        routes = {
            alias: Model(alias, owned_by="route")
            for alias, route in self._routes.routes.items()
            if self._route_serves(principal, route, provider_id)
        }
        bare: dict[str, Model] = {}
        scoped: dict[str, Model] = {}
        taken = self._scoped_ids() if provider_id is None else frozenset()
        for live in self._state.current.live:
            if provider_id is not None and live.provider.id != provider_id:
                continue
            for offering in self._offerings(live).values():
                if not allows(principal, live.provider.id, offering.model):
                    continue
                if offering.model not in taken:  # else it means another provider's model, or another one of this
                    bare.setdefault(offering.model, self._model(offering.model, offering, live))
                if provider_id is None:
                    scoped_id = f"{live.provider.id}/{offering.model}"
                    scoped[scoped_id] = self._model(scoped_id, offering, live)
        if provider_id is None and AUTO_MODEL not in bare and self._auto_serves(principal):
            routes = {AUTO_MODEL: Model(AUTO_MODEL, owned_by="open-model-gateway")} | routes
        return [*routes.values(), *(model for model in (*bare.values(), *scoped.values()) if model.id not in routes)]

    def _route_serves(self, principal: Principal, route: Route, provider_id: str | None) -> bool:
        """Whether a target of the route is there that this principal may use."""
        return any(
            target.provider in {"", live.provider.id}
            and provider_id in {None, live.provider.id}
            and (target.provider or self.offers(live, target.model) is not False)
            and allows(principal, live.provider.id, target.model)
            for target in route.policy.targets
            if target.mock is None
            for live in self._state.current.live
        ) or (provider_id is None and any(allows(principal, MOCK_PROVIDER, each) for each in route.policy.mocked))

    def _auto_serves(self, principal: Principal) -> bool:
        """Whether `auto` means a model that this principal may use."""
        return any(
            allows(principal, live.provider.id, default)
            for live in self._state.current.live
            if (default := self.default_model(live)) is not None
        )

    def find(self, principal: Principal, model_id: str, provider_id: str | None) -> Model:
        """One of `visible_to`. Raises `NotFound` (`model_not_found`)."""
        for model in self.visible_to(principal, provider_id):
            if model.id == model_id:
                return model
        raise NotFound(
            f"The model '{model_id}' does not exist or you do not have access to it.", code="model_not_found"
        )

    async def refresh_stale(self) -> None:
        """Ask new providers, then every one whose list is old, one after the other. Failures are tried again later."""
        await self.read_awaited()
        now = self._clock.now()
        for live in self._state.current.live:
            provider_id = live.provider.id
            if now - self._listed_at.get(provider_id, datetime.min.replace(tzinfo=now.tzinfo)) < REFRESH_AFTER:
                continue
            tried = self._tried_at.get(provider_id)
            if tried is not None and now - tried < RETRY_AFTER:
                continue
            try:
                await self.refresh(provider_id)
            except UpstreamFailure as failure:
                log.info("models not listed", extra={"provider": provider_id, "reason": failure.message})
            except StoreUnavailable:
                log.warning("models not stored: the store is away", extra={"provider": provider_id})

    async def read_changed(self) -> None:
        """Ask providers that were changed in this process, whichever it is that reads the others' lists."""
        if any(live.provider.id in self._forgotten_at and self.awaits_list(live) for live in self._state.current.live):
            await self.read_awaited()

    async def refresh(self, provider_id: str) -> Sequence[Offering]:
        """Ask one provider for its list now and keep it. Raises `NotFound`, `UpstreamFailure`."""
        live = self._state.current.by_id.get(provider_id)
        if live is None or live.lease is None:
            raise NotFound(f"There is no usable provider '{provider_id}'.", code="provider_not_found")
        lister = live.lease.client.capabilities.models
        if lister is None or (live.requires_key and not live.keys):
            return ()
        first = provider_id not in self._tried_at
        self._tried_at[provider_id] = now = self._clock.now()
        lease = live.lease
        lease.acquire()
        try:
            offerings = await lister.list_models(live.keys[0] if live.keys else None)
        except BaseException:
            if first:
                self.generation += 1  # nobody waits for it any more
            raise
        finally:
            lease.release()
        self._keep(provider_id, now, offerings)
        async with self._store.write() as unit:
            await unit.offerings.replace(provider_id, now, offerings)
            await unit.config_versions.bump(Learned.MODEL_LISTS)
        return offerings

    def facts_changed(self) -> None:
        """What is known of models is another now: plans that were made of it are made anew."""
        self.generation += 1

    def forget(self, provider_id: str) -> None:
        """The provider changed: its list is read anew at the next refresh."""
        self._listed.pop(provider_id, None)
        self._listed_at.pop(provider_id, None)
        self._tried_at.pop(provider_id, None)
        self._forgotten_at[provider_id] = self._clock.now()
        self.generation += 1

    async def _wait_for_first(self, provider_id: str) -> None:
        reading = asyncio.ensure_future(self._read_first(provider_id))
        self._slow.add(reading)
        reading.add_done_callback(self._slow.discard)
        try:
            await asyncio.wait((reading,), timeout=FIRST_READ_SECONDS)
        finally:
            self._reading.pop(provider_id, None)

    async def _read_first(self, provider_id: str) -> None:
        """As `refresh`; what goes wrong leaves the list unread, and the provider is asked again later."""
        try:
            await self.refresh(provider_id)
        except (UpstreamFailure, NotFound) as failure:
            log.info("models not listed", extra={"provider": provider_id, "reason": failure.message})
        except StoreUnavailable:
            log.warning("models not stored: the store is away", extra={"provider": provider_id})
        except Exception:
            log.exception("models not listed", extra={"provider": provider_id})

    def _scoped_ids(self) -> frozenset[str]:
        """Every `provider/model` there is: such an id never means a model whose whole id it is elsewhere."""
        if self._scoped_of != (generations := (self._state.generation, self.generation)):
            live = self._state.current.live
            self._scoped = frozenset(
                f"{entry.provider.id}/{model}" for entry in live for model in self._offerings(entry)
            )
            self._scoped_of = generations
        return self._scoped

    def _keep(self, provider_id: str, listed_at: datetime, offerings: Sequence[Offering]) -> None:
        if offerings:
            self._listed[provider_id] = {offering.model: offering for offering in offerings}
        else:  # an empty list says nothing
            self._listed.pop(provider_id, None)
        self._listed_at[provider_id] = listed_at
        self.generation += 1

    def _offerings(self, live: LiveProvider) -> dict[str, Offering]:
        settings = live.provider.settings
        listed = self._listed.get(live.provider.id)
        certain = (*settings.models, *((settings.default_model,) if settings.default_model else ()))
        known = {model: Offering(model) for model in (*certain, *(_preset_models(live) if listed is None else ()))}
        return known | (listed or {})

    def _model(self, model_id: str, offering: Offering, live: LiveProvider) -> Model:
        provider_id, name = live.provider.id, offering.model
        price, facts = self._prices.look_up(provider_id, name), self._facts.of(provider_id, name)
        measured, today = self._measurements.measured(provider_id, name), self._clock.now().date()
        return Model(
            model_id,
            created=offering.created,
            owned_by=offering.owned_by or provider_id,
            provider=provider_id,
            context_window=facts.context_window or offering.context_window,
            capabilities=list(facts.capabilities or offering.capabilities or _able(live)),
            pricing=price.prices.in_usd() if price is not None else None,
            lifecycle=_stage(facts, today),
            deprecated_at=facts.deprecated_at.isoformat() if facts.deprecated_at is not None else None,
            retired_at=facts.retired_at.isoformat() if facts.retired_at is not None else None,
            successor=facts.successor,
            strengths=facts.strengths or UNSET,
            data_policy=facts.data_policy or UNSET,
            latency_ms=(measured and measured.latency_ms) or UNSET,
            ttft_ms=(measured and measured.ttft_ms) or UNSET,
            tokens_per_second=(measured and measured.tokens_per_second) or UNSET,
        )


def _stage(facts: ModelFacts, today: date) -> Literal["active", "deprecated", "retired"]:
    """One whose end is known, or that is deprecated without one, is so."""
    if facts.retired_at is not None:
        return "retired" if facts.is_retired(today) else "deprecated"
    return "deprecated" if facts.deprecated_at is not None else "active"


def _preset_models(live: LiveProvider) -> tuple[str, ...]:
    """Those it was known for when the gateway was made, the default first."""
    preset = live.preset
    if preset is None:
        return ()
    return (preset.default_model, *preset.models) if preset.default_model else preset.models


def _chatting(offerings: Iterable[Offering]) -> Iterator[str]:
    for offering in offerings:
        able = "chat" in offering.capabilities if offering.capabilities else not _NO_CHAT.search(offering.model.lower())
        if able:
            yield offering.model


def _able(live: LiveProvider) -> Sequence[str]:
    """What the provider can do at all, for a model of which it does not say."""
    return [name for name in live.client.capabilities.names() if name != "models"] if live.client else []
