"""How `model` is understood: contract section 4, as a plan of candidates in the order to try them."""

from collections.abc import Iterable, Sequence

from typing_extensions import override

from application.catalog import ModelDirectory
from application.routing.route_book import RouteBook
from application.routing.route_plans import RoutePlanner
from application.snapshot import GatewayState, LiveProvider
from domain.errors import AllCandidatesFailed, NotFound, RequestInvalid
from domain.images import DEFAULT_IMAGE_MODEL
from domain.ports.routing import Router, RoutingQuestion
from domain.routing import AUTO_MODEL, Candidate, Plan, ProviderPreferences
from domain.timeouts import Timeouts

MAX_FURTHER_MODELS = 16
MAX_CACHED_PLANS = 2_000

_IMAGES = frozenset({"images.generations", "images.edits"})
"""The endpoints whose `auto` chooses among models for pictures."""

LISTED, AUTO, UNLISTED, UNREAD = "listed", "auto", "unlisted", "unread"
"""Why a candidate is in a plan. `UNREAD`: the provider's list was not asked for yet, and may say otherwise; `UNLISTED`:
it does not have the model, or there is none."""


class PriorityRouter(Router):
    """Plans by provider priority. A plan depends on the snapshot and the directory alone, so it is kept."""

    def __init__(
        self,
        state: GatewayState,
        directory: ModelDirectory,
        timeouts: Timeouts,
        book: RouteBook,
        routes: RoutePlanner,
    ) -> None:
        self._state = state
        self._book = book
        self._routes = routes
        routes.connect(self._deployments, self._generations)
        self._directory = directory
        self._timeouts = timeouts
        self._plans: dict[tuple[str | None, str], tuple[Candidate, ...]] = {}
        self._plans_of = (-1, -1)

    @override
    def plan(self, question: RoutingQuestion) -> Plan:
        request, pinned_provider, endpoint = question.request, question.pinned_provider, question.endpoint
        if self._book.routes and (route := self._book.routes.get(request.model)) is not None:
            return self._as_wished(self._routes.plan(route, question), question)
        draws = request.model == AUTO_MODEL and endpoint in _IMAGES
        if request.model == AUTO_MODEL and not question.auto and not draws:
            raise RequestInvalid(
                f"'{AUTO_MODEL}' chooses among chat models: name a model for {endpoint}.", param="model"
            )
        plan = self._pictured(pinned_provider) if draws else self._kept(request.model, pinned_provider)
        if request.models:
            own = () if draws else self._kept(request.model, pinned_provider, missing_ok=True)
            named = [*own, *self.further(request.models, pinned_provider)]
            plan = _without_repeats([*plan, *named] if draws else named)
        if request.provider is not None:
            plan = preferred(plan, request.provider)
        if not plan:
            self._refuse(request.model, pinned_provider)
        return Plan(plan) if len(plan) == 1 else self._routes.without_the_unable(plan, question)

    @override
    def is_settled(self, plan: Plan) -> bool:
        for candidate in plan.candidates:
            if candidate.reason is UNREAD:
                return False
        return bool(plan.candidates) or not self._directory.awaits_any()

    @override
    async def settle(self, plan: Plan) -> None:
        await self._directory.read_awaited()

    @override
    def served(
        self, conversation: str, candidate: Candidate, prompt_tokens: int, turns: int = 0, *, tells: bool = False
    ) -> None:
        """Names do not depend on what was before."""

    @override
    async def told(self) -> None:
        """Nor does any process have to know."""

    def further(self, names: Sequence[str], pinned: str | None) -> Sequence[Candidate]:
        """What a body's `models` mean; names that mean nothing are left out. Raises `RequestInvalid` for too many."""
        if len(names) > MAX_FURTHER_MODELS:
            raise RequestInvalid(f"'models' may name up to {MAX_FURTHER_MODELS} models.", param="models")
        return [candidate for name in names for candidate in self._kept(name, pinned, missing_ok=True)]

    def _as_wished(self, plan: Plan, question: RoutingQuestion) -> Plan:
        """A route's plan with what the body adds to it, and without what the body will not have."""
        request = question.request
        if request.models is None and request.provider is None:
            return plan
        further = self.further(request.models or (), question.pinned_provider)
        candidates: Sequence[Candidate] = _without_repeats([*plan.candidates, *further])
        if request.provider is not None:
            candidates = preferred(candidates, request.provider)
        if not candidates:
            raise AllCandidatesFailed(
                f"No target of the route '{request.model}' is at the providers that the body's 'provider' allows.",
                code="no_provider_available",
            )
        return Plan(candidates, plan.policy)

    def painters(self, pinned: str | None) -> Sequence[Candidate]:
        """Each provider's model for pictures, as its list has it."""
        live = [entry for entry in self._state.current.live if pinned in (None, entry.provider.id)]
        models = [(entry, model) for entry in live if (model := self._directory.image_model(entry)) is not None]
        return [self._candidate(entry, model, AUTO) for entry, model in models]

    def able(self, candidates: Sequence[Candidate], question: RoutingQuestion) -> Plan:
        """Without those that are known to lack what a request needs; its policy says why each is left out."""
        return self._routes.without_the_unable(candidates, question)

    def has_route(self, name: str) -> bool:
        """Whether a route has this alias."""
        return name in self._book.routes

    def deployment(self, live: LiveProvider, model: str, reason: str) -> Candidate:
        """A provider's model, as it would be asked."""
        return self._candidate(live, model, reason)

    def _pictured(self, pinned: str | None) -> Sequence[Candidate]:
        """Each provider's model for pictures, and behind them OpenAI's, wherever that may be."""
        plan = self.painters(pinned)
        return _without_repeats([*plan, *self._kept(DEFAULT_IMAGE_MODEL, pinned, missing_ok=bool(plan))])

    def _generations(self) -> tuple[int, int]:
        return self._state.generation, self._directory.generation

    def _deployments(self, name: str, pinned: str | None) -> Sequence[Candidate]:
        return self._kept(name, pinned, missing_ok=True)

    def _kept(self, name: str, pinned: str | None, *, missing_ok: bool = False) -> tuple[Candidate, ...]:
        generations = self._generations()
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
                yield self._at(live, name)

    def _at(self, live: LiveProvider, name: str) -> Candidate:
        """What a name means where only this provider is asked: an id that it lists is taken as it stands."""
        head, slash, model = name.partition("/")
        offered = self._directory.offers(live, name)
        if offered:
            return self._candidate(live, name, LISTED)
        if slash and model and head == live.provider.id:
            return self._named(live, model)
        if name == AUTO_MODEL and (default := self._directory.default_model(live)):
            return self._candidate(live, default, AUTO)
        return self._candidate(live, name, UNLISTED)

    def _open(self, name: str) -> Iterable[Candidate]:
        """The first rule of contract 4 that gives a candidate, and for bare ids those that may have it behind."""
        live, directory = self._state.current.live, self._directory
        head, slash, model = name.partition("/")
        owner = next((entry for entry in live if entry.provider.id == head), None) if slash and model else None
        if owner is not None and directory.offers(owner, model):
            return [self._candidate(owner, model, LISTED)]
        offered = [(entry, directory.offers(entry, name)) for entry in live]
        plan = [self._candidate(entry, name, LISTED) for entry, has_it in offered if has_it]
        if owner is not None:
            return plan or [self._named(owner, model)]
        if name == AUTO_MODEL:
            return plan or [
                self._candidate(entry, default, AUTO) for entry in live if (default := directory.default_model(entry))
            ]
        if slash and head in self._state.current.by_id:
            return plan  # it names a provider that cannot be used now: the refusal says why
        # A provider whose list was never read may have it: asked after those that surely do.
        return plan + [self._candidate(entry, name, UNLISTED) for entry, has_it in offered if has_it is None]

    def _named(self, live: LiveProvider, model: str) -> Candidate:
        """`provider/model`, of a list that does not have it or was never read."""
        if self._directory.offers(live, model):
            return self._candidate(live, model, LISTED)
        return self._candidate(live, self._directory.own_name(live, model), UNLISTED)

    def _candidate(self, live: LiveProvider, model: str, reason: str) -> Candidate:
        settings = live.provider.settings
        timeouts = settings.timeouts.over(self._timeouts)
        if override := settings.model_timeouts.get(model):
            timeouts = override.over(timeouts)
        if self._directory.awaits_list(live):
            reason = UNREAD
        window = self._directory.context_window(live.provider.id, model)
        able = self._directory.capabilities(live.provider.id, model)
        return Candidate(live.provider, model, timeouts, window, reason=reason, capabilities=able)

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


def preferred(plan: Sequence[Candidate], wish: ProviderPreferences) -> Sequence[Candidate]:
    """What a body's `provider` leaves of a plan, in the order it wants."""
    ignored = wish.ignore or ()
    chosen = [c for c in plan if c.provider.id not in ignored and (wish.only is None or c.provider.id in wish.only)]
    if wish.order is not None:
        rank = {provider_id: place for place, provider_id in enumerate(wish.order)}
        chosen.sort(key=lambda c: rank.get(c.provider.id, len(rank)))
    return chosen if wish.allow_fallbacks else chosen[:1]


def _without_repeats(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    return tuple({(c.provider.id, c.model): c for c in candidates}.values())
