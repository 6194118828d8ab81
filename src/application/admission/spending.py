"""What one request may cost: held in its budgets before it is sent, more while its answer streams, settled at its end.

An elastic hold is the prompt's price and that of what usually comes; a stream asks for more before it passes on more
(P-06). A plain answer is given its whole maximum where the budget has room for that many times over; else it goes
upstream as a stream, and is gathered. What cannot be asked for as a stream is held whole.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from application.admission.outputs import OutputEstimates
from domain.errors import LimitExceeded, PermissionDenied
from domain.grants import Patterns
from domain.inference import InferenceRequest
from domain.limits import Budget
from domain.money import NANO_PER_USD
from domain.ports.budgets import BudgetStore, BudgetTerm, Hold, Standing
from domain.ports.prices import PriceBook
from domain.prices import SECOND, Prices, Rates, cost_nano_usd
from domain.records import AttemptRecord, Charge
from domain.routing import Candidate
from domain.subject_limits import Subject, SubjectRules
from domain.usage import TokenUsage

MAX_KEPT: Final = 10_000

LARGE_PROMPT_TOKENS: Final = 200
"""An estimate above it may be a fifth too low; of shorter prompts a few tokens are all it can be wrong by."""

UNSAID_OUTPUT_TOKENS: Final = 32_768
"""The most that an answer is taken to have whose request names no maximum."""

STEP_TOKENS: Final = 500
BYTES_PER_TOKEN: Final = 3
"""Of an answer that streams: fewer than prose has, so that more is held than is passed on."""

NOTHING_KNOWN: Final = ("", 0)

_MAX_ACCOUNT: Final = 128
_MILLISECONDS: Final = 1000
_PER_PRICE: Final = 1_000_000
_HALF: Final = _PER_PRICE // 2


class Rule(msgspec.Struct, frozen=True):
    """A budget as it is written, and the term it makes. It counts the models that match, and what it is for alone."""

    budget: Budget
    term: BudgetTerm
    models: tuple[Patterns, ...]

    def meets(self, provider_id: str, model: str) -> bool:
        """Whether a call of this model counts."""
        return not self.models or all(patterns.match(model, f"{provider_id}/{model}") for patterns in self.models)

    def counts(self, attempt: AttemptRecord) -> bool:
        """Whether a call that was made does."""
        subject = self.term.subject
        if subject.kind == "provider":
            return attempt.provider_id == subject.id and self.meets(attempt.provider_id, attempt.model)
        if subject.kind == "provider_key":
            return attempt.key_id == subject.id and self.meets(attempt.provider_id, attempt.model)
        return self.meets(attempt.provider_id, attempt.model)


class Met(msgspec.Struct, frozen=True):
    """The budgets that calls of one model meet, for one caller. `denies` is the first that insists on a price."""

    subjects: tuple[SubjectRules, ...]
    others: tuple[SubjectRules, ...]
    rules: tuple[Rule, ...]
    terms: tuple[BudgetTerm, ...]
    worst_case: bool
    denies: Rule | None


class SpendingGate:
    """Knows which budgets a caller meets with a model, and what calls may cost."""

    def __init__(self, store: BudgetStore, prices: PriceBook, outputs: OutputEstimates) -> None:
        self.store = store
        self.prices = prices
        self.outputs = outputs
        self.moved: dict[str, Rule] | None = None  # whose money moved, by account, while somebody looks at it
        self.refused: set[str] = set()  # accounts that had too little for a request
        self._rules: dict[int, tuple[tuple[SubjectRules, ...], tuple[Rule, ...]]] = {}
        self._met: dict[tuple[str, str, int, int], Met] = {}

    def rules(self, subjects: tuple[SubjectRules, ...]) -> tuple[Rule, ...]:
        """All budgets of these subjects; made once for the same ones."""
        rules = self._rules.get(id(subjects))
        if rules is not None and rules[0] is subjects:
            return rules[1]
        made = tuple(rule_of(each.subject, budget) for each in subjects for budget in each.budgets)
        if len(self._rules) >= MAX_KEPT:
            self._rules.clear()
        self._rules[id(subjects)] = (subjects, made)
        return made

    def met(
        self, subjects: tuple[SubjectRules, ...], others: tuple[SubjectRules, ...], provider_id: str, model: str
    ) -> Met:
        """The budgets of these subjects that calls of the model count for; made once for the same ones."""
        key = (provider_id, model, id(subjects), id(others))
        met = self._met.get(key)
        if met is not None and met.subjects is subjects and met.others is others:
            return met
        rules = tuple(
            rule for each in (subjects, others) for rule in self.rules(each) if rule.meets(provider_id, model)
        )
        by_term = {rule.term: rule for rule in rules}
        met = Met(
            subjects,
            others,
            tuple(by_term.values()),
            tuple(by_term),
            any(rule.budget.hold == "worst_case" for rule in rules),
            next((rule for rule in rules if rule.budget.unpriced == "deny" and rule.term.enforced), None),
        )
        if len(self._met) >= MAX_KEPT:
            self._met.clear()
        self._met[key] = met
        return met

    def note_refusal(self, rules: Sequence[Rule], refusal: LimitExceeded) -> None:
        """One of these had too little."""
        if self.moved is None:
            return
        for rule in rules:
            subject = rule.term.subject
            if (subject.kind, subject.id) == (refusal.subject_kind, refusal.subject_id):
                self.moved[rule.term.account] = rule
                if rule.term.limit_nano_usd == refusal.amount:
                    self.refused.add(rule.term.account)


class RequestSpending:
    """One request's money. `approach` before each call, `reach` before more is passed on, `settle` once at the end."""

    __slots__ = (
        "_asked", "_count_text", "_endless", "_fewest", "_gate", "_holds", "_key_id", "_parts", "_prompt_cost",
        "_streams", "_token_cost", "_tokens", "_units", "_whole", "gathers", "hold_id", "may_gather",
    )  # fmt: skip

    def __init__(
        self, gate: SpendingGate, key_id: str, request: InferenceRequest, count_text: Callable[[str], int]
    ) -> None:
        self._gate = gate
        self._key_id = key_id
        self.hold_id = ""  # the decision's
        self._streams = request.streams
        self._endless = request.outlives  # nobody could end its answer: all of it is held
        self._asked = request.output_limit
        self._parts = request.answers
        self._fewest = request.least_output
        self._units = request.units
        self._count_text = count_text
        self._holds: list[tuple[Hold, tuple[Rule, ...]]] = []
        self._prompt_cost = 0
        self._token_cost = 0.0
        self._tokens = 0  # of output that are held
        self._whole = 0  # what the call under way may cost at most, beside what earlier ones did
        self.may_gather = False  # whether a plain answer can be asked for as a stream
        self.gathers = False  # whether it must be: less is held than it may cost

    async def approach(
        self,
        candidate: Candidate,
        subjects: tuple[SubjectRules, ...],
        others: tuple[SubjectRules, ...],
        prompt_tokens: int,
        attempts: Sequence[AttemptRecord],
        known: tuple[str, int] = NOTHING_KNOWN,
    ) -> None:
        """Hold what a call of the candidate may cost, beside what earlier calls did, in the budgets of these subjects.
        `known` is a model and how long its answers are, where somebody has looked.

        Raises `LimitExceeded`, and `PermissionDenied` where nobody knows the price and a budget insists on one.
        """
        provider_id, model = candidate.provider.id, candidate.model
        met = self._gate.met(subjects, others, provider_id, model)
        if not met.rules:
            return
        price = self._gate.prices.look_up(provider_id, model)
        if price is None:
            if met.denies is not None:
                raise PermissionDenied(
                    f"Nobody knows the price of '{provider_id}/{model}', and {met.denies.term.subject.in_words()} has "
                    "a budget. An admin can set it, also to 0: POST /admin/models.",
                    code="model_unpriced",
                    param="model",
                )
            return
        least, wanted = self._estimate(model, prompt_tokens, price.prices, known, worst_case=met.worst_case)
        spent = sum([attempt.cost_nano_usd or 0 for attempt in attempts]) if attempts else 0
        try:
            await self._hold(met, spent + least, spent + wanted)
        except LimitExceeded as refusal:
            self._gate.note_refusal(met.rules, refusal)
            raise
        self._measure(spent, wanted)

    def _estimate(
        self, model: str, prompt_tokens: int, prices: Prices, known: tuple[str, int], *, worst_case: bool
    ) -> tuple[int, int]:
        """What the call costs at least and at most, as far as one can say, at the tier that its prompt may reach."""
        if prompt_tokens > LARGE_PROMPT_TOKENS:
            prompt_tokens += prompt_tokens // 5
        most = UNSAID_OUTPUT_TOKENS if self._asked is None else self._asked
        likely = most
        if not (worst_case or self._endless) and most > self._fewest and (self._streams or self.may_gather):
            likely = known[1] if known[0] == model else self._gate.outputs.likely(self._key_id, model)
            if likely < self._fewest:
                likely = self._fewest
            elif likely > most:
                likely = most
        rates = prices.for_call(prompt_tokens) if prices.tiers else prices
        pieces = 0
        if rates.units:
            pieces = cost_nano_usd(TokenUsage(), prices)
            pieces += sum(_dearest(rates, unit, count) for unit, count in self._units.items())
        prompt, output = prompt_tokens * (rates.input or 0), rates.output or 0
        if rates.reasoning is not None and rates.reasoning > output:
            output = rates.reasoning
        self._prompt_cost = pieces + (prompt + _HALF) // _PER_PRICE
        self._token_cost = output / _PER_PRICE if most else 0.0
        whole = pieces + (prompt + most * self._parts * output + _HALF) // _PER_PRICE
        least = whole  # which is exact, where the part would be rounded up
        if likely < most:
            least = pieces - (-(prompt + likely * self._parts * output) // _PER_PRICE)
            least = min(least, whole)
        return least, least if self._streams else whole

    async def _hold(self, met: Met, least: int, wanted: int) -> None:
        rules, terms = met.rules, met.terms
        if self._holds:
            held = {rule.term.account for _, of in self._holds for rule in of}
            for hold, _ in self._holds:
                if least > hold.amount_nano_usd:
                    await hold.extend(least - hold.amount_nano_usd)
            rules = tuple(rule for rule in rules if rule.term.account not in held)
            terms = tuple(rule.term for rule in rules)
        if rules:
            self._holds.append((await self._gate.store.hold(self.hold_id, terms, least, wanted), rules))

    def _measure(self, spent: int, wanted: int) -> None:
        """How many tokens of output the hold is for, and whether the answer must be watched as it comes."""
        if not self._token_cost:
            self._tokens, self.gathers = 2**53, False
            return
        held = min([hold.amount_nano_usd for hold, _ in self._holds]) - spent
        tokens = int((held - self._prompt_cost) / self._token_cost)
        self._tokens = max(0, tokens)
        self._whole = spent + wanted
        self.gathers = not self._streams and held < wanted

    async def hold_whole(self) -> None:
        """The call cannot be asked for as a stream: all that it may cost is held. Raises `LimitExceeded`."""
        self.gathers = False
        for hold, _ in self._holds:
            if hold.amount_nano_usd < self._whole:
                await hold.extend(self._whole - hold.amount_nano_usd)

    async def reach(self, output_bytes: int, text: Callable[[], str]) -> None:
        """So much of the answer is to be passed on: half as much again is held before. Raises `LimitExceeded`.

        `text` gives the answer so far; it is counted only where the budget is near its end.
        """
        tokens = output_bytes // BYTES_PER_TOKEN
        if tokens + STEP_TOKENS <= self._tokens:
            return
        most = (2**53 if self._asked is None else self._asked) * self._parts
        if self._tokens >= most:
            return
        more = min(max(STEP_TOKENS, self._tokens // 2), most - self._tokens)
        refusal: LimitExceeded | None = None
        while more > 0:
            try:
                for hold, _ in self._holds:
                    await hold.extend(int(more * self._token_cost) + 1)
            except LimitExceeded as error:
                refusal = error
                more = more // 2 if more > STEP_TOKENS // 16 else 0
            else:
                self._tokens += more
                return
        if refusal is not None and tokens > self._tokens and self._count_text(text()) > self._tokens:
            self._gate.note_refusal([rule for _, rules in self._holds for rule in rules], refusal)
            raise refusal

    def held(self) -> tuple[Charge, ...]:
        """What is held, for whoever books the request should this process die."""
        if len(self._holds) == 1:
            return tuple(self._holds[0][0].charges)
        return tuple([charge for hold, _ in self._holds for charge in hold.charges])

    async def outlive(self, kept_id: str) -> tuple[Charge, ...]:
        """The answer is made on when the request has ended: what is held stays so, under this id. Returns what it is.

        Raises `ServiceUnavailable`; what could not be kept is settled as always.
        """
        for hold, _ in self._holds:
            await hold.outlive(kept_id)
        return self.held()

    def charges(self, attempts: Sequence[AttemptRecord]) -> tuple[Charge, ...]:
        """What the calls cost each account; those they cost nothing are not there."""
        found: list[Charge] = []
        for hold, rules in self._holds:
            costs = {rule.term.account: _cost(attempts, rule) for rule in rules}
            found += [
                Charge(held.account, held.starts_at, costs[held.account])
                for held in hold.charges
                if costs[held.account]
            ]
        return tuple(found)

    def terms(self, attempt: AttemptRecord) -> tuple[BudgetTerm, ...]:
        """The budgets that a call is charged to, each once."""
        found = {rule.term.account: rule.term for _, rules in self._holds for rule in rules if rule.counts(attempt)}
        return tuple(found.values())

    def settle(self, charges: Sequence[Charge]) -> None:
        """The holds end."""
        costs: Mapping[str, int] = {charge.account: charge.nano_usd for charge in charges}
        moved = self._gate.moved
        for hold, rules in self._holds:
            hold.settle(costs)
            if moved is not None:
                moved.update((rule.term.account, rule) for rule in rules)

    @property
    def tightest(self) -> Standing | None:
        """The budget with the least left of those that are enforced."""
        tightest: Standing | None = None
        for hold, _ in self._holds:
            for each in hold.standings:
                if each.term.enforced and (tightest is None or each.remaining_nano_usd < tightest.remaining_nano_usd):
                    tightest = each
        return tightest

    @property
    def exceeded(self) -> tuple[BudgetTerm, ...]:
        if not self._holds:
            return ()
        return tuple([term for hold, _ in self._holds for term in hold.exceeded])


def rule_of(subject: Subject, budget: Budget) -> Rule:
    """The account is the same as long as it is the same money: whose, in which period and zone, for which models."""
    models = "" if budget.models is None else hashlib.sha256("\n".join(sorted(budget.models)).encode()).hexdigest()[:12]
    account = ":".join((subject.kind, subject.id, budget.period, budget.timezone, models))
    if len(account) > _MAX_ACCOUNT:
        account = f"{subject.kind}:{hashlib.sha256(account.encode()).hexdigest()}"
    term = BudgetTerm(
        account,
        subject,
        int(budget.limit_usd * NANO_PER_USD),
        budget.period,
        budget.timezone,
        budget.on_exceeded,
        budget.downgrade_to,
        budget.models,
    )
    patterns = [Patterns(budget.models)] if budget.models is not None else []
    if subject.kind == "model":
        patterns.append(Patterns([subject.id]))
    return Rule(budget, term, tuple(patterns))


def _dearest(rates: Rates, unit: str, count: int) -> int:
    """So many of a unit at the highest price that any kind of it has."""
    by_kind = rates.units.get(unit)
    if not by_kind:
        return 0
    return -(-count * max(by_kind.values()) // (_PER_PRICE * (_MILLISECONDS if unit == SECOND else 1)))


def _cost(attempts: Sequence[AttemptRecord], rule: Rule) -> int:
    cost = 0
    for attempt in attempts:
        if attempt.cost_nano_usd and rule.counts(attempt):
            cost += attempt.cost_nano_usd
    return cost
