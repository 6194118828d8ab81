"""`/admin/requests`: the log of everyone's requests."""

from typing import Annotated, Any

from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import PathParameter

from application.usage.request_log import RequestReport, RequestsAsked
from entrypoints.http.admin.operations import (
    COMPLAINTS,
    FIRST_PAGE,
    ITEM_ERRORS,
    READ_ERRORS,
    Cursor,
    Limit,
    example,
)
from entrypoints.http.authorization import require_admin
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
from entrypoints.http.usage_questions import ASKING_FOR_REQUESTS, After, Format

RequestId = Annotated[str, PathParameter(description="The `x-request-id` of the answer")]


class RequestController(Controller):
    path = "/admin/requests"
    tags = ("Usage",)
    guards = (require_admin,)
    dependencies = ASKING_FOR_REQUESTS
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listRequests",
        summary="List requests",
        description=LIST_DESCRIPTION,
        responses={200: example(PAGE_EXAMPLE, "A page", RequestPage), **READ_ERRORS},
    )
    @inject
    async def list_page(
        self,
        asked: NamedDependency[RequestsAsked],
        report: FromDishka[RequestReport],
        limit: Limit = FIRST_PAGE,
        cursor: Cursor = None,
        after: After = None,
        format_: Format = "json",
    ) -> Response[Any]:
        if format_ == "csv":
            return await request_file(report.list_all(asked))
        return Response(request_page(await report.list_page(asked, limit, cursor, after)))

    @get(
        "/{request_id:str}",
        operation_id="getRequest",
        summary="Look up one request",
        description="By the `x-request-id` of its answer, which the gateway's log lines have too.",
        responses={200: example(REQUEST_EXAMPLE, "The request", RequestEntry), **ITEM_ERRORS},
    )
    @inject
    async def get_one(self, request_id: RequestId, report: FromDishka[RequestReport]) -> RequestEntry:
        record = await report.get(request_id)
        return request_entry(record, await report.names_of(record))
