"""`GET /admin/usage`: what everyone has used."""

from typing import Any

from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, Response, get
from litestar.di import NamedDependency

from application.usage.asking import UsageAsked
from application.usage.explanation import CostExplanation
from application.usage.report import UsageReport
from domain.usage_queries import DRIFT_PERCENT, UsageFilter
from entrypoints.http.admin.operations import COMPLAINTS, READ_ERRORS, example
from entrypoints.http.authorization import require_admin
from entrypoints.http.usage_answer import (
    DESCRIPTION,
    DRIFT_EXAMPLE,
    EXAMPLE,
    EXPLAIN_EXAMPLE,
    DriftAnswer,
    ExplainAnswer,
    UsageAnswer,
    drift_answer,
    explain_answer,
)
from entrypoints.http.usage_focus import for_format, usage_response
from entrypoints.http.usage_questions import ASKING_FOR_USAGE, From, Model, ProviderId, Timezone, To, UsageFormat


class UsageController(Controller):
    path = "/admin/usage"
    tags = ("Usage",)
    guards = (require_admin,)
    dependencies = ASKING_FOR_USAGE
    exception_handlers = COMPLAINTS

    @get(
        operation_id="getUsage",
        summary="Look at everyone's usage",
        description=DESCRIPTION,
        responses={200: example(EXAMPLE, "The usage", UsageAnswer), **READ_ERRORS},
    )
    @inject
    async def sums(
        self,
        report: FromDishka[UsageReport],
        asked: NamedDependency[UsageAsked],
        format_: UsageFormat = "json",
    ) -> Response[Any]:
        asked = for_format(asked, format_)
        usage = await report.of_all(asked)
        return usage_response(usage, asked, format_)

    @get(
        "/explain",
        operation_id="explainUsage",
        summary="Take a cost apart",
        description="What the `cost_usd` of the same question in `GET /admin/usage` is made of: by provider, model and "
        "meter the quantity, its price and where that is from; whatever it is grouped by. Each call is read.",
        responses={200: example(EXPLAIN_EXAMPLE, "The lines", ExplainAnswer), **READ_ERRORS},
    )
    @inject
    async def explain(
        self, asked: NamedDependency[UsageAsked], explanation: FromDishka[CostExplanation]
    ) -> ExplainAnswer:
        return explain_answer(await explanation.explain(asked))

    @get(
        "/drift",
        operation_id="getCostDrift",
        summary="Compare costs with what providers say they charged",
        description="Of calls whose provider reports its cost (OpenRouter, Vercel, xAI, …): by model, what was told "
        f"and booked, what our prices give, and how many calls are more than {DRIFT_PERCENT} % apart. A model without "
        "such a call is not there. The largest difference comes first.",
        responses={200: example(DRIFT_EXAMPLE, "The models", DriftAnswer), **READ_ERRORS},
    )
    @inject
    async def drift(
        self,
        report: FromDishka[UsageReport],
        from_: From = None,
        to: To = None,
        timezone: Timezone = None,
        provider: ProviderId = None,
        model: Model = None,
    ) -> DriftAnswer:
        filter_ = UsageFilter(provider_id=provider or None, model=model or None)
        asked = UsageAsked(from_, to, ("model",), timezone, filter=filter_)
        return drift_answer(await report.drift(asked))
