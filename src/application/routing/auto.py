"""`auto`: the deployment that is worth most for this request, by its task, its size and what is known of each.

The order of a plan: what scores best, then its backup, which is the best at another provider where there is one, then
the cheapest. Requests that name a model pass through to the router of names.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

import msgspec
from typing_extensions import override

from application.admission.access import allows
from application.routing.affinity import AffinityMemory, Held, stays_why
from application.routing.affinity_step import ASKED, AffinityStep
from application.routing.auto_pool import AutoPool, Deployment
from application.routing.deployment_health import health_of
from application.routing.prompts import Conversation, Turns, conversation_of, prompt_of
from application.routing.router import PriorityRouter, preferred
from application.routing.scoring import Estimate, scored, strength_at, weights_for
from application.routing.settings import LiveRoutingSettings
from application.routing.shared_places import SharedPlaces
from application.snapshot import GatewayState
from domain.errors import NotFound, RequestInvalid
from domain.inference import InferenceRequest
from domain.ports.models import Measurements
from domain.ports.policies import AvailabilityPolicy
from domain.ports.prices import PriceBook
from domain.ports.routing import Router, RoutingQuestion
from domain.ports.runtime import Clock
from domain.prices import Prices, cost_nano_usd
from domain.routing import AUTO_MODEL, Candidate, Passed, Plan, Policy, ScoreParts, TaskReading
from domain.tasks import Latency, Priority, Task
from domain.usage import TokenUsage

W = TypeVar("W")

PREFERENCES: Final[Mapping[str, tuple[Priority | None, Latency | None]]] = {
    AUTO_MODEL: (None, None),
    "auto:cost": ("cost", None),
    "auto:quality": ("quality", None),
    "auto:latency": (None, "low"),
}
"""What may stand for a model of the gateway's choice, and what each prefers."""

OUTPUT_TOKENS: Final[Mapping[Task | None, int]] = {
    Task.CHAT: 300,
    Task.CODING: 900,
    Task.REASONING: 1_500,
    Task.SUMMARIZATION: 250,
    Task.TRANSLATION: 300,
    Task.IMAGE: 300,
    Task.AGENT_STEP: 300,
    None: 700,
}
"""How long an answer is taken to be, where the request does not allow less."""

SURE_OF_PICTURES: Final = 0.8
"""How surely a picture must be asked for, before one is made and paid for."""

_CHATS: Final = "chat.completions"

LEAST_GAIN: Final = 0.03
"""So much more must another deployment score, for a conversation to leave the one that has it cached."""

_PRIORITIES: Final[Mapping[str, Priority]] = {"cost": "cost", "balanced": "balanced", "quality": "quality"}
_LATENCIES: Final[Mapping[str, Latency]] = {"low": "low", "normal": "normal", "relaxed": "relaxed"}
_TASKS: Final[Mapping[str, Task]] = {task.value: task for task in Task}

_FLEX: Final = "flex"
_FLEX_TERM: Final = "service_tier:flex"
_HAS_TIERS: Final = frozenset({"chat.completions", "responses"})
"""Endpoints whose requests may ask for a tier by that name."""


class _Wish(msgspec.Struct, frozen=True):
    task: TaskReading
    priority: Priority
    latency: Latency


class _Scored(msgspec.Struct, frozen=True):
    deployment: Deployment
    candidate: Candidate
    score: float
    parts: ScoreParts
    cost: int | None

    @property
    def provider_id(self) -> str:
        return self.candidate.provider.id


