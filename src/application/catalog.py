"""Which models each provider offers: what it was said to have, and what its own list said last."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from application.admission.access import allows
from application.snapshot import GatewayState, LiveProvider
from domain.errors import NotFound, StoreUnavailable, UpstreamFailure
from domain.keys import Principal
from domain.models import Model
from domain.ports.prices import PriceBook
from domain.ports.repositories import Store
from domain.ports.runtime import Clock
from domain.providers import Offering

log = logging.getLogger(__name__)

REFRESH_AFTER = timedelta(hours=6)
RETRY_AFTER = timedelta(minutes=5)
AUTO_MODEL = "auto"


class ModelDirectory:
    """Answers, without I/O, what may be asked of whom; refreshed in the background and kept across restarts."""

    def __init__(self, store: Store, state: GatewayState, clock: Clock, prices: PriceBook) -> None:
        self._store = store
        self._state = state
        self._clock = clock
        self._prices = prices
        self._listed: dict[str, dict[str, Offering]] = {}
        self._listed_at: dict[str, datetime] = {}
        self._tried_at: dict[str, datetime] = {}
        self.generation = 0

    async def load(self) -> None:
        """Take up the lists stored before a restart."""
        async with self._store.read() as unit:
            stored = await unit.offerings.load()
        for provider_id, listed_at, offerings in stored:
            self._keep(provider_id, listed_at, offerings)

    def offers(self, live: LiveProvider, model: str) -> bool | None:
        """True or False where it is known, None for a provider whose list was never read."""
        if model in live.provider.settings.models or (live.preset is not None and model in live.preset.models):
            return True
        if model == live.provider.settings.default_model:
            return True
        listed = self._listed.get(live.provider.id)
        return None if listed is None else model in listed

    def default_model(self, live: LiveProvider) -> str | None:
        """What `auto` asks this provider for: its setting, the preset's, else the only model it offers."""
        if live.provider.settings.default_model:
            return live.provider.settings.default_model
        if live.preset is not None and live.preset.default_model:
            return live.preset.default_model
        known = list(self._offerings(live))
        return known[0] if len(known) == 1 or (known and live.provider.settings.models) else None

    def context_window(self, provider_id: str, model: str) -> int | None:
        """In tokens, where the provider's list says it."""
        offering = self._listed.get(provider_id, {}).get(model)
        return offering.context_window if offering else None

    def visible_to(self, principal: Principal, provider_id: str | None) -> list[Model]:
        """What this principal may put in `model`: bare ids and `provider/model`; bare only for a pinned provider."""
        models: dict[str, Model] = {}
        scoped: list[Model] = []
        for live in self._state.current.live:
            if provider_id is not None and live.provider.id != provider_id:
                continue
            for offering in self._offerings(live).values():
                if not allows(principal, live.provider.id, offering.model):
                    continue
                models.setdefault(offering.model, self._model(offering.model, offering, live))
                if provider_id is None:
                    scoped.append(self._model(f"{live.provider.id}/{offering.model}", offering, live))
        listed = [*models.values(), *scoped]
        if provider_id is None and models:
            listed.insert(0, Model(AUTO_MODEL, owned_by="open-model-gateway"))
        return listed

    def find(self, principal: Principal, model_id: str, provider_id: str | None) -> Model:
        """One of `visible_to`. Raises `NotFound` (`model_not_found`)."""
        for model in self.visible_to(principal, provider_id):
            if model.id == model_id:
                return model
        raise NotFound(
            f"The model '{model_id}' does not exist or you do not have access to it.", code="model_not_found"
        )

    async def refresh_stale(self) -> None:
        """Ask every provider whose list is old, one after the other. Failures are logged and tried again later."""
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

    async def refresh(self, provider_id: str) -> Sequence[Offering]:
        """Ask one provider for its list now and keep it. Raises `NotFound`, `UpstreamFailure`."""
        live = self._state.current.by_id.get(provider_id)
        if live is None or live.lease is None:
            raise NotFound(f"There is no usable provider '{provider_id}'.", code="provider_not_found")
        lister = live.lease.client.capabilities.models
        if lister is None or (live.requires_key and not live.keys):
            return ()
        self._tried_at[provider_id] = now = self._clock.now()
        lease = live.lease
        lease.acquire()
        try:
            offerings = await lister.list_models(live.keys[0] if live.keys else None)
        finally:
            lease.release()
        self._keep(provider_id, now, offerings)
        async with self._store.write() as unit:
            await unit.offerings.replace(provider_id, now, offerings)
        return offerings

    def forget(self, provider_id: str) -> None:
        """The provider changed: its list is read anew at the next refresh."""
        self._listed.pop(provider_id, None)
        self._listed_at.pop(provider_id, None)
        self._tried_at.pop(provider_id, None)
        self.generation += 1

    def _keep(self, provider_id: str, listed_at: datetime, offerings: Sequence[Offering]) -> None:
        self._listed[provider_id] = {offering.model: offering for offering in offerings}
        self._listed_at[provider_id] = listed_at
        self.generation += 1

    def _offerings(self, live: LiveProvider) -> dict[str, Offering]:
        settings, preset = live.provider.settings, live.preset
        certain = (*settings.models, *(preset.models if preset else ()))
        default = settings.default_model or (preset.default_model if preset else None)
        known = {model: Offering(model) for model in (*certain, *((default,) if default else ()))}
        return known | self._listed.get(live.provider.id, {})

    def _model(self, model_id: str, offering: Offering, live: LiveProvider) -> Model:
        price = self._prices.look_up(live.provider.id, offering.model)
        return Model(
            model_id,
            created=offering.created,
            owned_by=offering.owned_by or live.provider.id,
            provider=live.provider.id,
            context_window=offering.context_window,
            capabilities=list(offering.capabilities or _able(live)),
            pricing=price.prices.in_usd() if price is not None else None,
        )


def _able(live: LiveProvider) -> Sequence[str]:
    """What the provider can do at all, for a model of which it does not say."""
    return [name for name in live.client.capabilities.names() if name != "models"] if live.client else []
