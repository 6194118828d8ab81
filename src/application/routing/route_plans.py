"""Turns a route into a plan: which of its targets may serve a request, and in which order."""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Final

import msgspec

from application.routing.affinity_step import WANTED
from application.routing.conditions import Asked, Condition
from application.routing.needs import FEATURES, needs_of, plain
from application.routing.prompts import conversation_of
from application.routing.route_book import RouteBook
from application.routing.strategies import Ordering
from domain.errors import AllCandidatesFailed, RequestInvalid
from domain.model_facts import ModelFacts
from domain.ports.models import Measurements, ModelFactBook
from domain.ports.prices import PriceBook
from domain.ports.routing import RoutingQuestion
from domain.ports.runtime import Clock
from domain.providers import Provider, ProviderSettings
from domain.routes import MOCK_PROVIDER, USUAL_CAUSES, FallbackCause, Mock, Require, Route, Target
from domain.routing import Candidate, Passed, Plan, Policy
from domain.timeouts import Timeouts

Deployments = Callable[[str, str | None], Sequence[Candidate]]
"""What a model's name means, at one provider or, with None, at all of them. None of them: an empty sequence."""

Generations = Callable[[], tuple[int, int]]
"""Changes whenever `Deployments` may answer otherwise."""


class _Compiled:
    """A route with its deployments, as they are for one generation of the configuration, and whose turn it is."""

    def __init__(
        self, route: Route, found: Sequence[tuple[Candidate, Condition | None]], owner: "RoutePlanner"
    ) -> None:
        self.route = route
        self.passed: list[Passed] = []
        self.required: list[str] = []  # rules of `require` that left one out
        self.candidates = tuple(candidate for candidate, _ in found)
        self.conditions = [(place, when) for place, (_, when) in enumerate(found) if when is not None]
        self.has_windows = any(candidate.context_window is not None for candidate in self.candidates)
        self.everywhere = tuple(range(len(self.candidates)))
        causes = route.policy.fallback_on
        self.fallback_on: frozenset[FallbackCause] = USUAL_CAUSES if causes is None else frozenset(causes)
        self.ordering = Ordering(
            route.policy.strategy, self.candidates, owner.measurements, owner.prices, owner.clock, owner.chance
        )

    def left_out(self, place: int, rule: str) -> Passed:
        candidate = self.candidates[place]
        return Passed(candidate.provider.id, candidate.model, rule)


