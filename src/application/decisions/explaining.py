"""Where a request would go, by a route or `auto`: nobody is called, and nothing is written down."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from application.admission.access import Gate
from application.admission.authentication import DEFAULT_TENANT_ID
from application.admission.rights import principal_of
from application.decisions.reading import Decision, considered
from application.inference.calls import CHAT
from application.inference.decision_notes import note_of
from application.inference.dispatch import USUAL_OUTPUT_TOKENS
from application.inference.metering import Meter
from application.routing.route_book import RouteBook
from application.usage.attribution import attribution_of
from domain.authority import EVERYWHERE
from domain.availability import KeyCondition
from domain.decisions import DecisionNote
from domain.errors import NotFound
from domain.inference import InferenceRequest
from domain.keys import Principal
from domain.ports.policies import AvailabilityPolicy
from domain.ports.prices import PriceBook
from domain.ports.repositories import Store
from domain.ports.routing import Router, RoutingQuestion
from domain.ports.runtime import Clock
from domain.routing import AUTO_MODEL, Candidate, Plan, Policy
from domain.savings import UNAVAILABLE, priced
from domain.usage import TokenUsage

_ANYBODY = Principal("admin", None, DEFAULT_TENANT_ID)
_AS_IT_STANDS = Policy("", "priority")


class RouteExplainer:
    """Asks the router, as a request would. Raises what it raises, and `NotFound` for what is no route, or no key."""

    def __init__(
        self,
        store: Store,
        router: Router,
        book: RouteBook,
        gate: Gate,
        prices: PriceBook,
        meter: Meter,
        availability: AvailabilityPolicy,
        clock: Clock,
    ) -> None:
        self._store = store
        self._router = router
        self._book = book
        self._gate = gate
        self._prices = prices
        self._meter = meter
        self._availability = availability
        self._clock = clock

    async def explain(
        self,
        request: InferenceRequest,
        key_id: str | None = None,
        tags: str = "",
        fields: Mapping[str, msgspec.Raw] = MappingProxyType({}),
    ) -> Decision:
        """`request.model` is the alias; with `key_id` as for that key, else as for one that may do all. Its tags are
        the key's, `tags` as `x-omg-tags` has them, and those in its body's `fields`.

        Costs are of its prompt, and of as long an answer as it asks for or is usual.
        """
        require_route(self._book, request.model)
        principal = await self._principal(key_id)
        attribution = attribution_of({b"x-omg-tags": tags.encode()} if tags else {}, fields, principal)
        prompt_tokens = self._meter.input_tokens(request)
        question = RoutingQuestion(
            request, CHAT.endpoint, CHAT.auto, None, principal, attribution, lambda: prompt_tokens
        )
        plan = await self._plan(question)
        admission = self._gate.admit(principal, request, plan, attribution.tags)
        admission.release()
        note = note_of(admission.plan, admission.plan.policy or _AS_IT_STANDS, (), prompt_tokens)
        resting = {(each.provider.id, each.model) for each in admission.plan.candidates if self._rests(each)}
        output = request.output_limit or USUAL_OUTPUT_TOKENS
        usage = TokenUsage(prompt_tokens, output * request.answers)
        note = priced(_with_resting(note, resting), usage, self._prices.look_up)
        return Decision("", None, self._clock.now(), request.model, note, considered(note, ()), (), None)

    async def _plan(self, question: RoutingQuestion) -> Plan:
        plan = self._router.plan(msgspec.structs.replace(question, may_wait=True))
        if self._router.is_settled(plan):
            return plan
        await self._router.settle(plan)
        return self._router.plan(question)

    async def _principal(self, key_id: str | None) -> Principal:
        if key_id is None:
            return _ANYBODY
        async with self._store.read() as unit:
            key = await unit.virtual_keys.get(key_id, EVERYWHERE)
            issued = await unit.virtual_keys.find([key.digest]) if key is not None else None
        if issued is None:
            raise NotFound(f"There is no key '{key_id}'. GET /admin/keys lists them.")
        return principal_of(issued, {})

    def _rests(self, candidate: Candidate) -> bool:
        """Whether it could not be asked now. Its breaker is left alone: asking it may be taken for the one probe."""
        provider_id, model = candidate.provider.id, candidate.model
        if not self._availability.model_present(provider_id, model):
            return True
        return self._availability.deployment_state(provider_id, model).condition is not KeyCondition.AVAILABLE


def require_route(book: RouteBook, alias: str) -> None:
    """Raises `NotFound` for what is neither a route nor `auto`."""
    if alias not in book.routes and alias.partition(":")[0] != AUTO_MODEL:
        raise NotFound(f"There is no route '{alias[:128]}'. GET /admin/routes lists them.")


def _with_resting(note: DecisionNote, resting: set[tuple[str, str]]) -> DecisionNote:
    candidates = tuple(
        msgspec.structs.replace(each, excluded_by=UNAVAILABLE)
        if (each.provider_id, each.model) in resting
        else msgspec.structs.replace(each, excluded_by="" if each.excluded_by == UNAVAILABLE else each.excluded_by)
        for each in note.candidates
    )
    return msgspec.structs.replace(note, candidates=candidates)