class AutoRouter(Router):
    """Handles `auto`, `auto:cost`, `auto:quality` and `auto:latency`; all else is the inner router's."""

    def __init__(
        self,
        inner: PriorityRouter,
        pool: AutoPool,
        state: GatewayState,
        prices: PriceBook,
        measurements: Measurements,
        availability: AvailabilityPolicy,
        clock: Clock,
        settings: LiveRoutingSettings,
        chance: Callable[[], float] = random.random,
        shared: SharedPlaces | None = None,
    ) -> None:
        self._inner = inner
        self._pool = pool
        self._prices = prices
        self._availability = availability
        self._clock = clock
        self._settings = settings
        self._measurements = measurements
        self._chance = chance
        self._memory = AffinityMemory(clock, shared=shared)
        self._step = AffinityStep(self._memory, state, prices, availability, clock)

    @override
    def plan(self, question: RoutingQuestion) -> Plan:
        model = question.request.model
        if not model.startswith(AUTO_MODEL) or model not in PREFERENCES or self._inner.has_route(model):
            plan = self._inner.plan(question)
            return plan if plan.policy is None else self._step.applied(plan, question)
        if not question.auto or self._pool.is_a_model(model):
            return self._inner.plan(_asking(question, AUTO_MODEL) if model != AUTO_MODEL else question)
        wish = self._wish(question.request, question.reading)
        if (pictured := self._pictured(question, wish)) is not None:
            return pictured
        deployments, passed = self._allowed(question)
        if not deployments:
            return self._inner.plan(_asking(question, AUTO_MODEL))
        conversation, turns = conversation_of(question), self._memory.turns(question.request)
        if question.may_wait and self._memory.is_elsewhere(conversation.id, turns):
            policy = Policy(AUTO_MODEL, "auto", affinity=ASKED, conversation=conversation.id)
            return Plan([deployment.candidate for deployment in deployments], policy)
        held = self._memory.holder(conversation.id)
        ranked = self._ranked(question, wish, deployments, held)
        if not ranked:
            return self._inner.plan(_asking(question, AUTO_MODEL))
        ordered, why = self._kept_together(_ordered(ranked), conversation, held)
        return self._planned(question, wish, ordered, passed, why, conversation, turns)

    @override
    def is_settled(self, plan: Plan) -> bool:
        return (plan.policy is None or plan.policy.affinity != ASKED) and self._inner.is_settled(plan)

    @override
    async def settle(self, plan: Plan) -> None:
        if plan.policy is not None and plan.policy.affinity == ASKED:
            await self._memory.look_up(plan.policy.conversation)
        if not self._inner.is_settled(plan):
            await self._inner.settle(plan)

    @override
    def served(
        self, conversation: str, candidate: Candidate, prompt_tokens: int, turns: int = 0, *, tells: bool = False
    ) -> None:
        provider = candidate.provider
        kinds = (provider.id, provider.kind)
        self._memory.served(conversation, provider.id, kinds, candidate.model, prompt_tokens, turns, tells=tells)

    @override
    async def told(self) -> None:
        await self._memory.tell()

    def _wish(self, request: InferenceRequest, reading: TaskReading | None) -> _Wish:
        settings = self._settings.current
        priority, latency = PREFERENCES[request.model]
        if request.task is not None:
            reading = TaskReading(_word(request.task, _TASKS, "task"), 1.0, "request")
        elif reading is None:
            reading = self._read(request)
        return _Wish(
            reading,
            _word(request.priority, _PRIORITIES, "priority") or priority or settings.priority,
            _word(request.latency, _LATENCIES, "latency") or latency or settings.latency,
        )

    def _read(self, request: InferenceRequest) -> TaskReading:
        from application.routing.classifier import HeuristicClassifier  # its words are in memory once `auto` is used

        return HeuristicClassifier().look(prompt_of(request))

    def _pictured(self, question: RoutingQuestion, wish: _Wish) -> Plan | None:
        """Of a chat that surely asks for a picture, those that make some; None where nobody asks or nobody can."""
        request, task = question.request, wish.task
        if task.name is not Task.IMAGE or question.endpoint != _CHATS or task.confidence < SURE_OF_PICTURES:
            return None
        if getattr(request, "tools", None) or getattr(request, "response_format", None):
            return None
        principal = question.principal
        painters = [
            candidate
            for candidate in self._inner.painters(question.pinned_provider)
            if principal is None or allows(principal, candidate.provider.id, candidate.model)
        ]
        if request.provider is not None:
            painters = list(preferred(painters, request.provider))
        return Plan(painters, Policy(AUTO_MODEL, "auto", task=task, pictured=True)) if painters else None

    def _allowed(self, question: RoutingQuestion) -> tuple[Sequence[Deployment], tuple[Passed, ...]]:
        """Those the caller may use and that can do what is asked; the rest with what left it out."""
        kept: dict[tuple[str, str], Deployment] = {}
        passed: list[Passed] = []
        principal, today = question.principal, self._clock.now().date()
        for deployment in self._pool.deployments(question.pinned_provider):
            provider_id, model = deployment.candidate.provider.id, deployment.candidate.model
            if principal is not None and not allows(principal, provider_id, model):
                passed.append(Passed(provider_id, model, "not_allowed"))
            elif deployment.retired_at is not None and deployment.retired_at <= today:
                passed.append(Passed(provider_id, model, "retired"))
            else:
                kept[provider_id, model] = deployment
        able = self._inner.able([deployment.candidate for deployment in kept.values()], question)
        if able.policy is not None:
            passed += able.policy.passed
        return [kept[each.provider.id, each.model] for each in able.candidates], tuple(passed)

    def _ranked(
        self, question: RoutingQuestion, wish: _Wish, deployments: Sequence[Deployment], held: Held | None
    ) -> list[_Scored]:
        """With their scores, in the order of the pool."""
        request, tokens = question.request, question.prompt_tokens() + question.request.media_tokens
        output = min(OUTPUT_TOKENS[wish.task.name], request.output_limit or 1_000_000) * request.answers
        relaxed = wish.latency == "relaxed" and question.endpoint in _HAS_TIERS
        relaxed = relaxed and getattr(request, "service_tier", None) is None
        options: list[tuple[Deployment, Candidate]] = []
        estimates: list[Estimate] = []
        for deployment in deployments:
            candidate = deployment.candidate
            row = self._prices.look_up(candidate.provider.id, candidate.model)
            if row is None and not deployment.named:
                continue
            prices = row.prices if row is not None else None
            cached = min(held.cached_tokens, tokens) if held is not None and held.fresh and held.is_at(candidate) else 0
            usage = TokenUsage(tokens, output, cached)
            estimate = self._estimate(deployment, wish, usage, prices)
            options.append((deployment, candidate))
            estimates.append(estimate)
            if relaxed and prices is not None and any(variant.when == _FLEX_TERM for variant in prices.variants):
                options.append((deployment, msgspec.structs.replace(candidate, service_tier=_FLEX)))
                cost = cost_nano_usd(usage.under(service_tier=_FLEX), prices)
                estimates.append(msgspec.structs.replace(estimate, cost_nano_usd=cost))
        scores = scored(estimates, weights_for(wish.task.name, wish.priority, wish.latency))
        return [
            _Scored(deployment, candidate, score, parts, estimate.cost_nano_usd)
            for (deployment, candidate), estimate, (score, parts) in zip(options, estimates, scores, strict=True)
        ]

    def _estimate(self, deployment: Deployment, wish: _Wish, usage: TokenUsage, prices: Prices | None) -> Estimate:
        candidate = deployment.candidate
        task = wish.task.name
        speed = self._measurements.recent(candidate.provider.id, candidate.model)
        return Estimate(
            quality=strength_at(task, deployment.strengths),
            quality_assumed=bool(deployment.assumed) if task is None else task in deployment.assumed,
            cost_nano_usd=cost_nano_usd(usage, prices) if prices is not None else None,
            first_token_ms=speed.ttft_ms,
            answer_ms=speed.latency_ms,
            health=health_of(self._availability, deployment.live, candidate.model, self._clock.now()),
            cached_share=usage.cache_read_tokens / usage.input_tokens if usage.input_tokens else 0.0,
        )

    def _kept_together(
        self, ordered: list[_Scored], conversation: Conversation, held: Held | None
    ) -> tuple[list[_Scored], str]:
        """With whoever holds the conversation first, where it is not to move, and why."""
        if held is None:
            return ordered, "new"
        holder = next((each for each in ordered if held.is_at(each.candidate)), None)
        if holder is None:
            return ordered, "switch:not_there"
        bound = stays_why(conversation, held)
        if holder.parts.health == 0:
            return ordered, "switch:down"
        first = ordered[0]
        if not bound:
            if not held.fresh:
                return ordered, "free:expired"
            if first is holder:
                return ordered, "stay:best"
            if first.score >= holder.score + LEAST_GAIN:
                return ordered, "switch:pays"
        return [holder, *(each for each in ordered if each is not holder)], bound or "stay:cache"

    def _planned(
        self,
        question: RoutingQuestion,
        wish: _Wish,
        ordered: list[_Scored],
        passed: tuple[Passed, ...],
        why: str,
        conversation: Conversation,
        turns: Turns,
    ) -> Plan:
        settings = self._settings.current
        baseline = settings.baseline or _dearest(ordered)
        held_out = settings.holdout_share > 0 and self._chance() < settings.holdout_share
        if held_out and why not in {"stay:tool_loop", "stay:reasoning"}:
            ordered = sorted(ordered, key=lambda each: _name(each.candidate) != baseline)
            held_out = _name(ordered[0].candidate) == baseline
        candidates: Sequence[Candidate] = [each.candidate for each in ordered]
        if question.request.models:
            candidates = [*candidates, *self._inner.further(question.request.models, question.pinned_provider)]
        if question.request.provider is not None:
            candidates = preferred(candidates, question.request.provider)
        scores = {id(each.candidate): (each.score, each.parts) for each in ordered}
        if not candidates:
            raise NotFound(
                "None of the providers that 'provider' leaves has a model for 'auto'.", code="model_not_found"
            )
        policy = Policy(
            route=AUTO_MODEL,
            strategy="auto",
            passed=passed,
            scores=tuple(scores.get(id(candidate), (None, None)) for candidate in candidates),
            task=wish.task,
            baseline=baseline,
            holdout=held_out,
            affinity=why,
            conversation=conversation.id,
            turns=turns.all,
            tells=self._memory.tells(conversation, turns),
            loops=self._memory.is_shared and conversation.has_tools,
        )
        return Plan(candidates, policy)


