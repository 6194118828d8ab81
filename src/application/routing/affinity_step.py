"""The step that reorders a route's plan for a conversation's sake, where the route wants that."""

from collections.abc import Sequence
from typing import Final

import msgspec

from application.routing.affinity import AffinityMemory, Held, Turn, stays_why, switch_pays
from application.routing.deployment_health import health_of
from application.routing.prompts import Conversation, conversation_of
from application.snapshot import GatewayState
from domain.ports.policies import AvailabilityPolicy
from domain.ports.prices import PriceBook
from domain.ports.routing import RoutingQuestion
from domain.ports.runtime import Clock
from domain.prices import cost_nano_usd
from domain.routing import Candidate, Plan
from domain.usage import TokenUsage

WANTED: Final = "wanted"
"""What a planner writes into `Policy.affinity` for a route whose conversations are to stay together."""

ASKED: Final = "asked"
"""What stands there where another process may know where the conversation is: to be planned again once that is told."""

USUAL_OUTPUT_TOKENS: Final = 500

_BY_COST: Final = "lowest_cost"


class AffinityStep:
    """`lowest_cost` moves a conversation once staying has cost as much more as re-reading its prefix elsewhere does;
    under the other strategies it stays as long as its prefix is cached."""

    def __init__(
        self,
        memory: AffinityMemory,
        state: GatewayState,
        prices: PriceBook,
        availability: AvailabilityPolicy,
        clock: Clock,
    ) -> None:
        self._memory = memory
        self._state = state
        self._prices = prices
        self._availability = availability
        self._clock = clock

    def applied(self, plan: Plan, question: RoutingQuestion) -> Plan:
        """The same candidates, with whoever is to serve the conversation first, and why."""
        policy = plan.policy
        if policy is None or policy.affinity != WANTED or not plan.candidates:
            return plan
        conversation = conversation_of(question)
        turns = self._memory.turns(question.request)
        if question.may_wait and self._memory.is_elsewhere(conversation.id, turns):
            return Plan(plan.candidates, msgspec.structs.replace(policy, affinity=ASKED, conversation=conversation.id))
        policy = msgspec.structs.replace(
            policy,
            conversation=conversation.id,
            turns=turns.all,
            tells=self._memory.tells(conversation, turns),
            loops=self._memory.is_shared and conversation.has_tools,
        )
        held = self._memory.holder(conversation.id)
        if policy.holdout and not stays_why(conversation, held):
            return Plan(plan.candidates, msgspec.structs.replace(policy, affinity=""))
        first, why = self._first(plan.candidates, policy.strategy, question, conversation, held)
        order = sorted(range(len(plan.candidates)), key=lambda place: place != first)
        scores = tuple(policy.scores[place] for place in order) if len(policy.scores) == len(order) else policy.scores
        holdout = policy.holdout and not why.startswith("stay:")
        policy = msgspec.structs.replace(policy, scores=scores, affinity=why, holdout=holdout)
        return Plan([plan.candidates[place] for place in order], policy)

    def _first(
        self,
        candidates: Sequence[Candidate],
        strategy: str,
        question: RoutingQuestion,
        conversation: Conversation,
        held: Held | None,
    ) -> tuple[int, str]:
        """Who is to be asked first, by index, and why."""
        if held is None:
            return 0, "new"
        holder = next((place for place, each in enumerate(candidates) if held.is_at(each)), None)
        if holder is None:
            return 0, "switch:not_there"
        live = self._state.current.by_id.get(held.provider_id)
        if live is None or health_of(self._availability, live, held.model, self._clock.now()) == 0:
            return 0, "switch:down"
        elsewhere = None
        if held.fresh and strategy == _BY_COST:
            elsewhere = self._elsewhere(candidates, question.prompt_tokens(), held, conversation.id)
        if bound := stays_why(conversation, held):
            return holder, bound
        if not held.fresh:
            return 0, "free:expired"
        return (holder, "stay:cache") if elsewhere is None else (elsewhere, "switch:pays")

    def _elsewhere(self, candidates: Sequence[Candidate], tokens: int, held: Held, conversation: str) -> int | None:
        """Where going pays by now; None where it does not, or where nobody knows for want of a price."""
        turns = {place: self._turn(candidate, tokens, held) for place, candidate in enumerate(candidates)}
        stay = next((turns[place] for place, each in enumerate(candidates) if held.is_at(each)), None)
        others = {place: turn for place, turn in turns.items() if turn and not held.is_at(candidates[place])}
        if stay is None or not others:
            return None
        best = min(others, key=lambda place: (others[place].cached, others[place].now))
        if switch_pays(held.overpaid, stay, others[best]):
            return best
        self._memory.overpaid(conversation, max(0, stay.now - others[best].cached))
        return None

    def _turn(self, candidate: Candidate, tokens: int, held: Held) -> Turn | None:
        row = self._prices.look_up(candidate.provider.id, candidate.model)
        if row is None:
            return None
        cached = min(held.cached_tokens, tokens)
        read = cost_nano_usd(TokenUsage(tokens, USUAL_OUTPUT_TOKENS, cached), row.prices)
        if held.is_at(candidate):
            return Turn(read, read)
        return Turn(cost_nano_usd(TokenUsage(tokens, USUAL_OUTPUT_TOKENS, 0, tokens), row.prices), read)
