"""The gate: which deployments a principal may use, and what a request is admitted with from there to its end."""

import logging
import re
from collections.abc import Iterable
from typing import Protocol

import msgspec

from application.admission.limits import LimitGate, RequestLimits
from domain.budget_periods import zone_of
from domain.errors import PermissionDenied, RequestInvalid
from domain.grants import Grants, is_group
from domain.inference import InferenceRequest
from domain.keys import Principal
from domain.limits import Budget
from domain.records import RequestRecord
from domain.routing import Passed, Plan

log = logging.getLogger(__name__)


_OTHER_SYNTAX = re.compile(r"[\s?\[\]{}()|^$\\,;'\"`]|(?:^|/)\.\*")
"""What no name of a model has: spaces, lists in one text, and the wildcards of shells and regular expressions."""

GROUP_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
"""What a model group can be called."""

_OF_PROVIDERS = re.compile(r"[a-z0-9_*-]+")


def check_grants(models: Iterable[str] | None, providers: Iterable[str] | None) -> None:
    """What whoever makes or changes a key asks first. Raises `RequestInvalid` for a pattern that could never match."""
    check_patterns(models, "allowed_models")
    check_patterns(providers, "allowed_providers")


def check_patterns(entries: Iterable[str] | None, field: str) -> None:
    """Raises `RequestInvalid` for an entry that could never match; `field` is where they stand."""
    for place, entry in enumerate(entries or ()):
        bare = entry.removeprefix("!")
        if is_group(bare) and field != "allowed_providers":
            if GROUP_NAME.fullmatch(bare[1:]):
                continue
            why = "no model group can have this name"
        elif not bare or bare.startswith("!") or bare.endswith("/") or not bare.isprintable():
            why = "it could match nothing"
        elif other := _OTHER_SYNTAX.search(bare):
            why = f"with {other.group()!r} in it, it could match nothing"
        elif field == "allowed_providers" and not _OF_PROVIDERS.fullmatch(bare):
            why = "ids of providers are of a-z, 0-9, `-` and `_`"
        else:
            continue
        raise RequestInvalid(
            f"'{entry}' is no pattern: {why}. Write a name, with `*` for anything; `!` before it takes away.",
            param=f"{field}.{place}",
        )


def check_budgets(budgets: Iterable[Budget], field: str = "budgets") -> None:
    """Raises `RequestInvalid` for a zone that is none, and for patterns that could never match."""
    for place, budget in enumerate(budgets):
        try:
            zone_of(budget.timezone)
        except RequestInvalid as error:
            raise RequestInvalid(error.message, param=f"{field}.{place}.timezone") from None
        check_patterns(budget.models, f"{field}.{place}.models")


def allows(principal: Principal, provider_id: str, model: str) -> bool:
    """Whether the principal may call this model at this provider."""
    return principal.grants is None or principal.grants.allow(provider_id, model)


class Claim(Protocol):
    """Something taken for one request at the gate: a window's share, a lease, a budget's hold.

    Synchronous: whatever must be told to others is told in the background. Exactly one of the two is called, once.
    """

    def settle(self, record: RequestRecord) -> None:
        """The request has ended and may have cost something: what it really took is in its record."""
        ...

    def release(self) -> None:
        """Nothing that costs was done: all of it goes back."""
        ...


class Admission:
    """An admitted request: the part of the plan it may follow, and the claims taken for it.

    Its life ends once, by `settle` or by `release`; after that both do nothing.
    """

    __slots__ = ("_claims", "limits", "plan")

    def __init__(self, plan: Plan, claims: tuple[Claim, ...] = (), limits: RequestLimits | None = None) -> None:
        self.plan = plan
        self.limits = limits
        self._claims = claims if limits is None else (*claims, limits)

    def settle(self, record: RequestRecord) -> None:
        claims, self._claims = self._claims, ()
        for claim in claims:
            try:
                claim.settle(record)
            except Exception:  # one broken claim must not keep the others
                log.exception("a claim could not be settled", extra={"request_id": record.request_id})

    def release(self) -> None:
        claims, self._claims = self._claims, ()
        for claim in claims:
            try:
                claim.release()
            except Exception:  # as above
                log.exception("a claim could not be released")


class Gate:
    """Turns a plan into an admission: what this principal may do of it, and the limits that it meets on the way."""

    def __init__(self, limits: LimitGate) -> None:
        self._limits = limits

    def admit(
        self, principal: Principal, request: InferenceRequest, plan: Plan, tags: tuple[str, ...] = ()
    ) -> Admission:
        """The permitted part of the plan, in its order. Raises `PermissionDenied` where nothing is left.

        `tags` are the request's: the caller's own, and what it says of itself.
        """
        limits = None
        if principal.rules or not self._limits.book.idle:
            limits = RequestLimits(self._limits, principal, request, tags)
        if principal.grants is None:
            return Admission(plan, (), limits)
        permitted = _permitted(plan, principal.grants, names_model=request.spends)
        if not permitted.candidates:
            raise PermissionDenied(
                f"This API key may not use the model '{request.model}'.", code="model_not_allowed", param="model"
            )
        return Admission(permitted, (), limits)


def _permitted(plan: Plan, grants: Grants, *, names_model: bool) -> Plan:
    """What of a plan is allowed; its policy says what was left out."""
    allowed = [
        grants.allow(c.provider.id, c.model) if names_model else grants.allow_provider(c.provider.id)
        for c in plan.candidates
    ]
    kept = [c for c, may in zip(plan.candidates, allowed, strict=True) if may]
    policy = plan.policy
    if policy is not None and len(kept) < len(allowed):
        denied = [
            Passed(c.provider.id, c.model, "not_allowed")
            for c, may in zip(plan.candidates, allowed, strict=True)
            if not may
        ]
        scores = tuple(score for score, may in zip(policy.scores, allowed, strict=False) if may)
        policy = msgspec.structs.replace(policy, passed=(*policy.passed, *denied), scores=scores)
    return Plan(kept, policy)
