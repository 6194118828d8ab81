"""The limits and budgets of one request: found once, taken just before it goes upstream, set right when it has ended.

A request meets those of all whom it acts for. They are taken in one step, or
none is (R-04); what no provider could be asked for takes nothing.
"""

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from application.admission.outputs import OutputEstimates
from application.admission.rule_book import RuleBook
from application.admission.spending import NOTHING_KNOWN, RequestSpending, SpendingGate
from domain.inference import InferenceRequest
from domain.keys import Principal
from domain.ports.budgets import BudgetStore
from domain.ports.limits import Allowance, Demand, Limiter, LimitStore, Take
from domain.ports.prices import PriceBook
from domain.records import AttemptRecord, Charge, RequestRecord
from domain.routing import Candidate
from domain.subject_limits import Limit, LimitDimension, Subject, SubjectRules, limits_of

MAX_KEPT: Final = 10_000
ONE_REQUEST: Final = Demand()

_REQUESTS: Final = frozenset({"rpm", "rpd"})
_TOKENS: Final = frozenset({"tpm", "tpd", "itpm", "otpm"})

CountTokens = Callable[[InferenceRequest], int]
"""An estimate of a prompt's tokens."""


class RequestLimits:
    """What one request takes of its limits and budgets: a claim of its admission. Taken by `approach`, ended once."""

    __slots__ = (
        "_gate", "_key_id", "_likely", "_met", "_prompt_tokens", "_request", "_subjects", "_takes", "_wanted", "cut",
        "outlived", "sent", "spending",
    )  # fmt: skip

    def __init__(
        self, gate: "LimitGate", principal: Principal, request: InferenceRequest, tags: tuple[str, ...] = ()
    ) -> None:
        self._gate = gate
        self._key_id = principal.key_id or ""
        self._subjects = gate.subjects(principal, tags)
        self._request: InferenceRequest | None = request
        self._prompt_tokens: int | None = None
        self._takes: list[Take] = []
        self._likely = NOTHING_KNOWN  # how long answers of a model are
        self._wanted = ONE_REQUEST  # what was taken of limits by tokens
        self._met: list[tuple[SubjectRules, ...]] = []  # those whose limits are taken
        self.spending: RequestSpending | None = None
        if request.spends and (gate.book.has_budgets or gate.spending.rules(self._subjects)):
            self.spending = RequestSpending(gate.spending, self._key_id, request, gate.count_text)
        self.outlived = False  # whether its answer is made on when it has ended: nobody knows yet what that uses
        self.sent = False  # whether an upstream call was made
        self.cut = False  # whether a budget made the answer shorter

    def approach(self, candidate: Candidate, attempts: Sequence[AttemptRecord]) -> Awaitable[None]:
        """Called before a candidate is asked: takes the caller's limits, the first time, and those of its model; and
        holds what it may cost.

        Raises `LimitExceeded`, and `PermissionDenied` for a candidate without a price; nothing more is taken then.
        """
        of_model = self._gate.book.of_model(candidate.provider.id, candidate.model)
        if self.spending is not None:
            self.spending.gathers = False
        return self._meet(candidate, of_model if self._takes else self._subjects + of_model, self._subjects, of_model,
                         attempts)  # fmt: skip

    async def approach_key(
        self, candidate: Candidate, provider_key_id: str | None, attempts: Sequence[AttemptRecord]
    ) -> None:
        """The same for the limits and budgets of a provider and of one of its keys, before it is asked with that."""
        subjects = self._gate.book.of_upstream(candidate.provider.id, provider_key_id)
        await self._meet(candidate, subjects, subjects, (), attempts)

    async def _meet(
        self,
        candidate: Candidate,
        limited: tuple[SubjectRules, ...],
        budgeted: tuple[SubjectRules, ...],
        budgeted_too: tuple[SubjectRules, ...],
        attempts: Sequence[AttemptRecord],
    ) -> None:
        if self._met and limited:
            met = {rules.subject for each in self._met for rules in each}
            limited = tuple(rules for rules in limited if rules.subject not in met)
        limiter = self._gate.limiter(limited)
        take = await limiter.take(self._demand(candidate) if limiter.counts_tokens else ONE_REQUEST)
        if self.spending is not None:
            try:
                await self.spending.approach(
                    candidate, budgeted, budgeted_too, self._count_prompt(), attempts, self._likely
                )
            except BaseException:
                take.release()
                raise
        self._met.append(limited)
        self._takes.append(take)

    @property
    def upstream_limited(self) -> bool:
        """Whether there may be limits of providers or their keys."""
        return self._gate.book.has_upstream

    def let_go(self) -> None:
        """The request's body is needed no more."""
        self._request = None

    def held(self) -> tuple[Charge, ...]:
        """What is held in its budgets now."""
        return self.spending.held() if self.spending is not None else ()

    def charges(self, attempts: Sequence[AttemptRecord]) -> tuple[Charge, ...]:
        """What the request costs each account; those it costs nothing are not there."""
        return self.spending.charges(attempts) if self.spending is not None else ()

    def settle(self, record: RequestRecord) -> None:
        """The request has ended: its tokens and its cost are those of all its calls, or as they were estimated."""
        if self.spending is not None:
            self.spending.settle(record.charges)
        spent_in, spent_out = (self._wanted.input_tokens, self._wanted.output_tokens) if self.outlived else (0, 0)
        for attempt in record.attempts:
            if attempt.usage is not None:
                spent_in += attempt.usage.input_tokens
                spent_out += attempt.usage.output_tokens
        for take in self._takes:
            take.settle(spent_in, spent_out)
        if record.outcome == "ok" and record.usage is not None and not self.cut:
            self._gate.outputs.add(record.key_id or "", record.attempts[-1].model, record.usage.output_tokens)

    def release(self) -> None:
        """Nothing that costs was done. A request that was sent stays counted as one."""
        if self.spending is not None:
            self.spending.settle(())
        for take in self._takes:
            if self.sent:
                take.settle(0, 0)
            else:
                take.release()

    @property
    def would_refuse(self) -> tuple[str, ...]:
        """Whose budgets in `shadow` had too little for it."""
        exceeded = self.spending.exceeded if self.spending is not None else ()
        if not exceeded:
            return ()
        shadows = [term.subject for term in exceeded if term.on_exceeded == "shadow"]
        return tuple(sorted({f"{subject.kind}:{subject.id}" for subject in shadows}))

    @property
    def allowances(self) -> tuple[Allowance, ...]:
        """What is left of the tightest limit of each kind."""
        if len(self._takes) == 1:
            return tightest(self._takes[0].allowances)
        return tightest([allowance for take in self._takes for allowance in take.allowances])

    def _demand(self, candidate: Candidate) -> Demand:
        """Its prompt, and what may come as far as earlier answers of the key tell."""
        request = self._request
        if request is None:
            return Demand()
        asked = request.output_limit
        if asked != 0:
            self._likely = (candidate.model, likely := self._gate.outputs.likely(self._key_id, candidate.model))
            asked = likely if asked is None else min(asked, likely)
        self._wanted = Demand(self._count_prompt(), asked * request.answers)
        return self._wanted

    def _count_prompt(self) -> int:
        """Counted once: the body may be gone when the next candidate is asked."""
        if self._prompt_tokens is None:
            request = self._request
            self._prompt_tokens = 0 if request is None else self._gate.count_tokens(request) + request.media_tokens
        return self._prompt_tokens


