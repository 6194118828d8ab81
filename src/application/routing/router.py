"""How `model` is understood: contract section 4, as a plan of candidates in the order to try them."""

from collections.abc import Iterable, Sequence

from application.catalog import AUTO_MODEL, ModelDirectory
from application.snapshot import GatewayState, LiveProvider
from domain.errors import NotFound, RequestInvalid
from domain.inference import InferenceRequest
from domain.routing import Candidate, ProviderPreferences
from domain.timeouts import Timeouts

MAX_FURTHER_MODELS = 16
MAX_CACHED_PLANS = 2_000


class PriorityRouter:
    """Plans by provider priority. A plan depends on the snapshot and the directory alone, so it is kept."""

    def __init__(self, state: GatewayState, directory: ModelDirectory, timeouts: Timeouts) -> None:
        self._state = state
        self._directory = directory
        self._timeouts = timeouts
        self._plans: dict[tuple[str | None, str], tuple[Candidate, ...]] = {}
        self._plans_of = (-1, -1)

    def plan(self, request: InferenceRequest, pinned_provider: str | None) -> Sequence[Candidate]:
        """Candidates in order, never empty. Raises `NotFound` (`model_not_found`, `provider_not_found`)."""
        plan: Sequence[Candidate] = self._named(request.model, pinned_provider)
        if request.models:
            if len(request.models) > MAX_FURTHER_MODELS:
                raise RequestInvalid(f"'models' may name up to {MAX_FURTHER_MODELS} models.", param="models")
            plan = _without_repeats(
                candidate
                for name in (request.model, *request.models)
                for candidate in self._named(name, pinned_provider, missing_ok=True)
            )
        if request.provider is not None:
            plan = _preferred(plan, request.provider)
        if not plan:
            self._refuse(request.model, pinned_provider)
        return plan

    def _named(self, name: str, pinned: str | None, *, missing_ok: bool = False) -> tuple[Candidate, ...]:
        generations = (self._state.generation, self._directory.generation)
        if generations != self._plans_of:
            self._plans.clear()
            self._plans_of = generations
        plan = self._plans.get((pinned, name))
        if plan is None:
            plan = tuple(self._pinned(name, pinned) if pinned is not None else self._open(name))
            if len(self._plans) >= MAX_CACHED_PLANS:
                self._plans.clear()
            self._plans[pinned, name] = plan
        if not plan and not missing_ok and pinned is not None:
            self._refuse(name, pinned)
        return plan

    def _pinned(self, name: str, provider_id: str) -> Iterable[Candidate]:
        for live in self._state.current.live:
            if live.provider.id == provider_id:
                model = name.removeprefix(f"{provider_id}/")
                if model == AUTO_MODEL:
                    model = self._directory.default_model(live) or model
                yield self._candidate(live, model)

    def _open(self, name: str) -> Iterable[Candidate]:
        live = self._state.current.live
        if name == AUTO_MODEL:
            for entry in live:
                if default := self._directory.default_model(entry):
                    yield self._candidate(entry, default)
            return
        head, slash, model = name.partition("/")
        for entry in live:
            if slash and model and entry.provider.id == head:
                yield self._candidate(entry, model)
                return
        unsure = []
        for entry in live:
            offered = self._directory.offers(entry, name)
            if offered:
                yield self._candidate(entry, name)
            elif offered is None:
                unsure.append(entry)
        if slash and head in self._state.current.by_id:
            return  # it names a provider that cannot be used now: the refusal says why
        # A provider whose list was never read may have it: asked after those that surely do.
        for entry in unsure:
            yield self._candidate(entry, name)

    def _candidate(self, live: LiveProvider, model: str) -> Candidate:
        settings = live.provider.settings
        timeouts = settings.timeouts.over(self._timeouts)
        if override := settings.model_timeouts.get(model):
            timeouts = override.over(timeouts)
        return Candidate(live.provider, model, timeouts, self._directory.context_window(live.provider.id, model))

    def _refuse(self, name: str, pinned: str | None) -> None:
        known = self._state.current.by_id
        if pinned is not None and pinned not in known:
            raise NotFound(f"There is no provider '{pinned}'.", code="provider_not_found")
        provider_id = pinned if pinned is not None else name.partition("/")[0]
        if (live := known.get(provider_id)) is not None and (live.problem or not live.provider.enabled):
            reason = live.problem or "it is disabled"
            raise NotFound(f"The provider '{provider_id}' cannot be used: {reason}.", code="model_not_found")
        if not self._state.current.live:
            raise NotFound(
                "No provider is enabled yet. Set a provider's API key (for example OPENROUTER_API_KEY) and restart, "
                "or add one at /admin/providers.",
                code="model_not_found",
                param="model",
            )
        raise NotFound(
            f"The model '{name}' does not exist or no enabled provider offers it. "
            "GET /v1/models lists what there is; 'provider/model' reaches a model that is not listed.",
            code="model_not_found",
            param="model",
        )


def _preferred(plan: Sequence[Candidate], wish: ProviderPreferences) -> Sequence[Candidate]:
    ignored = wish.ignore or ()
    chosen = [c for c in plan if c.provider.id not in ignored and (wish.only is None or c.provider.id in wish.only)]
    if wish.order is not None:
        rank = {provider_id: place for place, provider_id in enumerate(wish.order)}
        chosen.sort(key=lambda c: rank.get(c.provider.id, len(rank)))
    return chosen if wish.allow_fallbacks else chosen[:1]


def _without_repeats(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    return tuple({(c.provider.id, c.model): c for c in candidates}.values())
