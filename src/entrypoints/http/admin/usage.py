"""`GET /admin/usage`: what everyone has used."""

from typing import Annotated

from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, get
from litestar.params import QueryParameter

from application.usage.asking import UsageAsked
from application.usage.report import UsageReport
from domain.usage_queries import UsageFilter
from entrypoints.http.admin.operations import COMPLAINTS, READ_ERRORS, example
from entrypoints.http.authorization import require_admin
from entrypoints.http.usage_answer import DESCRIPTION, EXAMPLE, FROM, GROUP_BY, TIMEZONE, TO, UsageAnswer, usage_answer


class UsageController(Controller):
    path = "/admin/usage"
    tags = ("Usage",)
    guards = (require_admin,)
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
        from_: Annotated[str | None, QueryParameter(name="from", description=FROM)] = None,
        to: Annotated[str | None, QueryParameter(description=TO)] = None,
        group_by: Annotated[list[str] | None, QueryParameter(description=GROUP_BY)] = None,
        timezone: Annotated[str | None, QueryParameter(description=TIMEZONE)] = None,
        tenant_id: Annotated[str | None, QueryParameter(description="Only this tenant's")] = None,
        key_id: Annotated[str | None, QueryParameter(description="Only this virtual key's")] = None,
        provider: Annotated[str | None, QueryParameter(description="Only this provider's")] = None,
        model: Annotated[str | None, QueryParameter(description="Only this model's")] = None,
        task: Annotated[str | None, QueryParameter(description="Only this task's")] = None,
    ) -> UsageAnswer:
        filter_ = UsageFilter(tenant_id or None, key_id or None, provider or None, model or None, task or None)
        asked = UsageAsked(from_, to, tuple(group_by or ()), timezone, filter_)
        return usage_answer(await report.of_all(asked))