def _asking(question: RoutingQuestion, model: str) -> RoutingQuestion:
    request = msgspec.structs.replace(question.request, model=model)
    return msgspec.structs.replace(question, request=request)


def _name(candidate: Candidate) -> str:
    return f"{candidate.provider.id}/{candidate.model}"


def _dearest(ordered: Sequence[_Scored]) -> str | None:
    priced = [each for each in ordered if each.cost is not None]
    return _name(max(priced, key=lambda each: each.cost or 0).candidate) if priced else None


def _ordered(ranked: Sequence[_Scored]) -> list[_Scored]:
    """The best, its backup, then by price; who has none is last, as the pool has them."""
    by_score = sorted(ranked, key=lambda each: -each.score)
    best, rest = by_score[0], by_score[1:]
    same = (
        each for each in rest if each.candidate.model == best.candidate.model and each.provider_id == best.provider_id
    )
    elsewhere = (each for each in rest if each.provider_id != best.provider_id and each.parts.health)
    backup = next(same, None) or next(elsewhere, None) or next(iter(rest), None)
    behind = sorted((each for each in rest if each is not backup), key=_by_price)
    return [best, *((backup,) if backup is not None else ()), *behind]


def _by_price(each: _Scored) -> tuple[bool, bool, int]:
    return each.parts.health == 0, each.cost is None, each.cost or 0


def _word(given: str | None, known: Mapping[str, W], param: str) -> W | None:
    """Raises `RequestInvalid` for a word that is none of these."""
    if given is None:
        return None
    if given not in known:
        raise RequestInvalid(f"'{param}' is one of {', '.join(known)}.", param=param)
    return known[given]
