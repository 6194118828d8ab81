"""`/me/usage` and `/me/requests`: what one has used, and a tenant's whole usage for those who may see it."""

from typing import Any

from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, Response, get
from litestar.di import NamedDependency

from application.own_account.usage import OwnUsage
from application.usage.asking import UsageAsked
from application.usage.request_log import RequestsAsked
from entrypoints.http.admin.decisions import DecisionId
from entrypoints.http.admin.operations import (
    COMPLAINTS,
    FIRST_PAGE,
    ITEM_ERRORS,
    READ_ERRORS,
    Cursor,
    Limit,
    example,
)
from entrypoints.http.admin.requests import RequestId
from entrypoints.http.auth.people import ASKING, Person, require_person
from entrypoints.http.decision_answer import DECISION_EXAMPLE, DecisionAnswer, decision_answer
from entrypoints.http.request_answer import (
    LIST_DESCRIPTION,
    PAGE_EXAMPLE,
    REQUEST_EXAMPLE,
    RequestEntry,
    RequestPage,
    request_entry,
    request_file,
    request_page,
)
from entrypoints.http.usage_answer import (
    DESCRIPTION,
    EXAMPLE,
    EXPLAIN_EXAMPLE,
    ExplainAnswer,
    UsageAnswer,
    explain_answer,
)
from entrypoints.http.usage_focus import for_format, usage_response
from entrypoints.http.usage_questions import ASKING_FOR_REQUESTS, ASKING_FOR_USAGE, After, Format, UsageFormat


class OwnUsageController(Controller):
    path = "/me/usage"
    tags = ("Own account",)
    guards = (require_person,)
    dependencies = ASKING | ASKING_FOR_USAGE
    exception_handlers = COMPLAINTS

    @get(
        operation_id="getUsageOfPerson",
        summary="Look at one's own usage",
        description=f"What one's own keys and chats used. {DESCRIPTION}",
        responses={200: example(EXAMPLE, "The usage", UsageAnswer), **READ_ERRORS},
    )
    @inject
    async def sums(
        self,
        person: NamedDependency[Person],
        usage: FromDishka[OwnUsage],
        asked: NamedDependency[UsageAsked],
        format_: UsageFormat = "json",
    ) -> Response[Any]:
        asked = for_format(asked, format_)
        found = await usage.sums(person.actor, person.user, asked)
        return usage_response(found, asked, format_)

    @get(
        "/explain",
        operation_id="explainOwnUsage",
        summary="Take one's own cost apart",
        description="What the `cost_usd` of the same question in `GET /me/usage` is made of.",
        responses={200: example(EXPLAIN_EXAMPLE, "The lines", ExplainAnswer), **READ_ERRORS},
    )
    @inject
    async def explain(
        self,
        person: NamedDependency[Person],
        usage: FromDishka[OwnUsage],
        asked: NamedDependency[UsageAsked],
    ) -> ExplainAnswer:
        return explain_answer(await usage.explain(person.actor, person.user, asked))


class OwnRequestController(Controller):
    path = "/me/requests"
    tags = ("Own account",)
    guards = (require_person,)
    dependencies = ASKING | ASKING_FOR_REQUESTS
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listOwnRequests",
        summary="List one's own requests",
        description=LIST_DESCRIPTION,
        responses={200: example(PAGE_EXAMPLE, "A page", RequestPage), **READ_ERRORS},
    )
    @inject
    async def list_page(
        self,
        person: NamedDependency[Person],
        usage: FromDishka[OwnUsage],
        asked: NamedDependency[RequestsAsked],
        limit: Limit = FIRST_PAGE,
        cursor: Cursor = None,
        after: After = None,
        format_: Format = "json",
    ) -> Response[Any]:
        if format_ == "csv":
            return await request_file(usage.list_all(person.actor, person.user, asked))
        return Response(request_page(await usage.list_page(person.actor, person.user, asked, limit, cursor, after)))

    @get(
        "/{request_id:str}",
        operation_id="getOwnRequest",
        summary="Look up one of one's own requests",
        description="By the `x-request-id` of its answer.",
        responses={200: example(REQUEST_EXAMPLE, "The request", RequestEntry), **ITEM_ERRORS},
    )
    @inject
    async def get_one(
        self, person: NamedDependency[Person], request_id: RequestId, usage: FromDishka[OwnUsage]
    ) -> RequestEntry:
        return request_entry(*await usage.get(person.actor, person.user, request_id))


class OwnDecisionController(Controller):
    path = "/me/decisions"
    tags = ("Own account",)
    guards = (require_person,)
    dependencies = ASKING
    exception_handlers = COMPLAINTS

    @get(
        "/{decision_id:str}",
        operation_id="getOwnDecision",
        summary="Look up why one of one's own requests went where it went",
        description="By the `x-omg-decision` of its answer.",
        responses={200: example(DECISION_EXAMPLE, "The decision", DecisionAnswer), **ITEM_ERRORS},
    )
    @inject
    async def get_one(
        self, person: NamedDependency[Person], decision_id: DecisionId, usage: FromDishka[OwnUsage]
    ) -> DecisionAnswer:
        return decision_answer(await usage.decision(person.actor, person.user, decision_id))