class RoutePlanner:
    """Plans for requests that name a route. What does not depend on the request is kept until something changes."""

    def __init__(
        self,
        book: RouteBook,
        facts: ModelFactBook,
        measurements: Measurements,
        prices: PriceBook,
        clock: Clock,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.measurements = measurements
        self.prices = prices
        self.clock = clock
        self.chance = chance
        self._book = book
        self._deployments: Deployments = lambda _name, _provider: ()
        self._generations: Generations = lambda: (0, 0)
        self._facts = facts
        self._compiled: dict[str, _Compiled] = {}
        self._compiled_of: tuple[int, ...] = ()

    def connect(self, deployments: Deployments, generations: Generations) -> None:
        """Where names are looked up: called once, by the router that asks for plans."""
        self._deployments = deployments
        self._generations = generations

    def plan(self, route: Route, question: RoutingQuestion) -> Plan:
        """Raises `AllCandidatesFailed` (`no_provider_available`) where no target is left, and `RequestInvalid` where
        the route's `require` left none."""
        compiled = self._of(route)
        asked = Asked(question, self.clock.now())
        passed = list(compiled.passed)
        places: Sequence[int] = compiled.everywhere
        if compiled.conditions:
            unmet = {place: why for place, when in compiled.conditions if (why := when.unmet(asked)) is not None}
            passed += [compiled.left_out(place, why) for place, why in unmet.items()]
            places = [place for place in places if place not in unmet]
        if question.pinned_provider is not None:
            places = [p for p in places if compiled.candidates[p].provider.id == question.pinned_provider]
        able, perhaps = self._able(compiled, places, question, asked, passed)
        ordering, limit = compiled.ordering, question.request.output_limit
        order = ordering.order(able, lambda: asked.tokens, limit)
        if perhaps:
            order = [*order, *ordering.order(perhaps, lambda: asked.tokens, limit)]
        candidates = list(map(compiled.candidates.__getitem__, order))
        candidates, holdout = self._held_out(route, candidates, question)
        if not candidates:
            _refuse(compiled, passed)
        policy = route.policy
        return Plan(
            candidates,
            Policy(
                route.alias, policy.strategy, route.version, compiled.fallback_on, tuple(passed),
                task=asked.was_read, baseline=policy.baseline, holdout=holdout,
                affinity=WANTED if policy.affinity else "",
            ),
        )  # fmt: skip

    def without_the_unable(self, candidates: Sequence[Candidate], question: RoutingQuestion) -> Plan:
        """The plan of a request without a route: those known to lack what it needs are left out, where others are
        left; those of which nobody knows come behind those that surely can."""
        needs = needs_of(question.request)
        tokens = _tokens_that_matter(candidates, question)
        if not needs and not tokens:
            return Plan(candidates)
        able: list[Candidate] = []
        perhaps: list[Candidate] = []
        passed: list[Passed] = []
        for candidate in candidates:
            window, lacking = candidate.context_window, _lacking(candidate, needs)
            if lacking is not None:
                passed.append(Passed(candidate.provider.id, candidate.model, f"capability:{lacking}"))
            elif window is not None and tokens > window:
                passed.append(Passed(candidate.provider.id, candidate.model, "context_window"))
            else:
                (perhaps if needs and candidate.capabilities is None else able).append(candidate)
        if not able and not perhaps:
            return Plan(candidates)
        return Plan([*able, *perhaps], Policy("", "priority", passed=tuple(passed)) if passed else None)

    def _able(
        self,
        compiled: _Compiled,
        places: Sequence[int],
        question: RoutingQuestion,
        asked: Asked,
        passed: list[Passed],
    ) -> tuple[Sequence[int], Sequence[int]]:
        """The places of those that can do what is asked, and of those of which it is not known."""
        needs, candidates = needs_of(question.request), compiled.candidates
        if not needs and not compiled.has_windows:
            return places, ()
        able: list[int] = []
        perhaps: list[int] = []
        for place in places:
            candidate = candidates[place]
            window = candidate.context_window
            lacking = _lacking(candidate, needs) if needs else None
            if lacking is not None:
                passed.append(compiled.left_out(place, f"capability:{lacking}"))
            elif window is not None and asked.tokens > window:
                passed.append(compiled.left_out(place, "context_window"))
            elif needs and candidate.capabilities is None:
                perhaps.append(place)
            else:
                able.append(place)
        return able, perhaps

    def _held_out(
        self, route: Route, candidates: list[Candidate], question: RoutingQuestion
    ) -> tuple[list[Candidate], bool]:
        """The baseline first, for the share of requests that savings are measured by: of conversations that stay
        together, for that share of them, which is the same one in every process."""
        policy = route.policy
        if not policy.holdout_share or policy.baseline is None:
            return candidates, False
        drawn = int(conversation_of(question).id[:8], 16) / 2**32 if policy.affinity else self.chance()
        if drawn >= policy.holdout_share:
            return candidates, False
        provider, _, model = policy.baseline.partition("/")
        if question.pinned_provider not in (None, provider):
            return candidates, False
        found = self._deployments(model, provider)
        others = [c for c in candidates if (c.provider.id, c.model) != (provider, model)]
        return ([*found, *others], True) if found else (candidates, False)

    def _of(self, route: Route) -> _Compiled:
        generations = (*self._generations(), self._book.generation, self.clock.now().toordinal())
        if generations != self._compiled_of:
            self._compiled.clear()
            self._compiled_of = generations
        compiled = self._compiled.get(route.alias)
        if compiled is None:
            compiled = self._compiled[route.alias] = self._compile(route)
        return compiled

    def _compile(self, route: Route) -> _Compiled:
        found: list[tuple[Candidate, Condition | None]] = []
        seen: set[tuple[str, str]] = set()
        passed: list[Passed] = []
        required: list[str] = []
        today = self.clock.now().date()
        for target in route.policy.targets:
            condition = Condition(target.when) if target.when is not None else None
            if target.mock is not None:
                found.append((_mocked(target, target.mock), condition))
                continue
            deployments = [
                each
                for candidate in self._deployments(target.model, target.provider or None)
                for each in self._living(candidate, today, successor=target.successor)
            ]
            if not deployments:
                passed.append(Passed(target.provider, target.model, "not_there"))
            for candidate in deployments:
                key = (candidate.provider.id, candidate.model)
                facts = self._facts.of(*key)
                rule = (
                    "retired"
                    if facts.is_retired(today)
                    else unkept(route.policy.require, candidate.capabilities, facts)
                )
                if rule is not None:
                    passed.append(Passed(*key, rule))
                    required += [rule] if rule != "retired" else []
                elif key not in seen:
                    seen |= {key} if condition is None else set()
                    found.append((msgspec.structs.replace(candidate, weight=target.weight), condition))
        compiled = _Compiled(route, found, self)
        compiled.passed, compiled.required = passed, required
        return compiled

    def _living(self, candidate: Candidate, today: date, *, successor: bool) -> Iterable[Candidate]:
        """The model, or where it has ended and the target says so, the one that its provider recommends."""
        facts = self._facts.of(candidate.provider.id, candidate.model)
        if successor and facts.successor and facts.is_retired(today):
            return self._deployments(facts.successor, candidate.provider.id)
        return (candidate,)


_NEVER: Final = datetime(2026, 1, 1, tzinfo=UTC)
_MOCKING: Final = Provider(
    MOCK_PROVIDER, MOCK_PROVIDER, "Mock", None, 0, True, ProviderSettings(), "database", 1, _NEVER, _NEVER
)


def _mocked(target: Target, mock: Mock) -> Candidate:
    """It can do whatever is asked, and sends nothing anywhere that a `require` could forbid."""
    return Candidate(
        _MOCKING, target.model, Timeouts(), weight=target.weight, reason=MOCK_PROVIDER, capabilities=FEATURES, mock=mock
    )


def _tokens_that_matter(candidates: Sequence[Candidate], question: RoutingQuestion) -> int:
    """The prompt's tokens, 0 where they surely fit every window that is known: counting costs more than looking."""
    windows = [candidate.context_window for candidate in candidates if candidate.context_window is not None]
    if not windows or 4 * sum(map(len, question.request.prompt_texts())) <= min(windows):
        return 0
    return question.prompt_tokens()


def _lacking(candidate: Candidate, needs: Sequence[str]) -> str | None:
    able = candidate.capabilities
    return None if able is None else next((need for need in needs if need not in able), None)


def unkept(require: Require | None, capabilities: frozenset[str] | None, facts: ModelFacts) -> str | None:
    """The first rule that a deployment, of which this is known, is not known to keep."""
    return next(_unkept_rules(require, capabilities, facts), None) if require is not None else None


def _unkept_rules(require: Require, capabilities: frozenset[str] | None, facts: ModelFacts) -> Iterator[str]:
    able = capabilities or frozenset()
    yield from (f"capability:{name}" for name in sorted(plain(require.capabilities) - able))
    policy = facts.data_policy
    if require.regions:
        regions = policy.regions if policy is not None else None
        if not regions or not set(regions) <= {region.lower() for region in require.regions}:
            yield "region"
    if require.no_training and (policy is None or policy.trains is not False):
        yield "no_training"


_RULES = {"region": "require.regions", "no_training": "require.no_training"}


def _refuse(compiled: _Compiled, passed: Sequence[Passed]) -> None:
    """Raises what a route without a target left is refused with."""
    alias = compiled.route.alias
    if compiled.required and not compiled.candidates:
        rules = sorted(
            {_RULES.get(rule, f"require.capabilities ({rule.partition(':')[2]})") for rule in compiled.required}
        )
        raise RequestInvalid(
            f"The route '{alias}' has no target that is known to keep {' and '.join(rules)}.",
            param="model",
        )
    why = sorted({each.excluded_by for each in passed})
    raise AllCandidatesFailed(
        f"No target of the route '{alias}' can serve this request" + (f": {', '.join(why)}." if why else "."),
        code="no_provider_available",
    )
