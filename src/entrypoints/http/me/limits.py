"""`/me/limits`: what is left of every limit and budget that one's own requests meet."""

from typing import Annotated

from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from application.admin.limits_explained import ExplainedLimits
from application.own_account.limits import LimitsAsked, OwnLimits
from application.usage.attribution import listed_tags
from entrypoints.http.admin.operations import COMPLAINTS, ITEM_ERRORS, example
from entrypoints.http.admin.subject_rules import EXPLAINED_EXAMPLE
from entrypoints.http.auth.people import ASKING, Person, require_person


class OwnLimitController(Controller):
    path = "/me/limits"
    tags = ("Own account",)
    guards = (require_person,)
    dependencies = ASKING
    exception_handlers = COMPLAINTS

    @get(
        operation_id="explainOwnLimits",
        summary="Look at what is left for oneself",
        description="Every limit and budget that one's requests meet, with what is used and left: of all tenants one "
        "is in, of one of them, or of one of one's keys. Owners, admins and viewers of a tenant see a member's there "
        "with `tenant_id` and `user_id`.",
        responses={200: example(EXPLAINED_EXAMPLE, "Each list by the share left", ExplainedLimits), **ITEM_ERRORS},
    )
    @inject
    async def explain(
        self,
        person: NamedDependency[Person],
        limits: FromDishka[OwnLimits],
        key_id: Annotated[str | None, QueryParameter(description="One of one's own keys")] = None,
        tenant_id: Annotated[str | None, QueryParameter(description="One of one's tenants")] = None,
        user_id: Annotated[str | None, QueryParameter(description="A member of a tenant that one sees whole")] = None,
        model: Annotated[str | None, QueryParameter(description="As a request names it")] = None,
        tags: Annotated[str, QueryParameter(description="Those of the request itself, as in `x-omg-tags`")] = "",
    ) -> ExplainedLimits:
        asked = LimitsAsked(key_id=key_id, tenant_id=tenant_id, user_id=user_id, model=model, tags=listed_tags(tags))
        return await limits.get(person.actor, person.user, asked)
