"""The limits and budgets that are stored by themselves, by whom they are for, and those that hold by default."""

from collections.abc import Sequence

import msgspec

from application.admission.default_rules import NO_DEFAULTS, Defaults, read_defaults
from domain.grants import Patterns
from domain.keys import Principal
from domain.limits import RateLimits
from domain.ports.repositories import UnitOfWork
from domain.subject_limits import DIMENSIONS, StoredRule, Subject, SubjectKind, SubjectRules

MAX_FOUND = 4_096
"""Models and keys whose rules are remembered; clients name models, so there must be an end to it."""


_BY_CALL = frozenset({"model", "provider", "provider_key"})
"""Those who are met by what is asked, and not by who asks."""


class RuleBook:
    """In memory. `reload` when the section changed; `generation` grows with each. `idle` while nothing is in it."""

    def __init__(self, defaults: Defaults = NO_DEFAULTS) -> None:
        self.configured = defaults
        self._defaults = defaults
        self._by_subject: dict[Subject, SubjectRules] = {}
        self._models: tuple[tuple[Patterns, SubjectRules], ...] = ()
        self._found: dict[tuple[str | None, ...], tuple[SubjectRules, ...]] = {}
        self.generation = 0
        self.idle = defaults == NO_DEFAULTS
        self.has_upstream = False  # whether a provider or a provider key has any
        self.has_budgets = False  # whether a model, a provider or a provider key has one
        self.has_tags = False  # whether a tag has any

    async def reload(self, unit: UnitOfWork) -> None:
        """Raises `StoreUnavailable` and keeps what it knew."""
        self.take(await unit.rules.list_all(), await read_defaults(unit, self.configured))

    def take(self, stored: Sequence[StoredRule], defaults: Defaults | None = None) -> None:
        """These, in place of those before. Without `defaults` those that are configured hold."""
        found: dict[Subject, SubjectRules] = {}
        for rule in stored:
            known = found.get(rule.subject, SubjectRules(rule.subject))
            budgets = known.budgets if rule.budget is None else (*known.budgets, rule.budget)
            found[rule.subject] = SubjectRules(rule.subject, tighter(known.limits, rule.limits), budgets)
        self._models = tuple(
            (Patterns([subject.id]), rules) for subject, rules in found.items() if subject.kind == "model"
        )
        self._by_subject = found
        self._defaults = self.configured if defaults is None else defaults
        self._found = {}
        self.has_upstream = any(subject.kind in {"provider", "provider_key"} for subject in found)
        self.has_budgets = any(rules.budgets for subject, rules in found.items() if subject.kind in _BY_CALL)
        self.has_tags = any(subject.kind == "tag" for subject in found)
        self.idle = not found and self._defaults == NO_DEFAULTS
        self.generation += 1

    def of(self, principal: Principal) -> tuple[SubjectRules, ...]:
        """Of all whom a caller acts for: as their fields say, as stored beside, and by default."""
        if self.idle:
            return principal.rules
        rules = {each.subject: each for each in principal.rules}
        for subject in _subjects(principal):
            own, stored = rules.get(subject), self._by_subject.get(subject)
            if stored is not None:
                rules[subject] = stored if own is None else _both(own, stored)
            if subject.kind in {"key", "tenant"}:
                known = rules.get(subject, SubjectRules(subject))
                completed = self._completed(known, personal=principal.personal)
                if completed != known:
                    rules[subject] = completed
        return tuple(rules.values())

    def of_tags(self, tags: Sequence[str]) -> tuple[SubjectRules, ...]:
        """Of those tags that have any."""
        known = self._by_subject
        return tuple([known[subject] for tag in tags if (subject := Subject("tag", tag)) in known])

    def stored(self, subject: Subject) -> SubjectRules | None:
        """What is set of it beside its fields."""
        return self._by_subject.get(subject)

    def of_model(self, provider_id: str, model: str) -> tuple[SubjectRules, ...]:
        """Of every pattern that the model matches, by its own id or by `provider/model`."""
        if not self._models:
            return ()
        found = self._found.get((provider_id, model))
        if found is None:
            names = (model, f"{provider_id}/{model}")
            found = tuple(rules for pattern, rules in self._models if pattern.match(*names))
            self._keep((provider_id, model), found)
        return found

    def of_upstream(self, provider_id: str, key_id: str | None) -> tuple[SubjectRules, ...]:
        """Of a provider, and of the key it is asked with."""
        found = self._found.get((provider_id, None, key_id))
        if found is None:
            subjects = [Subject("provider", provider_id)]
            if key_id is not None:
                subjects.append(Subject("provider_key", key_id))
            found = tuple(rules for subject in subjects if (rules := self._by_subject.get(subject)) is not None)
            self._keep((provider_id, None, key_id), found)
        return found

    def _keep(self, key: tuple[str | None, ...], found: tuple[SubjectRules, ...]) -> None:
        """The same tuple for the same question: what is made of it is found again by that."""
        if len(self._found) >= MAX_FOUND:
            self._found.clear()
        self._found[key] = found

    def _completed(self, rules: SubjectRules, *, personal: bool) -> SubjectRules:
        defaults = self._defaults
        if rules.subject.kind == "key":
            limits, budgets = defaults.key_limits, defaults.key_budgets
        else:
            limits = defaults.tenant_limits
            budgets = defaults.personal_tenant_budgets if personal else defaults.tenant_budgets
        own = {name: getattr(rules.limits, name) for name in DIMENSIONS if getattr(rules.limits, name) is not None}
        return SubjectRules(rules.subject, msgspec.structs.replace(limits, **own), rules.budgets or budgets)


def _subjects(principal: Principal) -> list[Subject]:
    kinds: list[tuple[SubjectKind, str | None]] = [("key", principal.key_id), ("tenant", principal.tenant_id)]
    user_id = principal.user_id
    if user_id is not None:
        kinds += [("member", f"{principal.tenant_id}/{user_id}"), ("user", user_id)]
    kinds += [("tag", tag) for tag in principal.tags]
    return [Subject(kind, name) for kind, name in kinds if name is not None]


def _both(one: SubjectRules, other: SubjectRules) -> SubjectRules:
    return SubjectRules(one.subject, tighter(one.limits, other.limits), (*one.budgets, *other.budgets))


def tighter(one: RateLimits, other: RateLimits) -> RateLimits:
    """Of each limit the smaller, where there is one."""
    smallest: dict[str, int] = {}
    for name in DIMENSIONS:
        amounts = [amount for amount in (getattr(one, name), getattr(other, name)) if amount is not None]
        if amounts:
            smallest[name] = min(amounts)
    return RateLimits(**smallest)