class LimitGate:
    """Knows the rules of those who call, and makes a limiter of them, once for each caller and set of rules."""

    def __init__(
        self,
        store: LimitStore,
        budgets: BudgetStore,
        prices: PriceBook,
        count_tokens: CountTokens,
        count_text: Callable[[str], int],
        book: RuleBook,
    ) -> None:
        self.store = store
        self.book = book
        self.count_tokens = count_tokens
        self.count_text = count_text
        self._limiters: dict[tuple[SubjectRules, ...], Limiter] = {}
        self._known: dict[
            int, tuple[tuple[SubjectRules, ...], Limiter]
        ] = {}  # by the tuple itself: hashing it takes long
        self._subjects: dict[str, tuple[Principal, int, tuple[SubjectRules, ...]]] = {}
        self.outputs = OutputEstimates()
        self.spending = SpendingGate(budgets, prices, self.outputs)

    def subjects(self, principal: Principal, tags: tuple[str, ...] = ()) -> tuple[SubjectRules, ...]:
        """The rules of all whom the caller acts for, and of the request's own tags (contract 10)."""
        rules = self._of_caller(principal)
        if self.book.has_tags and len(tags) > len(principal.tags):
            rules += self.book.of_tags(tuple([tag for tag in tags if tag not in principal.tags]))
        return rules

    def _of_caller(self, principal: Principal) -> tuple[SubjectRules, ...]:
        """The same tuple as long as they stay the same."""
        key, book = principal.key_id or f"{principal.tenant_id}/", self.book
        kept = self._subjects.get(key)
        if kept is not None and kept[1] == book.generation and (kept[0] is principal or kept[0] == principal):
            return kept[2]
        if len(self._subjects) >= MAX_KEPT:
            self._subjects.clear()
        rules = book.of(principal)
        self._subjects[key] = (principal, book.generation, rules)
        return rules

    def limiter(self, rules: tuple[SubjectRules, ...]) -> Limiter:
        """That takes from all of them together. Of two limits of one kind the smaller counts."""
        known_as = self._known.get(id(rules))
        if known_as is not None and known_as[0] is rules:
            return known_as[1]
        limiter = self._limiters.get(rules)
        if limiter is None:
            limits: dict[tuple[Subject, LimitDimension], Limit] = {}
            for limit in (limit for each in rules for limit in limits_of(each)):
                known = limits.get((limit.subject, limit.dimension))
                if known is None or limit.amount < known.amount:
                    limits[limit.subject, limit.dimension] = limit
            if len(self._limiters) >= MAX_KEPT:
                self._limiters.clear()
            limiter = self._limiters[rules] = self.store.limiter(list(limits.values()))
        if len(self._known) >= MAX_KEPT:
            self._known.clear()
        self._known[id(rules)] = (rules, limiter)
        return limiter


def tightest(allowances: Sequence[Allowance]) -> tuple[Allowance, ...]:
    """Of those that count requests, and of those that count tokens, the one with the least share left."""
    requests = tokens = None
    of_requests = of_tokens = math.inf
    for allowance in allowances:
        limit = allowance.limit
        share = allowance.remaining / (limit.amount or 1)
        if limit.dimension in _TOKENS:
            if share < of_tokens:
                tokens, of_tokens = allowance, share
        elif share < of_requests and limit.dimension in _REQUESTS:
            requests, of_requests = allowance, share
    return tuple([found for found in (requests, tokens) if found is not None])
