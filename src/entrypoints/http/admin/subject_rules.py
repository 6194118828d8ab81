"""`/admin/limits` and `/admin/budgets`: those that are no field of their subject."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg, PathParameter, QueryParameter

from application.admin.limits_explained import ExplainedLimits, LimitExplainer
from application.admin.subject_rules import (
    LimitsChange,
    ListedBudget,
    ListedLimits,
    NewLimits,
    RuleAdmin,
    SubjectBody,
)
from application.usage.attribution import listed_tags
from domain.actors import Actor
from domain.limits import Budget
from domain.money import usd
from domain.providers import Owner
from domain.subject_limits import StoredRule
from entrypoints.http.admin.operations import (
    CHANGE_ERRORS,
    COMPLAINTS,
    DELETE_ERRORS,
    ITEM_ERRORS,
    READ_ERRORS,
    WRITE_ERRORS,
    example,
)
from entrypoints.http.authorization import ACTING, require_admin
from entrypoints.http.owners import owner_of

RuleId = Annotated[str, PathParameter(description="The id of a limit or a budget")]


class LimitsResponse(msgspec.Struct, frozen=True):
    """Limits of one subject. Null is no limit of that kind, `id` null where they are a field of their subject.

    `subject_name` is what people call it, null where it has no name or is gone; of a member it is the user's.
    """

    id: str | None
    subject: SubjectBody
    subject_name: str | None
    rpm: int | None
    rpd: int | None
    tpm: int | None
    tpd: int | None
    itpm: int | None
    otpm: int | None
    parallel: int | None
    owner: Owner = "database"


class LimitsList(msgspec.Struct, frozen=True):
    data: tuple[LimitsResponse, ...]
    next_cursor: str | None = None


class NewBudget(Budget, frozen=True, kw_only=True):
    """A budget of a subject."""

    subject: SubjectBody


class BudgetResponse(msgspec.Struct, frozen=True):
    """A budget and how it stands. `period_end` is null where it never ends, `id` where it is a field of its subject.

    `subject_name` is what people call it, null where it has no name or is gone; of a member it is the user's.
    """

    id: str | None
    subject: SubjectBody
    subject_name: str | None
    limit_usd: str
    period: str
    timezone: str
    warn_at: tuple[float, ...]
    on_exceeded: str
    downgrade_to: str | None
    hold: str
    unpriced: str
    models: tuple[str, ...] | None
    spent_usd: str
    held_usd: str
    remaining_usd: str
    period_start: datetime | None
    period_end: datetime | None
    owner: Owner = "database"


class BudgetList(msgspec.Struct, frozen=True):
    data: tuple[BudgetResponse, ...]
    next_cursor: str | None = None


_SUBJECT = {"kind": "tag", "id": "batch"}
_LIMITS = {
    "id": "lim_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "subject": _SUBJECT,
    "subject_name": None,
    "rpm": 60,
    "rpd": None,
    "tpm": 100000,
    "tpd": None,
    "itpm": None,
    "otpm": None,
    "parallel": 4,
}
_BUDGET = {
    "id": "bud_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "subject": _SUBJECT,
    "subject_name": None,
    "limit_usd": "25.00",
    "period": "month",
    "timezone": "Europe/Berlin",
    "warn_at": [0.8],
    "on_exceeded": "block",
    "downgrade_to": None,
    "hold": "elastic",
    "unpriced": "deny",
    "models": ["anthropic/*"],
    "spent_usd": "3.10",
    "held_usd": "0.25",
    "remaining_usd": "21.65",
    "period_start": "2026-10-31T23:00:00Z",
    "period_end": "2026-11-30T23:00:00Z",
}
_OF_KEY = {"kind": "key", "id": "key_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f", "name": "notebook"}
EXPLAINED_EXAMPLE = {
    "limits": [
        {
            "subject": _OF_KEY,
            "limit": 60,
            "used": 12,
            "held": 0,
            "remaining": 48,
            "unit": "rpm",
            "period_end": None,
            "source": "field",
            "refuses": False,
            "period": None,
            "period_start": None,
            "timezone": None,
            "on_exceeded": None,
            "models": None,
        }
    ],
    "budgets": [
        {
            "subject": _OF_KEY,
            "limit": "25.00",
            "used": "3.10",
            "held": "0.25",
            "remaining": "21.65",
            "unit": "usd",
            "period_end": "2026-12-01T00:00:00Z",
            "source": "default",
            "refuses": False,
            "period": "month",
            "period_start": "2026-11-01T00:00:00Z",
            "timezone": "UTC",
            "on_exceeded": "block",
            "models": None,
        }
    ],
}
NewLimitsBody = Annotated[
    NewLimits, BodyKwarg(examples=[Example(summary="Of a tag", value={"subject": _SUBJECT, "rpm": 60})])
]
LimitsChangeBody = Annotated[LimitsChange, BodyKwarg(examples=[Example(summary="Lift one", value={"rpm": None})])]
NewBudgetBody = Annotated[
    NewBudget, BodyKwarg(examples=[Example(summary="Of a tag", value={"subject": _SUBJECT, "limit_usd": "25"})])
]
BudgetChangeBody = Annotated[
    dict[str, object], BodyKwarg(examples=[Example(summary="More", value={"limit_usd": "50"})])
]


class LimitController(Controller):
    path = "/admin/limits"
    tags = ("Limits",)
    guards = (require_admin,)
    dependencies = ACTING
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listLimits",
        summary="List limits",
        description="Those that are no field of a key, member, user or tenant. Oldest first. With `fields=true` also "
        "those that are: they come last, have no `id`, and are changed there.",
        responses={200: example({"data": [_LIMITS], "next_cursor": None}, "All", LimitsList), **READ_ERRORS},
    )
    @inject
    async def list_all(
        self,
        actor: NamedDependency[Actor],
        rules: FromDishka[RuleAdmin],
        fields: Annotated[bool, QueryParameter(description="Also those that are a field of their subject")] = False,
    ) -> LimitsList:
        return LimitsList(tuple(_limits(each) for each in await rules.list_limits(actor, fields=fields)))

    @get(
        "/explain",
        operation_id="explainLimits",
        summary="Explain what a key would meet",
        description="Every limit and budget that a request of the key would meet, of everyone it acts for and of the "
        "model it names, with what is used and left. Those of providers and their keys are for the platform's admin.",
        responses={200: example(EXPLAINED_EXAMPLE, "Each list by the share left", ExplainedLimits), **ITEM_ERRORS},
    )
    @inject
    async def explain(
        self,
        actor: NamedDependency[Actor],
        explainer: FromDishka[LimitExplainer],
        key_id: Annotated[str, QueryParameter(description="The id of a virtual key")],
        model: Annotated[str | None, QueryParameter(description="As a request names it")] = None,
        tags: Annotated[str, QueryParameter(description="Those of the request itself, as in `x-omg-tags`")] = "",
    ) -> ExplainedLimits:
        return await explainer.get(actor, key_id, model, listed_tags(tags))

    @post(
        operation_id="createLimits",
        summary="Limit a subject",
        description="A key, member (`tenant/user`), user, tenant, tag, model (a pattern), provider or its key. All "
        "that apply to a request are taken together, or none.",
        responses={201: example(_LIMITS, "Created", LimitsResponse), **WRITE_ERRORS},
    )
    @inject
    async def create(
        self, actor: NamedDependency[Actor], data: NewLimitsBody, rules: FromDishka[RuleAdmin]
    ) -> LimitsResponse:
        return _limits(await rules.get_limits(await rules.add_limits(actor, data)))

    @get(
        "/{rule_id:str}",
        operation_id="getLimits",
        summary="Get limits",
        description="One subject's.",
        responses={200: example(_LIMITS, "The limits", LimitsResponse), **ITEM_ERRORS},
    )
    @inject
    async def get_one(
        self, actor: NamedDependency[Actor], rule_id: RuleId, rules: FromDishka[RuleAdmin]
    ) -> LimitsResponse:
        return _limits(await rules.get_limits(await rules.get(actor, "limit", rule_id)))

    @patch(
        "/{rule_id:str}",
        operation_id="updateLimits",
        summary="Change limits",
        description="Changes those that are sent; null lifts one.",
        responses={200: example(_LIMITS, "Changed", LimitsResponse), **CHANGE_ERRORS},
    )
    @inject
    async def update(
        self, actor: NamedDependency[Actor], rule_id: RuleId, data: LimitsChangeBody, rules: FromDishka[RuleAdmin]
    ) -> LimitsResponse:
        return _limits(await rules.get_limits(await rules.change_limits(actor, rule_id, data)))

    @delete("/{rule_id:str}", operation_id="deleteLimits", summary="Lift limits", responses=DELETE_ERRORS)
    @inject
    async def remove(self, actor: NamedDependency[Actor], rule_id: RuleId, rules: FromDishka[RuleAdmin]) -> None:
        await rules.delete(actor, "limit", rule_id)


class BudgetController(Controller):
    path = "/admin/budgets"
    tags = ("Limits",)
    guards = (require_admin,)
    dependencies = ACTING
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listBudgets",
        summary="List budgets",
        description="All, with what is spent and held of each. Those that are a field of a key, member, user or tenant "
        "come last, have no `id`, and are changed there.",
        responses={200: example({"data": [_BUDGET], "next_cursor": None}, "All", BudgetList), **READ_ERRORS},
    )
    @inject
    async def list_all(self, actor: NamedDependency[Actor], rules: FromDishka[RuleAdmin]) -> BudgetList:
        return BudgetList(tuple(_budget(each) for each in await rules.list_budgets(actor)))

    @post(
        operation_id="createBudget",
        summary="Give a subject a budget",
        description="Key, member, user, tenant, tag and model block; a provider or a provider key is asked no more.",
        responses={201: example(_BUDGET, "Created", BudgetResponse), **WRITE_ERRORS},
    )
    @inject
    async def create(
        self, actor: NamedDependency[Actor], data: NewBudgetBody, rules: FromDishka[RuleAdmin]
    ) -> BudgetResponse:
        budget = Budget(**{name: getattr(data, name) for name in Budget.__struct_fields__})
        return await _answer(rules, await rules.add_budget(actor, data.subject, budget))

    @get(
        "/{rule_id:str}",
        operation_id="getBudget",
        summary="Get a budget",
        responses={200: example(_BUDGET, "The budget", BudgetResponse), **ITEM_ERRORS},
    )
    @inject
    async def get_one(
        self, actor: NamedDependency[Actor], rule_id: RuleId, rules: FromDishka[RuleAdmin]
    ) -> BudgetResponse:
        return await _answer(rules, await rules.get(actor, "budget", rule_id))

    @patch(
        "/{rule_id:str}",
        operation_id="updateBudget",
        summary="Change a budget",
        description="Changes the fields that are sent. What was spent stays, as long as period, zone and models do.",
        responses={200: example(_BUDGET, "Changed", BudgetResponse), **CHANGE_ERRORS},
    )
    @inject
    async def update(
        self, actor: NamedDependency[Actor], rule_id: RuleId, data: BudgetChangeBody, rules: FromDishka[RuleAdmin]
    ) -> BudgetResponse:
        return await _answer(rules, await rules.change_budget(actor, rule_id, data))

    @delete("/{rule_id:str}", operation_id="deleteBudget", summary="End a budget", responses=DELETE_ERRORS)
    @inject
    async def remove(self, actor: NamedDependency[Actor], rule_id: RuleId, rules: FromDishka[RuleAdmin]) -> None:
        await rules.delete(actor, "budget", rule_id)


async def _answer(rules: RuleAdmin, rule: StoredRule) -> BudgetResponse:
    return _budget(await rules.get_standing(rule))


def _limits(listed: ListedLimits) -> LimitsResponse:
    subject = SubjectBody(listed.subject.kind, listed.subject.id)
    amounts = msgspec.structs.asdict(listed.limits)
    return LimitsResponse(listed.id, subject, listed.name, **amounts, owner=owner_of("limit", listed.id))


def _budget(listed: ListedBudget) -> BudgetResponse:
    budget, stands = listed.budget, listed.stands
    fields = msgspec.structs.asdict(budget) | {"limit_usd": usd(stands.term.limit_nano_usd)}
    return BudgetResponse(
        listed.id,
        SubjectBody(stands.term.subject.kind, stands.term.subject.id),
        listed.name,
        **fields,
        spent_usd=usd(stands.spent_nano_usd),
        held_usd=usd(stands.held_nano_usd),
        remaining_usd=usd(stands.remaining_nano_usd),
        period_start=_moment(stands.period_start) if stands.period_start else None,
        period_end=_moment(stands.period_end) if budget.period != "never" else None,
        owner=owner_of("budget", listed.id),
    )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
